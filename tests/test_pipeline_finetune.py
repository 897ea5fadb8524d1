"""Finetuning pretrained families: what a frame sees, what is trained, and what is kept of it."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from family_names import FIVE
from tiny_cascade import State, state_of
from tiny_families import QUICK, SIDE, edited, moving_clip, seeded
from tiny_pipelines import TINY, device, quiet
from torch import Tensor

from dreamix import DreamixPipeline
from dreamix.backends import tuning as tuning_module
from dreamix.backends.tuning import ClipLatents, Tuning, encoded, losses, objective, trainable
from dreamix.core.errors import UserError
from dreamix.diffusion.adapting import (
    LossPart,
    Terms,
    Training,
    add_gradients,
    bring_state,
    checkpointed,
    optimiser,
)
from dreamix.diffusion.finetune import Finetuning
from dreamix.diffusion.objectives import Drawn

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def dreamix(family: str) -> DreamixPipeline:
    torch.set_num_threads(1)
    return DreamixPipeline(quiet(TINY[family]()))


def states(dreamix: DreamixPipeline) -> list[State]:
    return [state_of(network) for network in dreamix.family.networks.values()]


# -- the objective -----------------------------------------------------------------------------
def loss(*drawn: Any) -> Tensor:
    return torch.stack([*losses(*drawn)]).sum()


def losses_on(dreamix: DreamixPipeline, draws: int = 4) -> dict[str, float]:
    """Return both losses on the clip, with the same noise whenever it is asked."""
    family = dreamix.family
    clip = encoded(family, moving_clip(5), tuning())
    with torch.no_grad():
        words = family.embed(["sks"], None).told
        found = {}
        for name, clips, mask in (("video", clip.video, None), ("frames", clip.frames, 1)):
            with family.frame_pass() if mask else torch.no_grad():
                each = [loss(family, clips, words, 2, seeded(i)).item() for i in range(draws)]
            found[name] = sum(each) / draws
    return found


def tuning(**changes: Any) -> Tuning:
    options = {"prompts": ["sks"], "settings": Finetuning(), "rank": 4, "where": "all"}
    return Tuning(
        **{**options, "checkpointing": False, "optimiser": "adamw", "precision": "no", **changes}
    )


@pytest.mark.slow
@pytest.mark.check("losses fall")
@pytest.mark.parametrize("rank", [None, 8])
def test_finetuning_lowers_both_losses_on_its_clip(
    dreamix: DreamixPipeline, rank: int | None
) -> None:
    """Measured with the same noise before and after, in the pass of each."""
    before = losses_on(dreamix)
    rate = 3e-3 if rank is None else 2e-2
    tuned = dreamix.finetune(moving_clip(5), steps=10, rank=rank, frames=3, learning_rate=rate)
    after = losses_on(dreamix)
    assert after["video"] < 0.97 * before["video"]
    assert after["frames"] < 0.97 * before["frames"]
    assert [sorted(losses) for losses in tuned.losses] == [["frames", "video"]] * 10


def test_the_loss_is_that_of_the_networks_own_prediction(
    dreamix: DreamixPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that returns its target has a loss of 0; one that returns 0 the target's square."""
    whole, drawn = dreamix.family, []
    clip = ClipLatents(
        torch.randn((1, *whole.latent_shape(5, SIDE, SIDE)), generator=seeded()), None
    )
    words = whole.embed(["sks"], None).told
    kept = __import__("dreamix.backends.tuning", fromlist=["draw"]).draw

    def draw(*arguments: Any) -> Drawn:
        drawn.append(kept(*arguments))
        return drawn[-1]

    monkeypatch.setattr("dreamix.backends.tuning.draw", draw)
    monkeypatch.setattr(whole, "predict", lambda z, t, told: drawn[-1].target)
    assert loss(whole, clip.video, words, 1, seeded()) == 0
    monkeypatch.setattr(whole, "predict", lambda z, t, told: torch.zeros_like(z))
    found = loss(whole, clip.video, words, 1, seeded())
    assert found == pytest.approx(float(drawn[-1].target.square().mean()))


