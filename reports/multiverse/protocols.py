"""Protocols: how scores become one number an edit, and numbers a verdict; those of a YAML file too.

A protocol is a declaration, not code: `protocols.yaml` beside this file has those that come along,
and a file of the user's adds to them. What decides a number is in its hash; words are not.
"""

import hashlib
from collections.abc import Sized
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import AfterValidator, ConfigDict

from dreamix.core.errors import Mistakes
from dreamix.core.names import plain_name
from dreamix.core.records import to_json
from dreamix.core.yaml_reading import Limits, parse_document, read_document
from dreamix.core.yaml_typed import Findings
from evaluation.stats.meta import Average

LIMITS = Limits(size=1 << 20, values=20_000, levels=10)
JUDGE = "judge."  # before what any judge of the run was asked
MOST = 100  # protocols of a file, groups of one, metrics of a group

Failures = Literal["dropped by method", "dropped from both", "bottom of the scale", "bounds"]
FAILURES: tuple[Failures, ...] = get_args(Failures)
AVERAGES: tuple[Average, ...] = get_args(Average)
Join = Literal["mean", "least", "geometric", "all"]


def _line(text: str) -> str:
    """Return a text of one line that can be seen."""
    if not text.strip() or not text.isprintable() or len(text) > 400:
        raise ValueError(" should be one line of at most 400 letters that can be seen")
    return text


def _rising(scale: tuple[float, float]) -> tuple[float, float]:
    if not scale[0] < scale[1]:
        raise ValueError(" should go up: the worst it can be as a number, then the best")
    return scale


def _some(held: Sized) -> Sized:
    """Return what holds something; it is asked only where all that is held is right."""
    if not held:
        raise ValueError(" is empty: at least one is needed")
    return held


Some = AfterValidator(_some)
Line = Annotated[str, AfterValidator(_line)]
Name = Annotated[str, AfterValidator(plain_name)]
Finite = Annotated[float, Ge(-1e12), Le(1e12)]
Scale = Annotated[tuple[Finite, Finite], AfterValidator(_rising)]


def _form(noun: str) -> ConfigDict:
    return ConfigDict(extra="forbid", allow_inf_nan=False, json_schema_extra={"noun": noun})


@dataclass(frozen=True)
class ScaledMetric:
    """A metric on a scale of 0 to 1, with its weight in a group."""

    __pydantic_config__ = _form("a metric")
    metric: Line  # judge.NAME: that of any judge of the run
    scale: Scale | None = None  # lowest and highest number; without it the metric's declared ends
    weight: Annotated[float, Gt(0), Le(1e6)] = 1.0

    @property
    def of_judge(self) -> str | None:
        """What a judge is asked for it; None for a metric that has a name of its own."""
        return self.metric.removeprefix(JUDGE) if self.metric.startswith(JUDGE) else None


@dataclass(frozen=True)
class MetricGroup:
    """Metrics that become one number."""

    __pydantic_config__ = _form("a group")
    of: Annotated[tuple[ScaledMetric, ...], MaxLen(MOST), Some]
    by: Join = "mean"
    weight: Annotated[float, Gt(0), Le(1e6)] = 1.0


@dataclass(frozen=True)
class Protocol:
    """A way of scoring an edit and of averaging edits."""

    __pydantic_config__ = _form("a protocol")
    name: Name
    groups: Annotated[dict[Name, MetricGroup], MaxLen(MOST), Some]
    by: Join = "mean"  # how groups are joined
    above: Annotated[float, Ge(0), Le(1)] = 0.5  # what all parts must exceed where `by` is "all"
    never_above: str | None = None  # a group that no other is above
    failures: Failures = "dropped by method"  # its own habit
    average: Average = "edits"  # likewise
    source: Line = "a protocol of this report's author"
    like: Line = "as declared"
    unlike: Line = "nothing published is meant"

    @property
    def metrics(self) -> list[ScaledMetric]:
        """All its metrics, group by group."""
        return [one for group in self.groups.values() for one in group.of]

    @property
    def needs_judge(self) -> bool:
        """Whether some judge has to have been asked."""
        return any(one.of_judge is not None for one in self.metrics)

    @property
    def sha256(self) -> str:
        """Hash of all that decides a number, its first 12 digits."""
        groups = {
            name: [[[m.metric, m.scale, m.weight] for m in one.of], one.by, one.weight]
            for name, one in self.groups.items()
        }
        told = [groups, self.by, self.above, self.never_above, self.failures, self.average]
        return hashlib.sha256(to_json(told).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class ProtocolFile:
    """What a file of protocols holds."""

    __pydantic_config__ = _form("a file of protocols")
    protocols: Annotated[tuple[Protocol, ...], MaxLen(MOST), Some] = field(default_factory=tuple)


def shipped_protocols() -> tuple[Protocol, ...]:
    """Return the protocols that come along."""
    text = resources.files("reports.multiverse").joinpath("protocols.yaml").read_bytes()
    return _read(Findings(parse_document(text, "protocols.yaml", LIMITS)), ())


def protocols_of(path: Path | None) -> tuple[Protocol, ...]:
    """Return the protocols that come along, and those of a file after them.

    Raises:
        Mistakes: with every mistake of the file.
    """
    ours = shipped_protocols()
    if path is None:
        return ours
    return ours + _read(Findings(read_document(path, LIMITS)), tuple(one.name for one in ours))


def _read(found: Findings, taken: tuple[str, ...]) -> tuple[Protocol, ...]:
    held = found.read_as(ProtocolFile)
    _check_beside(found, taken)
    if held is None or found.problems:
        raise Mistakes(found.problems)
    return held.protocols


def _check_beside(found: Findings, taken: tuple[str, ...]) -> None:
    """Add a problem for every name that is there already, and for every cap that names no group."""
    seen = dict.fromkeys(taken, "is one that comes along; choose another")
    held: Any = found.document.value
    listed = held.get("protocols") if isinstance(held, dict) else None
    for place, one in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(one, dict):
            continue
        name, cap, groups = one.get("name"), one.get("never_above"), one.get("groups")
        if isinstance(name, str):
            if name in seen:
                found.add(("protocols", place, "name"), f" {seen[name]}")
            seen.setdefault(name, "stands twice")
        if isinstance(cap, str) and isinstance(groups, dict) and cap not in groups:
            found.add(("protocols", place, "never_above"), f" is no group ({', '.join(groups)})")
