"""Baseline Plug-and-Play: every frame is edited alone by an image model, then put together.

Tumanyan et al. 2023 (arXiv 2211.12572). Two public implementations differ; `preset` picks one:

    pnp-diffusers  negative prompt in place of the empty one, guidance 7.5
    official       the source's description as negative prompt, its weight growing linearly over
                   the steps, guidance 10

In both: DDIM inversion with no words, features up to 0.8 of the steps, queries and keys up to 0.5.
The number of steps is ours (50 there, after 999 steps of inversion); so are the layers, by analogy.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method

if TYPE_CHECKING:
    from torch import Tensor

GUIDANCE = {"pnp-diffusers": 7.5, "official": 10.0}


@dataclass(frozen=True)
class PlugAndPlayConfig:
    """Settings of Plug-and-Play.

    preset:     official or pnp-diffusers.
    steps:      DDIM steps of the sampling.
    inversion:  inversion steps for one sampling step.
    refine:     fixed-point iterations a step of the inversion.
    top:        the noise level inverted up to, just below pure noise.
    features:   tau_f, share of the steps with injected features.
    attention:  tau_A, share of the steps with injected queries and keys.
    guidance:   the preset's if None.
    negative:   a negative prompt; None is the source's caption ("ugly, blurry, ..." is
                pnp-diffusers' own, words that a model may not know).
    """

    preset: str = "official"
    steps: int = 25
    inversion: int = 4
    refine: int = 0
    top: float = 0.98
    features: float = 0.8
    attention: float = 0.5
    guidance: float | None = None
    negative: str | None = None


@method("plug-and-play", config=PlugAndPlayConfig, backend=True, together=True, seeded=False)
def plug_and_play(
    requests: list[EditRequest], backend: Any, config: PlugAndPlayConfig
) -> list[Video]:
    """Returns the frames, each edited alone with features of its own inversion injected."""
    from dreamix.diffusion.masking import as_clips, as_frames
    from dreamix.diffusion.sampling import invert, time_grid

    first, prompts = requests[0], [request.edit.prompt for request in requests]
    backend.check_prompts(prompts)
    frames = as_frames(backend.read(first.source))
    fine = time_grid(config.top, config.steps * config.inversion)
    with backend.model.image_model():
        path = invert(
            backend.model.denoiser([""]),
            frames,
            fine[-2::-1],
            refine=config.refine,
            watch=first.watch("inverting"),
        )
        edited = [_edited(request, backend, config, path, fine) for request in requests]
    clips = [as_clips(pictures, len(frames)) for pictures in edited]
    return [
        backend.finish_frames(clip, prompt, first.source, ("edit", request.edit.id, 0))
        for request, prompt, clip in zip(requests, prompts, clips, strict=True)
    ]


def _edited(
    request: EditRequest,
    backend: Any,
    config: PlugAndPlayConfig,
    path: "list[Tensor]",
    times: list[float],
) -> "Tensor":
    """Return the frames for one prompt, from the inversion `path` of the source."""
    from dreamix.diffusion.injection import Branches, Injection, inject

    model = backend.model
    negative = request.caption if config.negative is None else config.negative
    together = model.denoiser(["", "", negative, request.edit.prompt])
    rising = config.preset == "official"
    return inject(
        path[:: -config.inversion],
        times[:: config.inversion],
        Branches(together, _guidance(config), (lambda share: share) if rising else (lambda _: 1.0)),
        Injection(model.feature_layers, model.attention_layers, config.features, config.attention),
        watch=request.watch("denoising"),
    )


def _guidance(config: PlugAndPlayConfig) -> float:
    """Return the weight of guidance; an unknown preset is a `UserError`."""
    if config.preset not in GUIDANCE:
        hint = near_misses(config.preset, list(GUIDANCE))
        known = ", ".join(GUIDANCE)
        raise UserError(f"plug-and-play has no preset {config.preset!r}{hint} (known: {known})")
    return GUIDANCE[config.preset] if config.guidance is None else config.guidance