def trained_weights(name: str, **options: Any) -> list[Tensor]:
    dreamix = DreamixPipeline(quiet(TINY[name]()))
    dreamix.finetune(moving_clip(4), **{**QUICK, **options})
    networks = dreamix.family.networks.values()
    return [p.detach() for n in networks for k, p in n.named_parameters() if ".lora_" in k]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def gradients(dreamix: DreamixPipeline, blocks: list[Any]) -> tuple[list[Tensor], int]:
    """Return the gradients of one update and the bytes of activations kept for them."""
    whole, kept = dreamix.family, []
    dreamix.reset()
    parameters = trainable(whole, tuning(rank=4), seeded())
    for p in parameters:  # B is zero in a fresh adapter, and A's gradient with it
        p.data = torch.randn(p.shape, generator=seeded())
    clip = encoded(whole, moving_clip(4), tuning())
    words = whole.embed(["sks"], None).told.detach()
    settings = Finetuning(frames=2)

    def keep(x: Tensor) -> Tensor:
        kept.append(x.untyped_storage().nbytes())
        return x

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x), checkpointed(blocks):
        for part in objective(whole, clip, words, settings):
            with part.mask():
                for term in part.terms(seeded()):
                    term.backward()
    return [p.grad.clone() for p in parameters if p.grad is not None], sum(kept)


@pytest.mark.slow
def test_gradient_checkpointing_gives_the_same_gradients_and_keeps_less(
    dreamix: DreamixPipeline,
) -> None:
    """It runs the network again in the backward pass: inside the mask, or frames would be mixed.

    What is kept is counted before the backward pass computes the rest again, in both cases.
    """
    plain, all_of_it = gradients(dreamix, [])
    again, less = gradients(dreamix, dreamix.family.blocks)
    assert less < 0.8 * all_of_it
    assert len(plain) == len(again) > 0
    for one, other in zip(plain, again, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(one.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE)
def test_the_seed_decides_and_torchs_own_numbers_do_not(family: str) -> None:
    first = trained_weights(family, steps=1)
    torch.rand(3)
    assert equal(first, trained_weights(family, steps=1))
    dreamix, state = DreamixPipeline(quiet(TINY[family]())), torch.get_rng_state()
    dreamix.finetune(moving_clip(3), **QUICK)
    assert torch.equal(state, torch.get_rng_state())
    assert not equal(first, trained_weights(family, steps=1, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE, indirect=True)
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_runs(dreamix: DreamixPipeline, precision: str) -> None:
    tuned = dreamix.finetune(moving_clip(3), mixed_precision=precision, **QUICK)
    (network, *_) = dreamix.family.networks.values()
    adapter = [p for name, p in network.named_parameters() if ".lora_" in name]
    assert {p.dtype for p in adapter} == {torch.float32}
    assert all(value > 0 for losses in tuned.losses for value in losses.values())


@pytest.mark.slow
@pytest.mark.check("half precision")
@pytest.mark.parametrize("family", FIVE, indirect=True)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_network_in_half_precision_is_finetuned_by_an_adapter_in_float32(
    dreamix: DreamixPipeline, dtype: torch.dtype
) -> None:
    dreamix.to(dtype).finetune(moving_clip(3), **QUICK)
    found = edited(dreamix, 0.6, moving_clip(3), num_inference_steps=2)
    assert dreamix.dtype == dtype
    assert found.isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE, indirect=True)
def test_progress_and_several_prompts(dreamix: DreamixPipeline) -> None:
    seen: list[tuple[int, int]] = []
    clip = moving_clip(3)
    dreamix.finetune(clip, ["sks", "a sks cat"], callback=lambda *n: seen.append(n), **QUICK)
    assert seen == [(1, 2), (2, 2)]


# -- what is left behind -----------------------------------------------------------------------
@pytest.mark.slow
def test_without_its_adapter_the_network_is_the_base_to_the_bit(dreamix: DreamixPipeline) -> None:
    """Off, gone, and fresh (no update yet): all three. On, it is not."""
    clip = moving_clip(5)
    before, held = edited(dreamix, 0.7, clip), states(dreamix)
    dreamix.finetune(clip, **{**QUICK, "steps": 0})
    assert torch.equal(edited(dreamix, 0.7, clip), before)
    dreamix.finetune(clip, **{**QUICK, "learning_rate": 0.05})
    tuned = edited(dreamix, 0.7, clip)
    assert not torch.equal(tuned, before)
    dreamix.disable_adapter()
    assert torch.equal(edited(dreamix, 0.7, clip), before)
    dreamix.enable_adapter()
    assert torch.equal(edited(dreamix, 0.7, clip), tuned)
    dreamix.reset()
    assert torch.equal(edited(dreamix, 0.7, clip), before)
    assert states(dreamix) == held


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE, indirect=True)
def test_reset_takes_back_a_finetuning_of_all_weights(dreamix: DreamixPipeline) -> None:
    held = states(dreamix)
    dreamix.finetune(moving_clip(3), **{**QUICK, "rank": None})
    assert states(dreamix) != held
    dreamix.finetune(moving_clip(3), **{**QUICK, "rank": None})
    dreamix.reset()
    assert states(dreamix) == held


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE, indirect=True)
def test_a_mistake_leaves_flags_and_layers_as_they_were(dreamix: DreamixPipeline) -> None:
    held = states(dreamix)
    with pytest.raises(UserError, match="diverged"):
        dreamix.finetune(moving_clip(3), **{**QUICK, "learning_rate": 1e30, "steps": 9})
    dreamix.reset()
    assert states(dreamix) == held


