"""Baseline: the source is inverted to noise by DDIM, then sampled with the target prompt.

The comparison Dreamix's reviewers asked for: a start that holds the source without degrading it.
"""

from dataclasses import dataclass
from typing import Any

from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method


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
    top: float = 0.98
    guidance: float = 4.0
    described: bool = True


@method("ddim-inversion", config=DDIMInversionConfig, backend=True, together=True, seeded=False)
def ddim_inversion(
    requests: list[EditRequest], backend: Any, config: DDIMInversionConfig
) -> list[Video]:
    """Returns the clip sampled by DDIM from the source's inverted noise, given the prompt."""
    from dreamix.diffusion.sampling import resample, time_grid

    first, prompts = requests[0], [request.edit.prompt for request in requests]
    base = resample(
        backend.model.denoiser([first.caption if config.described else ""]),
        backend.model.guided(prompts, config.guidance),
        backend.read(first.source),
        time_grid(config.top, config.steps),
        copies=len(prompts),
        refine=config.refine,
        watch=first.watch,
    )
    names = [("edit", request.edit.id, 0) for request in requests]
    made: list[Video] = backend.finish(base, prompts, first.source, names)
    return made
