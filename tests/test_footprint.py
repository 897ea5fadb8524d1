"""Bytes and operations that are traced without memory: held to sums by hand and to real runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from family_names import FIVE
from tiny_families import moving_clip
from tiny_pipelines import TINY, device, quiet
from torch import nn

from dreamix import DreamixPipeline
from dreamix.backends import footprint_kinds
from dreamix.backends.blueprint import PUBLISHED, build, in_folders, published
from dreamix.backends.footprint import (
    ACCELERATOR,
    PROCESSOR,
    Footprint,
    Phases,
    Size,
    footprint,
    stays,
)
from dreamix.backends.footprint_kinds import footprint_of, known_footprints
from dreamix.backends.footprint_pictures import picture_footprint, pictures_of, settings
from dreamix.backends.image_injection import itinerary
from dreamix.backends.names import pretrained_names
from dreamix.backends.tracing import Traced, bytes_of, new_mode, without_memory
from dreamix.core.errors import UserError
from dreamix.doctor.backend import as_published
from dreamix.doctor.measured import SCALED, measured_apart, scaled_names, works_of

pytestmark = pytest.mark.filterwarnings("ignore")


# -- counting ----------------------------------------------------------------------------------
def fake(*shape: int) -> Any:
    with new_mode():
        return torch.zeros(*shape)


def test_the_peak_is_what_is_alive_at_once() -> None:
    """x of 4000 bytes was there; y and z live (8000); y dies; z and w live (8000)."""
    x = fake(1000)
    with Traced([x]) as traced:
        y = 2 * x
        z = y + 1
        del y
        w = z + z.view(10, 100).view(-1)
    assert (traced.live, traced.peak) == (8000, {"rest": 8000})
    del z, w
    assert traced.live == 0


def test_what_autograd_keeps_is_counted_until_the_backward_pass() -> None:
    """exp and sin keep exp's result (4000), nobody sin's own."""
    x = fake(1000)
    x.requires_grad_()
    with Traced([x]) as traced:
        loss = (x.exp().sin()).sum()
        kept = traced.live
        loss.backward()
    assert kept == 4000 + 4, "exp's result, which sin and exp keep; sin's own is freed; the sum"
    assert traced.live == 4000 + 4, "the gradient of x, the loss"


def test_operations_are_two_for_each_multiplication_and_addition() -> None:
    """Products 2 m n k; attention 2 B H (Q K D + Q D K); convolutions 2 N C_out C_in k k H W."""
    q = fake(1, 2, 5, 8)
    with Traced() as traced:
        fake(3, 4) @ fake(4, 6)
        with traced.phase("attention"):
            nn.functional.scaled_dot_product_attention(q, fake(1, 2, 7, 8), fake(1, 2, 7, 8))
        with traced.phase("convolution"):
            nn.functional.conv2d(fake(2, 3, 9, 9), fake(4, 3, 3, 3))
    assert traced.flops["rest"] == 2 * 3 * 4 * 6
    assert traced.flops["attention"] == 2 * 1 * 2 * (5 * 7 * 8 + 5 * 8 * 7)
    assert traced.flops["convolution"] == 2 * 2 * 4 * 3 * 9 * 7 * 7


def test_calls_of_equal_shapes_are_counted_without_being_run_again() -> None:
    """Each holds 400 bytes of its own and gives 400; 2 * 10 * 10 * 10 operations."""
    runs = []

    def work(x: torch.Tensor) -> torch.Tensor:
        runs.append(x.shape)
        return (x @ x) * 2

    with Traced() as traced:
        counted, x = traced.named("work", work), fake(10, 10)
        traced.hold(x)
        kept = [counted(x) for _ in range(3)]
    assert runs == [(10, 10)]
    assert traced.flops["work"] == 3 * 2000
    assert traced.peak["work"] == 4 * 400 + 400, "x, three results, what the last one held beside"
    assert traced.live == 4 * 400 == sum(y.nbytes for y in (x, *kept))


def test_plain_convolutions_of_the_processor_lay_out_what_weights_meet() -> None:
    """One thread and one clip: 2 * 27 values for each of 4 * 4 * 4 results, 4 bytes each."""
    torch.set_num_threads(1)
    x, weight = fake(1, 2, 6, 6, 6), fake(3, 2, 3, 3, 3)
    with Traced([x, weight], scratch=True) as traced:
        nn.functional.conv3d(x, weight)
    assert traced.peak["rest"] == 3 * 64 * 4 + 2 * 27 * 64 * 4


# -- networks ----------------------------------------------------------------------------------
def wan_weights(d: int, f: int, layers: int) -> int:
    """Return the parameters of Wan's transformer by hand, with 4096 of text and 256 frequencies."""
    attention = 4 * (d * d + d) + 2 * d  # q, k, v, out; norms of q and k
    block = 2 * attention + 2 * d + (d * f + f + f * d + d) + 6 * d
    time = 256 * d + d + d * d + d + 6 * (d * d + d)
    text = 4096 * d + d + d * d + d
    patches = 16 * 4 * d + d + d * 64 + 64 + 2 * d
    return layers * block + time + text + patches


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "expected"),
    [
        ("wan2.1-1.3b", "transformer", wan_weights(1536, 8960, 30)),
        ("wan2.1-14b", "transformer", wan_weights(5120, 13824, 40)),
        # of Stable Diffusion 1.5, its autoencoder and 2.1, as often printed
        ("sd1.5", "unet", 859_520_964),
        ("modelscope", "vae", 83_653_863),
        ("sd2.1-base", "unet", 865_910_724),
    ],
)
def test_published_networks_have_the_weights_that_are_counted_by_hand(
    name: str, part: str, expected: int
) -> None:
    network = getattr(build(published()[name]), part)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert bytes_of(network) - sum(b.nbytes for b in network.buffers()) == 4 * expected


