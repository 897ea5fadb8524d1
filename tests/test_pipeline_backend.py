"""Pretrained pipelines from disk and from the command line; what is missing is one line."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from family_names import EVERY
from tiny_cascade import randomised
from tiny_families import SIDE, edited, moving_clip
from tiny_pipelines import (
    TINY,
    WORDS,
    clip_encoder,
    clip_tokenizer,
    frame_vae,
    quiet,
    tiny_animatediff,
)

from dreamix import DreamixPipeline
from dreamix.backends import pipeline_backend
from dreamix.backends.base import VideoModel, check_backend, open_backend
from dreamix.backends.families import families, family_named, family_of
from dreamix.backends.hub import fingerprint
from dreamix.backends.names import BACKENDS
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry
from dreamix.methods.base import METHODS, EditRequest, Made
from dreamix.methods.dreamix import DreamixConfig

pytestmark = pytest.mark.filterwarnings("ignore")
BY_PART = {"default": torch.bfloat16, "vae": torch.float32}  # as backends load on a GPU
NEVER = "nobody/has-this-pipeline"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub, and a cache of it that is empty."""
    torch.set_num_threads(1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Wan, as `save_pretrained` writes it."""
    path = tmp_path_factory.mktemp("wan")
    TINY["wan2.1"]().save_pretrained(path)
    return path


# -- from disk ---------------------------------------------------------------------------------
def test_a_device_map_is_diffusers_own(folder: Path) -> None:
    """Placed on the processor by a map: the same edit, and a finetuning."""
    plain = DreamixPipeline.from_pretrained(folder)
    mapped = DreamixPipeline.from_pretrained(folder, device_map="cpu")
    assert mapped.pipe.hf_device_map is not None
    clip = moving_clip(5)
    assert torch.equal(edited(quiet(mapped), 0.8, clip), edited(quiet(plain), 0.8, clip))
    assert len(mapped.finetune(clip, steps=1, frames=1).losses) == 1


@pytest.mark.slow
@pytest.mark.check("round trip")
@pytest.mark.parametrize("name", EVERY)
def test_a_saved_pipeline_is_loaded_and_edits_the_same(name: str, tmp_path: Path) -> None:
    """Difference 0; the scheduler and both experts of Wan 2.2 are in the folder too.

    What is read lies in the file's memory; it is moved to where tensors begin at round addresses,
    on which products with AVX2 depend in their last bits.
    """
    before, clip = DreamixPipeline(quiet(TINY[name]())), moving_clip(5)
    before.save_pretrained(tmp_path)
    after = quiet(DreamixPipeline.from_pretrained(tmp_path))
    assert type(after.family) is type(before.family)
    for part in after.pipe.components.values():
        for weight in part.parameters() if isinstance(part, torch.nn.Module) else ():
            weight.data = weight.data.clone()
    assert torch.equal(edited(after, 0.7, clip), edited(before, 0.7, clip))


def test_motion_modules_are_put_into_an_image_model(tmp_path: Path) -> None:
    """Stable Diffusion and a motion adapter, saved apart, make the AnimateDiff they came from."""
    unet = UNet2DConditionModel(
        block_out_channels=(16, 16),
        layers_per_block=1,
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WORDS,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    whole = quiet(tiny_animatediff())
    StableDiffusionPipeline(
        vae=frame_vae(),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        unet=randomised(unet, 0),
        scheduler=DDIMScheduler.from_config(whole.scheduler.config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(tmp_path / "image")
    whole.motion_adapter.save_pretrained(tmp_path / "motion")
    found = DreamixPipeline.from_pretrained(
        tmp_path / "image", motion_adapter=str(tmp_path / "motion")
    )
    quiet(found)
    clip = moving_clip(5)
    assert torch.equal(edited(found, 0.7, clip), edited(DreamixPipeline(whole), 0.7, clip))
    half = DreamixPipeline.from_pretrained(
        tmp_path / "image", motion_adapter=str(tmp_path / "motion"), torch_dtype=BY_PART
    )
    assert {p.dtype for p in half.pipe.unet.parameters()} == {torch.bfloat16}
    assert half.pipe.vae.dtype == torch.float32
    assert edited(quiet(half), 0.7, clip, num_inference_steps=2).isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wan2.1", "cogvideox-2b", "modelscope"])
def test_parts_may_be_loaded_in_precisions_of_their_own(name: str, tmp_path: Path) -> None:
    """The networks in bfloat16, the autoencoder in single precision: edits and finetunes."""
    TINY[name]().save_pretrained(tmp_path)
    found = quiet(DreamixPipeline.from_pretrained(tmp_path, torch_dtype=BY_PART))
    found.finetune(moving_clip(2), steps=1, rank=2, frames=2)
    assert (found.dtype, found.pipe.vae.dtype) == (torch.bfloat16, torch.float32)
    assert edited(found, 0.7, moving_clip(5), num_inference_steps=2).isfinite().all()


def test_a_pipeline_with_an_adapter_is_not_saved_as_if_it_were_whole(
    folder: Path, tmp_path: Path
) -> None:
    dreamix = DreamixPipeline.from_pretrained(folder)
    dreamix.finetune(moving_clip(2), steps=0, rank=2)
    with pytest.raises(UserError, match="save the adapter with save_adapter"):
        dreamix.save_pretrained(tmp_path)


def test_what_no_family_fits_is_one_line(tmp_path: Path) -> None:
    class OtherPipeline:
        pass

    with pytest.raises(UserError, match="no family here fits a OtherPipeline; these do: Anima"):
        family_of(OtherPipeline())
    with pytest.raises(UserError, match=r"holds no diffusers pipeline: there is no model_index"):
        DreamixPipeline.from_pretrained(tmp_path)
    with pytest.raises(UserError, match=f"the weights of {NEVER} are not on this machine"):
        DreamixPipeline.from_pretrained(NEVER)


def test_the_docs_say_what_families_declare(root: Path) -> None:
    """How frames are masked and what departs from the paper, word by word; and every name."""
    page = (root / "docs" / "pipelines.md").read_text()
    for family in families():
        assert f"| {family.name} | {family.masking} | {family.departs} |" in page
        for name, known in family.pretrained.items():
            assert f"`{name}`" in page
            assert known.weights.hub in page
            assert (known.weights.motion or "") in page


def test_every_family_says_how_its_frames_are_masked_and_what_departs() -> None:
    for family in families():
        assert len(family.masking) > 40
        assert family.departs
        assert ("temporal" in family.lora) == family.separable
        assert all(family_named(kind) is family for kind in family.pipelines)


# -- as a backend ------------------------------------------------------------------------------
def test_names_lead_to_pipelines() -> None:
    told = {name for family in families() for name in family.pretrained}
    assert len(told) == 10
    assert told < {*BACKENDS.names()}
    for name in ("wan2.1-1.3b", "cogvideox-2b", "modelscope", "zeroscope", "animatediff"):
        assert check_backend(name) == name
        assert check_backend(f"{name}@64x32") == f"{name}@64x32"


def test_clips_are_brought_to_the_size_that_weights_were_made_for(tmp_path: Path) -> None:
    """zeroscope's 576x320 and 24 frames; ModelScope's 256x256 and 16, in the clip's aspect."""
    TINY["modelscope"]().save_pretrained(tmp_path)
    wide = Video(np.zeros((30, 18, 32, 3), np.uint8), 10.0)
    for name, shape in (("zeroscope", (24, 320, 576)), ("modelscope", (16, 192, 344))):
        backend: Any = open_backend(f"{name}:{tmp_path}")
        fitted = backend.fitted(wide)
        assert fitted.frames.shape[:3] == shape
        assert fitted.duration == pytest.approx(wide.duration)


def test_a_folder_is_a_backend_with_a_size_of_ones_own(folder: Path) -> None:
    backend: Any = open_backend(f"{folder}@64x32x5")
    assert isinstance(backend, VideoModel)
    assert (backend.name, backend.knows) == (f"{folder}@64x32x5", "the world")
    assert backend.usual == {"steps": 50, "guidance": 5.0}
    assert check_backend(f"{folder}@64x32x5") == f"{folder.resolve()}@64x32x5"
    fitted = backend.fitted(moving_clip(9))
    assert (len(fitted), fitted.height, fitted.width) == (5, 32, 64)
    assert fitted.duration == pytest.approx(moving_clip(9).duration)


def test_the_size_suits_the_model_and_the_clips_aspect(folder: Path) -> None:
    """Wan's area is 480 x 832; a clip of 2:1 becomes 896 x 448 (of 16s), 200 frames become 81."""
    backend: Any = open_backend(str(folder))
    clip = Video(np.zeros((200, 10, 20, 3), np.uint8), 25.0)
    height, width, frames = backend._shape(clip)
    assert (height, width, frames) == (448, 896, 81)
    assert abs(height * width / (480 * 832) - 1) < 0.05


def test_the_identity_changes_with_the_weights_and_with_nothing_else(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        TINY["modelscope"](seed=seed).save_pretrained(tmp_path / name)
    one, same, other = (fingerprint([tmp_path / n]) for n in ("one", "same", "other"))
    assert one == same != other
    index = tmp_path / "same" / "scheduler" / "scheduler_config.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "prediction_type": "sample"}))
    assert fingerprint([tmp_path / "same"]) != one


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wan2.1-1.3b", "run `hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers`, or give a folder"),
        ("animatediff", "hf download stable-diffusion-v1-5/stable-diffusion-v1-5"),
        ("wan2.1-1.4b", "unknown backend 'wan2.1-1.4b', did you mean wan2"),
        ("wan2.1-1.3b:/nowhere", "there is nothing at /nowhere"),
        ("/tmp", "holds no diffusers pipeline"),
        ("toybox@32x32", "backend toybox has one size"),
    ],
)
def test_a_backend_that_is_not_there_says_what_to_do(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        _ = open_backend(name).identity


def requests(clip: Video, *prompts: str) -> list[EditRequest]:
    """Return what a run asks of a method about one clip."""
    edits = [Edit(f"e{i}", "v", prompt, "object") for i, prompt in enumerate(prompts)]
    entry = VideoEntry("v", None, "v.mp4")
    suite = Suite("s", "1", "none", Path(), Path(), {"v": entry}, tuple(edits))
    return [EditRequest(suite, edit, 0, "m", lambda _: clip) for edit in edits]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wan2.1", "cogvideox-2b", "modelscope", "animatediff"])
def test_methods_edit_with_a_pipeline(name: str, tmp_path: Path) -> None:
    """Dreamix, SDEdit and text-to-video; finetuned once for both prompts; noise by name."""
    TINY[name]().save_pretrained(tmp_path / "model")
    backend = open_backend(f"{tmp_path / 'model'}@{SIDE}x{SIDE}x5", tmp_path / "cache")
    clip = moving_clip(5)
    asked = requests(clip, "a red cat", "rain")
    config = DreamixConfig(noise=0.7, finetune_steps=2, steps=3, frames=2, learning_rate=0.01)
    both = METHODS.get("dreamix").make(asked, backend, config)
    assert all(isinstance(made, Made) and len(made.video) == 5 for made in both)
    assert [made.facts["finetune_seconds"] > 0 for made in both] == [True, False]
    assert both[0].facts["size"] == f"{SIDE}x{SIDE}"
    again = open_backend(f"{tmp_path / 'model'}@{SIDE}x{SIDE}x5", tmp_path / "cache")
    (alone,) = METHODS.get("dreamix").make(asked[1:], again, config)
    assert np.array_equal(alone.video.frames, both[1].video.frames)
    assert alone.facts["finetune_seconds"] == 0, "the adapter was kept"
    for method, settings in (("sdedit", {"noise": 0.7}), ("text-to-video", {})):
        found = METHODS.get(method)
        (made,) = found.make(asked[:1], backend, found.config(steps=2, **settings))
        assert made.video.frames.shape == clip.frames.shape
        assert (made.facts["noise_level"] == 1) == (method == "text-to-video")


def test_without_finetuning_the_pretrained_weights_are_used(folder: Path) -> None:
    backend: Any = open_backend(f"{folder}@{SIDE}x{SIDE}x5")
    asked = requests(moving_clip(5), "a red cat")
    plain = DreamixConfig(noise=0.7, finetune_steps=0, steps=2)
    tuned = DreamixConfig(noise=0.7, finetune_steps=2, steps=2, learning_rate=0.05, frames=2)
    dreamix = METHODS.get("dreamix")
    first, other, last = (dreamix.make(asked, backend, c)[0] for c in (plain, tuned, plain))
    assert np.array_equal(first.video.frames, last.video.frames)
    assert not np.array_equal(first.video.frames, other.video.frames)


def test_a_clip_is_fitted_once_and_a_way_of_denoising_asked_about_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five frames are resized for finetuning and two edits together, and five more for a clip
    that is equal but another: its frames are not compared."""
    backend: Any = open_backend(f"{folder}@{SIDE}x{SIDE}x5")
    count: Counter[str] = Counter()

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: count.update([name]) or work(*given)

    monkeypatch.setattr(pipeline_backend, "resized", counted("frame", pipeline_backend.resized))
    monkeypatch.setattr(backend, "check_denoising", counted("check", backend.check_denoising))
    dreamix, config = METHODS.get("dreamix"), DreamixConfig(noise=0.7, finetune_steps=1, steps=2)
    dreamix.make(requests(moving_clip(5), "a red cat", "rain"), backend, config)
    assert count == {"frame": 5, "check": 1}
    sdedit = METHODS.get("sdedit")
    sdedit.make(requests(moving_clip(5), "rain"), backend, sdedit.config(noise=0.7, steps=2))
    assert count == {"frame": 10, "check": 2}


def test_noise_is_named_after_the_edit(folder: Path) -> None:
    """The same prompt twice, as two edits: another clip each. The order does not matter."""
    backend: Any = open_backend(f"{folder}@{SIDE}x{SIDE}x5")
    asked = requests(moving_clip(5), "a red cat", "a red cat")
    found = METHODS.get("text-to-video")
    one, two = found.make(asked, backend, found.config(steps=2))
    again, _ = found.make(asked[::-1], backend, found.config(steps=2))
    assert not np.array_equal(one.video.frames, two.video.frames)
    assert np.array_equal(again.video.frames, two.video.frames)


@pytest.mark.parametrize("method", ["plug-and-play", "ddim-inversion", "tune-a-video"])
def test_other_methods_say_that_they_do_not_run_on_a_pipeline(folder: Path, method: str) -> None:
    backend, found = open_backend(f"{folder}@{SIDE}x{SIDE}x5"), METHODS.get(method)
    (asked,) = requests(moving_clip(5), "a red cat")
    asked.suite.videos["v"] = VideoEntry("v", "a cat", "v.mp4")
    with pytest.raises(UserError, match=f"{method} does not run on backend .*, which has no"):
        found.make([asked], backend, found.config())


def test_the_command_line_edits_with_a_folder(folder: Path, tmp_path: Path) -> None:
    """`dreamix edit --backend FOLDER@...`: the record holds the settings that were used."""
    from click.testing import CliRunner

    from dreamix.edit_cli import edit

    write_video(tmp_path / "in.mp4", moving_clip(5))
    words = [tmp_path / "in.mp4", "--prompt", "a red cat", "--backend", f"{folder}@32x32x5"]
    words += ["--steps", 2, "--finetune-steps", 1, "--category", "object", "--noise", 0.75]
    done = CliRunner().invoke(
        edit, [str(w) for w in [*words, "--out", tmp_path / "out.mp4"]], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    assert read_video(tmp_path / "out.mp4").frames.shape == (5, 32, 32, 3)
    record = json.loads((tmp_path / "out.json").read_text())
    assert (record["config"]["steps"], record["config"]["guidance"]) == (2, 5.0)
    assert record["backend"]["identity"] == fingerprint([folder.resolve()])
    assert record["facts"]["noise_level"] == pytest.approx(0.75, abs=1e-3)
    assert record["facts"]["start_step"] == 1
