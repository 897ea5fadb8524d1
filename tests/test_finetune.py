"""Mixed finetuning: the formula by hand, what is trained and what is not, and that it repeats."""

import dataclasses

import pytest
import torch
from tiny_cascade import plain_denoiser, random_clip, state_of, tiny_base
from torch import Tensor, nn

from dreamix.core.errors import UserError
from dreamix.diffusion.adapting import Training, add_gradients
from dreamix.diffusion.finetune import denoising_loss, finetune, mixed
from dreamix.diffusion.masking import temporal_parameters
from dreamix.diffusion.settings import Finetuning
from dreamix.toybox.cascade.tuned import attention

CLIP = random_clip(1, 3, 4, 24, 40)
SHORT = CLIP[:, :, :2]
QUICK = Finetuning(steps=2, learning_rate=1e-3, frames=2)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Sure(nn.Module):
    """A denoiser that sees nothing: w for clips, 2 w for single frames."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, z: Tensor, t: Tensor) -> Tensor:
        self.seen.append((z, t))
        return (self.w if z.shape[2] > 1 else 2 * self.w).expand(z.shape)


def mixed_loss(toy: Sure, settings: Finetuning, generator: torch.Generator) -> float:
    """The loss of one draw, of which the gradients have been added."""
    parts = mixed(toy, toy, CLIP, settings)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    losses = add_gradients(parts, generator, scaler, Training())
    return sum(part.weight * losses.get(part.name, 0.0) for part in parts)


@pytest.mark.parametrize("alpha", [1.0, 0.25, 0.0])
def test_the_loss_is_equation_3(alpha: float) -> None:
    """D = w on the clip, 2 w on its frames, all 4: a mean (w - v)^2 + (1 - a) mean (2 w - v)^2.

    Its derivative is a mean 2 (w - v) + (1 - a) mean 4 (2 w - v).
    """
    toy, v = Sure(), CLIP.double()
    loss = mixed_loss(toy, Finetuning(alpha=alpha, frames=4), seeded())
    expected = alpha * (0.5 - v).square().mean() + (1 - alpha) * (1.0 - v).square().mean()
    slope = alpha * 2 * (0.5 - v).mean() + (1 - alpha) * 4 * (1.0 - v).mean()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert toy.w.grad is not None
    assert toy.w.grad.item() == pytest.approx(slope.item(), rel=1e-4)


def test_draws_do_not_depend_on_alpha() -> None:
    """Ablations see the same noise, at the first update and at the second."""
    seen = {}
    for alpha in (1.0, 0.5, 0.0):
        toy, generator = Sure(), seeded()
        for _ in range(2):
            mixed_loss(toy, Finetuning(alpha=alpha), generator)
        seen[alpha] = toy.seen
    assert [len(found) for found in seen.values()] == [2, 4, 2]
    for only, every in ((1.0, seen[0.5][::2]), (0.0, seen[0.5][1::2])):
        for (z, t), (z_both, t_both) in zip(seen[only], every, strict=True):
            assert torch.equal(z, z_both)
            assert torch.equal(t, t_both)


def test_frames_are_drawn_without_repetition_and_times_are_their_own() -> None:
    toy = Sure()
    mixed_loss(toy, Finetuning(alpha=0.0, frames=3), seeded())
    ((z, t),) = toy.seen
    assert z.shape == (3, 3, 1, 24, 40)
    assert len(set(t.tolist())) == 3
    mixed_loss(toy, Finetuning(alpha=0.0, frames=99), seeded())
    assert len(toy.seen[1][0]) == 4, "all there are"


def weights(settings: Finetuning, seed: int = 0, **options: object) -> dict[str, Tensor]:
    unet = tiny_base()
    chosen = attention(unet) if options.pop("tuned", False) else None
    finetune(unet, plain_denoiser(unet), SHORT, settings, seeded(seed), trained=chosen)
    assert all(p.grad is None for p in unet.parameters()), "no gradient is left behind"
    return {name: p.detach() for name, p in unet.named_parameters()}


def moved(after: dict[str, Tensor]) -> set[str]:
    before = dict(tiny_base().named_parameters())
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


@pytest.mark.slow
def test_frames_only_leaves_the_temporal_weights_to_the_bit() -> None:
    unet = tiny_base()
    temporal = {id(p) for p in temporal_parameters(unet)}
    spatial = {name for name, p in unet.named_parameters() if id(p) not in temporal}
    found = moved(weights(dataclasses.replace(QUICK, alpha=0.0)))
    assert found == spatial


@pytest.mark.slow
def test_video_only_trains_the_temporal_weights_too() -> None:
    assert "transformer_in.proj_out.weight" in moved(weights(dataclasses.replace(QUICK, alpha=1.0)))


def test_tune_a_video_trains_its_choice_and_nothing_else() -> None:
    """Wu et al. 2023: W_Q of self- and cross-attention in space, attention in time."""
    found = moved(weights(dataclasses.replace(QUICK, alpha=1.0), tuned=True))
    words = ("temp_attentions.", "transformer_in.", "attn1.to_q", "attn2.to_q")
    assert all(any(word in name for word in words) for name in found)
    assert "up_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q.weight" in found
    assert "up_blocks.0.temp_attentions.1.proj_out.weight" in found


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = weights(QUICK), weights(QUICK), weights(QUICK, seed=1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.slow
def test_the_loss_falls_on_its_clip() -> None:
    """Measured with the same noise before and after."""
    unet = tiny_base()
    denoise = plain_denoiser(unet)
    clip = SHORT.mean((3, 4), keepdim=True).expand(-1, -1, -1, 24, 40)

    @torch.no_grad()
    def loss() -> float:
        return sum(denoising_loss(denoise, clip, seeded(i)).item() for i in range(4))

    before = loss()
    finetune(unet, denoise, clip, Finetuning(12, 3e-3, 0.5, 2), seeded())
    assert loss() < 0.5 * before


def test_no_steps_change_nothing_and_flags_come_back() -> None:
    unet = tiny_base()
    before = state_of(unet)
    finetune(unet, plain_denoiser(unet), CLIP, Finetuning(steps=0), seeded())
    assert state_of(unet) == before
    finetune(
        unet,
        plain_denoiser(unet),
        CLIP,
        Finetuning(steps=1),
        seeded(),
        trained=[unet.conv_in.bias],
    )
    assert state_of(unet)._replace(weights="") == before._replace(weights="")


def test_progress_is_told_update_by_update() -> None:
    toy, seen = Sure(), []
    progress = lambda done, total: seen.append((done, total))  # noqa: E731
    finetune(toy, toy, CLIP, Finetuning(steps=2), seeded(), progress=progress)
    assert seen == [(1, 2), (2, 2)]


def test_a_finetuning_that_diverges_is_one_line() -> None:
    """Weights that are no numbers must never reach a cache."""
    toy = Sure()
    with torch.no_grad():
        toy.w.fill_(torch.nan)
    with pytest.raises(UserError, match=r"diverged after 0 updates; lower the learning rate 0\.01"):
        finetune(toy, toy, CLIP, Finetuning(2, 0.01), seeded())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": -1}, "steps of 0 or more"),
        ({"frames": 0}, "frames of 1 or more"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"alpha": 1.5}, r"in 0\.\.1, not 1\.5"),
        ({"alpha": float("nan")}, "not nan"),
    ],
)
def test_settings_that_mean_nothing_are_one_line(change: dict[str, float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Finetuning(**change)  # type: ignore[arg-type]