def test_every_backend_has_typed_dimensions_and_a_footprint() -> None:
    assert sorted(published()) == pretrained_names() == sorted(known_footprints())


@pytest.mark.parametrize("name", ["wan2.2-5b", "animatediff"])
def test_a_folder_gives_the_networks_that_are_in_it(name: str, tmp_path: Path) -> None:
    """The same bytes of weights by part as the pipeline that was saved."""
    pipe = quiet(TINY[name]())
    pipe.save_pretrained(tmp_path)
    found = build(in_folders(tmp_path))
    parts = {k: m for k, m in pipe.components.items() if isinstance(m, nn.Module)}
    assert {k: bytes_of(getattr(found, k)) for k in parts} == {
        k: bytes_of(m) for k, m in parts.items()
    }
    assert type(found) is type(pipe)
    assert found.config.get("expand_timesteps") == pipe.config.get("expand_timesteps")


# -- offloading --------------------------------------------------------------------------------
SEQUENCE = ["text_encoder", "transformer", "vae"]


def test_a_part_that_is_called_sends_the_one_before_it_away_and_no_other() -> None:
    order = ["text:text_encoder", "encode:vae", "denoise:transformer", "decode:vae", "rest:"]
    assert stays(order, SEQUENCE) == {
        "text": [{"text_encoder"}],
        "encode": [{"text_encoder", "vae"}],
        "denoise": [{"transformer", "vae"}],
        "decode": [{"vae"}],
        "rest": [{"vae"}],
    }


