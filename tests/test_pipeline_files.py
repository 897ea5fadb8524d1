"""Folders of pipelines as downloads leave them: damaged, in one variant, with another schedule."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    LCMScheduler,
    MotionAdapter,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from tiny_cascade import randomised
from tiny_families import edited, moving_clip
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
from dreamix.backends.base import check_backend, open_backend
from dreamix.backends.hub import load_pipeline
from dreamix.backends.weight_files import damaged, variant_of
from dreamix.core.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 11361920418\n"
Damage = Callable[[Path], object]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub, and a cache of it that is empty."""
    torch.set_num_threads(1)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Wan as `save_pretrained` writes it, its transformer in shards."""
    path = tmp_path_factory.mktemp("wan")
    pipe = TINY["wan2.1"]()
    pipe.save_pretrained(path)
    shutil.rmtree(path / "transformer")
    pipe.transformer.save_pretrained(path / "transformer", max_shard_size="30KB")
    return path


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Stable Diffusion 1.5, its schedule as published, and motion modules beside it."""
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
    path = tmp_path_factory.mktemp("still")
    StableDiffusionPipeline(
        vae=frame_vae(),
        text_encoder=clip_encoder(),
        tokenizer=clip_tokenizer(),
        unet=randomised(unet, 0),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(path / "image")
    tiny_animatediff().motion_adapter.save_pretrained(path / "motion")
    return path


@pytest.fixture
def copied(wan: Path, tmp_path: Path) -> Path:
    """A copy of the Wan, to be damaged."""
    return Path(shutil.copytree(wan, tmp_path / "copy"))


# -- damage ------------------------------------------------------------------------------------
def pointer(file: Path) -> object:
    return file.write_text(POINTER)


def halved(file: Path) -> object:
    return file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def emptied(file: Path) -> object:
    return file.write_bytes(b"")


def braced(file: Path) -> object:
    return file.write_text("{broken")


def listed(file: Path) -> object:
    return file.write_text("[]")


WEIGHTS = ("text_encoder/model.safetensors", "vae/diffusion_pytorch_model.safetensors")
SETTINGS = ("scheduler/scheduler_config.json", "vae/config.json", "tokenizer/tokenizer.json")
SHARD = "transformer/diffusion_pytorch_model-00002-of-"


@pytest.mark.parametrize("spoil", [pointer, halved, emptied])
@pytest.mark.parametrize("name", WEIGHTS)
def test_damaged_weights_are_named(copied: Path, name: str, spoil: Damage) -> None:
    spoil(copied / name)
    with pytest.raises(UserError, match=rf"{name} is (a Git LFS|cut off|empty).*download it again"):
        DreamixPipeline.from_pretrained(copied)


@pytest.mark.parametrize("spoil", [pointer, halved, emptied, braced, listed])
@pytest.mark.parametrize("name", [*SETTINGS, "text_encoder/config.json", "model_index.json"])
def test_damaged_settings_are_named(copied: Path, name: str, spoil: Damage) -> None:
    spoil(copied / name)
    with pytest.raises(UserError, match=name):
        DreamixPipeline.from_pretrained(copied)


def test_shards_that_are_missing_or_damaged_are_named(copied: Path) -> None:
    (shard,) = copied.glob(f"{SHARD}*")
    kept = shard.read_bytes()
    shard.unlink()
    with pytest.raises(UserError, match=rf"index\.json names {shard.name}, which is missing"):
        DreamixPipeline.from_pretrained(copied)
    shard.write_bytes(kept[: len(kept) // 2])
    with pytest.raises(UserError, match=f"{shard.name} is cut off"):
        DreamixPipeline.from_pretrained(copied)


def test_words_of_a_tokenizer_that_are_a_pointer_are_not_read_as_words(
    still: Path, tmp_path: Path
) -> None:
    """No reader would tell: any lines may be the words of a tokenizer."""
    folder = shutil.copytree(still / "image", tmp_path / "image")
    pointer(folder / "tokenizer" / "merges.txt")
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"tokenizer/merges\.txt is a Git LFS pointer"):
        DreamixPipeline.from_pretrained(folder, motion_adapter=still / "motion")


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("diffusion_pytorch_model.safetensors", pointer),
        ("diffusion_pytorch_model.safetensors", halved),
        ("config.json", braced),
    ],
)
def test_damaged_motion_modules_are_named(
    still: Path, tmp_path: Path, name: str, spoil: Damage
) -> None:
    motion = shutil.copytree(still / "motion", tmp_path / "motion")
    spoil(motion / name)
    with pytest.raises(UserError, match=f"motion/{name} "):
        DreamixPipeline.from_pretrained(still / "image", motion_adapter=motion)


