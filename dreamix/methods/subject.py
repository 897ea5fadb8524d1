"""Subject-driven video: a few pictures of a subject, and a prompt that puts it into motion.

    1. theta' = frames-only finetuning on the pictures, alpha = 0      diffusion/finetune, Eq. 3
    2. the prompt, a rare token before it, from pure noise             s = 1, no source

Molad et al. 2023: "don't pass input", finetuning alone takes care of the fidelity. Temporal layers
are masked in the finetuning: pictures teach the subject, the pretrained model moves it. Whether the
paper's prompts have the rare token is not known; here it names the subject on pretrained models, in
whose prompts any word fits. All numbers are ours.
"""

from dataclasses import dataclass
from typing import Any

from dreamix.backends.base import Plan, Sampler
from dreamix.core.config import added
from dreamix.core.errors import UserError
from dreamix.methods.base import (
    EditRequest,
    Made,
    check_one_network,
    method,
    sampled,
    with_finetuning,
)


@dataclass(frozen=True)
class SubjectConfig:
    """Settings of subject-driven video; those that `dreamix` has mean the same here.

    frames:     pictures in one update; all of them where there are fewer.
    rare_token: put the finetuning's rare token before the prompt; by default on pretrained models
                only: the embedded one loses a word of its small grammar to it.
    length:     frames to make; a pretrained model's usual number by default. The embedded one
                makes 16 and no other number.
    """

    finetune_steps: int = 64
    learning_rate: float = 1e-4
    frames: int = 8
    rare_token: bool | None = None
    length: int | None = None
    steps: int = 25
    guidance: float = 4.0
    eta: float = 0.0
    guidance_2: float | None = added(None)


@method("subject", config=SubjectConfig, backend=True, together=True)
def subject(requests: list[EditRequest], backend: Any, config: SubjectConfig) -> list[Made]:
    """Returns what a model finetuned on the source's pictures generates from the prompt alone."""
    prompts = [request.edit.prompt for request in requests]
    backend.check_prompts(prompts)
    if config.length is not None and config.length < 1:
        raise UserError(f"subject makes 1 frame or more, not length={config.length}")
    if isinstance(backend, Sampler):
        return sampled(requests, backend, planned(config))
    check_one_network(backend, config.guidance_2)
    if config.length not in (None, backend.frames):
        raise UserError(
            f"backend {backend.name} makes {backend.frames} frames, not {config.length}"
        )
    from dreamix.diffusion.finetune import Finetuning
    from dreamix.diffusion.sampling import sample

    first, names = requests[0], [request.names for request in requests]
    told = [f"{backend.rare} {prompt}" if config.rare_token else prompt for prompt in prompts]
    settings = Finetuning(config.finetune_steps, config.learning_rate, 0.0, config.frames)
    pictures = backend.read_pictures(first.source)
    model, seconds = backend.finetuned(pictures, settings, watch=first.watch("finetuning"))
    base = sample(
        model.guided(told, config.guidance),
        backend.noise(names),
        backend.times(1.0, config.steps),
        noise=backend.fresh_noise(names) if config.eta else None,
        eta=config.eta,
        watch=first.watch("denoising"),
    )
    facts = {"noise_level": 1.0, "pictures": len(first.source)}
    return with_finetuning(backend.finish(base, prompts, first.source, names), seconds, facts)


def planned(config: SubjectConfig) -> Plan:
    """Return the same steps as a plan, for a backend whose pipeline takes them by itself."""
    return Plan(
        noise=1.0,
        steps=config.steps,
        guidance=config.guidance,
        eta=config.eta,
        finetune_steps=config.finetune_steps,
        alpha=0.0,
        learning_rate=config.learning_rate,
        frames=config.frames,
        rare_token=config.rare_token is not False,
        length=0 if config.length is None else config.length,
        guidance_2=config.guidance_2,
    )
