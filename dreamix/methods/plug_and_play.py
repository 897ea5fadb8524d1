"""Baseline Plug-and-Play: every frame is edited alone by an image model, then put together.

Tumanyan et al. 2023 (arXiv 2211.12572). Two public implementations differ; `preset` picks one:

    pnp-diffusers  negative prompt in place of the empty one, guidance 7.5; the source's features
                   are those of its inversion
    official       the source's description as negative prompt, its weight growing linearly over
                   the steps, guidance 10; the source's features are those of its inversion denoised
                   again (on Stable Diffusion; on the embedded model those of its inversion)
    toybox         as official, with guidance 2: more saturates the small embedded model. Ours,
                   chosen outside the benchmark by benchmarks/baseline_settings.py

In all: DDIM inversion with no words, features up to 0.8 of the steps, queries and keys up to 0.5.
On the embedded model the number of steps is ours (50 there, after 999 steps of inversion), and so
are the layers, by analogy; on Stable Diffusion both are theirs (backends/image_injection).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamix.core.config import added
from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method

if TYPE_CHECKING:
    from torch import Tensor

    from dreamix.backends.image_injection import PictureEdit


UGLY = "ugly, blurry, black, low res, unrealistic"  # pnp-diffusers' negative prompt
SOURCES = ("inverted", "denoised")  # whose features are injected on an image model


class Guide(NamedTuple):
    """Guidance of the denoising: its weight, and that of the negative prompt over the steps."""

    weight: float
    negative: Callable[[float], float]  # share of the steps done -> weight


PRESETS = {
    "official": Guide(10.0, lambda share: share),
    "pnp-diffusers": Guide(7.5, lambda _: 1.0),
    "toybox": Guide(2.0, lambda share: share),
}


@dataclass(frozen=True)
class PlugAndPlayConfig:
    """Settings of Plug-and-Play.

    preset:     official, pnp-diffusers or toybox; None is the one that suits the backend.
    steps:      DDIM steps of the sampling.
    inversion:  inversion steps for one sampling step.
    refine:     fixed-point iterations a step of the inversion.
    top:        the noise level inverted up to, just below pure noise.
    features:   tau_f, share of the steps with injected features.
    attention:  tau_A, share of the steps with injected queries and keys.
    guidance:   the preset's if None.
    negative:   a negative prompt; None is the source's caption, and on image models with the
                preset pnp-diffusers its own "ugly, blurry, black, low res, unrealistic".

    On image models only:
    source:      whose features are injected: those of the "inverted" source, or of the source
                 "denoised" again from the top, which doubles the cost; the preset's if None.
    frame_batch: frames worked on at once, 4 if None; results agree but for rounding.
    """

    preset: str | None = None
    steps: int = 25
    inversion: int = 4
    refine: int = 0
    top: float = 0.98
    features: float = 0.8
    attention: float = 0.5
    guidance: float | None = None
    negative: str | None = None
    source: str | None = added(None)
    frame_batch: int | None = added(None)


@method("plug-and-play", config=PlugAndPlayConfig, backend=True, together=True, seeded=False)
def plug_and_play(
    requests: list[EditRequest], backend: Any, config: PlugAndPlayConfig
) -> list[Video]:
    """Returns the frames, each edited alone with features of its own inversion injected."""
    from dreamix.diffusion.masking import as_clips, as_frames
    from dreamix.diffusion.sampling import invert, time_grid

    first, prompts = requests[0], [request.edit.prompt for request in requests]
    backend.check_prompts(prompts)
    guided = guide(config, backend)
    if hasattr(backend, "edited_pictures"):
        return _of_image_model(requests, backend, config, guided)
    if config.source is not None or config.frame_batch is not None:
        raise UserError("plug-and-play: source and frame_batch are settings of image models")
    frames = as_frames(backend.read(first.source))
    fine = time_grid(config.top, config.steps * config.inversion)
    with backend.model.image_model():
        path = invert(
            backend.model.denoiser([""], together=True),
            frames,
            fine[-2::-1],
            refine=config.refine,
            watch=first.watch("inverting"),
        )
        edited = [_edited(request, backend, config, guided, path, fine) for request in requests]
    clips = [as_clips(pictures, len(frames)) for pictures in edited]
    return [
        backend.finish_frames(clip, prompt, first.source, ("edit", request.edit.id, 0))
        for request, prompt, clip in zip(requests, prompts, clips, strict=True)
    ]


def _of_image_model(
    requests: list[EditRequest], backend: Any, config: PlugAndPlayConfig, guided: Guide
) -> list[Video]:
    """Return the same of an image model, by the settings of a public implementation."""
    if config.refine or config.top != PlugAndPlayConfig.top:
        raise UserError("plug-and-play: refine and top are settings of the embedded model")
    for name in ("steps", "inversion", "frame_batch"):
        if (value := getattr(config, name)) is not None and value < 1:
            raise UserError(f"plug-and-play: {name} is 1 or more, not {value}")
    preset = backend.plug_and_play if config.preset is None else config.preset
    edit = _picture_edit(config, preset, guided)
    negatives = [_negative(request, config, preset) for request in requests]
    first, prompts = requests[0], [request.edit.prompt for request in requests]
    made: list[Video] = backend.edited_pictures(
        first.source, prompts, negatives, edit, first.watch, config.frame_batch
    )
    return made


def _picture_edit(config: PlugAndPlayConfig, preset: str, guided: Guide) -> "PictureEdit":
    """Return the settings in steps, counted as the implementation counts them."""
    from dreamix.backends.image_injection import PictureEdit

    usual = "denoised" if preset == "official" else "inverted"
    source = usual if config.source is None else config.source
    if source not in SOURCES:
        raise UserError(f"plug-and-play: source is {' or '.join(SOURCES)}, not {source!r}")
    extra = 1 if preset == "official" else 0  # its thresholds are counted in: i <= 40 of 50
    features, attention = (
        min(config.steps, int(share * config.steps) + extra) if share else 0
        for share in (config.features, config.attention)
    )
    return PictureEdit(
        config.steps,
        config.steps * config.inversion,
        features,
        attention,
        guided.weight,
        guided.negative,
        denoised=source == "denoised",
    )


def _negative(request: EditRequest, config: PlugAndPlayConfig, preset: str) -> str:
    """Return the negative prompt: the one that was given, or the preset's."""
    if config.negative is not None:
        return config.negative
    return UGLY if preset == "pnp-diffusers" else request.caption


