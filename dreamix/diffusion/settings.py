"""What a model is asked to do, as plain values without torch: see `backends.base.VideoModel`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dreamix.core.errors import UserError

TOP = 0.98  # the noise level that a clip is inverted up to, just below pure noise


@dataclass(frozen=True)
class Finetuning:
    """How a model is finetuned on one clip; values that mean nothing are a `UserError`.

    steps:         updates; 0 leaves the model as it is.
    learning_rate: of AdamW, constant.
    alpha:         weight of the video loss, 0..1.
    frames:        frames in the frame batch of one update, drawn without repetition.
    """

    steps: int = 64
    learning_rate: float = 1e-4
    alpha: float = 0.5
    frames: int = 8

    def __post_init__(self) -> None:
        """Check what the user chose."""
        if self.steps < 0 or self.frames < 1 or not self.learning_rate > 0:
            raise UserError(
                "finetuning needs steps of 0 or more, frames of 1 or more and a learning rate "
                f"above 0, not {self.steps}, {self.frames} and {self.learning_rate:g}"
            )
        if not 0 <= self.alpha <= 1:
            raise UserError(f"alpha, the video loss's weight, is in 0..1, not {self.alpha:g}")


def diverged(settings: Finetuning, done: int) -> UserError:
    """Return the error of a finetuning whose loss or weights are no numbers any more."""
    rate = f"learning rate {settings.learning_rate:g}"
    return UserError(f"finetuning diverged after {done} updates; lower the {rate}")


class Denoising(NamedTuple):
    """How a noised clip, or noise alone, is denoised.

    noise:       s, the noise LEVEL it starts from; at 1 nothing of the source is left.
    eta:         0 for DDIM, 1 for ancestral sampling.
    rare_token:  put the finetuning's rare token before the prompt, in the stage that was finetuned.
    from_source: later stages of a cascade start from the source noised to that level as well.
    length:      frames to make of noise; None: as many as the source, 0: as is usual.
    guidance_2:  guidance of a second expert, which denoises last; None: the same.
    """

    noise: float
    steps: int
    guidance: float
    eta: float = 0.0
    rare_token: bool = False
    from_source: bool = False
    length: int | None = None
    guidance_2: float | None = None


class Inversion(NamedTuple):
    """How a clip is inverted to noise by DDIM, and sampled from there.

    top:     the noise level inverted up to, just below pure noise.
    refine:  fixed-point iterations a step of the inversion.
    caption: the words told while inverting; none if empty.
    """

    steps: int
    top: float
    guidance: float
    refine: int = 0
    caption: str = ""


class Guide(NamedTuple):
    """Guidance of an edit by injection: its weight, and the negative prompt's over the steps."""

    weight: float
    negative: Callable[[float], float]  # share of the steps done -> weight


class FeatureInjection(NamedTuple):
    """How pictures are edited with features of their own inversion (Tumanyan et al. 2023).

    implementation: whose conventions of counting hold: official, pnp-diffusers or another preset.
    inversion:   inversion steps for one sampling step.
    features:    tau_f, share of the steps with injected features.
    attention:   tau_A, the same of queries and keys of self-attention.
    negative:    a, the weight of the negative prompt beside no words, from the share of steps done.
    top, refine: as in `Inversion`; a top of None is the model's own.
    source:      whose features: of the "inverted" source or the "denoised"; None: as usual.
    at_once:     frames worked on at once; None: as usual.
    """

    implementation: str
    steps: int
    inversion: int
    features: float
    attention: float
    guidance: float
    negative: Callable[[float], float]
    top: float | None = None
    refine: int = 0
    source: str | None = None
    at_once: int | None = None
