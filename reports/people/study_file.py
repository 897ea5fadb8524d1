"""What reports read of study.yaml and declaration.json in an export; there is more in them."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, Lt
from pydantic import ConfigDict

from dreamix.core.names import why_no_path
from dreamix.core.typed import STRICT, Name
from evaluation.schema import AXES

LOOSE = ConfigDict({**STRICT, "extra": "ignore"})


@dataclass(frozen=True)
class PlaybackRule:
    """How much of a clip had to be watched."""

    __pydantic_config__ = LOOSE
    coverage: Annotated[float, Ge(0), Le(1)] | None = None


@dataclass(frozen=True)
class ExportedScale:
    """What a vote can be, and above which mean an edit succeeds."""

    __pydantic_config__ = LOOSE
    low: float = 1.0
    high: float = 5.0
    success: float = 2.5
    words: tuple[str, ...] = ()  # the grades where they are no numbers, worst first

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if not self.low <= self.success < self.high:
            raise ValueError("low should be below high, and success between them")


@dataclass(frozen=True)
class OriginFile:
    """A file that ratings were read from."""

    __pydantic_config__ = LOOSE
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class ExportedOrigin:
    """Where ratings come from that were collected elsewhere."""

    __pydantic_config__ = LOOSE
    format: str
    source: str = ""
    licence: str = ""
    files: tuple[OriginFile, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportedStudy:
    """What reports read of study.yaml; there is more in it."""

    __pydantic_config__ = LOOSE
    name: str
    methods: tuple[Name, ...]
    version: str | int | float = ""
    design: Literal["absolute", "pairwise"] = "absolute"
    questions: tuple[str, ...] = AXES[:3]
    exclusion: dict[str, float | None] = field(default_factory=dict)
    playback: PlaybackRule = PlaybackRule()
    run: str = ""
    scale: ExportedScale = ExportedScale()
    ratings: Literal["votes", "means"] = "votes"
    unit: Literal["video", "image"] = "video"
    origin: ExportedOrigin | None = None

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if len(set(self.methods)) < len(self.methods) or not self.methods:
            raise ValueError("methods should be a list in which none stands twice")
        if len(set(self.questions)) < len(self.questions) or not self.questions:
            raise ValueError("questions should be a list in which none stands twice")
        if any(not name.isprintable() or name in ("", "success") for name in self.questions):
            raise ValueError("questions should be names, of which none is success")
        if why := why_no_path(self.run):
            raise ValueError(f"run should be a path: {why}")


@dataclass(frozen=True)
class DeclarationVersion:
    """One declaration, or an amendment of it."""

    __pydantic_config__ = LOOSE
    hash: str = ""
    at: Annotated[int, Ge(0), Lt(10**14)] = 0
    ratings: Annotated[int, Ge(0), Lt(10**12)] = 0
    reason: str | None = None
    automatic: bool = False


@dataclass(frozen=True)
class ExportedDeclaration:
    """What was declared, and when: declaration.json."""

    __pydantic_config__ = LOOSE
    hash: str = ""
    at: Annotated[int, Ge(0), Lt(10**14)] = 0  # milliseconds since 1970
    ratings: int = 0
    amendments: tuple[DeclarationVersion, ...] = ()
    first: DeclarationVersion | None = None  # what was declared before any amendment


@dataclass(frozen=True)
class ExportedCourse:
    """How two methods stand on a question, the second less the first: `Course`."""

    __pydantic_config__ = LOOSE
    question: str
    a: str
    b: str
    state: Literal["open", "different", "alike"]
    decided_after: Annotated[int, Ge(1), Lt(10**9)] | None
    raters: Annotated[int, Ge(0), Lt(10**9)]
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ExportedStopping:
    """By which rule votes were dealt, and how every pair stands: adaptive.json."""

    __pydantic_config__ = LOOSE
    rule: dict[str, float | str]
    courses: tuple[ExportedCourse, ...]
