"""run.json and the small files around it, typed: the one reader that scoring and reports share.

A run folder may be a stranger's. Names in it become paths, numbers become loops: both are held to
their limits here, once.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.packages import Package
from dreamix.core.places import inside
from dreamix.core.records import parse_json, read_bytes
from dreamix.core.typed import STRICT, Name, parse_typed, read_typed
from dreamix.data.suite_snapshot import Text
from evaluation.run.elsewhere import CommandInfo, ImportInfo, JudgeInfo
from evaluation.schema import FORMAT, READABLE, Axis, Cell, ClipRow, Format, Origin, Seed, Sha256

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST_SEEDS = 1_000  # of a method
MOST_CELLS = 1_000_000  # of a run
MOST_SCORES = 2_000_000  # likewise
SIDECAR = 4 << 20  # bytes of one, at most
LEAST_SHARE = 0.9  # of its source that a clip has to cover


def seed_numbers(given: object) -> tuple[int, ...]:
    """Return the seeds of a method: those listed, or 0 to n-1 for a number n (formats 1 and 2)."""
    if isinstance(given, int) and not isinstance(given, bool):
        given = range(given) if 0 < given <= MOST_SEEDS else None
    if not isinstance(given, list | tuple | range) or not 0 < len(given) <= MOST_SEEDS:
        raise ValueError(f"should be 1 to {MOST_SEEDS} whole numbers, or how many from 0 up")
    if len(set(map(repr, given))) < len(given):
        raise ValueError("should not hold a seed twice")
    return tuple(given)


def _state_and_identity(held: list[Any]) -> list[Any]:
    if len(held) != 2 or not isinstance(held[1], str):
        raise ValueError("should be the state of a model and its identity")
    return held


ModelFound = Annotated[list[Any], AfterValidator(_state_and_identity)]


@dataclass(frozen=True)
class SuiteInfo:
    """Which suite a run is of."""

    __pydantic_config__ = STRICT
    name: Text
    version: Text | int | float
    licence: Text
    sha256: Sha256


@dataclass(frozen=True)
class PackageInfo:
    """Another package than the toolkit, which brings a method, a metric or a backend."""

    __pydantic_config__ = STRICT
    name: str
    version: str

    def __str__(self) -> str:
        """Return it as tables and messages name it."""
        return f"{self.name} {self.version}"


def package_info(package: Package | None) -> PackageInfo | None:
    """Return what run.json holds about a package; None for what is the toolkit's own."""
    return package and PackageInfo(*package)


@dataclass(frozen=True)
class BackendInfo:
    """The model that a method ran on."""

    __pydantic_config__ = STRICT
    name: str
    identity: str  # hash of its weights
    package: PackageInfo | None = None


@dataclass(frozen=True)
class MethodInfo:
    """One column of a comparison."""

    __pydantic_config__ = STRICT
    name: str  # of the method in the registry
    config: dict[str, Any]
    anchor: bool  # a reference whose numbers are known beforehand
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(seed_numbers)]
    config_hash: str = ""
    definition: str = ""
    backend: BackendInfo | None = None
    place: int = 0  # in the order asked for
    beside: dict[str, str] | None = None  # see evaluation.run.brought
    package: PackageInfo | None = None


