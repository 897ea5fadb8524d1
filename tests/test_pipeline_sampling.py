"""DreamixPipeline without finetuning: held to diffusers' own pipelines and to formulas."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from diffusers import (
    CogVideoXDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LTXPipeline,
)
from tiny_families import (
    ASKED,
    SIDE,
    STEPS,
    THEIRS,
    as_pictures,
    edited,
    level_at,
    moving_clip,
    seeded,
)
from tiny_pipelines import TINY, quiet

from dreamix import DreamixPipeline
from dreamix.backends.frames import lengthened, to_pixels
from dreamix.core.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def dreamix(family: str) -> Iterator[DreamixPipeline]:
    torch.set_num_threads(1)
    yield DreamixPipeline(quiet(TINY[family]()))


def video_to_video(pipe: Any, kind: type) -> Any:
    """Return diffusers' own video-to-video pipeline over the same parts."""
    taken = kind.__init__.__code__.co_varnames  # type: ignore[misc]
    return quiet(kind(**{k: v for k, v in pipe.components.items() if k in taken}))


def size_of(name: str) -> dict[str, int]:
    """Return what diffusers is told of the size; ModelScope's takes clips as they are."""
    return {} if name == "modelscope" else {"height": SIDE, "width": SIDE}


# -- against diffusers -------------------------------------------------------------------------
SOLVERS = {
    "own": None,
    "wan2.1": (FlowMatchEulerDiscreteScheduler, {"shift": 3.0}),
    "cogvideox-2b": (CogVideoXDPMScheduler, {}),
    "modelscope": (DPMSolverMultistepScheduler, {}),
    "animatediff": (EulerDiscreteScheduler, {}),
}


@pytest.mark.slow
@pytest.mark.check("= diffusers")
@pytest.mark.parametrize(
    ("name", "solver"), [*((name, "own") for name in THEIRS), *((n, n) for n in list(SOLVERS)[1:])]
)
def test_an_edit_equals_the_video_to_video_of_diffusers_to_the_bit(name: str, solver: str) -> None:
    """Same weights, steps and seed: difference 0. Their `strength` 0.5 is 3 of 6 steps.

    diffusers draws the latents of the clip from the posterior except for Wan, so `posterior` does.
    """
    pipe = quiet(TINY[name]())
    if chosen := SOLVERS[solver]:
        pipe.scheduler = chosen[0].from_config(pipe.scheduler.config, **chosen[1])
    theirs, dreamix = video_to_video(pipe, THEIRS[name]), DreamixPipeline(pipe)
    clip = moving_clip(9)
    asked = {**ASKED, "negative_prompt": "blurry", "output_type": "pt"}
    expected = theirs(
        video=as_pictures(clip), strength=0.5, generator=seeded(), **size_of(name), **asked
    ).frames
    posterior = "mode" if name.startswith("wan") else "sample"
    level = level_at(pipe, STEPS // 2)
    found = dreamix(
        video=clip, noise_scale=level, posterior=posterior, generator=seeded(), **asked
    ).frames
    assert torch.equal(found, expected)
    assert dreamix.last_start is not None
    assert dreamix.last_start[:4] == (level, level, 3, 6)


TILES = {  # of the autoencoders' own settings, in pixels or latents
    "tile_sample_min_height": 24,
    "tile_sample_min_width": 24,
    "tile_sample_stride_height": 16,
    "tile_sample_stride_width": 16,
    "tile_latent_min_height": 3,
    "tile_latent_min_width": 3,
    "tile_sample_min_size": 16,
    "tile_latent_min_size": 4,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SOLVERS)[1:])
