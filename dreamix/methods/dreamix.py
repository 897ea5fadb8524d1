"""Dreamix: corrupt the clip, finetune on it, denoise it with the new prompt (Molad et al. 2023).

    1. theta' = finetuning on the clip, L = alpha L_vid + (1 - alpha) L_frame   diffusion/finetune
    2. v      = the clip on the base grid, 16 x 24 x 40 on the embedded model   diffusion/corruption
    3. z_s    = alpha(s) v + sigma(s) eps                                       diffusion/schedule
    4. v'     = z_s denoised from time s to 0 by theta', given the prompt       diffusion/sampling
    5. the super-resolution stage enlarges v'; it sees v' and the prompt alone

1 is `VideoModel.finetuned`, 2 to 5 are `VideoModel.denoised`: the embedded cascade and pretrained
pipelines each have their own, and this file does not know which it edits with. Every number here is
ours: those of the paper are not public.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from dreamix.backends.base import VideoModel
from dreamix.core.config import added
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.diffusion.settings import Denoising, Finetuning
from dreamix.methods.base import EditRequest, Made, denoised, method, with_finetuning


class Preset(NamedTuple):
    """What fits a category of edits."""

    noise: float  # s
    finetune_steps: int
    alpha: float


# Ours, from benchmarks/noise_sweep.py: 0.8 had most successes; no motion had changed below 0.9 and
# each had at it. Style without finetuning is the paper's advice; here both did as well.
MIDDLE = Preset(noise=0.8, finetune_steps=64, alpha=0.5)
HIGH = Preset(noise=0.9, finetune_steps=64, alpha=0.5)
PRESETS = {
    "motion": HIGH,
    "camera": HIGH,
    "multiple": HIGH,
    "subject": HIGH,  # not swept: methods/subject is what is meant for it
    "object": MIDDLE,
    "appearance": MIDDLE,
    "background": MIDDLE,
    "effect": MIDDLE,
    "style": Preset(noise=0.8, finetune_steps=0, alpha=0.5),
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
    guidance_2:     that of Wan 2.2's second expert, which denoises last; by default the same.
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
    guidance_2: float | None = added(None)


@method(
    "dreamix",
    config=DreamixConfig,
    needs={"video", "finetuning"},
    reads={"prompt"},
    together=True,
)
def dreamix(requests: list[EditRequest], model: VideoModel, config: DreamixConfig) -> list[Made]:
    """Returns the clip denoised from noise level s by a model finetuned on it, given the prompt."""
    alike: dict[Preset, list[EditRequest]] = {}
    for request in requests:
        alike.setdefault(chosen(config, request.edit.category), []).append(request)
    for preset in alike:
        model.check_denoising(_denoising(config, preset))
    model.check_prompts([request.prompt for request in requests])
    made = {
        request.names: edit
        for preset, group in alike.items()
        for request, edit in zip(group, _made(group, model, config, preset), strict=True)
    }
    return [made[request.names] for request in requests]


def _made(
    requests: list[EditRequest], model: VideoModel, config: DreamixConfig, preset: Preset
) -> list[Made]:
    """Return the edits of requests that share a preset, made in one batch."""
    first = requests[0]
    settings = Finetuning(preset.finetune_steps, config.learning_rate, preset.alpha, config.frames)
    tuned = model.finetuned(first.source, settings, first.progress_of("finetuning"))
    made = denoised(requests, tuned.model, _denoising(config, preset))
    return with_finetuning(made, tuned.seconds)


def _denoising(config: DreamixConfig, preset: Preset) -> Denoising:
    """Return how the clip is denoised."""
    return Denoising(
        preset.noise,
        config.steps,
        config.guidance,
        config.eta,
        config.rare_token,
        guidance_2=config.guidance_2,
    )


def chosen(config: DreamixConfig, category: str) -> Preset:
    """Return the preset of the category with the ablation and the settings that were given.

    Raises:
        UserError: for an unknown ablation, or a setting that contradicts it.
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
