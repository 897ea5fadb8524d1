"""LTX-Video where it is unlike other families: schedule, mask, and what diffusers has of it."""

import math
from typing import Any

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, LTXConditionPipeline, LTXPipeline
from tiny_families import ASKED, SIDE, STEPS, as_pictures, edited, level_at, moving_clip, seeded
from tiny_pipelines import TINY, quiet

from dreamix import DreamixPipeline
from dreamix.backends.frames import to_pixels
from dreamix.core.errors import UserError
from dreamix.diffusion.levels import noise_levels
from dreamix.diffusion.objectives import shift_of

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=["ltx-2b"])
def dreamix(request: pytest.FixtureRequest) -> DreamixPipeline:
    torch.set_num_threads(1)
    return DreamixPipeline(quiet(TINY[request.param]()))


@pytest.mark.check("bfloat16")
def test_in_bfloat16_generation_gives_the_latents_of_diffusers(dreamix: DreamixPipeline) -> None:
    """The network in 16 bits, latents in 32, two prompts in a batch: difference 0."""
    dreamix.to(torch.bfloat16)
    noise = torch.randn((2, *dreamix.family.latent_shape(9, SIDE, SIDE)), generator=seeded())
    asked: dict[str, Any] = {**ASKED, "prompt": ["a red cat", "a dog"], "output_type": "latent"}
    asked |= {"height": SIDE, "width": SIDE, "num_frames": 9}
    expected = dreamix.pipe(latents=LTXPipeline._pack_latents(noise), **asked).frames
    found = dreamix(latents=noise, **asked).frames
    assert dreamix.dtype == torch.bfloat16
    assert torch.equal(LTXPipeline._pack_latents(found), expected)


def test_the_schedule_is_shifted_by_the_length_of_the_clip(dreamix: DreamixPipeline) -> None:
    """At 1024 tokens by e^0.95 and at 4096 by e^2.05, as published, and it ends at 0.1."""
    levels = []
    for frames, log_k in ((1, 0.95), (4, 2.05)):
        scheduler = dreamix.pipe.scheduler
        dreamix.family.set_steps(STEPS, (8, frames, 32, 32))
        assert shift_of(scheduler, frames * 1024) == pytest.approx(math.exp(log_k))
        flat = torch.linspace(1, 1 / STEPS, STEPS, dtype=torch.float64)
        shifted = 1 / (1 + math.exp(-log_k) * (1 / flat - 1))
        stretched = 1 - (1 - shifted) * (1 - 0.1) / (1 - shifted[-1])
        levels.append(noise_levels(scheduler))
        assert torch.allclose(levels[-1], stretched, atol=1e-6)
    assert (levels[1][1:-1] > levels[0][1:-1]).all()


def test_padding_of_a_prompt_is_not_read(dreamix: DreamixPipeline) -> None:
    """States where the mask is 0 may be anything; where it is 1 they are seen."""
    told = dreamix.family.embed(["a"], None).told
    z, t = torch.randn((1, 8, 2, 4, 4), generator=seeded()), torch.tensor([500.0])
    padding, read = told.clone(), told.clone()
    padding[:, told[0, :, -1] == 0, :-1] += 1
    read[:, told[0, :, -1] == 1, :-1] += 1
    with torch.no_grad():
        plain, same, other = (dreamix.family.predict(z, t, w) for w in (told, padding, read))
    assert torch.equal(plain, same)
    assert (plain - other).abs().max() > 1e-4


@pytest.mark.parametrize(("frames", "equal"), [(1, True), (9, False)])
def test_an_edit_is_that_of_the_condition_pipeline_where_frames_have_one_place(
    dreamix: DreamixPipeline, frames: int, equal: bool
) -> None:
    """Given our timesteps, latents and words, no conditions: within 1e-5 for a single latent frame.

    Later ones stand elsewhere in time: at 8 k frames in LTXPipeline, at 8 k - 7 in theirs.
    """
    pipe = dreamix.pipe
    pipe.scheduler = FlowMatchEulerDiscreteScheduler()
    level = level_at(pipe, STEPS // 2)
    clip, whole = moving_clip(frames), dreamix.family
    found = edited(dreamix, level, clip, output_type="latent")
    with torch.no_grad():
        x = whole.encode(to_pixels(as_pictures(clip), SIDE, SIDE))
    theirs = quiet(LTXConditionPipeline(**pipe.components))
    steps = [1000 * (1 - step / STEPS) for step in range(STEPS)]
    asked: dict[str, Any] = {**ASKED, "height": SIDE, "width": SIDE, "num_frames": frames}
    asked |= {"latents": x, "denoise_strength": 0.5, "timesteps": steps, "output_type": "latent"}
    asked = {k: v for k, v in asked.items() if k != "prompt"} | {"negative_prompt": None}
    told, mask, against, unmask = pipe.encode_prompt(ASKED["prompt"], "")
    asked |= {"prompt_embeds": told, "prompt_attention_mask": mask}
    asked |= {"negative_prompt_embeds": against, "negative_prompt_attention_mask": unmask}
    expected = theirs(generator=seeded(), **asked).frames
    off = float((found - expected).abs().max())
    assert off < 1e-5 if equal else off > 1e-4, off


def test_an_autoencoder_that_decodes_with_noise_is_refused() -> None:
    pipe = TINY["ltx-2b"]()
    pipe.vae.register_to_config(timestep_conditioning=True)
    with pytest.raises(UserError, match=r"0\.9\.1 and later"):
        DreamixPipeline(pipe)
