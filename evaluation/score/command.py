"""A metric that is a program of the user's: what was typed, what the program says of itself.

The command runs because the user typed it. One that stands in a run folder is told of, never run.
"""

import hashlib
import math
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol, get_args

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.names import shown, why_not_plain
from dreamix.core.records import to_json
from evaluation.metrics.base import METRICS, Better
from evaluation.run.elsewhere import CommandInfo
from evaluation.run.info import MetricInfo
from evaluation.schema import AXES, Axis

PREFIX = "cmd:"
MOST_SCRIPT = 1 << 20  # bytes of a file that is hashed: interpreters and weights are larger
MOST_VERSION = 100  # letters
FACTS = ("version", "direction", "axis", "bounds")


class TimeLimits(NamedTuple):
    """How long a program may be silent."""

    start: float = 600.0  # seconds to its first line
    clip: float = 300.0  # seconds to its next answer


@dataclass(frozen=True)
class SelfDescription:
    """What a program says of its metric; until it does, nothing is known."""

    version: str | None = None
    better: Better = "neither"
    axis: Axis = "other"
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def with_facts(self, facts: Mapping[str, Any]) -> "SelfDescription":
        """Return what is known with the facts of one line; `ValueError` where one cannot be."""
        changes = {name: _READ[name](facts[name]) for name in FACTS if facts.get(name) is not None}
        if "direction" in changes:
            changes["better"] = changes.pop("direction")
        return replace(self, **changes)


class Command(NamedTuple):
    """A metric that was named with its program."""

    name: str
    text: str
    words: tuple[str, ...]
    files: dict[str, str]  # words that are scripts, each with its SHA-256

    def definition_id(self, said: SelfDescription) -> str:
        """Return a hash of all that decides the number, as far as that can be known."""
        bounds = [None if math.isinf(end) else end for end in said.bounds]
        told = [self.name, self.words, self.files, said.version, said.better, said.axis, bounds]
        return hashlib.sha256(to_json(["command", *told]).encode()).hexdigest()[:12]

    def facts(self, said: SelfDescription) -> MetricInfo:
        """Return what run.json holds of it, in the form of all others."""
        info = CommandInfo(self.text, dict(self.files), said.version)
        version = f", version {info.version}" if info.version else ""
        low, high = (str(end) if math.isinf(end) else end for end in said.bounds)
        return MetricInfo(
            name=self.name,
            axis=said.axis,
            better=said.better,
            bounds=(low, high),  # type: ignore[arg-type]
            needs=(),
            not_for=(),
            version=1,
            definition=f"Computed by a program of the user's: {info.text}{version}",
            definition_id=self.definition_id(said),
            models={},
            policy="none",
            command=info,
        )


class AskedMetric(Protocol):
    """A metric that is asked for: a program of the user's, or a question to a judge."""

    @property
    def name(self) -> str:
        """What the metric is called."""

    def definition_id(self, said: SelfDescription) -> str:
        """Return a hash of all that decides the number, as far as that can be known."""

    def facts(self, said: SelfDescription) -> MetricInfo:
        """Return what run.json holds of it."""


def commands_of(specs: Sequence[str], metrics: Mapping[str, MetricInfo]) -> list[Command]:
    """Return the programs that `cmd:NAME=COMMAND` names.

    metrics: those the run has.

    Raises:
        UserError: if one cannot be a metric here, or its program is not there.
    """
    found = [_command(spec) for spec in specs]
    taken = {name.casefold(): name for name in METRICS.names()}
    taken |= {name.casefold(): name for name, one in metrics.items() if one.command is None}
    for one in found:
        if other := taken.get(one.name.casefold()):
            raise UserError(f"{PREFIX}{one.name}: {other} is another metric; choose another name")
        taken[one.name.casefold()] = one.name
    return found


def check_programs(names: Sequence[str], metrics: Mapping[str, MetricInfo]) -> None:
    """Raise a `UserError` if one of the names is a program's or a judge's: that is named anew."""
    for name in names:
        if name in metrics and metrics[name].judge is not None:
            judge = name.rpartition(".")[0]
            raise UserError(
                f"{name} is what a judge answers: name that again, --judge "
                f"{judge}=openai:URL#MODEL, or {judge}=archive: to replay its answers"
            )
        if name in metrics and metrics[name].command is not None:
            raise UserError(
                f"{name} is computed by a program: name that again, --metrics "
                f"{PREFIX}{name}='COMMAND'; what run.json says is not run"
            )


def said_before(command: Command, metrics: Mapping[str, MetricInfo]) -> SelfDescription:
    """Return what the program said when it last ran on a run, if it is still the same."""
    known = metrics.get(command.name)
    if known is None or known.command is None:
        return SelfDescription()
    said = SelfDescription(known.command.version, known.better, known.axis, known.ends)
    return said if command.definition_id(said) == known.definition_id else SelfDescription()


def _command(spec: str) -> Command:
    name, equals, text = spec.removeprefix(PREFIX).partition("=")
    if not equals or not text.strip():
        raise UserError(
            f"{spec}: say which program computes it, as {PREFIX}{name or 'NAME'}='COMMAND'; "
            "none is taken from a run folder"
        )
    if why := why_not_plain(name):
        raise UserError(f"{spec}: {shown(name)} cannot name a metric: {why}")
    if name.casefold() in AXES or name.casefold().startswith("composite."):
        raise UserError(f"{spec}: {name} means something here; choose another name")
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UserError(f"{spec}: {error}".lower()) from None
    if not words or shutil.which(words[0]) is None:
        raise UserError(f"{PREFIX}{name}: there is no program {shown(words[0] if words else '')}")
    return Command(name, text.strip(), words, _scripts(words))


def _scripts(words: tuple[str, ...]) -> dict[str, str]:
    """Return the words that name scripts, each with its SHA-256: what they say may change."""
    first, *others = words
    found = [word for word in others if os.path.isfile(word)]
    program = shutil.which(first)
    if program and _is_script(program):
        found.append(first)
    place = {word: program if word == first and program else word for word in found}
    small = [word for word, path in place.items() if os.path.getsize(path) <= MOST_SCRIPT]
    return {word: sha256_file(Path(place[word])) for word in sorted(set(small))}


def _is_script(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"#!"


def _version(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"its version is {shown(value)}, which is neither text nor number")
    return str(value)[:MOST_VERSION]


def _one_of(allowed: tuple[str, ...], what: str, value: object) -> Any:
    if value not in allowed:
        raise ValueError(f"its {what} is {shown(value)}, which is none of {', '.join(allowed)}")
    return value


def _bounds(value: object) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2:
        ends = [
            float(end) if isinstance(end, int | float) and not isinstance(end, bool) else free
            for end, free in zip(value, (-math.inf, math.inf), strict=True)
        ]
        numbers = all(end is None or isinstance(end, int | float) for end in value)
        if numbers and ends[0] < ends[1]:
            return ends[0], ends[1]
    raise ValueError(f"its bounds are {shown(value)}, and should be [low, high], null for no end")


_READ = {
    "version": _version,
    "direction": lambda value: _one_of(get_args(Better), "direction", value),
    "axis": lambda value: _one_of(AXES, "axis", value),
    "bounds": _bounds,
}
