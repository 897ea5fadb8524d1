"""Attributes of a diffusers pipeline, read and set on DreamixPipeline: they work or are refused."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers import (
    AutoencoderTiny,
    CogVideoXDPMScheduler,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
)
from tiny_families import QUICK, edited, moving_clip
from tiny_pipelines import TINY, quiet, tiny_wan_5b

from dreamix import DreamixPipeline
from dreamix.backends.cascade import Cascade
from dreamix.core.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")
OTHER: dict[str, Callable[[Any], Any]] = {  # a schedule that is not the family's usual one
    "wan": lambda own: FlowMatchEulerDiscreteScheduler(shift=8.0),
    "cog": lambda own: CogVideoXDPMScheduler.from_config(own.config),
    "ltx": lambda own: FlowMatchEulerDiscreteScheduler.from_config(own.config, base_shift=0.2),
    "mod": lambda own: DPMSolverMultistepScheduler.from_config(own.config),
    "ani": lambda own: EulerDiscreteScheduler.from_config(own.config),
}


@pytest.fixture(autouse=True)
def alone() -> None:
    torch.set_num_threads(1)


@pytest.mark.slow
def test_a_scheduler_that_is_set_is_the_one_of_the_next_edit(family: str) -> None:
    """Equal to the bit to the pipeline that was built with it; and not to the one before."""
    change, clip = OTHER[family[:3]], moving_clip(5)
    theirs = quiet(TINY[family]())
    theirs.scheduler = change(theirs.scheduler)
    wanted = edited(DreamixPipeline(theirs), 0.8, clip)
    ours = DreamixPipeline(quiet(TINY[family]()))
    before = edited(ours, 0.8, clip)
    ours.scheduler = change(ours.scheduler)
    assert ours.scheduler is ours.pipe.scheduler
    assert torch.equal(edited(ours, 0.8, clip), wanted)
    assert not torch.equal(before, wanted)


@pytest.mark.slow
def test_every_part_can_be_read_and_set(family: str) -> None:
    """Parts with other weights make the edit that the pipeline they are from makes."""
    ours, other = (DreamixPipeline(quiet(TINY[family](seed=seed))) for seed in (0, 4))
    assert ours.vae is ours.pipe.vae and ours.components.keys() == ours.pipe.components.keys()
    for name in ours.family.networks:
        setattr(ours, name, getattr(other, name))
    for name in ("vae", "text_encoder", "tokenizer"):
        setattr(ours, name, getattr(ours, name))
    clip = moving_clip(5)
    assert torch.equal(edited(ours, 0.8, clip), edited(other, 0.8, clip))


@pytest.mark.slow
def test_a_finetuning_takes_the_scheduler_that_is_set() -> None:
    """The losses are those of a pipeline built with it: noise levels of training are its own."""
    theirs = quiet(TINY["modelscope"]())
    change = {"beta_schedule": "linear"}
    theirs.scheduler = DDIMScheduler.from_config(theirs.scheduler.config, **change)
    ours = DreamixPipeline(quiet(TINY["modelscope"]()))
    ours.scheduler = DDIMScheduler.from_config(ours.scheduler.config, **change)
    plain = DreamixPipeline(quiet(TINY["modelscope"]()))
    wanted, found, without = (
        one.finetune(moving_clip(2), **QUICK).losses
        for one in (DreamixPipeline(theirs), ours, plain)
    )
    assert found == wanted != without


@pytest.mark.parametrize("name", ["sheduler", "guidance", "transformer_3", "_guidence_scale"])
def test_an_attribute_that_nothing_reads_names_what_can_be_set(name: str) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    for act in (lambda: setattr(dreamix, name, 1), lambda: getattr(dreamix, name)):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'.*scheduler, text_enc"):
            act()
    assert not hasattr(dreamix, name)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("scheduler", UniPCMultistepScheduler, "not the class UniPCMultistepScheduler"),
        ("scheduler", "ddim", "scheduler is a scheduler of diffusers, not a str"),
        ("scheduler", None, "scheduler cannot be None"),
        ("scheduler", DDIMScheduler(), "DDIMScheduler is not for flow matching, UniPCMultistepSch"),
        ("transformer", None, "transformer cannot be None"),
        ("transformer", torch.nn.Linear(1, 1), "is a WanTransformer3DModel, not a Linear"),
        ("vae", AutoencoderTiny(), "vae is an AutoencoderKLWan, not an AutoencoderTiny"),
        ("vae", tiny_wan_5b().vae, "does not fit the pipeline: its in_channels is 12, not 3"),
        ("text_encoder", "t5", "text_encoder is a UMT5EncoderModel, not a str"),
    ],
)
def test_a_part_that_cannot_take_the_place_is_refused(name: str, value: Any, said: str) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    before = getattr(dreamix, name)
    with pytest.raises(UserError, match=said):
        setattr(dreamix, name, value)
    assert getattr(dreamix, name) is before


def test_what_has_no_effect_here_is_refused() -> None:
    dreamix = DreamixPipeline(quiet(TINY["animatediff"]()))
    with pytest.raises(UserError, match="motion_adapter cannot be set: its layers are in the unet"):
        dreamix.motion_adapter = dreamix.pipe.motion_adapter
    with pytest.raises(AttributeError, match="enable_free_init has no effect"):
        dreamix.enable_free_init()
    for name in ("guidance_scale", "num_timesteps", "device", "pipe", "family"):
        with pytest.raises(AttributeError, match=f"{name} cannot be set: "):
            setattr(dreamix, name, 1)


def test_settings_and_functions_of_the_pipeline_are_reached() -> None:
    dreamix = DreamixPipeline(quiet(TINY["ltx-2b"]()))
    assert dreamix.vae_spatial_compression_ratio == dreamix.pipe.vae_spatial_compression_ratio
    processor = copy.copy(dreamix.video_processor)
    dreamix.video_processor = processor
    assert dreamix.pipe.video_processor is processor
    embeds, *_ = dreamix.encode_prompt("a cat", do_classifier_free_guidance=False)
    assert embeds.shape[0] == 1


@pytest.mark.slow
def test_a_compiled_network_may_be_set() -> None:
    """torch.compile wraps it in another class; "eager" computes the same."""
    dreamix, clip = DreamixPipeline(quiet(TINY["wan2.1"]())), moving_clip(5)
    before = edited(dreamix, 0.8, clip, num_inference_steps=2)
    dreamix.transformer = torch.compile(dreamix.transformer, backend="eager")
    assert torch.equal(edited(dreamix, 0.8, clip, num_inference_steps=2), before)


def test_reset_gives_no_network_the_weights_of_another() -> None:
    dreamix, other = (DreamixPipeline(quiet(TINY["wan2.1"](seed=seed))) for seed in (0, 4))
    dreamix.finetune(moving_clip(1), **{**QUICK, "rank": None})
    dreamix.transformer = other.transformer
    dreamix.reset()
    clip = moving_clip(5)
    wanted = edited(DreamixPipeline(quiet(TINY["wan2.1"](seed=4))), 0.8, clip)
    assert torch.equal(edited(dreamix, 0.8, clip), wanted)


def test_a_copy_is_a_pipeline_of_its_own() -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    twin = copy.copy(dreamix)
    assert twin.scheduler is dreamix.scheduler and twin.family.name == "Wan"


def test_parts_of_two_stages_are_set_on_a_stage() -> None:
    stages = [DreamixPipeline(quiet(TINY["modelscope"]())) for _ in range(2)]
    with pytest.raises(AttributeError, match="set it on a stage, cascade"):
        Cascade(*stages).scheduler = stages[0].scheduler  # type: ignore[attr-defined]