def _edited(
    request: EditRequest,
    backend: Any,
    config: PlugAndPlayConfig,
    guided: Guide,
    path: "list[Tensor]",
    times: list[float],
) -> "Tensor":
    """Return the frames for one prompt, from the inversion `path` of the source."""
    from dreamix.diffusion.injection import Branches, Injection, inject

    model = backend.model
    negative = request.caption if config.negative is None else config.negative
    together = model.denoiser(["", "", negative, request.edit.prompt], together=True)
    return inject(
        path[:: -config.inversion],
        times[:: config.inversion],
        Branches(together, guided.weight, guided.negative),
        Injection(model.feature_layers, model.attention_layers, config.features, config.attention),
        watch=request.watch("denoising"),
    )


def guide(config: PlugAndPlayConfig, backend: Any) -> Guide:
    """Return the guidance that was asked for, or the preset's; an unknown one is a `UserError`."""
    own = str(getattr(backend, "plug_and_play", "official"))
    preset = own if config.preset is None else config.preset
    if preset not in PRESETS:
        hint = near_misses(preset, list(PRESETS))
        known = ", ".join(PRESETS)
        raise UserError(f"plug-and-play has no preset {preset!r}{hint} (known: {known})")
    found = PRESETS[preset]
    return found if config.guidance is None else found._replace(weight=config.guidance)
