"""Metrics on one sample: the value, what it is the mean of, and what a reader needs beside it."""

from typing import Any, NamedTuple

import numpy as np

from dreamix.core.errors import DoesNotApply, StorageError, failure
from dreamix.data.suite_entries import TEXTS
from evaluation.features.base import Encoder
from evaluation.metrics.base import Metric
from evaluation.sample import Models, Sample
from evaluation.score.embedding import ENCODERS

ROUNDING = 1e-5  # by which single precision may carry a value past its bound


class MetricValue(NamedTuple):
    """A value, and what it is the mean of where the metric gives one value per frame."""

    value: float
    frames: list[float] | None


def measured(metric: Metric, sample: Sample) -> MetricValue:
    """Return the value and, where the metric has them, the values per frame (6 digits)."""
    found = metric.measure(sample)
    inside = within(metric, np.asarray(found, dtype=np.float64))
    frames = [float(f"{x:.6g}") for x in inside] if isinstance(found, np.ndarray) else None
    return MetricValue(float(np.mean(inside)), frames)


def within(metric: Metric, values: np.ndarray) -> np.ndarray:
    """Return values, those that rounding has carried past a bound of the metric put on it.

    Anything further out, or not finite, is a fault of the metric: `ValueError`.
    """
    inside = values.clip(*metric.bounds)
    if not np.isfinite(values).all() or (np.abs(values - inside) > ROUNDING).any():
        raise ValueError(f"{metric.name} gave {values.ravel().tolist()[:9]}")
    return inside


class Measurer:
    """Applies metrics; what is computed on a clip that stands for several cells, once."""

    def __init__(self, features: Models) -> None:
        self._features = features

    def measure(self, metric: Metric, sample: Sample) -> dict[str, Any]:
        """Return fields of a `ScoreRow`: status, value and context; what goes wrong is a reason."""
        try:
            value, frames = self._value(metric, sample)
            found = {"status": "ok", "value": value, "frames": frames}
            return found | self._context(metric, sample, value)
        except DoesNotApply as reason:
            return {"status": "n/a", "reason": str(reason)}
        except StorageError:
            raise  # ends the scoring: it is not the metric's failure
        except Exception as error:  # noqa: BLE001 - a metric's failure becomes a row
            return {"status": "failed", "reason": failure(error)}

    def _context(self, metric: Metric, sample: Sample, value: float) -> dict[str, Any]:
        """Return what a reader needs beside the value: delta to the source, share compared."""
        note = self._note(metric, sample)
        if metric.compares:
            pairing = sample.pair.pairing
            return {"pairs": len(pairing.source), "share": round(pairing.share, 6), "note": note}
        on_source = self._on_source(metric, sample)
        delta = None if on_source is None else value - on_source
        return {"source_value": on_source, "delta": delta, "note": note}

    def _value(self, metric: Metric, sample: Sample) -> MetricValue:
        """Return the value, computed once for a clip that stands for several cells."""
        texts_or_truth = {*TEXTS, "keep", "ideal"} & set(metric.needs)
        particular = metric.axis == "alignment" or texts_or_truth
        words = sample.prompt, sample.instruction, sample.phrases
        asked = (*words, sample.category) if particular else ()
        return sample.edited.once(f"{metric.name} {asked}", lambda: measured(metric, sample))

    def _on_source(self, metric: Metric, sample: Sample) -> float | None:
        """Return the metric on the source itself, None if it is undefined there."""
        try:
            return self._value(metric, sample.of_source()).value
        except DoesNotApply:
            return None

    def _note(self, metric: Metric, sample: Sample) -> str | None:
        """Return what a reader has to know about the value: what of a text was not read."""
        if metric.axis != "alignment":
            return None
        told = {"prompt": sample.prompt, "instruction": sample.instruction}
        told["caption"] = sample.caption
        texts = {what: text or "" for what, text in told.items() if what in metric.needs}
        found: list[str] = []
        for encoder in sorted(set(ENCODERS) & set(metric.needs)):
            model: Encoder = self._features.model(encoder)
            for what, text in texts.items():
                if model.truncated(text):
                    found.append(f"the {what} is longer than {encoder} reads; its end was ignored")
                if count := model.unknown(text):
                    words = "a word" if count == 1 else f"{count} words"
                    found.append(f"the {what} has {words} that {encoder} does not know")
        return "; ".join(found) or None
