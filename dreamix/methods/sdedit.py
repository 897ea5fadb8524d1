"""SDEdit on video: noise is added to the source at every stage of the cascade, then taken away.

Meng et al. 2022 (arXiv 2108.01073), frame count and resolution kept: unlike Dreamix's corruption
the super-resolution stage starts from the source at full resolution as well, noised to the same
level, and nothing is finetuned.
"""

from dataclasses import dataclass
from typing import Any

from dreamix.backends.base import Plan, Sampler
from dreamix.core.config import added
from dreamix.methods.base import EditRequest, Made, check_one_network, method, sampled


@dataclass(frozen=True)
class SDEditConfig:
    """Settings of SDEdit: noise level s in 0..1, denoising steps, guidance; see `DreamixConfig`."""

    noise: float = 0.75
    steps: int = 25
    guidance: float = 4.0
    guidance_2: float | None = added(None)


@method("sdedit", config=SDEditConfig, backend=True, together=True)
def sdedit(requests: list[EditRequest], backend: Any, config: SDEditConfig) -> list[Made]:
    """Returns the source noised to level s and denoised given the prompt, at full resolution."""
    from dreamix.diffusion.corruption import noised
    from dreamix.diffusion.sampling import sample

    if isinstance(backend, Sampler):
        plan = Plan(config.noise, config.steps, config.guidance, guidance_2=config.guidance_2)
        return sampled(requests, backend, plan)
    check_one_network(backend, config.guidance_2)
    names = [request.names for request in requests]
    prompts, source = [request.edit.prompt for request in requests], requests[0].source
    base = sample(
        backend.model.guided(prompts, config.guidance),
        noised(backend.read(source), config.noise, backend.noise(names)),
        backend.times(config.noise, config.steps),
        watch=requests[0].watch("denoising"),
    )
    made = backend.finish(base, prompts, source, names, from_source=config.noise)
    facts = {"noise_level": config.noise, "start_step": backend.start_step(config.noise)}
    return [Made(clip, facts) for clip in made]
