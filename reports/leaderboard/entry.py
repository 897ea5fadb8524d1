"""What a site keeps of a method that was entered, and of its suite: files in SITE/data.

An entry holds everything that pages show of it and every score, so that the ranks of all can be
worked out anew without the run folders. Its id is a hash of what was made: the same clips entered
again, with other words or more metrics, are the same entry.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from annotated_types import MinLen
from pydantic import AfterValidator

from dreamix.core.records import to_json
from dreamix.core.typed import STRICT, Name
from evaluation.run.info import BackendInfo, MetricInfo, PackageInfo
from evaluation.schema import Cell, Seed, Sha256, Status

# Folders of an absolute path, which says where something lay on somebody's machine.
_FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/:'\"]+/)+")
LONGEST = 200  # letters of a line
OPEN_LICENCES = (
    *("0bsd", "afl-3.0", "agpl-3.0", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0"),
    *("cc-by-sa-4.0", "cc0-1.0", "epl-2.0", "gpl-2.0", "gpl-3.0", "isc", "lgpl-2.1", "lgpl-3.0"),
    *("mit", "mpl-2.0", "unlicense"),
)


def plain_line(text: str) -> str:
    """Return a text of a submission; one that is no line is a `ValueError` that says so."""
    if not text.isprintable() or not text.strip() or len(text) > LONGEST:
        raise ValueError(f" must be one line of 1 to {LONGEST} letters")
    return text.strip()


def _address(text: str) -> str:
    try:
        found = urlsplit(plain_line(text))
        is_web = found.scheme in ("http", "https") and bool(found.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise ValueError(" must be an address that begins with https:// or http://")
    if odd := [sign for sign in text if sign.isspace() or sign in "\"'<>\\"]:
        raise ValueError(f" must be an address: {odd[0]!r} in it is written %{ord(odd[0]):02X}")
    return text


def _day(text: str) -> str:
    try:
        return date.fromisoformat(plain_line(text)).isoformat()
    except ValueError:
        raise ValueError(" must be a day, as 2026-11-30") from None


Line = Annotated[str, AfterValidator(plain_line)]
Address = Annotated[str, AfterValidator(_address)]
Day = Annotated[str, AfterValidator(_day)]
Nothing = Literal[""]


@dataclass(frozen=True)
class BoardEdit:
    """An edit of the suite, without what was asked."""

    __pydantic_config__ = STRICT
    id: Name
    video: Name
    category: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoardSuite:
    """The one suite that all entries are of."""

    __pydantic_config__ = STRICT
    name: str
    version: str
    licence: str
    sha256: Sha256
    edits: Annotated[tuple[BoardEdit, ...], MinLen(1)]

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if len({edit.id for edit in self.edits}) < len(self.edits):
            raise ValueError("no edit should stand twice")

    @property
    def said(self) -> str:
        """It as messages name it."""
        return f"{self.name} version {self.version} ({self.sha256[:8]})"


@dataclass(frozen=True)
class SubmissionFacts:
    """What a submission says of a method that its run does not know; empty where it says nothing.

    deterministic: the method draws no random numbers, so that one clip an edit is all there is.
    """

    __pydantic_config__ = STRICT
    name: Line
    team: Line | Nothing = ""
    version: Line | Nothing = ""
    licence: Line | Nothing = ""
    date: Day | Nothing = ""
    paper: Address | Nothing = ""
    code: Address | Nothing = ""
    contact: Line | Nothing = ""
    hardware: Line | Nothing = ""
    deterministic: bool = False

    @property
    def said(self) -> str:
        """What stands below its name: the team and the version."""
        version = self.version and f"version {self.version.removeprefix('version ')}"
        return " \u00b7 ".join(filter(None, (self.team, version)))

    @property
    def is_open(self) -> bool:
        """Whether the licence is one that everybody may use the method under, for anything."""
        plain = re.sub(r"[\s_]+", "-", self.licence.strip().lower())
        return re.sub(r"(-only|-or-later|\+)$", "", plain) in OPEN_LICENCES


@dataclass(frozen=True)
class EntryClip:
    """One clip of an entry, or why there is none; and its score on every metric."""

    __pydantic_config__ = STRICT
    edit: Name
    seed: Seed
    status: Status
    reason: str | None = None
    sha256: Sha256 | None = None
    seconds: float | None = None  # of making it; None for a file that was brought in
    finetune_seconds: float = 0.0  # of these
    peak_memory_mb: float | None = None
    covers: float | None = None  # share of its source
    values: dict[str, float] = field(default_factory=dict)  # by metric
    lacks: dict[str, tuple[Status, str]] = field(default_factory=dict)  # metric -> why no value


@dataclass(frozen=True)
class Entry:
    """A method as it was entered."""

    __pydantic_config__ = STRICT
    id: Name
    label: Name  # in its run, and in studies of that
    anchor: bool
    facts: SubmissionFacts
    suite: Sha256
    method: str  # in the registry
    config: dict[str, Any]
    definition: str
    seeds: tuple[Seed, ...]
    backend: BackendInfo | None
    package: PackageInfo | None
    versions: dict[str, str]
    scored_with: dict[str, str]
    metrics: dict[Name, MetricInfo]
    sources: dict[Name, Sha256]  # content of the source clips
    clips: tuple[EntryClip, ...]
    format: Literal[1] = 1

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if any(name != facts.name for name, facts in self.metrics.items()):
            raise ValueError("every metric should be called as its facts are")
        known = {*self.metrics}
        if any(not known.issuperset((*clip.values, *clip.lacks)) for clip in self.clips):
            raise ValueError("every score should be of one of the metrics")

    def check(self, suite: BoardSuite) -> None:
        """Raise a `ValueError` unless it has each edit of the suite once with each seed."""
        if self.suite != suite.sha256:
            raise ValueError(f"{self.id} is of another suite than board.json")
        found = [(clip.edit, clip.seed) for clip in self.clips]
        wanted = [(edit.id, seed) for edit in suite.edits for seed in self.seeds]
        if sorted(found) != sorted(wanted):
            raise ValueError(f"{self.id} does not have every edit of the suite with every seed")

    @property
    def family(self) -> tuple[str, str]:
        """What its versions have in common: name and team, in any case; of an anchor the label."""
        if self.anchor:
            return self.label, ""
        return self.facts.name.casefold(), self.facts.team.casefold()

    @cached_property
    def by_cell(self) -> dict[Cell, EntryClip]:
        """Its clips by edit and seed."""
        return {Cell(self.id, clip.edit, clip.seed): clip for clip in self.clips}

    @property
    def made(self) -> int:
        """How many clips there are."""
        return sum(clip.status == "ok" for clip in self.clips)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, clips without empty fields."""
        found = asdict(self)
        for clip in found["clips"]:
            for name in [name for name, value in clip.items() if value is None or value == {}]:
                del clip[name]
        for metric in found["metrics"].values():
            for name in [name for name, value in metric.items() if value is None]:
                del metric[name]
        return found


