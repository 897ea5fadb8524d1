"""Calls of DreamixPipeline: callbacks, outputs, inputs and mistakes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from family_names import FIVE
from PIL import Image
from tiny_families import ASKED, SIDE, as_pictures, edited, level_at, moving_clip, seeded
from tiny_pipelines import TINY, quiet
from torch import Tensor

from dreamix import DreamixPipeline
from dreamix.backends.frames import pictures_of
from dreamix.core.errors import UserError
from dreamix.diffusion.levels import noise_levels

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def dreamix(family: str) -> Iterator[DreamixPipeline]:
    torch.set_num_threads(1)
    yield DreamixPipeline(quiet(TINY[family]()))


@pytest.mark.slow
def test_guidance_of_1_asks_the_network_once_and_without_negative_prompt(
    one_each: DreamixPipeline,
) -> None:
    clip = moving_clip(5)
    one = edited(one_each, 0.7, clip, guidance_scale=1.0)
    assert torch.equal(one, edited(one_each, 0.7, clip, guidance_scale=1.0, negative_prompt="dark"))
    blurred, dark = (edited(one_each, 0.7, clip, negative_prompt=n) for n in ("blurry", "dark"))
    assert not torch.equal(blurred, dark)


@pytest.mark.slow
def test_a_callback_sees_every_step_and_may_change_it(one_each: DreamixPipeline) -> None:
    seen = []

    def watch(pipe: Any, i: int, t: Tensor, held: dict[str, Tensor]) -> dict[str, Tensor]:
        seen.append((i, float(t), sorted(held)))
        return {"latents": torch.zeros_like(held["latents"])} if i == 2 else held

    level = level_at(one_each.pipe, 3)
    held = ("latents", "prompt_embeds")
    z = edited(
        one_each, level, moving_clip(5), output_type="latent", callback_on_step_end=watch,
        callback_on_step_end_tensor_inputs=held,
    )  # fmt: skip
    times = one_each.pipe.scheduler.timesteps[3:].tolist()
    assert seen == [(i, t, list(held)) for i, t in enumerate(times)]
    assert not z.any(), "the last step's latents were taken from the callback"


def test_a_callback_can_stop_the_steps(one_each: DreamixPipeline) -> None:
    seen = []

    def stop(pipe: DreamixPipeline, i: int, *_: Any) -> dict[str, Tensor]:
        seen.append(i)
        pipe.interrupt = i == 1
        return {}

    edited(one_each, 1.0, moving_clip(5), callback_on_step_end=stop)
    assert seen == [0, 1]


@pytest.mark.slow
def test_output_types(one_each: DreamixPipeline) -> None:
    clip = moving_clip(5)
    tensor, array, pictures, latents = (
        one_each(video=clip, noise_scale=0.7, **ASKED, generator=seeded(), output_type=kind).frames
        for kind in ("pt", "np", "pil", "latent")
    )
    assert tensor.shape == (1, 5, 3, SIDE, SIDE)
    assert np.array_equal(array, tensor.permute(0, 1, 3, 4, 2).numpy())
    assert [len(pictures), len(pictures[0])] == [1, 5]
    levels = np.stack([np.asarray(p) for p in pictures[0]])
    assert np.array_equal(levels, (array[0] * 255).round().astype(np.uint8))
    assert latents.shape[1:] == one_each.family.latent_shape(one_each.family.padded(5), SIDE, SIDE)


def test_a_clip_may_come_as_pictures_array_tensor_or_video(one_each: DreamixPipeline) -> None:
    clip = moving_clip(3)
    levels = clip.frames.astype(np.float32) / 255
    last, first = torch.from_numpy(clip.frames), torch.from_numpy(levels).permute(0, 3, 1, 2)
    forms = [as_pictures(clip), clip.frames, levels, levels.astype(np.float16), first]
    forms += [last, last.permute(0, 3, 1, 2), first.half(), first.double()]
    forms += [[*clip.frames], [*levels], [*first], (*last,), last.permute(0, 3, 1, 2).contiguous()]
    for form in forms:
        again = np.stack([np.asarray(p) for p in pictures_of(form)])
        assert np.array_equal(again, clip.frames)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_clip_and_another_another(one_each: DreamixPipeline) -> None:
    clip = moving_clip(5)
    first, again = edited(one_each, 0.8, clip), edited(one_each, 0.8, clip)
    assert torch.equal(first, again)
    assert not torch.equal(first, edited(one_each, 0.8, clip, generator=seeded(4)))


@pytest.mark.slow
def test_corruption_before_the_autoencoder_changes_what_is_encoded(
    one_each: DreamixPipeline,
) -> None:
    clip = moving_clip(9)
    kept = edited(one_each, 0.0, clip)
    assert torch.equal(kept, edited(one_each, 0.0, clip, corrupt=(1, 1)))
    for factors in ((2, 1), (1, 4), (2, 4)):
        assert not torch.equal(kept, edited(one_each, 0.0, clip, corrupt=factors))


def test_bytes_of_a_tensor_are_bytes_whatever_their_values() -> None:
    """1 of 255 is almost black, and was white where a tensor held nothing but 0 and 1."""
    dark = torch.ones(2, 3, 8, 8, dtype=torch.uint8)
    assert {picture.getextrema() for picture in pictures_of(dark)} == {((1, 1),) * 3}
    corner = torch.rand(2, 3, 8, 3)
    rows = np.stack([np.asarray(picture) for picture in pictures_of(corner)])
    levels = (corner.numpy() * 255).round().astype(np.uint8)
    assert np.array_equal(rows, levels.transpose(0, 2, 3, 1)), "the second axis is the colour's"


@pytest.mark.slow
def test_several_generators_may_come_as_a_tuple(one_each: DreamixPipeline) -> None:
    asked = {"prompt": ["a", "b"], "num_inference_steps": 2}
    found = [
        edited(one_each, 1.0, moving_clip(1), generator=kind([seeded(1), seeded(2)]), **asked)
        for kind in (list, tuple)
    ]
    assert torch.equal(*found)


@pytest.mark.parametrize("rank", [2, None])
def test_a_learning_rate_of_0_is_not_the_usual_one(rank: int | None) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    for options, said in (
        ({"learning_rate": 0.0}, "learning rate above 0"),
        ({"learning_rate": "0.1"}, "learning_rate is a number, not '0"),
        ({"prompt": []}, "prompt is an empty list"),
        ({"height": 0}, "height is a whole number"),
    ):
        with pytest.raises(UserError, match=said):
            dreamix.finetune(moving_clip(1), steps=1, rank=rank, frames=1, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIVE)
def test_tiling_runs(name: str) -> None:
    """Tiles larger than the clip change nothing."""
    tiled = DreamixPipeline(quiet(TINY[name]()))
    plain = edited(tiled, 0.0, moving_clip(5))
    tiled.enable_vae_tiling()
    assert torch.equal(edited(tiled, 0.0, moving_clip(5)), plain)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"noise_scale": 1.5}, r"between 0 and 1, not 1\.5"),
        ({"noise_scale": 0.5, "video": None}, "without a video there is only noise_scale=1"),
        ({"output_type": "gif"}, "output_type is one of"),
        ({"posterior": "mean"}, "mode or sample"),
        ({"corrupt": (0, 1)}, "factors of corruption are 1 or more"),
        ({"prompt": []}, "prompt is an empty list"),
        ({"prompt": None}, "prompt is a text or a list of texts, not None"),
        ({"prompt": 3}, "prompt is a text or a list of texts, not 3"),
        ({"prompt": b"a"}, "prompt is a text or a list of texts, not a bytes"),
        ({"prompt": ["a", None]}, "prompt is a text or a list of texts, not a list with None"),
        ({"negative_prompt": 3}, "negative_prompt is a text or a list of texts, not 3"),
        ({"negative_prompt": []}, "negative_prompt is an empty list"),
        ({"num_inference_steps": 0}, "num_inference_steps is a whole number of 1 or more, not 0"),
        ({"num_inference_steps": 2.5}, "num_inference_steps is a whole number of 1 or more, not 2"),
        (
            {"num_inference_steps": True},
            "num_inference_steps is a whole number of 1 or more, not T",
        ),
        ({"video": None, "noise_scale": 1, "num_frames": 0}, "num_frames is a whole number of 1"),
        ({"height": 0}, "height is a whole number of 1 or more, not 0"),
        ({"width": -32}, "width is a whole number of 1 or more, not -32"),
        ({"guidance_scale": "5"}, "guidance_scale is a number, not '5'"),
        ({"guidance_scale": float("nan")}, "guidance_scale is a number, not nan"),
        ({"noise_scale": "0.5"}, r"noise_scale is a number, not '0\.5'"),
        ({"noise_scale": float("nan")}, "noise_scale is a number, not nan"),
        ({"eta": "1"}, "eta is a number, not '1'"),
        ({"generator": 3}, "generator is a torch.Generator or a list of them, not 3"),
        ({"generator": (torch.Generator(),) * 2}, "1 prompts need as many generators"),
        ({"generator": []}, "1 prompts need as many generators"),
        ({"generator": [None]}, "a list of them, not a list with None"),
        ({"latents": np.zeros((1, 1, 1, 1, 1))}, "latents are a tensor, not a ndarray"),
        ({"corrupt": 2}, r"corrupt is \(time, space\)"),
        ({"corrupt": (2, 1.5)}, r"corrupt is \(time, space\)"),
        ({"corrupt": None}, r"corrupt is \(time, space\)"),
        ({"generator": [torch.Generator()] * 2}, "1 prompts need as many generators"),
        ({"negative_prompt": ["a", "b"]}, "1 prompts need as many negative prompts"),
        ({"latents": torch.zeros(1, 1, 1, 1, 1)}, "latents have the shape"),
        ({"video": np.zeros((2, 8, 8))}, "a clip is a Video, a file"),
        ({"video": np.full((1, 32, 32, 3), 7.0)}, r"floats in 0\.\.1; these are float64 in 7\.\.7"),
        ({"video": np.full((2, 32, 32, 3), 7)}, r"uint8, or floats in 0\.\.1, not int64"),
        ({"video": torch.zeros(1, 3, 32, 32, dtype=torch.int32)}, "or floats in .*, not int32"),
        ({"video": torch.zeros(1, 3, 32, 32, dtype=torch.bool)}, "or floats in .*, not bool"),
        ({"video": torch.zeros(1, 2, 3, 32, 32)}, r"this one has the shape \(1, 2, 3, 32, 32\)"),
        ({"video": torch.zeros(0, 3, 32, 32)}, r"this one has the shape \(0, 32, 32, 3\)"),
        ({"video": np.zeros((1, 32, 32, 4), np.uint8)}, r"the shape \(1, 32, 32, 4\)"),
        ({"video": np.zeros((1, 0, 32, 3))}, r"the shape \(1, 0, 32, 3\)"),
        ({"video": [np.zeros((8, 8, 3)), np.zeros((4, 8, 3))]}, "a clip is a Video, a file"),
        ({"video": [torch.zeros(3, 8, 8), torch.zeros(3, 4, 8)]}, "frames of a clip have one size"),
        ({"video": []}, "a clip is a Video, a file"),
        ({"video": [None]}, "a clip is a Video, a file"),
        ({"video": iter(())}, "a clip is a Video, a file"),
        ({"video": np.array([[[[np.nan, 0, 0]]]])}, "frame 0 of the clip holds NaN or infinite"),
        (
            {"video": torch.tensor([[[0.0]] * 3, [[torch.inf]] * 3]).unsqueeze(-1)},
            "frame 1 of the c",
        ),
        ({"video": [Image.new("RGB", (32, 32)), Image.new("RGB", (16, 32))]}, "one size"),
        ({"callback_on_step_end_tensor_inputs": ("prompt",)}, "a callback sees latents"),
    ],
)
def test_mistakes_are_one_line(options: dict[str, Any], said: str) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    asked = {"prompt": "a", "video": moving_clip(1), "num_inference_steps": 2, "noise_scale": 0.5}
    with pytest.raises(UserError, match=said):
        dreamix(**{**asked, **options})


def test_a_schedule_may_have_one_timestep_twice() -> None:
    """Wan's solver rounds timesteps down: with a shift of 40 several of 60 steps share one."""
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    scheduler = dreamix.pipe.scheduler
    scheduler.register_to_config(flow_shift=40.0)
    scheduler.set_timesteps(60)
    times, levels = scheduler.timesteps.tolist(), noise_levels(scheduler)
    twice = next(i for i in range(1, 60) if times[i] == times[i - 1])
    for step in (twice - 1, twice):
        edited(
            dreamix, float(levels[step]), moving_clip(1), num_inference_steps=60, guidance_scale=1
        )
        assert dreamix.last_start is not None
        assert dreamix.last_start.step == step
        assert scheduler.step_index == 60, "every step of the schedule after it was taken, once"


def test_a_start_far_from_what_was_asked_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """With 2 steps CogVideoX has the levels 1 and 0.95: 0.7 is not among them."""
    dreamix = DreamixPipeline(quiet(TINY["cogvideox-2b"]()))
    edited(dreamix, 0.7, moving_clip(1), num_inference_steps=2)
    assert "noise level 0.951, not the 0.700 asked for: take more steps" in caplog.text
    assert dreamix.last_start is not None
    assert dreamix.last_start.level == pytest.approx(0.951, abs=1e-3)
