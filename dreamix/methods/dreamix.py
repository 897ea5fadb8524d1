"""Dreamix: corrupt the clip, finetune on it, denoise it with the new prompt (Molad et al. 2023).

    1. theta' = finetuning on the clip, L = alpha L_vid + (1 - alpha) L_frame   diffusion/finetune
    2. v      = the clip on the base grid, 16 x 24 x 40                         diffusion/corruption
    3. z_s    = alpha(s) v + sigma(s) eps                                       diffusion/schedule
    4. v'     = z_s denoised from time s to 0 by theta', given the prompt       diffusion/sampling
    5. the super-resolution stage enlarges v'; it sees v' and the prompt alone

Every number here is ours: those of the paper are not public.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.methods.base import EditRequest, Made, method


class Preset(NamedTuple):
    """What fits a category of edits."""

    noise: float  # s
    finetune_steps: int
    alpha: float


# Ours, chosen on scenes outside the benchmark: `python benchmarks/dreamix_presets.py`.
MIDDLE = Preset(noise=0.75, finetune_steps=64, alpha=0.5)
PRESETS = {
    "motion": Preset(noise=0.9, finetune_steps=64, alpha=0.5),
    "camera": Preset(noise=0.9, finetune_steps=64, alpha=0.5),
    "multiple": Preset(noise=0.9, finetune_steps=64, alpha=0.5),
    "object": Preset(noise=0.85, finetune_steps=64, alpha=0.5),
    "appearance": MIDDLE,
    "background": MIDDLE,
    "effect": MIDDLE,
    "style": Preset(noise=0.75, finetune_steps=0, alpha=0.5),
}

# The rows of the paper's ablation, as changes to a preset.
ABLATIONS: dict[str, dict[str, Any]] = {
    "mixed": {},
    "no-finetune": {"finetune_steps": 0},
    "video-only": {"alpha": 1.0},
    "frames-only": {"alpha": 0.0},
}


@dataclass(frozen=True)
class DreamixConfig:
    """Settings of Dreamix; what is None comes from the preset of the edit's category.

    ablation:       mixed, no-finetune, video-only or frames-only.
    noise:          s, the level of noise the edit starts from: 0 keeps the corrupted clip, 1 none
                    of it.
    finetune_steps: updates on the clip.
    alpha:          weight of the video loss; the frame loss has 1 - alpha.
    learning_rate:  of the finetuning.
    frames:         frames in the frame batch of one update.
    rare_token:     put the finetuning's rare token before the prompt, as UniTune does.
    steps:          denoising steps.
    guidance:       weight of classifier-free guidance.
    eta:            0 for DDIM, 1 for ancestral sampling.
    """

    ablation: str = "mixed"
    noise: float | None = None
    finetune_steps: int | None = None
    alpha: float | None = None
    learning_rate: float = 1e-4
    frames: int = 8
    rare_token: bool = False
    steps: int = 25
    guidance: float = 4.0
    eta: float = 0.0


@method("dreamix", config=DreamixConfig, backend=True)
def dreamix(request: EditRequest, backend: Any, config: DreamixConfig) -> Made:
    """Returns the clip denoised from noise level s by a model finetuned on it, given the prompt."""
    from dreamix.diffusion.corruption import noised
    from dreamix.diffusion.finetune import Finetuning
    from dreamix.diffusion.sampling import sample, time_grid

    preset = chosen(config, request.edit.category)
    backend.check_prompt(request.edit.prompt)
    clip = backend.read(request.source)
    settings = Finetuning(preset.finetune_steps, config.learning_rate, preset.alpha, config.frames)
    model, seconds = backend.finetuned(clip, settings, watch=request.watch("finetuning"))
    names = ("edit", request.edit.id, request.seed)
    prompt = f"{backend.rare} {request.edit.prompt}" if config.rare_token else request.edit.prompt
    noise = backend.fresh_noise(*names, "steps") if config.eta else None
    base = sample(
        model.guided(prompt, config.guidance),
        noised(clip, preset.noise, backend.noise(*names)),
        time_grid(preset.noise, config.steps),
        noise=noise,
        eta=config.eta,
        watch=request.watch("denoising"),
    )
    facts = {
        "noise_level": preset.noise,
        "start_step": backend.start_step(preset.noise),
        "finetune_seconds": round(seconds, 3),
    }
    return Made(backend.finish(base, request.edit.prompt, request.source, *names), facts)


def chosen(config: DreamixConfig, category: str) -> Preset:
    """Return the preset of the category with the ablation and the settings that were given.

    An unknown ablation and a setting that contradicts it are a `UserError`.
    """
    preset = PRESETS.get(category, MIDDLE)
    if config.ablation not in ABLATIONS:
        hint = near_misses(config.ablation, list(ABLATIONS))
        known = ", ".join(ABLATIONS)
        raise UserError(f"dreamix has no ablation {config.ablation!r}{hint} (known: {known})")
    given = {name: getattr(config, name) for name in Preset._fields}
    told = {name: value for name, value in given.items() if value is not None}
    if clash := sorted({*told} & {*ABLATIONS[config.ablation]}):
        raise UserError(f"dreamix: ablation {config.ablation} sets {clash[0]} itself; leave it out")
    return preset._replace(**ABLATIONS[config.ablation], **told)
