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

from dreamix.backends.base import WORLD, VideoModel
from dreamix.core.config import added
from dreamix.core.errors import UserError
from dreamix.diffusion.settings import Denoising, Finetuning
from dreamix.methods.base import EditRequest, Made, denoised, method, with_finetuning


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


@method(
    "subject",
    config=SubjectConfig,
    needs={"video", "finetuning"},
    reads={"prompt"},
    together=True,
)
def subject(requests: list[EditRequest], model: VideoModel, config: SubjectConfig) -> list[Made]:
    """Returns what a model finetuned on the source's pictures generates from the prompt alone."""
    first, how = requests[0], _denoising(config, model)
    model.check_denoising(how)
    model.check_prompts([request.prompt for request in requests])
    settings = Finetuning(config.finetune_steps, config.learning_rate, 0.0, config.frames)
    tuned = model.finetuned(first.source, settings, first.progress_of("finetuning"), pictures=True)
    made = with_finetuning(denoised(requests, tuned.model, how), tuned.seconds)
    return [Made(clip, _told(facts, len(first.source))) for clip, facts in made]


def _told(facts: dict[str, Any], pictures: int) -> dict[str, Any]:
    """Return facts with the number of pictures after the noise level, where there is one."""
    level = {key: facts[key] for key in facts if key == "noise_level"}
    return {**level, "pictures": pictures, **facts}


def _denoising(config: SubjectConfig, model: VideoModel) -> Denoising:
    """Return how clips are made of noise alone.

    Raises:
        UserError: for a length below 1.
    """
    if config.length is not None and config.length < 1:
        raise UserError(f"subject makes 1 frame or more, not length={config.length}")
    return Denoising(
        1.0,
        config.steps,
        config.guidance,
        config.eta,
        model.knows == WORLD if config.rare_token is None else config.rare_token,
        length=0 if config.length is None else config.length,
        guidance_2=config.guidance_2,
    )
