"""Averages of weights along a training, and any other one made of them afterwards.

A power-function average of updates 1..t gives update u the share

    p(u) = (g + 1) u^g / t^(g + 1),    mean_t = b mean_(t-1) + (1 - b) w_t,   b = (1 - 1/t)^(g + 1)

Its width is the standard deviation of p as a share of t: (g+1)^1/2 (g+2)^-1 (g+3)^-1/2. Two of
them are followed, and kept on the way; the sum of what was kept whose p comes nearest to that of
another width stands for the average of that width, although nobody followed it. Karras et al.,
"Analyzing and improving the training dynamics of diffusion models", 2024, equations 123 to 132.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dreamix.core.errors import UserError
from dreamix.core.records import write_whole

WIDTHS = (0.05, 0.1)  # followed; the first is what probes see and what is exported by default
_NAMES = ("snapshot", "broad")  # their files


# diffusers' EMAModel has other decays (its warm-up is 1 - (1 + t)^-p), one width, and nothing that
# makes an average of another width afterwards.
class Averages:
    """The averages of `WIDTHS` of the weights that are trained."""

    def __init__(self, network: nn.Module) -> None:
        trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.names, self.live = [*trained], [*trained.values()]
        self.count = 0  # updates that are averaged
        self.means = [[p.detach().clone() for p in self.live] for _ in WIDTHS]

    def update(self) -> None:
        """Take one more update into the averages."""
        self.count += 1
        for width, mean in zip(WIDTHS, self.means, strict=True):
            share = 1 - (1 - 1 / self.count) ** (exponent(width) + 1)
            torch._foreach_lerp_(mean, [p.detach() for p in self.live], share)

    def swap(self) -> None:
        """Exchange the live weights and the first average."""
        with torch.no_grad():
            for live, mean in zip(self.live, self.means[0], strict=True):
                held = live.detach().clone()
                live.copy_(mean)
                mean.copy_(held)

    def state(self) -> dict[str, Any]:
        """Return what `load` takes."""
        return {"count": self.count, "means": self.means}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.count = state["count"]
        for mine, theirs in zip(self.means, state["means"], strict=True):
            for mean, kept in zip(mine, theirs, strict=True):
                mean.copy_(kept)

    def keep(self, folder: Path, update: int) -> None:
        """Write the averages of this update, in half precision, a file each."""
        for name, means in zip(_NAMES, self.means, strict=True):
            held = {key: mean.half() for key, mean in zip(self.names, means, strict=True)}
            with write_whole(folder / f"{name}-{update:06}.safetensors") as file:
                file.write(save(held, {"averaged": str(self.count)}))


def exponent(width: float) -> float:
    """Return g for an average of `width`, 0 < width < 0.28 (g = 0 is the plain mean).

    g is the real root of g^3 + 7 g^2 + (16 - width^-2) g + 12 - width^-2.
    """
    inverse = width**-2
    return float(np.roots([1, 7, 16 - inverse, 12 - inverse]).real.max())


class _Kept(NamedTuple):
    file: Path
    updates: float  # updates that it is the average of
    g: float


def average_of(folder: Path, width: float) -> tuple[dict[str, Tensor], int]:
    """Return the weights, by name, of the average of `width` at the last snapshot, and its update.

    Raises:
        UserError: there are no snapshots in `folder`, or the width is not within 0.01 to 0.25.
    """
    if not 0.01 <= width <= 0.25:
        raise UserError(f"an average has a width of 0.01 to 0.25 of the training, not {width:g}")
    kept = [*_kept(folder)]
    if not kept:
        raise UserError(f"{folder} has no snapshots to average; train on, they come on the way")
    shares = combination(
        [(each.updates, each.g) for each in kept],
        (max(each.updates for each in kept), exponent(width)),
    )
    total: dict[str, Tensor] = {}
    for share, each in zip(shares, kept, strict=True):
        for name, weight in load_file(each.file).items():
            total[name] = total.get(name, torch.zeros(())) + share * weight.float()
    return total, max(int(each.file.stem.rpartition("-")[2]) for each in kept)


def _kept(folder: Path) -> Iterable[_Kept]:
    for name, width in zip(_NAMES, WIDTHS, strict=True):
        for file in sorted(folder.glob(f"{name}-*.safetensors")):
            with safe_open(file, "pt") as opened:
                count = (opened.metadata() or {}).get("averaged")
            if count:  # those of earlier versions do not say
                yield _Kept(file, float(count), exponent(width))


def combination(kept: list[tuple[float, float]], wanted: tuple[float, float]) -> np.ndarray:
    """Return the factors of kept averages (t, g) whose sum is nearest to the wanted one's p.

    Least squares over the shares p of all updates, solved by its normal equations.
    """
    gram = [[_overlap(one, other) for other in kept] for one in kept]
    found, *_ = np.linalg.lstsq(
        np.array(gram), np.array([_overlap(one, wanted) for one in kept]), rcond=1e-12
    )
    return np.asarray(found)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the integral of the product of the shares p of two averages (t, g)."""
    (t, g), (later, h) = sorted((one, other))
    return (g + 1) * (h + 1) * (t / later) ** h / ((g + h + 1) * later)
