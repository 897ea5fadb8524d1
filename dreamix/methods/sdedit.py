"""SDEdit on video: noise is added to the source at every stage of the cascade, then taken away.

Meng et al. 2022 (arXiv 2108.01073), frame count and resolution kept: unlike Dreamix's corruption
the super-resolution stage starts from the source at full resolution as well, noised to the same
level, and nothing is finetuned.
"""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.core.config import added
from dreamix.diffusion.settings import Denoising
from dreamix.methods.base import EditRequest, Made, denoised, method


@dataclass(frozen=True)
class SDEditConfig:
    """Settings of SDEdit: noise level s in 0..1, denoising steps, guidance; see `DreamixConfig`."""

    noise: float = 0.75
    steps: int = 25
    guidance: float = 4.0
    guidance_2: float | None = added(None)


@method("sdedit", config=SDEditConfig, needs={"video"}, reads={"prompt"}, together=True)
def sdedit(requests: list[EditRequest], model: VideoModel, config: SDEditConfig) -> list[Made]:
    """Returns the source noised to level s and denoised given the prompt, at full resolution."""
    how = Denoising(
        config.noise,
        config.steps,
        config.guidance,
        from_source=True,
        guidance_2=config.guidance_2,
    )
    model.check_denoising(how)
    return denoised(requests, model, how)