def entry_id(label: str, suite: str, config_hash: str, clips: tuple[EntryClip, ...]) -> str:
    """Return the id of what was made: by which method, with which settings, which clips."""
    ordered = sorted(clips, key=lambda clip: (clip.edit, clip.seed))
    made = [[clip.edit, clip.seed, clip.status, clip.sha256] for clip in ordered]
    told = to_json([suite, label, config_hash, made])
    return f"{label[:80]}-{hashlib.sha256(told.encode()).hexdigest()[:10]}"


def without_folders(value: Any) -> Any:
    """Return a JSON value whose absolute paths are names of files: pages are for everybody."""
    if isinstance(value, str):
        return _FOLDERS.sub("", value)
    if isinstance(value, dict):
        return {key: without_folders(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(without_folders(held) for held in value)
    return value


def meaning(facts: MetricInfo) -> str:
    """Return a hash of what a number means: entries are compared where it is the same.

    Of scores that were imported, every run has its own table: there it is who computed them, by
    name and version as the table says, and nobody can know more.
    """
    if facts.imported is None:
        return facts.definition_id
    told = [facts.name, facts.better, facts.axis, facts.imported.source, facts.imported.missing]
    return hashlib.sha256(to_json(["imported", *told]).encode()).hexdigest()[:12]


def public_metric(facts: MetricInfo) -> MetricInfo:
    """Return what is known of a metric without places on the machine that computed it."""
    imported = facts.imported and replace(facts.imported, place="")
    command = facts.command and replace(facts.command, text=without_folders(facts.command.text))
    return replace(
        facts,
        settings=without_folders(facts.settings),
        models=without_folders(facts.models),
        imported=imported,
        command=command,
        composite=None,
    )


def dated(entries: Sequence[Entry]) -> list[Entry]:
    """Return entries as they came: by date, those without one first, then by name."""
    return sorted(entries, key=lambda one: (one.facts.date, one.facts.name.casefold(), one.id))
