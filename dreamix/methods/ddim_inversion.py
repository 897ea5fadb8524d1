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


@method("ddim-inversion", config=DDIMInversionConfig, backend=True, seeded=False)
def ddim_inversion(request: EditRequest, backend: Any, config: DDIMInversionConfig) -> Video:
    """Returns the clip sampled by DDIM from the source's inverted noise, given the prompt."""
    from dreamix.diffusion.sampling import invert, sample, time_grid

    backend.check_prompt(request.edit.prompt)
    clip = backend.read(request.source)
    words = request.caption if config.described else ""
    times = time_grid(config.top, config.steps)
    path = invert(
        backend.model.denoiser(words),
        clip,
        times[-2::-1],
        refine=config.refine,
        watch=request.watch("inverting"),
    )
    base = sample(
        backend.model.guided(request.edit.prompt, config.guidance),
        path[-1],
        times,
        watch=request.watch("denoising"),
    )
    return backend.finish(base, request.edit.prompt, request.source, "edit", request.edit.id, 0)
