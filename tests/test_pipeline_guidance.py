"""Guidance that callbacks change and that two experts share, beside diffusers' own pipelines."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from diffusers import LTXPipeline
from diffusers.callbacks import (
    MultiPipelineCallbacks,
    SDCFGCutoffCallback,
    SDXLCFGCutoffCallback,
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
from torch import Tensor

from dreamix import DreamixPipeline
from dreamix.backends.base import open_backend
from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry
from dreamix.edit_cli import edit
from dreamix.methods.base import METHODS, EditRequest, variants

pytestmark = pytest.mark.filterwarnings("ignore")
Held = dict[str, Any]
EVERYTHING = ["latents", "prompt_embeds", "negative_prompt_embeds"]


@pytest.fixture(autouse=True)
def alone() -> None:
    torch.set_num_threads(1)


# -- callbacks ---------------------------------------------------------------------------------
def ends(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """End guidance after two steps."""
    if i == 1:
        pipe._guidance_scale = 1.0
    return held


def cut(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """End guidance as the page of diffusers on callbacks does."""
    if i == int(pipe.num_timesteps * 0.4):
        pipe._guidance_scale = 0.0
        held["prompt_embeds"] = held["prompt_embeds"].chunk(2)[-1]
    return held


def weaker(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """Guide by another weight from the second step on."""
    pipe._guidance_scale = 2.5
    return held


def reworded(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """Change what the prompts say, once."""
    return {**held, "prompt_embeds": held["prompt_embeds"] * (0.5 if i == 0 else 1.0)}


def in_place(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """The same, written into the tensor that was shown."""
    held["prompt_embeds"].mul_(0.5 if i == 0 else 1.0)
    return held


def other_negative(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """Change what guidance leads away from."""
    return {**held, "negative_prompt_embeds": held["negative_prompt_embeds"] * 0.25}


def fainter(pipe: Any, i: int, t: Any, held: Held) -> Held:
    """Change the latents."""
    return {"latents": held["latents"] * 0.9}


def both_ways(name: str, callback: Any, held: list[str]) -> tuple[Tensor, Tensor, Tensor]:
    """Return an edit with a callback by diffusers, here, and here without it."""
    pipe, clip = quiet(TINY[name]()), moving_clip(9)
    asked: dict[str, Any] = {**ASKED, "negative_prompt": "blurry", "output_type": "pt"}
    calls = {"callback_on_step_end": callback, "callback_on_step_end_tensor_inputs": held}
    dreamix = DreamixPipeline(pipe)
    if name == "ltx-2b":
        noise = torch.randn((1, *dreamix.family.latent_shape(9, SIDE, SIDE)), generator=seeded())
        asked |= {"height": SIDE, "width": SIDE, "num_frames": 9}
        theirs = pipe(latents=LTXPipeline._pack_latents(noise), **asked, **calls).frames
        return theirs, *(dreamix(latents=noise, **asked, **more).frames for more in (calls, {}))
    taken = THEIRS[name].__init__.__code__.co_varnames  # type: ignore[misc]
    own = quiet(THEIRS[name](**{k: v for k, v in pipe.components.items() if k in taken}))
    size = {"height": SIDE, "width": SIDE}
    theirs = own(
        video=as_pictures(clip), strength=0.5, generator=seeded(), **size, **asked, **calls
    ).frames
    asked |= {"posterior": "mode" if name.startswith("wan") else "sample"}
    level = level_at(pipe, STEPS // 2)
    ours = (
        dreamix(video=clip, noise_scale=level, generator=seeded(), **asked, **more).frames
        for more in (calls, {})
    )
    return theirs, *ours


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "callback", "held"),
    [
        ("wan2.1", ends, ["latents"]),
        ("wan2.1", cut, EVERYTHING),
        ("wan2.1", SDCFGCutoffCallback(cutoff_step_ratio=0.4), []),
        ("wan2.1", reworded, EVERYTHING),
        ("wan2.1", in_place, EVERYTHING),
        ("wan2.1", other_negative, EVERYTHING),
        ("wan2.1", fainter, EVERYTHING),
        ("cogvideox-2b", weaker, []),
        ("cogvideox-2b", reworded, ["prompt_embeds"]),
        ("cogvideox-2b", in_place, ["prompt_embeds"]),
        ("cogvideox-2b", fainter, ["latents"]),
        ("animatediff", cut, ["prompt_embeds"]),
        ("animatediff", reworded, ["prompt_embeds"]),
        ("animatediff", fainter, ["latents"]),
        ("ltx-2b", weaker, []),
        ("ltx-2b", reworded, ["prompt_embeds"]),
    ],
)
def test_a_callback_does_what_it_does_in_diffusers(name: str, callback: Any, held: Any) -> None:
    """Difference 0 to the family's own pipeline, and another clip than without the callback."""
    theirs, ours, without = both_ways(name, callback, held)
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, without)


