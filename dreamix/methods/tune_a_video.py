"""Baseline in the manner of Tune-A-Video: a few attention weights tuned, then DDIM inversion.

Wu et al. 2023 (arXiv 2212.11565): the queries of spatial self-attention and cross-attention and
all of temporal attention are finetuned on the clip with its own caption; the edit is sampled from
the inverted noise. The original inflates an image model; the base here is a video model already,
so its causal sparse attention is not needed and not there, and its temporal transformers, feed-
forward part included, stand for the temporal attention that the original adds.
"""

from dataclasses import dataclass
from typing import Any

from dreamix.methods.base import EditRequest, Made, method, with_finetuning


@dataclass(frozen=True)
class TuneAVideoConfig:
    """Settings: updates, learning rate, DDIM steps, time inverted up to, guidance: all ours."""

    finetune_steps: int = 64
    learning_rate: float = 1e-4
    steps: int = 50
    top: float = 0.98
    guidance: float = 4.0


@method("tune-a-video", config=TuneAVideoConfig, backend=True, together=True, seeded=False)
def tune_a_video(requests: list[EditRequest], backend: Any, config: TuneAVideoConfig) -> list[Made]:
    """Returns the clip sampled from its inverted noise, by a model with attention tuned on it."""
    from dreamix.diffusion.finetune import Finetuning
    from dreamix.diffusion.sampling import resample, time_grid

    first, prompts = requests[0], [request.edit.prompt for request in requests]
    backend.check_prompts(prompts)
    clip = backend.read(first.source)
    model, seconds = backend.finetuned(
        clip,
        Finetuning(config.finetune_steps, config.learning_rate, alpha=1.0),
        prompt=first.caption,
        trained=tuned,
        watch=first.watch("finetuning"),
    )
    base = resample(
        model.denoiser([first.caption]),
        model.guided(prompts, config.guidance),
        clip,
        time_grid(config.top, config.steps),
        copies=len(prompts),
        watch=first.watch,
    )
    names = [("edit", request.edit.id, 0) for request in requests]
    made = backend.finish(base, prompts, first.source, names)
    return with_finetuning(made, seconds)


def tuned(network: Any) -> list[Any]:
    """Return what Tune-A-Video trains: queries of spatial attention, temporal attention whole."""
    names = ("temp_attentions", "transformer_in")
    return [
        parameter
        for name, parameter in network.named_parameters()
        if any(part in name for part in names) or ".to_q." in name
    ]
