"""Baseline Plug-and-Play: every frame is edited alone by an image model, then put together.

Tumanyan et al. 2023 (arXiv 2211.12572). Two public implementations differ; `preset` picks one:

    pnp-diffusers  negative prompt in place of the empty one, guidance 7.5; the source's features
                   are those of its inversion
    official       the source's description as negative prompt, its weight growing linearly over
                   the steps, guidance 10; the source's features are those of its inversion denoised
                   again (on Stable Diffusion; on the embedded model those of its inversion)

A model may bring a preset of its own, through an entry point of `dreamix.plug_and_play_presets`.
In all: DDIM inversion with no words, features up to 0.8 of the steps, queries and keys up to 0.5.
On the embedded model the number of steps is ours (50 there, after 999 steps of inversion), and so
are the layers, by analogy; on Stable Diffusion both are theirs (backends/image_injection).
"""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.core.config import added
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.registry import NamedRegistry
from dreamix.core.video import Video
from dreamix.diffusion.settings import TOP, FeatureInjection, Guide
from dreamix.methods.base import EditRequest, method

NEEDS = {"single frames", "inversion", "feature taps"}
UGLY = "ugly, blurry, black, low res, unrealistic"  # pnp-diffusers' negative prompt
SOURCES = ("inverted", "denoised")  # whose features are injected on an image model


PRESETS = {
    "official": Guide(10.0, lambda share: share),
    "pnp-diffusers": Guide(7.5, lambda _: 1.0),
}
BROUGHT: NamedRegistry[Guide] = NamedRegistry("preset", "dreamix.plug_and_play_presets")


@dataclass(frozen=True)
class PlugAndPlayConfig:
    """Settings of Plug-and-Play.

    preset:     official, pnp-diffusers or one that a model brings; None is the one that suits the
                backend.
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
    top: float = TOP
    features: float = 0.8
    attention: float = 0.5
    guidance: float | None = None
    negative: str | None = None
    source: str | None = added(None)
    frame_batch: int | None = added(None)


@method(
    "plug-and-play",
    config=PlugAndPlayConfig,
    needs=NEEDS,
    reads={"prompt"},
    together=True,
    seeded=False,
)
def plug_and_play(
    requests: list[EditRequest], model: VideoModel, config: PlugAndPlayConfig
) -> list[Video]:
    """Returns the frames, each edited alone with features of its own inversion injected."""
    first, prompts = requests[0], [request.prompt for request in requests]
    model.check_prompts(prompts)
    preset = preset_of(config, model)
    negatives = [_negative(request, config, model, preset) for request in requests]
    names = [request.unseeded_names for request in requests]
    how = _injection(config, preset, guide(config, model))
    return model.injected(first.source, prompts, negatives, names, how, first.progress_of)


def _injection(config: PlugAndPlayConfig, preset: str, guided: Guide) -> FeatureInjection:
    """Return the settings as a model takes them.

    Raises:
        UserError: for settings that mean nothing.
    """
    for name in ("steps", "inversion", "frame_batch"):
        if (value := getattr(config, name)) is not None and value < 1:
            raise UserError(f"plug-and-play: {name} is 1 or more, not {value}")
    if config.source not in (None, *SOURCES):
        raise UserError(f"plug-and-play: source is {' or '.join(SOURCES)}, not {config.source!r}")
    return FeatureInjection(
        preset,
        config.steps,
        config.inversion,
        config.features,
        config.attention,
        guided.weight,
        guided.negative,
        top=None if config.top == TOP else config.top,
        refine=config.refine,
        source=config.source,
        at_once=config.frame_batch,
    )


def _negative(
    request: EditRequest, config: PlugAndPlayConfig, model: VideoModel, preset: str
) -> str:
    """Return the negative prompt: the one that was given, or the preset's."""
    if config.negative is not None:
        return config.negative
    pictures_only = "video" not in model.capabilities
    return UGLY if pictures_only and preset == "pnp-diffusers" else request.caption


def preset_of(config: PlugAndPlayConfig, model: VideoModel) -> str:
    """Return the preset asked for, or the one that suits the model; else a `UserError`."""
    own = model.presets.get("plug-and-play", "official")
    preset = own if config.preset is None else config.preset
    known = [*PRESETS, *BROUGHT.names()]
    if preset not in known:
        hint = near_misses(preset, known)
        raise UserError(f"plug-and-play has no preset {preset!r}{hint} (known: {', '.join(known)})")
    return preset


def guide(config: PlugAndPlayConfig, model: VideoModel) -> Guide:
    """Return the guidance that was asked for, or the preset's."""
    preset = preset_of(config, model)
    found = PRESETS[preset] if preset in PRESETS else BROUGHT.get(preset)
    return found if config.guidance is None else found._replace(weight=config.guidance)
