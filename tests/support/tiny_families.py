"""What tests of pretrained families share: clips, edits, settings, diffusers' own editors."""

from typing import Any

import numpy as np
import torch
from diffusers import (
    AnimateDiffVideoToVideoPipeline,
    CogVideoXVideoToVideoPipeline,
    VideoToVideoSDPipeline,
    WanVideoToVideoPipeline,
)
from PIL import Image
from torch import Tensor

from dreamix import DreamixPipeline
from dreamix.backends.families import family_of
from dreamix.backends.frames import to_pixels
from dreamix.core.video import Video
from dreamix.diffusion.levels import noise_levels

THEIRS = {
    "wan2.1": WanVideoToVideoPipeline,
    "cogvideox-2b": CogVideoXVideoToVideoPipeline,
    "cogvideox-5b": CogVideoXVideoToVideoPipeline,
    "modelscope": VideoToVideoSDPipeline,
    "animatediff": AnimateDiffVideoToVideoPipeline,
}
STEPS = 6  # of the denoising in tests
ASKED = {"prompt": "a red cat", "guidance_scale": 5.0, "num_inference_steps": STEPS}
QUICK: dict[str, Any] = {"steps": 2, "rank": 4, "frames": 2, "learning_rate": 1e-3}  # finetuning
SIDE = 32  # height and width of the test clips


def moving_clip(frames: int = 5, side: int = SIDE) -> Video:
    """Return a clip in which a bright square walks over a coloured slope."""
    y, x = np.mgrid[0:side, 0:side] * 255 // side
    pictures = np.stack([np.stack([x, y, 255 - x], -1)] * frames).astype(np.uint8)
    for number, picture in enumerate(pictures):
        picture[8:16, 2 * number : 2 * number + 8] = 250
    return Video(pictures, 8.0)


def as_pictures(clip: Video) -> list[Image.Image]:
    """Return the frames as diffusers' pipelines take them."""
    return [Image.fromarray(frame) for frame in clip.frames]


def seeded(seed: int = 3) -> torch.Generator:
    """Return a generator of its own."""
    return torch.Generator().manual_seed(seed)


def level_at(pipe: Any, step: int) -> float:
    """Return the noise level of a step of `STEPS`."""
    family = family_of(pipe)
    family.set_steps(STEPS, family.latent_shape(family.padded(5), SIDE, SIDE))
    return float(noise_levels(pipe.scheduler)[step])


def edited(dreamix: DreamixPipeline, s: float, clip: Any, **options: Any) -> Tensor:
    """Return an edit at noise scale s."""
    asked = {**ASKED, "generator": seeded(), "output_type": "pt", **options}
    frames: Tensor = dreamix(video=clip, noise_scale=s, **asked).frames
    return frames


def pixels_of(clip: Any) -> Tensor:
    """Return a clip as a family takes it."""
    return to_pixels(as_pictures(clip), SIDE, SIDE)


def two_clips() -> tuple[Tensor, Tensor]:
    """Return two clips that differ in their last frame."""
    one = pixels_of(moving_clip(4))
    other = one.clone()
    other[:, :, -1] = -other[:, :, -1]
    return one, other