def test_weights_in_a_pickle_that_is_cut_off_are_named(copied: Path) -> None:
    vae = copied / "vae"
    TINY["wan2.1"]().vae.save_pretrained(vae, safe_serialization=False)
    (vae / "diffusion_pytorch_model.safetensors").unlink()
    halved(vae / "diffusion_pytorch_model.bin")
    with pytest.raises(UserError, match=r"vae/diffusion_pytorch_model\.bin is cut off"):
        DreamixPipeline.from_pretrained(copied)


def test_what_is_not_needed_may_be_a_pointer(copied: Path) -> None:
    """A clone without LFS whose weights alone were fetched: samples and other formats are none."""
    (copied / "assets").mkdir()
    for name in ("assets/clip.mp4", "vae/flax_model.msgpack", "vae/diffusion_pytorch_model.bin"):
        pointer(copied / name)
    assert DreamixPipeline.from_pretrained(copied).family.name == "Wan"


def test_nothing_is_wrong_with_whole_files(wan: Path, still: Path) -> None:
    files = [file for folder in (wan, still) for file in folder.rglob("*") if file.is_file()]
    assert len(files) > 20
    assert not [file for file in files if damaged(file)]


@pytest.mark.parametrize("name", [WEIGHTS[0], "model_index.json"])
def test_on_the_command_line_it_is_one_line(copied: Path, name: str, tmp_path: Path) -> None:
    backend: Any = open_backend(f"{copied}@32x32x5")
    pointer(copied / name)
    with pytest.raises(UserError, match=name):
        _ = backend.dreamix


# -- one variant -------------------------------------------------------------------------------
def saved_as(name: str, folder: Path, variant: str) -> Path:
    """Save a tiny pipeline so that no part has plain weights."""
    TINY[name]().save_pretrained(folder, variant=variant)
    return folder


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("wan2.1", "fp16"),
        ("wan2.2", "bf16"),
        ("modelscope", "mine"),
        ("cogvideox-2b", "fp16"),
        ("animatediff", "fp16"),
        pytest.param("ltx-2b", "fp16", marks=pytest.mark.slow),
    ],
)
def test_a_folder_with_one_variant_is_loaded(name: str, variant: str, tmp_path: Path) -> None:
    """Equal to the bit to the plain files, by name of the folder alone and as a backend."""
    folder, clip = saved_as(name, tmp_path / "model", variant), moving_clip(1)
    assert not [*folder.rglob("*model.safetensors")]
    wanted = edited(DreamixPipeline(quiet(TINY[name]())), 0.8, clip, num_inference_steps=2)
    backend: Any = open_backend(f"{folder}@64x64x1")
    for found in (DreamixPipeline.from_pretrained(folder), backend.dreamix):
        again = edited(quiet(found), 0.8, clip, num_inference_steps=2)
        assert (again - wanted).abs().max() < 1e-5


def test_a_variant_that_some_parts_have_is_mixed_with_plain_files(
    wan: Path, tmp_path: Path
) -> None:
    """As diffusers' own `variant=` does; what is asked for comes before what is there."""
    folder = Path(shutil.copytree(wan, tmp_path / "mixed"))
    shutil.rmtree(folder / "vae")
    TINY["wan2.1"]().vae.save_pretrained(folder / "vae", variant="fp16")
    assert DreamixPipeline.from_pretrained(folder).vae is not None
    assert DreamixPipeline.from_pretrained(folder, variant="fp16").vae is not None
    with pytest.raises(UserError, match="variant=bf16"):
        DreamixPipeline.from_pretrained(folder, variant="bf16")


def test_of_several_variants_one_is_taken_or_asked_for(tmp_path: Path) -> None:
    one, other = tmp_path / "vae", tmp_path / "unet"
    for part in (one, other):
        part.mkdir()
    for name in ("model.fp16.safetensors", "model.bf16-00001-of-00002.safetensors"):
        (one / name).touch()
    assert variant_of([one]) == "bf16"
    (other / "diffusion_pytorch_model.fp16.bin").touch()
    assert variant_of([one, other]) == "fp16"
    (one / "model.fp16.safetensors").unlink()
    with pytest.raises(UserError, match=r"no variant of the weights is there of every part: .*vae"):
        variant_of([one, other])
    (other / "diffusion_pytorch_model.bin").touch()
    assert variant_of([other]) is None
    for name in ("model.a.safetensors", "model.b.safetensors"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"keep one variant of the weights, or say variant="):
        variant_of([tmp_path])


