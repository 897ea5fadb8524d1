"""Baseline in the manner of Tune-A-Video: a few attention weights tuned, then DDIM inversion.

Wu et al. 2023 (arXiv 2212.11565): the queries of spatial self-attention and cross-attention and
all of temporal attention are finetuned on the clip with its own caption; the edit is sampled from
the inverted noise. The original inflates an image model; the base here is a video model already,
so its causal sparse attention is not needed and not there, and its temporal transformers, feed-
forward part included, stand for the temporal attention that the original adds.
"""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.diffusion.settings import TOP, Finetuning, Inversion
from dreamix.methods.base import EditRequest, Made, method, resampled, with_finetuning

NEEDS = {"video", "attention finetuning", "inversion"}


@dataclass(frozen=True)
class TuneAVideoConfig:
    """Settings: updates, learning rate, DDIM steps, time inverted up to, guidance: all ours."""

    finetune_steps: int = 64
    learning_rate: float = 1e-4
    steps: int = 50
    top: float = TOP
    guidance: float = 4.0


@method(
    "tune-a-video",
    config=TuneAVideoConfig,
    needs=NEEDS,
    reads={"prompt", "caption"},
    together=True,
    seeded=False,
)
def tune_a_video(
    requests: list[EditRequest], model: VideoModel, config: TuneAVideoConfig
) -> list[Made]:
    """Returns the clip sampled from its inverted noise, by a model with attention tuned on it."""
    first = requests[0]
    model.check_prompts([request.prompt for request in requests])
    tuned = model.finetuned(
        first.source,
        Finetuning(config.finetune_steps, config.learning_rate, alpha=1.0),
        first.progress_of("finetuning"),
        prompt=first.caption,
        attention_only=True,
    )
    how = Inversion(config.steps, config.top, config.guidance, caption=first.caption)
    clips = resampled(requests, tuned.model, how)
    return with_finetuning([Made(clip, {}) for clip in clips], tuned.seconds)