def test_that_is_what_the_hooks_of_accelerate_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hooks of a real edit: what each calls, and the one before it, which it sends away.

    The processor stands for the accelerator, from where they would send nothing away.
    """
    from accelerate.hooks import CpuOffload

    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    names = {id(m): k for k, m in dreamix.pipe.components.items() if isinstance(m, nn.Module)}
    there: set[str] = set()
    seen: list[tuple[str, list[str]]] = []
    forward = CpuOffload.pre_forward

    def called(hook: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        out = forward(hook, module, *args, **kwargs)
        if hook.prev_module_hook is not None:
            there.discard(names[id(hook.prev_module_hook.model)])
        there.add(names[id(module)])
        entry = (names[id(module)], sorted(there))
        if not seen or seen[-1] != entry:
            seen.append(entry)
        return out

    monkeypatch.setattr(CpuOffload, "pre_forward", called)
    dreamix.enable_model_cpu_offload(device="cpu")
    seen.clear()
    dreamix("a", moving_clip(5), noise_scale=0.8, num_inference_steps=2, guidance_scale=1.0)
    assert [parts for _, parts in seen] == [
        ["text_encoder"],
        ["text_encoder", "vae"],
        ["transformer", "vae"],
        ["vae"],
    ]


# -- whole edits and finetunings ---------------------------------------------------------------
@pytest.mark.slow
def test_tracing_counts_what_the_same_code_counts_on_tensors_with_values() -> None:
    """A frame pass forward and back, on weights without memory and on real ones: to the byte."""
    found = []
    for real in (True, False):
        whole = DreamixPipeline(quiet(TINY["modelscope"]())).family
        network, mode = whole.pipe.unet, new_mode()
        if not real:
            without_memory([network], mode)
        z, told = torch.ones(2, 4, 1, 8, 8), torch.ones(2, 20, network.config.cross_attention_dim)
        with Traced(network.parameters()) as traced, whole.frame_pass():
            loss = whole.predict(z, torch.tensor([3, 3]), told).square().mean()
            loss.backward()
        found.append((traced.peak, traced.live, traced.flops))
    assert found[0] == found[1]


@pytest.mark.slow
def test_the_parts_of_a_footprint() -> None:
    """Together: all weights and the most that is held. The autoencoder alone is float32."""
    plan = published(PUBLISHED.with_name(SCALED))["cogvideox-2b"]
    found = footprint(plan, Size(32, 32, 9), ACCELERATOR)
    counts = {
        k: sum(p.numel() for p in getattr(build(plan), k).parameters()) for k in found.weights
    }
    bytes_each = {"vae": 4, "transformer": 2, "text_encoder": 2}
    small = {k: found.weights[k] - n * bytes_each[k] for k, n in counts.items()}
    assert all(0 <= buffers < 1e6 for buffers in small.values())
    assert found.together(found.edit) == sum(found.weights.values()) + max(found.edit.held.values())
    assert found.offloaded(found.edit) < found.together(found.edit)
    layers, width, rank = 6, 6 * 64, 32
    assert found.trained == 4 * layers * 4 * 2 * rank * width, "A and B of q, k, v and out"
    assert type(found).from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_a_size_that_the_networks_cannot_take_is_one_line() -> None:
    plan = published(PUBLISHED.with_name(SCALED))["cogvideox-2b"]
    with pytest.raises(UserError, match="multiples of 16"):
        footprint(plan, Size(33, 32, 9), PROCESSOR)


@pytest.mark.slow
def test_a_footprint_of_the_shipped_table_comes_out_again() -> None:
    """`python benchmarks/footprints.py` wrote it: the edit on the processor, traced anew."""
    torch.set_num_threads(2)
    for plan in (as_published("modelscope"), as_published("sd1.4")):
        again = footprint_of(plan, plan.usual_size, PROCESSOR)
        assert again.edit == known_footprints()[plan.name]["processor"].edit


def test_a_second_stage_is_added_to_what_the_first_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of 1 and 2 bytes; the second edit holds 7 beside both clips, 1.8 times as large.

    Clips of 64x64x2 and 128x128x2, three channels of four bytes: 98304 + 393216 bytes.
    """
    order, flops = ["denoise:unet", "decode:vae", "rest:"], {"denoise": 5.0, "decode": 1.0}
    edit = Phases(order, {"denoise": 3, "decode": 4, "rest": 0}, flops)
    first = Footprint(Size(64, 64, 2), {"unet": 1, "vae": 2}, ["unet", "vae"], edit, edit, None, 9)
    second = edit.held | {"denoise": 7}
    asked: list[Size] = []

    def edited(plan: Any, size: Size, setup: Any) -> tuple[dict[str, int], Phases]:
        asked.append(size)
        return {"unet": 1, "vae": 2}, Phases(order, second, flops)

    monkeypatch.setattr(footprint_kinds, "edit_footprint", edited)
    whole = footprint_kinds.enlarging(first, published()["zeroscope-xl"], PROCESSOR)
    clips = 12 * 2 * (64 * 64 + 128 * 128)
    assert asked == [Size(128, 128, 2)]
    assert whole.edit.all_flops(10) == 2 * (50 + 1)
    assert whole.together(whole.edit) == 6 + 7 + clips
    assert whole.worst(whole.edit) == ("second denoise", {"second unet"}, 1 + 7 + clips)
    assert whole.finetune == first.finetune