@pytest.mark.slow
@pytest.mark.parametrize("asked", [None, "fp16"])
@pytest.mark.parametrize("held", ["fp16", None])
def test_motion_modules_are_loaded_in_the_variant_they_have(
    still: Path, tmp_path: Path, asked: str | None, held: str | None
) -> None:
    adapter = MotionAdapter.from_pretrained(still / "motion")
    adapter.save_pretrained(tmp_path / "motion", variant=held)
    image = tmp_path / "image"
    StableDiffusionPipeline.from_pretrained(still / "image").save_pretrained(image, variant=asked)
    options = {} if asked is None else {"variant": asked}
    found = DreamixPipeline.from_pretrained(image, motion_adapter=tmp_path / "motion", **options)
    for name, weight in adapter.state_dict().items():
        assert torch.equal(found.motion_adapter.state_dict()[name], weight)


# -- single files ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["v1-5.safetensors", "wan.ckpt", "model.gguf", "x/y/z.SAFETENSORS"]
)
def test_a_single_file_is_said_to_be_one(name: str, tmp_path: Path, still: Path) -> None:
    for place in (name, str(tmp_path / Path(name).name)):
        if place != name:
            Path(place).write_bytes(b"weights")
        for act in (
            lambda: DreamixPipeline.from_pretrained(place),  # noqa: B023
            lambda: DreamixPipeline.from_pretrained(still / "image", motion_adapter=place),  # noqa: B023
            lambda: check_backend(place),  # noqa: B023
            lambda: check_backend(f"{place}@64x64x5"),  # noqa: B023
        ):
            with pytest.raises(UserError, match="is a single file, and single files are not"):
                act()
    with pytest.raises(UserError, match="is a single file"):
        check_backend(f"wan2.1-1.3b:{tmp_path / Path(name).name}")


def test_an_address_is_no_name() -> None:
    with pytest.raises(UserError, match="is an address: give the name of the repository"):
        DreamixPipeline.from_pretrained("https://huggingface.co/Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    with pytest.raises(UserError, match="is a single file"):
        DreamixPipeline.from_pretrained("https://huggingface.co/a/b/blob/main/c.safetensors")


# -- schedules ---------------------------------------------------------------------------------
def test_motion_modules_bring_the_schedule_they_were_trained_on(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As diffusers' page on AnimateDiff builds it; at t = 500 of linear betas the noise is .916.

    By numpy: sqrt(1 - prod(1 - b)), b the first 501 of linspace(.00085, .012, 1000), is 0.9161.
    """
    page = DDIMScheduler.from_pretrained(
        still / "image",
        subfolder="scheduler",
        clip_sample=False,
        timestep_spacing="linspace",
        beta_schedule="linear",
        steps_offset=1,
    )
    found = DreamixPipeline.from_pretrained(still / "image", motion_adapter=still / "motion")
    told = {key: value for key, value in found.scheduler.config.items() if key[0] != "_"}
    assert told == {key: value for key, value in page.config.items() if key[0] != "_"}
    level = float((1 - found.scheduler.alphas_cumprod[500]).sqrt())
    assert level == pytest.approx(0.916, abs=1e-3)
    own = LCMScheduler(beta_schedule="linear", clip_sample=False)
    kept = DreamixPipeline.from_pretrained(
        still / "image", motion_adapter=still / "motion", scheduler=own
    )
    assert kept.scheduler is own


def test_the_named_backend_has_that_schedule_and_an_identity_of_its_own(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clips that were made on the image model's schedule are those of another model."""
    places = {"stable-diffusion-v1-5/stable-diffusion-v1-5": still / "image"}
    monkeypatch.setattr(
        "dreamix.backends.pipeline_backend.local_folder",
        lambda name: places.get(name, still / "motion"),
    )
    backend: Any = open_backend("animatediff@64x64x5")
    config = backend.dreamix.scheduler.config
    assert (config.beta_schedule, config.clip_sample) == ("linear", False)
    found = backend.identity
    monkeypatch.setattr("dreamix.backends.pipeline_backend.MOTION_SCHEDULE", {})
    before: Any = open_backend("animatediff@64x64x5")
    assert before.identity != found


def test_a_schedule_that_motion_modules_do_not_know_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pipe = quiet(tiny_animatediff())
    DreamixPipeline(pipe)
    assert "trained on" not in caplog.text
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, beta_schedule="scaled_linear")
    DreamixPipeline(pipe)
    assert (
        "trained on linear betas without clipping, this scheduler has scaled_linear" in caplog.text
    )


def test_other_families_keep_the_schedule_of_their_folder(wan: Path) -> None:
    """Wan's page: UniPC, flow prediction; 3 is the shift for 480p, at which this one is."""
    held = json.loads((wan / "scheduler" / "scheduler_config.json").read_text())
    found = load_pipeline(wan).scheduler.config
    assert found["flow_shift"] == held["flow_shift"] == 3.0
    assert found["_class_name"] == "UniPCMultistepScheduler"
