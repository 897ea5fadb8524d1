"""Baseline: the source is inverted to noise by DDIM, then sampled with the target prompt.

The comparison Dreamix's reviewers asked for: a start that holds the source without degrading it.
"""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.core.video import Video
from dreamix.diffusion.settings import TOP, Inversion
from dreamix.methods.base import EditRequest, method, resampled

NEEDS = {"video", "inversion"}


@dataclass(frozen=True)
class DDIMInversionConfig:
    """Settings of DDIM inversion.

    steps:     of the inversion and of the sampling after it.
    refine:    fixed-point iterations a step of the inversion.
    top:       the noise level inverted up to, just below pure noise.
    guidance:  weight of classifier-free guidance in the sampling.
    described: invert with the source's caption rather than with no words.
    """

    steps: int = 50
    refine: int = 0
    top: float = TOP
    guidance: float = 4.0
    described: bool = True


@method(
    "ddim-inversion",
    config=DDIMInversionConfig,
    needs=NEEDS,
    reads={"prompt"},
    together=True,
    seeded=False,
)
def ddim_inversion(
    requests: list[EditRequest], model: VideoModel, config: DDIMInversionConfig
) -> list[Video]:
    """Returns the clip sampled by DDIM from the source's inverted noise, given the prompt."""
    caption = requests[0].caption if config.described else ""
    how = Inversion(config.steps, config.top, config.guidance, config.refine, caption)
    return resampled(requests, model, how)
