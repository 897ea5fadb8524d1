"""Baseline: the clip is generated from the prompt alone. Dreamix with s = 1 and no finetuning."""

from dataclasses import dataclass
from typing import Any

from dreamix.backends.base import Plan, Sampler
from dreamix.core.config import added
from dreamix.methods.base import Edited, EditRequest, check_one_network, method, sampled


@dataclass(frozen=True)
class TextToVideoConfig:
    """Settings of text-to-video: steps, guidance, eta (0 DDIM, 1 ancestral), as of `dreamix`."""

    steps: int = 25
    guidance: float = 4.0
    eta: float = 0.0
    guidance_2: float | None = added(None)


@method("text-to-video", config=TextToVideoConfig, backend=True, together=True)
def text_to_video(
    requests: list[EditRequest], backend: Any, config: TextToVideoConfig
) -> list[Edited]:
    """Returns what the base model generates from the prompt; the source gives its length only."""
    if isinstance(backend, Sampler):
        plan = Plan(
            noise=1.0,
            steps=config.steps,
            guidance=config.guidance,
            eta=config.eta,
            guidance_2=config.guidance_2,
        )
        return [*sampled(requests, backend, plan)]
    check_one_network(backend, config.guidance_2)
    from dreamix.diffusion.sampling import sample

    names = [request.names for request in requests]
    prompts = [request.edit.prompt for request in requests]
    base = sample(
        backend.model.guided(prompts, config.guidance),
        backend.noise(names),
        backend.times(1.0, config.steps),
        noise=backend.fresh_noise(names) if config.eta else None,
        eta=config.eta,
        watch=requests[0].watch("denoising"),
    )
    made: list[Edited] = backend.finish(base, prompts, requests[0].source, names)
    return made