@pytest.mark.slow
def test_guidance_that_ends_is_weight_one_where_diffusers_goes_on_asking_for_both() -> None:
    """CogVideoX's own goes on with weight 1, which is the prompt alone but for rounding."""
    theirs, ours, without = both_ways("cogvideox-2b", ends, [])
    assert (ours - theirs).abs().max() < 1e-5 < (ours - without).abs().max()


@pytest.mark.slow
def test_an_ended_guidance_is_that_of_the_official_callback_and_halves_the_work(
    one_each: DreamixPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the step it ends in, the networks see the prompt's half alone."""
    rows: list[int] = []
    predict = type(one_each.family).predict

    def counted(self: Any, z: Tensor, *told: Any) -> Tensor:
        rows.append(len(z))
        return predict(self, z, *told)

    monkeypatch.setattr(type(one_each.family), "predict", counted)
    clip = moving_clip(5)
    official = SDCFGCutoffCallback(cutoff_step_ratio=None, cutoff_step_index=1)
    one = edited(one_each, 1.0, clip, callback_on_step_end=official)
    assert sum(rows) == 2 * 2 + (STEPS - 2)
    for same in (ends, MultiPipelineCallbacks([official])):
        assert torch.equal(edited(one_each, 1.0, clip, callback_on_step_end=same), one)
    assert not torch.equal(edited(one_each, 1.0, clip), one)


@pytest.mark.slow
def test_a_callback_finds_what_diffusers_pipelines_tell(one_each: DreamixPipeline) -> None:
    seen = []

    def look(pipe: Any, i: int, t: Tensor, held: Held) -> Held:
        told = pipe.guidance_scale, pipe.do_classifier_free_guidance, float(pipe.current_timestep)
        seen.append((pipe.num_timesteps, *told, pipe.interrupt, sorted(held)))
        assert float(t) == told[-1]
        pipe._interrupt = i == 1
        return held

    level = level_at(one_each.pipe, 2)
    edited(
        one_each, level, moving_clip(5), callback_on_step_end=look,
        callback_on_step_end_tensor_inputs=EVERYTHING,
    )  # fmt: skip
    times = one_each.scheduler.timesteps[2:4].tolist()
    assert seen == [(STEPS - 2, 5.0, True, t, False, sorted(EVERYTHING)) for t in times]
    assert (one_each.guidance_scale, one_each.current_timestep) == (5.0, None)


@pytest.mark.slow
def test_prompts_are_shown_as_the_network_is_told_them(one_each: DreamixPipeline) -> None:
    """Two prompts: the page's `chunk(2)[-1]` leaves those of the prompts where both halves are
    there; Wan's own pipeline keeps the halves apart, and so do we."""
    shapes = []

    def look(pipe: Any, i: int, t: Tensor, held: Held) -> Held:
        shapes.append([len(held[name]) for name in EVERYTHING])
        pipe._guidance_scale = 0.0
        if pipe.family.joined and i == 0:
            held["prompt_embeds"] = held["prompt_embeds"].chunk(2)[-1]
        return held

    edited(
        one_each, 1.0, moving_clip(1), prompt=["a cat", "a dog"], num_inference_steps=2,
        callback_on_step_end=look, callback_on_step_end_tensor_inputs=EVERYTHING,
    )  # fmt: skip
    assert shapes == [[2, 4 if one_each.family.joined else 2, 2], [2, 2, 2]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("returned", "options", "said"),
    [
        (lambda pipe, held: [held], {}, "a callback returns a dict of tensors, not a list"),
        (lambda pipe, held: {"latents": None}, {}, "latents that are a NoneType, not a tensor"),
        (lambda pipe, held: {"latents": held["latents"][:, :1]}, {}, r"latents of the shape \("),
        (lambda pipe, held: {"prompt_embeds": torch.zeros(3, 1, 1)}, {}, r"shape \(3, 1, 1\), w"),
        (lambda pipe, held: setattr(pipe, "_guidance_scale", 4.0), {"guidance_scale": 1.0},
         "guidance cannot begin after the first step"),
        (lambda pipe, held: setattr(pipe, "_guidance_scale", "high"), {},
         "guidance_scale is a number, not 'high'"),
        (lambda pipe, held: {"negative_prompt_embeds": torch.zeros(1)}, {"guidance_scale": 1.0},
         "without guidance no negative_prompt_embeds are read"),
    ],
)  # fmt: skip
def test_what_a_callback_cannot_do_is_one_line(returned: Any, options: Held, said: str) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    with pytest.raises(UserError, match=said):
        edited(
            dreamix, 1.0, moving_clip(1), num_inference_steps=2, **options,
            callback_on_step_end=lambda pipe, i, t, held: returned(pipe, held),
        )  # fmt: skip


def test_callbacks_for_other_tensors_are_refused_by_name() -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    with pytest.raises(UserError, match="negative_prompt_embeds, not add_text_embeds"):
        edited(dreamix, 1.0, moving_clip(1), callback_on_step_end=SDXLCFGCutoffCallback())
    with pytest.raises(UserError, match="callback_on_step_end is a function, not a int"):
        edited(dreamix, 1.0, moving_clip(1), callback_on_step_end=3)


# -- two experts -------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("scales", [(4.0, 3.0), (4.0, 1.0), (4.0, 0.0), (1.0, 3.0), (3.0, None)])
def test_two_weights_are_those_of_wans_own_pipeline(scales: tuple[float, float | None]) -> None:
    """Steps of both experts, the same noise: difference 0."""
    dreamix = DreamixPipeline(quiet(TINY["wan2.2"]()))
    noise = torch.randn((1, *dreamix.family.latent_shape(5, SIDE, SIDE)), generator=seeded())
    asked = {**ASKED, "output_type": "pt", "height": SIDE, "width": SIDE, "num_frames": 5}
    first, second = scales
    asked |= {"guidance_scale": first, "guidance_scale_2": second, "negative_prompt": "blurry"}
    theirs = dreamix.pipe(latents=noise, **asked).frames
    found = dreamix(latents=noise, **asked).frames
    assert torch.equal(found, theirs)
    assert len({*dreamix.family.experts(dreamix.scheduler.timesteps)}) == 2
    if second is not None and first > 1:
        one = dreamix(latents=noise, **{**asked, "guidance_scale_2": None}).frames
        assert not torch.equal(one, found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan 2.2 on disk."""
    path = tmp_path_factory.mktemp("wan22")
    TINY["wan2.2"]().save_pretrained(path)
    return path


def asked_of(clip: Video, prompt: str = "a red cat") -> EditRequest:
    """Return what a run asks of a method."""
    entry, one = VideoEntry("v", None, "v.mp4"), Edit("e", "v", prompt, "object")
    suite = Suite("s", "1", "none", Path(), Path(), {"v": entry}, (one,))
    return EditRequest(suite, one, 0, "m", lambda _: clip)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("dreamix", "noise=1:finetune_steps=0"),
        ("sdedit", "noise=1"),
        ("text-to-video", "eta=0"),
        ("subject", "finetune_steps=0:length=5:rare_token=no"),
        ("animate", "camera=none:noise=1:finetune_steps=0"),
    ],
)
def test_methods_hand_both_weights_on(folder: Path, method: str, settings: str) -> None:
    """From noise alone all five are text-to-video: the clip is that of the pipeline's own call."""
    backend: Any = open_backend(f"{folder}@{SIDE}x{SIDE}x5")
    request = asked_of(moving_clip(5))
    spec = f"{method}:{settings}:steps=6:guidance=4:guidance_2=3"
    (variant,) = variants(spec)
    (made,) = METHODS.get(method).make([request], backend, variant.config)
    wanted = backend.dreamix(
        "a red cat", height=SIDE, width=SIDE, num_frames=5, num_inference_steps=6,
        guidance_scale=4.0, guidance_scale_2=3.0, output_type="np",
        generator=torch.Generator().manual_seed(seed_for(*request.names)),
    ).frames[0]  # fmt: skip
    assert np.array_equal(made.video.frames, (wanted * 255).round().astype(np.uint8))


@pytest.mark.slow
def test_the_command_line_takes_both_weights(folder: Path, tmp_path: Path) -> None:
    """`--set guidance_2=3`: in the record, and another clip than without it."""
    write_video(tmp_path / "in.mp4", moving_clip(5), lossless=True)
    words = ["--prompt", "a red cat", "--backend", f"{folder}@{SIDE}x{SIDE}x5", "--steps", "6"]
    words += ["--method", "sdedit", "--noise", "1", "--category", "object", "--set", "guidance=4"]
    clips = []
    for name, more in (("one", []), ("two", ["--set", "guidance_2=0"])):
        out = tmp_path / f"{name}.mp4"
        done = CliRunner().invoke(
            edit, [str(tmp_path / "in.mp4"), *words, *more, "--out", str(out)],
            catch_exceptions=False,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        clips.append(read_video(out).frames)
    assert json.loads((tmp_path / "two.json").read_text())["config"]["guidance_2"] == 0.0
    assert not np.array_equal(*clips)


def test_a_second_weight_leaves_old_runs_alone() -> None:
    """Configurations without it have the hash they had before there was such a setting."""
    before = {
        "dreamix": "cc649fdfe3b9",
        "sdedit": "89366653a8ef",
        "text-to-video": "05eb710a90f2",
        "subject": "a2f92eb1857a",
        "animate": "08d2fef440d2",
    }
    for name, told in before.items():
        config = METHODS.get(name).config
        assert config_hash(config()) == told != config_hash(config(guidance_2=3.0))


@pytest.mark.parametrize("method", ["dreamix", "sdedit", "text-to-video", "subject", "animate"])
def test_the_embedded_model_refuses_a_second_weight(method: str) -> None:
    found = METHODS.get(method)
    request = asked_of(moving_clip(16), "a blue ball bouncing in a meadow")
    with pytest.raises(UserError, match=r"second expert of Wan 2\.2; backend toybox"):
        found.make([request], open_backend("toybox"), found.config(guidance_2=3))


@pytest.mark.parametrize("name", ["wan2.1", "wan2.2-5b", "modelscope"])
def test_a_second_weight_without_a_second_expert_is_refused(name: str) -> None:
    dreamix = DreamixPipeline(quiet(TINY[name]()))
    with pytest.raises(UserError, match=r"guidance_scale_2 is of the second expert of Wan 2\.2"):
        edited(dreamix, 1.0, moving_clip(1), guidance_scale_2=3.0)