@pytest.mark.slow
@pytest.mark.check("offloading")
@pytest.mark.parametrize("family", FIVE)
def test_offloading_changes_nothing(family: str, dreamix: DreamixPipeline) -> None:
    """accelerate's hooks: same adapter, same edit. On the processor, which is then its own
    accelerator, it does not show that weights move; `make gpu-check` does.
    """
    clip = moving_clip(4)
    dreamix.finetune(clip, **QUICK)
    expected = edited(dreamix, 0.7, clip)
    offloaded = DreamixPipeline(quiet(TINY[family]()))
    offloaded.enable_model_cpu_offload(device=device())
    assert offloaded.pipe.vae._hf_hook is not None
    offloaded.finetune(clip, **QUICK)
    assert torch.equal(edited(offloaded, 0.7, clip), expected)


@pytest.mark.slow
def test_where_experts_come_and_go_each_is_there_while_its_gradient_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wan 2.2 under accelerate's hooks: frames of both experts in every update."""
    from accelerate.hooks import CpuOffload

    dreamix, there, seen = DreamixPipeline(quiet(TINY["wan2.2"]())), set(), []
    names = {id(network): name for name, network in dreamix.family.networks.items()}
    forward, choose = CpuOffload.pre_forward, tuning_module.trainable

    def called(hook: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        if hook.prev_module_hook is not None:
            there.discard(names.get(id(hook.prev_module_hook.model)))
        there.add(names.get(id(module)))
        return forward(hook, module, *args, **kwargs)

    def watched(family: Any, *told: Any) -> Any:
        chosen = choose(family, *told)
        for name, network in family.networks.items():
            for p in {*network.parameters()} & {*chosen}:
                p.register_post_accumulate_grad_hook(lambda _, n=name: seen.append(n in there))
        return chosen

    monkeypatch.setattr(CpuOffload, "pre_forward", called)
    monkeypatch.setattr(tuning_module, "trainable", watched)
    dreamix.enable_model_cpu_offload(device="cpu")
    calls = []
    monkeypatch.setattr(type(dreamix.family), "_call", counted(type(dreamix.family)._call, calls))
    dreamix.finetune(moving_clip(8), **{**QUICK, "frames": 8, "alpha": 0.0, "steps": 4})
    assert len(calls) > 4, "an update of both"
    assert seen
    assert all(seen)


def counted(function: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    def call(family: Any, name: str, *args: Any) -> Any:
        calls.append(name)
        return function(family, name, *args)

    return call


def test_what_the_optimiser_remembers_follows_its_weights() -> None:
    """A weight that was moved away and its moments meet again; the count of steps stays."""
    weight = torch.nn.Parameter(torch.ones(3, device="meta"))
    optimise = torch.optim.AdamW([weight])
    moments = {"exp_avg": torch.ones(3), "exp_avg_sq": torch.ones(3)}
    optimise.state[weight] = {"step": torch.tensor(1.0), **moments}
    bring_state(optimise)
    held = {name: x.device.type for name, x in optimise.state[weight].items()}
    assert held == {"step": "cpu", "exp_avg": "meta", "exp_avg_sq": "meta"}


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE)
def test_moments_in_eight_bits_lower_both_losses(family: str, dreamix: DreamixPipeline) -> None:
    """bitsandbytes, on the processor: tensors of 4096 numbers and more have moments of a byte."""
    pytest.importorskip("bitsandbytes", reason="needs the extra eightbit")
    before = losses_on(dreamix)
    settings = {"steps": 10, "rank": None, "frames": 3, "learning_rate": 3e-3}
    dreamix.finetune(moving_clip(5), optimizer="adamw8bit", **settings)
    after = losses_on(dreamix)
    assert after["video"] < 0.97 * before["video"]
    assert after["frames"] < 0.97 * before["frames"]


@pytest.mark.slow
def test_an_optimiser_of_eight_bits_takes_steps_without_decay() -> None:
    """At rate 1 a weight with a gradient moves by 1, the first step of Adam; the others stay."""
    pytest.importorskip("bitsandbytes", reason="needs the extra eightbit")
    weight = torch.nn.Parameter(torch.full((64, 128), 10.0))
    optimise = optimiser([weight], 1.0, Training("adamw8bit"))
    weight.grad = torch.zeros_like(weight)
    weight.grad[:32] = 0.5
    optimise.step()
    assert torch.allclose(weight[:32], torch.tensor(9.0), atol=0.02)
    assert torch.equal(weight[32:], torch.full((32, 128), 10.0))
    assert optimise.state[weight]["state1"].dtype == torch.uint8


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE)
def test_finetuning_with_checkpointing_makes_the_same_update(family: str) -> None:
    """One update of AdamW is the sign of the gradient: a few tiny ones may turn over, not many."""
    plain = trained_weights(family, steps=1)
    again = trained_weights(family, steps=1, gradient_checkpointing=True)
    same = [
        torch.isclose(a, b, atol=1e-5).float().mean() for a, b in zip(plain, again, strict=True)
    ]
    assert min(same) > 0.9
    assert sum(same) / len(same) > 0.995