@pytest.mark.slow
def test_parts_of_an_image_model_stay() -> None:
    """Together and "offloaded" are the same; a clip of twice the frames takes no more memory."""
    plan = published(PUBLISHED.with_name(SCALED))["stable-diffusion"]
    few, many = (picture_footprint("sd1.5", plan, Size(64, 64, n), PROCESSOR) for n in (4, 8))
    assert few.offloaded(few.edit) == few.together(few.edit) == many.together(many.edit)
    once, twice = (found.edit.all_flops(50) - found.edit.flops["text"] for found in (few, many))
    assert twice == 2 * once
    assert few.finetune is None
    assert Footprint.from_dict(json.loads(json.dumps(few.as_dict()))) == few
    with pytest.raises(UserError, match="multiples of 64"):
        picture_footprint("sd1.5", plan, Size(65, 64, 4), PROCESSOR)


@pytest.mark.slow
def test_calls_of_the_inversion_are_those_of_the_docs() -> None:
    """981 up; the authors' 999 up and 998 down again."""
    plan = published(PUBLISHED.with_name(SCALED))["stable-diffusion"]
    for name, calls in (("sd1.5", 981), ("sd1.4", 1997)):
        pictures = pictures_of(name, plan, device="cpu")
        assert len(itinerary(pictures.pipe, settings(pictures, 50, 1000))[1]) == calls


def test_a_folder_with_an_image_model_is_read_without_its_filter(tmp_path: Path) -> None:
    index = {"_class_name": "StableDiffusionPipeline", "requires_safety_checker": True}
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["unet"] = ["diffusers", "UNet2DConditionModel"]
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    for part in ("unet", "safety_checker"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "config.json").write_text('{"sample_size": 64}')
    found = in_folders(tmp_path)
    assert [*found.parts] == ["unet"]
    assert found.options["requires_safety_checker"] is False


@pytest.mark.slow
def test_memory_of_an_image_model_is_predicted_within_a_fifth() -> None:
    """As for one of every family below; an image model only edits."""
    (found,) = measured_apart("stable-diffusion", works_of("stable-diffusion"))
    assert found.measured > 150e6
    assert 0.8 < found.ratio < 1.2, found
    assert 0.8 < (found.predicted - found.weights) / (found.measured - found.weights) < 1.2


@pytest.mark.slow
@pytest.mark.check("memory")
@pytest.mark.parametrize("name", FIVE)
def test_memory_is_predicted_within_a_fifth_of_what_a_process_takes(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """Scaled-up tiny pipelines, a process each: resident memory, or what CUDA's allocator gave."""
    assert name in scaled_names()
    both = measured_apart(name, ["edit", "finetune"], size=(96, 96, 9), device=device())
    record_property("note", " ".join(f"{found.ratio:.2f}" for found in both))
    for found in both:
        assert found.measured > 150e6, "a peak that stands out of the noise"
        assert 0.8 < found.ratio < 1.2, found
        assert 0.8 < (found.predicted - found.weights) / (found.measured - found.weights) < 1.2
