"""One metric on one sample: the value, and what it is the mean of, inside the declared bounds."""

from typing import NamedTuple

import numpy as np

from evaluation.metrics.base import Metric
from evaluation.sample import Sample

ROUNDING = 1e-5  # by which single precision may carry a value past its bound


class Measured(NamedTuple):
    """A value, and what it is the mean of where the metric gives one value per frame."""

    value: float
    frames: list[float] | None


def measured(metric: Metric, sample: Sample) -> Measured:
    """Return the value and, where the metric has them, the values per frame (6 digits)."""
    found = metric.measure(sample)
    inside = within(metric, np.asarray(found, dtype=np.float64))
    frames = [float(f"{x:.6g}") for x in inside] if isinstance(found, np.ndarray) else None
    return Measured(float(np.mean(inside)), frames)


def within(metric: Metric, values: np.ndarray) -> np.ndarray:
    """Return values, those that rounding has carried past a bound of the metric put on it.

    Anything further out, or not finite, is a fault of the metric: `ValueError`.
    """
    inside = values.clip(*metric.bounds)
    if not np.isfinite(values).all() or (np.abs(values - inside) > ROUNDING).any():
        raise ValueError(f"{metric.name} gave {values.ravel().tolist()[:9]}")
    return inside
