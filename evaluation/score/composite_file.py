"""Composite metrics in one small JSON file: what was learned from the ratings of one study.

    {"format": 1, "kind": "dreamix composite", "toolkit": version, "simulated": bool,
     "origin": {suite, suite_sha256, study, ratings_sha256, raters, scale},
     "axes": {axis: {"intercept", "penalty", "terms", "unused", "left_out", "learned_on",
                     "held_out", "sentence", "notes"}}}

A term is {metric, definition_id, better, mean, scale, weight}; the predicted mean vote of a clip is
intercept + sum over terms of weight * (value - mean) / scale, with the sign turned where lower is
better. A metric of another definition (other weights, version or frame policy) is another number,
so the id stands in the file.
"""

import hashlib
import importlib.metadata
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol

import numpy as np
from annotated_types import Gt, Len

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.records import read_json, to_json, write_json
from dreamix.core.typed import STRICT, Name, as_typed
from evaluation.schema import Axis

if TYPE_CHECKING:  # scoring reads composites without the statistics that learn them, and scipy
    from evaluation.stats.composite import Gain, Learned

FORMAT = 1
KIND = "dreamix composite"
MOST_TERMS, MOST_BYTES = 1_000, 4 << 20


class Defined(Protocol):
    """What the file needs to know of a metric, as run.json has it."""

    @property
    def definition_id(self) -> str:
        """Hash of version, models and frame policy."""

    @property
    def sign(self) -> int:
        """1 if higher is better, -1 if lower is."""


@dataclass(frozen=True)
class Origin:
    """Which ratings a composite was learned from."""

    suite: str
    suite_sha256: str
    study: str
    ratings_sha256: str  # of the table of answers
    raters: int
    simulated: bool
    scale: tuple[float, float] = (1.0, 5.0)  # lowest and highest vote


Positive = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Term:
    """One metric of a composite."""

    __pydantic_config__ = STRICT
    metric: Name
    definition_id: str
    better: Literal["higher", "lower"]
    mean: float  # in the metric's own unit
    scale: Positive  # likewise: its standard deviation
    weight: Positive  # points of the rating scale per standard deviation towards "better"

    def points(self, value: float) -> float:
        """Return what a value of the metric adds to the predicted mean vote."""
        sign = 1 if self.better == "higher" else -1
        return self.weight * sign * (value - self.mean) / self.scale


@dataclass(frozen=True)
class Provenance:
    """Where a composite was learned, as the file says it; see `Origin`."""

    __pydantic_config__ = STRICT
    suite: str
    suite_sha256: str
    study: str
    ratings_sha256: str
    raters: int
    scale: tuple[float, float] = (1.0, 5.0)


@dataclass(frozen=True)
class AxisEntry:
    """What the file says of one axis; what only people read may be anything."""

    __pydantic_config__ = STRICT
    intercept: float
    terms: Annotated[tuple[Term, ...], Len(1, MOST_TERMS)]
    penalty: float | None = None
    unused: tuple[str, ...] = ()
    left_out: Any = None
    learned_on: dict[str, Any] = field(default_factory=dict)
    held_out: Any = None
    sentence: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Document:
    """A file of composites."""

    __pydantic_config__ = STRICT
    format: Literal[1]
    kind: Literal["dreamix composite"]
    simulated: bool
    origin: Provenance
    axes: dict[Axis, AxisEntry]
    toolkit: str = ""


@dataclass(frozen=True)
class _Stored:
    """A composite in run.json."""

    __pydantic_config__ = STRICT
    axis: Axis
    simulated: bool
    id: str
    origin: Provenance
    entry: AxisEntry


class Composite(NamedTuple):
    """The composite of one axis, as `bench score` applies it."""

    axis: Axis
    simulated: bool
    definition_id: str  # hash of the file's contents
    origin: Provenance
    entry: AxisEntry  # all that the file says of this axis

    @property
    def intercept(self) -> float:
        """Predicted vote of a clip that is average on every term."""
        return self.entry.intercept

    @property
    def terms(self) -> tuple[Term, ...]:
        """The metrics, each with its weight."""
        return self.entry.terms

    @property
    def name(self) -> str:
        """Name of the metric; no table or figure of simulated ratings can lose that they are."""
        return f"composite.{self.axis}" + (".simulated" if self.simulated else "")


def write_composites(
    path: Path, learned: Mapping[str, "Learned"], metrics: Mapping[str, Defined], origin: Origin
) -> list[Composite]:
    """Return the composites of axes (alignment, fidelity, ...), written as one file.

    metrics: at least those that the composites may use, by name, as the run defines them.

    An axis on which no metric got a weight, so that all clips would get the mean vote, is left
    out; with no other axis there is no file but a `UserError`.
    """
    learned = {axis: one for axis, one in learned.items() if one.model.weights.any()}
    if not learned:
        raise UserError("no metric follows the raters on any axis: there is no composite to write")
    facts = asdict(origin) | {"scale": list(origin.scale)}
    document = {
        "format": FORMAT,
        "kind": KIND,
        "toolkit": importlib.metadata.version("dreamix-toolkit"),
        "simulated": facts.pop("simulated"),
        "origin": facts,
        "axes": {
            axis: _entry(axis, one, metrics, origin.simulated) for axis, one in learned.items()
        },
    }
    found = _composites(document, str(path))
    write_json(path, document)
    return found