def test_an_autoencoder_in_tiles_is_that_of_diffusers(name: str) -> None:
    """Four tiles and more, there and back: difference 0 to diffusers, none 0 to the whole clip."""
    pipe, clip = quiet(TINY[name]()), moving_clip(9)
    theirs, dreamix = video_to_video(pipe, THEIRS[name]), DreamixPipeline(pipe)
    asked = {**ASKED, "output_type": "pt"}
    posterior = "mode" if name.startswith("wan") else "sample"
    edit = {"noise_scale": level_at(pipe, STEPS // 2), "posterior": posterior, **asked}
    whole = dreamix(video=clip, generator=seeded(), **edit).frames
    dreamix.enable_vae_tiling()
    for setting in TILES.keys() & vars(pipe.vae).keys():
        setattr(pipe.vae, setting, TILES[setting])
    expected = theirs(
        video=as_pictures(clip), strength=0.5, generator=seeded(), **size_of(name), **asked
    ).frames
    found = dreamix(video=clip, generator=seeded(), **edit).frames
    assert torch.equal(found, expected)
    assert not torch.equal(found, whole)


@pytest.mark.slow
@pytest.mark.check("= diffusers")
def test_generation_equals_the_text_to_video_of_diffusers_given_the_same_noise(
    family: str, dreamix: DreamixPipeline
) -> None:
    """s = 1 is text-to-video, guidance and negative prompt included: difference 0.

    ModelScope is within 1e-5: its text-to-video copies latents into another memory layout between
    steps than its video-to-video does, to which this toolkit is equal.
    """
    shape = dreamix.family.latent_shape(9, SIDE, SIDE)
    noise = torch.randn((1, *shape), generator=seeded())
    asked = {**ASKED, "negative_prompt": "blurry", "output_type": "pt", "height": SIDE}
    asked |= {"width": SIDE, "num_frames": 9}
    native = noise.transpose(1, 2) if family.startswith("cogvideox") else noise
    native = LTXPipeline._pack_latents(noise) if family == "ltx-2b" else native
    expected = dreamix.pipe(latents=native, **asked).frames
    found = dreamix(latents=noise, **asked).frames
    if family == "modelscope":
        assert (found - expected).abs().max() < 1e-5
    else:
        assert torch.equal(found, expected)


# -- the noise scale ---------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.check("s = 0")
def test_s_0_gives_what_the_autoencoder_makes_of_the_clip(dreamix: DreamixPipeline) -> None:
    """Expected: decode(encode(clip)), from -1..1 to 0..1."""
    clip, whole = moving_clip(9), dreamix.family
    with torch.no_grad():
        x = whole.encode(to_pixels(as_pictures(clip), SIDE, SIDE))
        again = whole.decode(whole.laid_out(x))
    expected = (again / 2 + 0.5).clamp(0, 1)[0].transpose(0, 1)
    assert torch.equal(edited(dreamix, 0.0, clip)[0], expected)
    assert dreamix.last_start is not None
    assert dreamix.last_start.step == STEPS


@pytest.mark.slow
@pytest.mark.check("s = 1")
def test_s_1_does_not_depend_on_the_clip_and_less_does(dreamix: DreamixPipeline) -> None:
    one, other = moving_clip(9), moving_clip(9).frames[:, ::-1].copy()
    assert torch.equal(edited(dreamix, 1.0, one), edited(dreamix, 1.0, other))
    assert not torch.equal(edited(dreamix, 0.6, one), edited(dreamix, 0.6, other))


@pytest.mark.slow
@pytest.mark.check("monotone")
def test_the_result_is_further_from_the_clip_the_higher_s(
    family: str, dreamix: DreamixPipeline
) -> None:
    """With a network that predicts 0 the distance follows from the schedule alone.

    A flow of 0 leaves z as it was noised: the distance is s |eps - x|, by the formula.
    """
    pipe = quiet(TINY[family]())
    for network in DreamixPipeline(pipe).family.networks.values():
        last = network.conv_out if hasattr(network, "conv_out") else network.proj_out
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.zeros_(last.bias)
    still, clip = DreamixPipeline(pipe), moving_clip(9)
    x = edited(still, 0.0, clip, output_type="latent")
    distances, levels = [], []
    for s in (0.0, 0.5, 0.7, 0.9, 0.97, 1.0):
        z = edited(still, s, clip, output_type="latent")
        assert still.last_start is not None
        distances.append(float((z - x).square().mean().sqrt()))
        levels.append(still.last_start.level)
    assert levels == sorted(levels)
    rising = {level: distance for level, distance in zip(levels, distances, strict=True)}
    assert list(rising.values()) == sorted(rising.values())
    assert len(rising) >= 4, "the schedule has a step near most of these"
    if family.startswith(("wan", "ltx")):
        noise = still.family.draw(x.shape, seeded())
        far = float((noise - x).square().mean().sqrt())
        expected = [level * far for level in levels]
        assert distances == pytest.approx(expected, rel=1e-4)


# -- frames and sizes --------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("frames", [1, 2, 5, 6, 10])
def test_as_many_frames_come_back_as_went_in(
    frames: int, family: str, dreamix: DreamixPipeline
) -> None:
    """A causal autoencoder is handed n k + 1 frames, the last one standing still; they are cut."""
    whole = dreamix.family
    padded = whole.padded(frames)
    multiple = {"wan": 4, "cog": 8, "ltx": 8}.get(family[:3])
    assert whole.frame_multiple == multiple
    least = frames if multiple is None else next(n for n in range(1, 99, multiple) if n >= frames)
    assert padded == least
    clip = moving_clip(frames)
    with torch.no_grad():
        x = whole.encode(lengthened(to_pixels(as_pictures(clip), SIDE, SIDE), padded))
        assert x.shape[1:] == whole.latent_shape(padded, SIDE, SIDE)
        assert whole.decode(x).shape == (1, 3, padded, SIDE, SIDE)
    assert edited(dreamix, 0.6, clip, num_inference_steps=2).shape == (1, frames, 3, SIDE, SIDE)


@pytest.mark.parametrize("name", ["wan2.1", "wan2.2-5b", "cogvideox-2b"])
def test_frames_that_are_cut_did_not_change_those_before(name: str) -> None:
    """What stands in for missing frames reaches only the last latent frames of a causal encoder."""
    whole = DreamixPipeline(quiet(TINY[name]())).family
    pixels = to_pixels(as_pictures(moving_clip(9)), SIDE, SIDE)
    other = pixels.clone()
    other[:, :, 5:] = 0
    with torch.no_grad():
        one, two = whole.encode(pixels), whole.encode(other)
    if name.startswith("wan"):
        assert torch.equal(one[:, :, :2], two[:, :, :2])
    assert not torch.equal(one[:, :, 2:], two[:, :, 2:])


def test_more_frames_than_the_motion_modules_have_places_for_are_one_line() -> None:
    dreamix = DreamixPipeline(quiet(TINY["animatediff"]()))
    with pytest.raises(UserError, match="AnimateDiff takes 32 frames at most, not 33"):
        edited(dreamix, 0.5, moving_clip(33))


@pytest.mark.slow
def test_the_size_is_the_clips_own_at_the_nearest_multiples(one_each: DreamixPipeline) -> None:
    multiple = one_each.family.size_multiple
    odd = [p.resize((2 * multiple + 1, 3 * multiple - 1)) for p in as_pictures(moving_clip(2))]
    found = edited(one_each, 0.5, odd, num_inference_steps=2)
    assert found.shape[-2:] == (3 * multiple, 2 * multiple)
    with pytest.raises(UserError, match=f"multiples of {multiple}, not"):
        edited(one_each, 0.5, odd, height=multiple + 1, width=multiple)


# -- how it is called --------------------------------------------------------------------------
@pytest.mark.slow
def test_two_prompts_in_a_batch_are_as_each_alone(dreamix: DreamixPipeline) -> None:
    """Each has its own generator; sums of another batch size differ in their last bits."""
    clip, prompts, against = moving_clip(5), ["a red cat", "rain"], ["blurry", "dark"]
    together = edited(
        dreamix, 0.8, clip, prompt=prompts, negative_prompt=against,
        generator=[seeded(1), seeded(2)],
    )  # fmt: skip
    for i in range(2):
        alone = edited(
            dreamix, 0.8, clip, prompt=prompts[i], negative_prompt=against[i],
            generator=seeded(i + 1),
        )  # fmt: skip
        assert torch.allclose(together[i], alone[0], atol=2e-4)
    assert (together[0] - together[1]).abs().max() > 1e-2


@pytest.mark.slow
@pytest.mark.check("bfloat16")
@pytest.mark.parametrize("name", THEIRS)
def test_bfloat16_gives_the_latents_that_diffusers_makes(name: str) -> None:
    """Cast by `.to(torch.bfloat16)`. Wan and CogVideoX: difference 0.

    The other two round the clip's pixels or the autoencoder to 8 bits of mantissa as well, which
    their autoencoder's config (force_upcast) warns of; here it encodes in single precision.
    """
    dreamix = DreamixPipeline(quiet(TINY[name]())).to(torch.bfloat16)
    theirs, clip = video_to_video(dreamix.pipe, THEIRS[name]), moving_clip(9)
    kind = "pt" if name == "modelscope" else "latent"
    asked = {**ASKED, "output_type": kind, **size_of(name)}
    expected = theirs(video=as_pictures(clip), strength=0.5, generator=seeded(), **asked).frames
    level = level_at(dreamix.pipe, STEPS // 2)
    posterior = "mode" if name.startswith("wan") else "sample"
    found = edited(dreamix, level, clip, posterior=posterior, output_type=kind)
    assert dreamix.dtype == torch.bfloat16
    if name in ("modelscope", "animatediff"):
        precise = DreamixPipeline(quiet(TINY[name]()))
        exact = edited(precise, level, clip, posterior=posterior, output_type=kind)
        off, far = ((x - exact).abs().mean() for x in (found, expected))
        assert off < 1.2 * far, "no further from single precision than theirs is"
    else:
        native = found.transpose(1, 2) if name.startswith("cogvideox") else found
        assert torch.equal(native, expected)