@dataclass(frozen=True)
class MetricInfo:
    """What a metric declares about itself, and how it was computed."""

    __pydantic_config__ = STRICT
    name: Name
    axis: Axis
    better: Literal["higher", "lower", "neither"]
    definition: str
    bounds: tuple[float | Literal["-inf", "inf"], float | Literal["-inf", "inf"]]
    needs: tuple[str, ...]
    not_for: tuple[str, ...]
    version: int
    definition_id: str  # hash of version, models and frame policy
    models: dict[str, str]  # that decide the number: name, weights hash, preprocessing
    policy: str  # how frames of source and edit were paired
    settings: dict[str, Any] = field(default_factory=dict)
    responds: dict[str, str] = field(default_factory=dict)
    simulated: bool | None = None  # of a composite: learned from simulated ratings
    composite: dict[str, Any] | None = None  # see evaluation.score.composite_file
    package: PackageInfo | None = None
    imported: ImportInfo | None = None
    command: CommandInfo | None = None
    judge: JudgeInfo | None = None

    @property
    def arrow(self) -> str:
        """The direction that is good, as one character."""
        return {"higher": "↑", "lower": "↓"}.get(self.better, "·")

    @property
    def elsewhere(self) -> str | None:
        """What computed it, for a metric that is none of the toolkit's or of a package."""
        if self.imported:
            return self.imported.source
        asked = self.command or self.judge
        return asked.said if asked else None

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest value that is declared, each maybe infinite."""
        return float(self.bounds[0]), float(self.bounds[1])

    @property
    def sign(self) -> int:
        """1 if higher is better, -1 if lower is, 0 if the number only describes."""
        return {"higher": 1, "lower": -1}.get(self.better, 0)


@dataclass(frozen=True)
class RunInfo:
    """Contents of run.json."""

    __pydantic_config__ = STRICT
    format: Format
    suite: SuiteInfo
    edits: tuple[Name, ...]
    methods: dict[Name, MethodInfo]  # by label
    versions: dict[str, str] = field(default_factory=dict)
    metrics: dict[Name, MetricInfo] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)  # metric -> what is missing
    models: dict[str, ModelFound] = field(default_factory=dict)  # model -> state, identity
    scored_with: dict[str, str] = field(default_factory=dict)
    least_share: Annotated[float, Ge(0), Le(1)] = LEAST_SHARE

    def grid(self, edits: Iterable[str], labels: Iterable[str] | None = None) -> Iterator[Cell]:
        """Yield every clip there should be of these edits, method by method.

        labels: of the methods, in the order they are wanted in; all without it.
        """
        edits = [*edits]
        for label in self.methods if labels is None else labels:
            for edit in edits:
                for seed in self.methods[label].seeds:
                    yield Cell(label, edit, seed)

    def packages(self, labels: Iterable[str]) -> dict[str, str]:
        """Return name and version of the packages without which these columns cannot be made."""
        entries = [self.methods[label] for label in labels]
        brought = [one.package for entry in entries for one in (entry, entry.backend) if one]
        return {package.name: package.version for package in brought if package}

    @property
    def ordered(self) -> list[str]:
        """Labels as they were asked for; runs of format 1 do not know: there it is the alphabet."""
        return sorted(self.methods, key=lambda label: (self.methods[label].place, label))

    def check(self, where: str) -> None:
        """Raise a `UserError` if the run is too large to work with, or contradicts itself."""
        if len(set(self.edits)) < len(self.edits):
            raise UserError(f"{where}: edits holds one twice")
        cells = len(self.edits) * sum(len(method.seeds) for method in self.methods.values())
        if cells > MOST_CELLS or cells * len(self.metrics) > MOST_SCORES:
            raise UserError(
                f"{where} asks for {cells} clips and {cells * len(self.metrics)} scores: no more "
                f"than {MOST_CELLS} and {MOST_SCORES} can be worked with"
            )
        for name, metric in self.metrics.items():
            if metric.name != name:
                raise UserError(f"{where}: metrics.{name}.name is {shown(metric.name)}")
        for label, method in self.methods.items():
            for name in method.beside or ():
                if not isinstance(method.config.get(name), str):
                    raise UserError(
                        f"{where}: methods.{label}.beside has {shown(name)}, which is no place in "
                        "its config"
                    )

    def to_dict(self) -> dict[str, Any]:
        """Return what `write_json` can write; what is as it is by default is left out."""
        metrics = {name: _without_none(asdict(facts)) for name, facts in self.metrics.items()}
        found = {**_set_fields(self), "format": FORMAT}
        for entry in found["methods"].values():
            for held in filter(None, (entry, entry["backend"])):
                if held["package"] is None:
                    del held["package"]
        return {**found, "metrics": metrics} if metrics else found


def _set_fields(one: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a dataclass without those that are as they are by default."""

    def default(of: Field[Any]) -> Any:
        return of.default if of.default_factory is MISSING else of.default_factory()

    unset = {each.name for each in fields(one) if getattr(one, each.name) == default(each)}
    return {name: value for name, value in asdict(one).items() if name not in unset}


def _without_none(held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if value is not None}


@dataclass(frozen=True)
class KeptSource:
    """The sidecar of a source clip in the run folder."""

    __pydantic_config__ = STRICT
    file: str
    origin: Origin = None  # where it came from


def read_run_info(folder: Path) -> RunInfo:
    """Return what run.json says.

    Raises:
        UserError: if it is missing or damaged.
    """
    path = inside(folder, "run.json")
    if not path.exists():
        raise UserError(f"{folder} is not a run folder: it has no run.json (see `bench run`)")
    data = read_bytes(path)
    _check_format(folder, data)
    info = parse_typed(data, RunInfo, str(path))
    info.check(str(path))
    return info


def _check_format(folder: Path, data: bytes) -> None:
    """Raise a `UserError` if run.json is of a format that we do not read."""
    try:
        held = parse_json(data)
    except (ValueError, RecursionError):
        return  # said better by who reads the rest
    found = held.get("format") if isinstance(held, dict) else None
    if found is not None and found not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise UserError(f"{folder} has run format {shown(found)}; this version reads {known}")


def read_clip_row(path: Path, cell: Cell) -> ClipRow:
    """Return the sidecar of a cell.

    Raises:
        UserError: if it is damaged or of another clip.
    """
    return check_clip_row(path, read_typed(path, ClipRow, SIDECAR), cell)


def check_clip_row(path: Path | str, row: ClipRow, cell: Cell) -> ClipRow:
    """Return the row of a sidecar at `path`.

    Raises:
        UserError: if it is not of that cell.
    """
    if row.cell != cell:
        raise UserError(f"{path} is of {shown(tuple(row.cell), 200)}, not of the clip it is beside")
    if row.status == "ok" and (row.file is None or row.sha256 is None):
        raise UserError(f"{path}: status is ok, but file or sha256 is missing; remove it")
    _check_stem(path, row.file, str(cell.seed))
    return row


def read_kept_source(path: Path, video: str) -> KeptSource:
    """Return the sidecar of a source clip; one that names a file of something else is an error."""
    kept = read_typed(path, KeptSource, SIDECAR)
    _check_stem(path, kept.file, video)
    return kept


def _check_stem(path: Path | str, file: str | None, stem: str) -> None:
    """Raise a `UserError` unless a file that a sidecar names is called as the sidecar is."""
    if file is None:
        return
    suffix = os.path.splitext(file)[1]
    if (
        file != f"{stem}{suffix}"
        or not suffix.isprintable()
        or suffix.lower() in ("", ".", ".json")
    ):
        raise UserError(f"{path}: file is {shown(file)}, it should be {stem}.mp4 or the like")


def clip_name(stem: str, suffix: str) -> str:
    """Return what a clip is called that stands beside its sidecar, STEM.json."""
    fit = suffix.isprintable() and suffix.lower() not in ("", ".json")
    return f"{stem}{suffix if fit else '.clip'}"
