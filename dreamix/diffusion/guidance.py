"""Classifier-free guidance, once for every model and method (Ho and Salimans 2022).

    e~ = e(against) + w (e(told) - e(against))

e is what the network predicts: x0, the noise, v or a velocity. They are linear in each other at one
noise level, so guiding one of them guides them all.
"""

from collections.abc import Sequence

from torch import Tensor


def guide(against: Tensor, told: Tensor, scale: float) -> Tensor:
    """Return the prediction led away from `against`, towards and beyond `told` as `scale` says."""
    return against + scale * (told - against)


def between(others: Sequence[Tensor], weight: float) -> Tensor:
    """Return what guidance leads away from, of the predictions told nothing and a negative prompt.

        (1 - a) e(nothing) + a e(negative)

    weight: a. One prediction alone is returned as it is.
    """
    if len(others) == 1:
        return others[0]
    nothing, negative = others
    return (1 - weight) * nothing + weight * negative