def read_composites(path: Path) -> list[Composite]:
    """Return the composites in a file, by axis.

    Raises:
        UserError: for what cannot be used.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file; the report of a study writes composites")
    return _composites(read_json(path, MOST_BYTES), str(path))


def composite_of(held: dict[str, Any], where: str) -> Composite:
    """Return the composite that `stored` made a dict of.

    Raises:
        UserError: if it is damaged.
    """
    found = as_typed(held, _Stored, where)
    _check_terms(found.entry, where)
    return Composite(found.axis, found.simulated, found.id, found.origin, found.entry)


def stored(one: Composite) -> dict[str, Any]:
    """Return the composite as run.json keeps it, so that its scores can be renewed."""
    held = _Stored(one.axis, one.simulated, one.definition_id, one.origin, one.entry)
    plain: dict[str, Any] = json.loads(to_json(asdict(held)))  # lists, as a file has them
    return plain


def _composites(document: object, where: str) -> list[Composite]:
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise UserError(f"{where} is no file of composite metrics")
    if document.get("format") != FORMAT:
        raise UserError(
            f"{where} has composite format {shown(document.get('format'))}; "
            f"this version reads {FORMAT}"
        )
    found = as_typed(document, _Document, where)
    identity = hashlib.sha256(to_json(document).encode()).hexdigest()[:12]
    for axis, entry in found.axes.items():
        _check_terms(entry, f"{where}: {axis}")
    return [
        Composite(axis, found.simulated, identity, found.origin, found.axes[axis])
        for axis in sorted(found.axes)
    ]


def _check_terms(entry: AxisEntry, where: str) -> None:
    """Raise a `UserError` if a metric is in it twice."""
    names = [term.metric for term in entry.terms]
    if len(set(names)) < len(names):
        raise UserError(f"{where} has two terms of one metric; write it anew")


def _entry(
    axis: str, learned: "Learned", metrics: Mapping[str, Defined], simulated: bool
) -> dict[str, Any]:
    from evaluation.stats.composite import sentence

    model = learned.model
    used = [k for k in np.argsort(-model.weights, kind="stable") if model.weights[k] > 0]
    return {
        "intercept": model.intercept,
        "penalty": model.penalty,
        "terms": [asdict(_term(learned, k, metrics)) for k in used],
        "unused": [n for n, w in zip(learned.names, model.weights, strict=True) if w == 0],
        "left_out": learned.left_out,
        "learned_on": {
            "methods": learned.systems,
            "edits": learned.items,
            "sources": learned.sources,
            "rated": learned.cells,
            "imputed": learned.imputed,
        },
        "held_out": _held_out(learned),
        "sentence": sentence(learned, axis, simulated=simulated),
        "notes": list(learned.notes),
    }


def _term(learned: "Learned", k: int, metrics: Mapping[str, Defined]) -> Term:
    name, model = learned.names[k], learned.model
    if (facts := metrics.get(name)) is None or facts.sign not in (1, -1):
        raise ValueError(f"metric {name!r} needs a definition and a direction")
    return Term(
        name,
        facts.definition_id,
        "higher" if facts.sign > 0 else "lower",
        facts.sign * float(model.means[k]),  # learned from values turned by that sign
        float(model.scales[k]),
        float(model.weights[k]),
    )


def _held_out(learned: "Learned") -> dict[str, Any]:
    unseen = learned.unseen
    pairs = zip(learned.gains, learned.hindsight, strict=True)
    return {
        "rmse": _or_none(learned.rmse),
        "rmse_mean_vote": _or_none(learned.rmse_mean),
        "unpredicted": learned.unpredicted,
        "statistics": [_row(gain, hindsight) for gain, hindsight in pairs],
        "unseen_methods": {
            "item": _or_none(unseen.item),
            "within": _or_none(unseen.within),
            "level_error": [_or_none(value) for value in unseen.level_error],
        },
    }


def _row(gain: "Gain", hindsight: "Gain") -> dict[str, Any]:
    from evaluation.stats.composite import verdict

    name, level, kind, _ = gain.statistic
    what = {"statistic": name} | ({"level": level, "kind": kind} if name != "acc_eq" else {})
    sides = {"best_in_folds": gain, "best_in_hindsight": hindsight}
    return {
        **what,
        "composite": _or_none(gain.composite),
        **{label: _against(side) for label, side in sides.items()},
        "verdict": verdict(gain, hindsight),
    }


def _against(gain: "Gain") -> dict[str, Any]:
    numbers = ("single", "delta", "low", "high", "p", "p_swaps")
    facts = {name: _or_none(getattr(gain, name)) for name in numbers}
    return {"metric": gain.rival, "folds": gain.folds, "cells": gain.cells, **facts}


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
