"""What a metric is: a function of one `Sample`, and the facts it declares about itself.

    @metric("flicker", axis="quality", better="higher", bounds=(0, 1), needs=())
    def flicker(sample: Sample) -> np.ndarray: ...

It returns one number per frame (or per pair of frames), of which the score is the mean, or a single
float. It raises `DoesNotApply` where it has no meaning; it never returns a made-up number.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dreamix.core.registry import Registry
from dreamix.data.suite_entries import TEXTS
from evaluation.sample import Sample
from evaluation.sample.frames import RULES
from evaluation.schema import Axis

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Metric:
    """A metric with everything a table, a cache or a reader has to know about it."""

    name: str
    measure: Callable[[Sample], np.ndarray | float]
    axis: Axis  # alignment with the prompt, fidelity to the source, quality, or amount of motion
    better: Better  # which way is good; "neither": it describes
    bounds: tuple[float, float]  # smallest and largest value it can take; may be infinite
    needs: tuple[str, ...]  # of NEEDS: inputs and models without which it cannot be computed
    not_for: tuple[str, ...]  # edit categories in which the number would mislead
    responds: dict[str, str]  # damage (of CORRUPTIONS) -> what the value then does: rises, falls
    version: int  # goes up when the number changes
    world: str | None = None  # that it knows alone; None: any, and real clips

    @property
    def definition(self) -> str:
        """The docstring, with its white space folded: what the report prints."""
        return " ".join((self.measure.__doc__ or "").split())

    @property
    def compares(self) -> bool:
        """True if it looks at the source, so that a delta to the source has no meaning."""
        return bool({"source", "ideal", "keep", "true_flow"} & set(self.needs))

    @property
    def models(self) -> list[str]:
        """The models among its needs."""
        return [need for need in self.needs if need not in INPUTS]

    def facts(self) -> dict[str, Any]:
        """Return what the metric declares, as JSON can hold it."""
        return {
            "name": self.name,
            "axis": self.axis,
            "better": self.better,
            "bounds": tuple(str(bound) if np.isinf(bound) else bound for bound in self.bounds),
            "needs": self.needs,
            "not_for": self.not_for,
            "responds": self.responds,
            "version": self.version,
            "definition": self.definition,
        }


METRICS: Registry[Metric] = Registry("metric", "evaluation.metrics", "dreamix.metrics")

# Inputs come with the suite: its texts ("phrases": what is to change, and into what), and what is
# known of clips ("footage": it is real, "rendered": a world made it, "moving": it is no still
# picture). The rest are models.
KNOWN = ("source", "keep", "ideal", "true_flow", "footage", "rendered", "moving")
INPUTS = (*TEXTS, *KNOWN)
NEEDS = (*INPUTS, "clip", "conse", "lpips", "flow", "brisque", "judge")


def metric(
    name: str,
    *,
    axis: Axis,
    better: Better,
    bounds: tuple[float, float],
    needs: tuple[str, ...],
    not_for: tuple[str, ...] = (),
    responds: dict[str, str] | None = None,
    version: int = 1,
    world: str | None = None,
) -> Callable[[Callable[[Sample], np.ndarray | float]], Callable[[Sample], np.ndarray | float]]:
    """Return a decorator that registers a measure under `name` and gives it back unchanged.

    A metric of alignment that names no text among its needs reads the prompt.
    """
    if axis == "alignment" and not {*TEXTS, "ideal"} & set(needs):
        needs = ("prompt", *needs)  # with what, if not with the prompt?
    if unknown := set(needs) - set(NEEDS):
        raise ValueError(f"metric {name!r} needs {sorted(unknown)}, known are {NEEDS}")

    def add(measure: Callable[[Sample], np.ndarray | float]) -> Callable[..., Any]:
        facts = axis, better, bounds, needs, not_for, responds or {}, version, world
        METRICS.add(name, Metric(name, measure, *facts), measure.__module__)
        return measure

    return add


def definition_id(metric_: Metric, identities: dict[str, str], policy: str) -> str:
    """Return a short hash of all that decides the number: version, models, pairing of frames.

    Of a metric that another package brings, also name and version of that.
    identities: for each model the metric needs, its name, weights hash, preprocessing and dtype.
    """
    models = {need: identities[need] for need in metric_.models}
    whose = [str(package)] if (package := METRICS.brought_by(metric_.name)) else []
    text = json.dumps(
        [metric_.name, metric_.version, models, policy, RULES, *whose], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]