@pytest.mark.parametrize("alpha", [1.0, 0.25, 0.0])
def test_the_gradient_is_that_of_equation_3_and_draws_do_not_depend_on_alpha(alpha: float) -> None:
    """alpha w^2 + (1 - alpha) 3 w at w = 2 has the derivative 4 alpha + 3 (1 - alpha)."""
    w, seen = torch.nn.Parameter(torch.tensor(2.0)), {}

    def drawn(name: str, value: Callable[[], Tensor]) -> Terms:
        def terms(generator: torch.Generator) -> list[Tensor]:
            seen[name] = torch.rand(1, generator=generator).item()
            return [value()]

        return terms

    parts = [
        LossPart("video", alpha, drawn("video", lambda: w**2), nullcontext),
        LossPart("frames", 1 - alpha, drawn("frames", lambda: 3 * w), nullcontext),
    ]
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    losses = add_gradients(parts, seeded(), scaler, Training())
    assert w.grad is not None
    assert w.grad.item() == pytest.approx(4 * alpha + 3 * (1 - alpha))
    expected = {"video": 4.0} if alpha == 1 else {"frames": 6.0} if alpha == 0 else None
    assert losses == (expected or {"video": 4.0, "frames": 6.0})
    seeds = torch.randint(2**62, (2,), generator=seeded()).tolist()
    each = {
        name: torch.rand(1, generator=seeded(s)).item()
        for name, s in zip(("video", "frames"), seeds, strict=True)
    }
    assert seen == {name: each[name] for name in losses}
