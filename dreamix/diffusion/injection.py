"""Plug-and-Play: a picture keeps its structure because features of its inversion are injected.

Tumanyan et al. 2023 (arXiv 2211.12572): the source is inverted with DDIM; while the target prompt
is denoised from the same noise, the output of one residual block (up to the share tau_f of the
steps) and the queries and keys of self-attention (up to tau_A) are those of the source.

`denoise_injected` is the denoising, whatever takes the steps: `inject` takes those of this
package's sampler, `dreamix.backends.image_injection` those of a scheduler of diffusers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dreamix.core.progress import Progress
from dreamix.diffusion.denoiser import Denoiser, at
from dreamix.diffusion.guidance import between, guide
from dreamix.diffusion.sampling import step


class Injection(NamedTuple):
    """Which layers are injected, and for how long."""

    features: Sequence[nn.Module]  # a residual block's last convolution
    attention: Sequence[nn.Module]  # to_q and to_k of self-attention
    feature_share: float  # tau_f: share of the steps, from the noisy end
    attention_share: float  # tau_A


class Branches(NamedTuple):
    """The denoiser of a batch of [source, nothing, negative, target], each as many clips."""

    denoise: Denoiser
    guidance: float
    negative: Callable[[float], float]  # a, from the share done: 0 at the first step, 1 at the last


class Sampler(NamedTuple):
    """What takes the steps; the first step is 0."""

    steps: int
    source: Callable[[int], Tensor]  # the source's noisy pictures at a step
    predict: Callable[[int, Tensor], Tensor]  # (step, batch of all branches) -> predictions
    down: Callable[[int, Tensor, Tensor], Tensor]  # (step, guided prediction, z) -> z a step down
    layers: Callable[[int], Sequence[nn.Module]]  # those injected at a step


@torch.no_grad()
def denoise_injected(
    z: Tensor,
    sampler: Sampler,
    others: int,
    guidance: float,
    negative: Callable[[float], float],
    progress: Progress | None = None,
) -> Tensor:
    """Return what `z` is denoised to while layers see the source.

    Guidance is the authors' own:

        e~ = (1 - a) e(nothing) + a e(negative),   e = e~ + w (e(target) - e~)

    A batch is [source, others..., target], each as many pictures as `z` has.

    others:   2, nothing and the negative prompt; or 1, the negative prompt alone (a = 1 always).
    negative: a, from the share of the steps done: 0 at the first step, 1 at the last.
    """
    parts = others + 2
    for i in range(sampler.steps):
        # Source, negatives and target in one batch; the source's features replace theirs.
        batch = torch.cat([sampler.source(i), *[z] * (parts - 1)])
        with first_part_copied(sampler.layers(i), parts=parts):
            _, *against, target = sampler.predict(i, batch).chunk(parts)
        # Guidance, and one step down.
        away = between(against, negative(i / max(sampler.steps - 1, 1)))
        z = sampler.down(i, guide(away, target, guidance), z)
        if progress:
            progress(i + 1, sampler.steps)
    return z


def inject(
    path: list[Tensor],
    times: list[float],
    branches: Branches,
    injection: Injection,
    progress: Progress | None = None,
) -> Tensor:
    """Return the edited pictures, shaped like the ones inverted, by DDIM steps with x0 in -1..1.

    path:  the source's inversion at every one of `times` but the last; they fall, and end with 0.
    """

    def predict(i: int, batch: Tensor) -> Tensor:
        return branches.denoise(batch, at(times[i], batch))

    def down(i: int, x0: Tensor, z: Tensor) -> Tensor:
        return step(z, x0.clamp(-1, 1), at(times[i], z), at(times[i + 1], z))

    total = len(times) - 1
    sampler = Sampler(
        total, path.__getitem__, predict, down, lambda i: _layers(injection, i, total)
    )
    return denoise_injected(path[0], sampler, 2, branches.guidance, branches.negative, progress)


def _layers(injection: Injection, done: int, total: int) -> list[nn.Module]:
    """Return the layers injected at step `done` (from 0) of `total`."""
    features = injection.features if done < round(injection.feature_share * total) else []
    attention = injection.attention if done < round(injection.attention_share * total) else []
    return [*features, *attention]


# -- outputs of layers copied from one part of a batch to the others ----------------------------
@contextmanager
def first_part_copied(layers: Iterable[nn.Module], parts: int) -> Iterator[None]:
    """Give every part of the batch what each layer computes for the first part.

    The batch is `parts` equal runs of rows. While the block runs, the first run's output of every
    one of `layers` takes the place of the others'. No weight is touched; the hooks are removed
    when the block ends, however it ends.
    """
    with ExitStack() as undo:
        for layer in layers:
            undo.callback(layer.register_forward_hook(_copier(parts)).remove)
        yield


def _copier(parts: int) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    def copied(_layer: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        first = output[: len(output) // parts]
        return first.repeat(parts, *[1] * (output.ndim - 1))

    return copied
