"""What a format of ratings gives, and how it is registered.

    @rating_format("my-tool")
    def my_tool(path: Path, asked: ImportSettings) -> GatheredRatings:
        \"\"\"What my tool writes (`dreamix study import --help` shows this line).\"\"\"

A format reads and refuses nothing that it can name by its line: it adds a `Problem` and goes on, so
that all mistakes of a file are told at once. What holds for ratings of any origin, the scale, votes
given twice, names, is checked afterwards (`evaluation.gold.checking`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import Problem, UserError
from dreamix.core.names import shown
from dreamix.core.registry import Registry

MOST_BYTES = 256 << 20  # of a file of ratings; a million votes take a quarter of it
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ENDS = re.compile(rf"({_NUMBER.pattern}):({_NUMBER.pattern})")


class RatingScale(NamedTuple):
    """The ends of a scale; `words` are its grades from worst to best where these are no numbers."""

    low: float
    high: float
    words: tuple[str, ...] = ()

    def grade(self, value: object) -> float | None:
        """Return a value as a number, None if it is none; words become 1, 2, 3 and so on."""
        text = str(value).strip()
        if self.words:
            known = [word.casefold() for word in self.words]
            return known.index(text.casefold()) + 1.0 if text.casefold() in known else None
        return float(text) if _NUMBER.fullmatch(text) else None


def scale_of(text: str) -> RatingScale:
    """Return the scale that a text spells: `0:100`, or grades from worst to best, `bad<fair<good`.

    Raises:
        UserError: if it spells none.
    """
    if ends := _ENDS.fullmatch(text.strip()):
        low, high = float(ends[1]), float(ends[2])
        if low < high and max(-low, high) < 1e9:
            return RatingScale(low, high)
    words = tuple(word.strip() for word in text.split("<"))
    if len(words) > 1 and all(words) and len({word.casefold() for word in words}) == len(words):
        return RatingScale(1.0, float(len(words)), words)
    raise UserError(
        f"{shown(text)} is no scale: write its ends, LOW:HIGH such as 1:5, or its grades from "
        "worst to best, such as 'bad<fair<good'"
    )


class RatingRow(NamedTuple):
    """One rating as a file has it; "" for what it does not say."""

    file: str
    line: int
    edit: str
    method: str
    question: str
    value: object  # as it stands there; a number once it is checked
    rater: str = ""
    source: str = ""
    category: str = ""
    prompt: str = ""


@dataclass
class GatheredRatings:
    """What a format found in a file or folder."""

    rows: list[RatingRow] = field(default_factory=list)
    means: bool = False  # values are means over raters who are not told apart
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  # what was left out or taken as what
    files: list[Path] = field(default_factory=list)

    def wrong(self, file: Path | str, line: int, message: str) -> None:
        """Note a mistake."""
        self.problems.append(Problem(str(file), line, message))


@dataclass(frozen=True)
class ImportSettings:
    """What was asked for beside the format and the place."""

    scale: RatingScale
    columns: tuple[tuple[str, str], ...] = ()  # (what it is, how the file calls it)
    drop: frozenset[str] = frozenset()  # columns or questions that are not read
    questions: tuple[tuple[str, str], ...] = ()  # (as the file calls it, as it shall be called)
    skip_empty: bool = False  # cells without a value are no mistakes
    source_pattern: str = ""  # of edits; its group is the source
    name_pattern: str = ""  # of names of files; its groups are edit and method


@dataclass(frozen=True)
class RatingFormat:
    """A format by its name; `read` says in its first line what it reads."""

    name: str
    read: Callable[[Path, ImportSettings], GatheredRatings]
    unit: str  # what was edited, if nobody says otherwise: video or image

    @property
    def line(self) -> str:
        """What lists of formats say of it."""
        return (self.read.__doc__ or "").strip().split("\n")[0].rstrip(".")


RATING_FORMATS: Registry[RatingFormat] = Registry(
    "format of ratings", "evaluation.gold.formats", "dreamix.rating_formats"
)
Read = Callable[[Path, ImportSettings], GatheredRatings]


def rating_format(name: str, unit: str = "video") -> Callable[[Read], Read]:
    """Return a decorator that registers what reads a format and gives it back unchanged.

    unit: what was edited, where the format tells it: "video" or "image".
    """

    def add(read: Read) -> Read:
        RATING_FORMATS.add(name, RatingFormat(name, read, unit), read.__module__)
        return read

    return add
