"""What each key of suite.yaml may hold, as a pydantic model; `suite_check` reads by it."""

import math
import posixpath
import re
import unicodedata
from dataclasses import dataclass, make_dataclass
from functools import cache
from pathlib import PureWindowsPath
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from dreamix.core.media_pixels import COLOURS
from dreamix.core.names import near_misses, shown
from dreamix.core.yaml_reading import kind_of, shown_of
from dreamix.data.worlds import WORLDS

MOST_FPS = 100_000
MOST_STILLS = 12
MOST_TAGS = 50  # of an edit; references too
MOST_QUESTIONS = 500  # of an edit
ID_LENGTH = 100  # Leaves room for `.json` and a temporary suffix in the 255 bytes of a file name.
WINDOWS_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{d}{n}" for d in ("com", "lpt") for n in "123456789"),
}
# Of these a number or a date is the text that is written: `version: 1.10` is not 1.1.
AS_WRITTEN = ("version", "sha256")


def why_unsafe(identifier: str) -> str | None:
    """Return why an id cannot name a file on every system, or None where it can."""
    if len(identifier) > ID_LENGTH:
        return f"longer than {ID_LENGTH} characters"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", identifier):
        return "an id names files, so only letters A-Z a-z, digits and . _ - are allowed"
    if identifier[0] in ".-" or identifier[-1] == "." or ".." in identifier:
        return "it must not start with . or -, end with . or contain .."
    if identifier.split(".")[0].lower() in WINDOWS_DEVICES:
        return "Windows reserves this name for a device"
    return None


def why_outside(path: str) -> str | None:
    """Return why a path is not in the suite's folder, to be put behind it; None if it is."""
    if "\n" in path or "\t" in path:
        return " holds a line break or a tab"
    if "\\" in path:
        return ": write / between folders, also on Windows"
    if path.startswith(("/", "~")) or PureWindowsPath(path).drive:
        return " leaves the suite's folder: write it relative to the folder"
    if posixpath.normpath(path).split("/")[0] == "..":
        return " leaves the suite's folder"
    return None


def control_character(text: str) -> str | None:
    """Return the first control character of a text but tabs and line breaks, or half a letter."""
    if text.isprintable():
        return None
    odd = (c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n")
    return next(odd, None)


def _written(text: str) -> str:
    """Return text that says something and can be shown."""
    if not text.strip():
        raise ValueError(" is empty")
    if odd := control_character(text):
        raise ValueError(f" holds the control character U+{ord(odd):04X}")
    return text


def _on_one_line(text: str) -> str:
    """Return text of which every run of white space is one space, so that folding is free."""
    return " ".join(_written(text).split())


def _safe(text: str) -> str:
    if why := why_unsafe(_written(text)):
        raise ValueError(f"unsafe id {shown(text, 200)}: {why}")
    return text


def _inside(text: str) -> str:
    """Return a path in its shortest form, if it stays in the suite's folder."""
    if why := why_outside(_written(text)):
        raise ValueError(f" {shown(text, 200)}{why}")
    return posixpath.normpath(text)


def _hexadecimal(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError(" must be 64 hexadecimal digits")
    return value.lower()


def _rate(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= MOST_FPS:  # type: ignore[operator]
        raise ValueError(" must be a number above 0")
    return float(value)  # type: ignore[arg-type]


def _few(value: object) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not 1 <= value <= MOST_STILLS:  # type: ignore[operator]
        raise ValueError(f" must be a whole number from 1 to {MOST_STILLS}")
    return value  # type: ignore[return-value]


def _one_of(what: str, names: tuple[str, ...]) -> AfterValidator:
    """Return a check that a text is one of some words."""

    def check(text: str) -> str:
        if _written(text) not in names:
            hint = near_misses(text, [*names])
            known = ", ".join(names)
            raise ValueError(f"unknown {what} {shown(text, 200)}{hint} (known: {known})")
        return text

    return AfterValidator(check)


def _json_value(value: object) -> object:
    """Return what JSON has a word for: the recipe ends up in the JSON snapshot of a run."""
    if isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            _json_value(one)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f" {value!r} is not a value that a recipe can hold")
    elif not isinstance(value, str | int | float | None):
        given = f"'{value}' (a date)"
        if isinstance(value, yaml.Node):
            given = f"{shown_of(value)} ({kind_of(value)})"
        raise ValueError(f" {given} is not a value that a recipe can hold")
    return value


def _slug(text: str) -> str:
    """Return a word that can stand in tables, files and links as it is."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", text):
        raise ValueError(f" {shown(text, 200)} must be small letters, digits and . _ - only")
    return text


def _each_once(values: list[str]) -> list[str]:
    if twice := next((one for one in values if values.count(one) > 1), None):
        raise ValueError(f" has {shown(twice, 200)} twice")
    return values


def _answer(value: object) -> bool | str:
    if not isinstance(value, bool | str):
        raise ValueError(" must be yes, no, or one of the options as text")
    return value if isinstance(value, bool) else _on_one_line(value)


Text = Annotated[str, AfterValidator(_written)]
Line = Annotated[str, AfterValidator(_on_one_line)]
Id = Annotated[str, AfterValidator(_safe)]
MediaPath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, BeforeValidator(_hexadecimal)]
Fps = Annotated[float, BeforeValidator(_rate)]
Stills = Annotated[int, BeforeValidator(_few)]
Slug = Annotated[str, AfterValidator(_slug)]
Answer = Annotated[bool | str, BeforeValidator(_answer)]
Lines = Annotated[list[Line], Field(min_length=2, max_length=20), AfterValidator(_each_once)]
Tags = Annotated[list[Slug], Field(max_length=MOST_TAGS), AfterValidator(_each_once)]
References = Annotated[list[MediaPath], Field(max_length=MOST_TAGS), AfterValidator(_each_once)]
Origin = Annotated[dict[str, str | int | None], Field(max_length=10)]
Spellings = Annotated[dict[Slug, Line], Field(max_length=500)]
Colour = Annotated[str, _one_of("colour", tuple(COLOURS))]
# Fields of a recipe; what they mean is checked by `suite_check`.
Recipe = dict[str, Annotated[Any, AfterValidator(_json_value)]]


@dataclass(frozen=True)
class VideoForm:
    """A video of suite.yaml, but its recipe. A key without a value counts as left out."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"noun": "a video"})
    id: Id
    caption: Line | None = None
    path: MediaPath | None = None
    sha256: Sha256 | None = None
    mask: MediaPath | None = None
    fps: Fps | None = None
    stills: Stills | None = None


@dataclass(frozen=True)
class QuestionForm:
    """A question about the edited clip; see `dreamix.data.edit_questions.EditQuestion`."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"noun": "a question"})
    question: Line
    answer: Answer
    options: Lines | None = None
    id: Slug | None = None
    about: Line | None = None
    sees: Annotated[str, _one_of("view", ("edit", "both"))] | None = None


def _answerable(row: QuestionForm) -> QuestionForm:
    """Return a question whose answer can be given: yes or no, or one of its options."""
    if row.options and row.answer not in row.options:
        raise ValueError(" has an `answer` that is none of its `options`")
    if not row.options and not isinstance(row.answer, bool):
        raise ValueError(" must have yes or no as its `answer`, or `options` to choose from")
    return row


def _apart(rows: list[QuestionForm]) -> list[QuestionForm]:
    _each_once([row.id for row in rows if row.id])
    return rows


Questions = Annotated[
    list[Annotated[QuestionForm, AfterValidator(_answerable)]],
    Field(max_length=MOST_QUESTIONS),
    AfterValidator(_apart),
]


@dataclass(frozen=True)
class EditForm:
    """An edit of suite.yaml, but its recipe; its video, words and category are checked later."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"noun": "an edit"})
    id: Id
    video: Text
    category: Text
    prompt: Line | None = None
    instruction: Line | None = None
    from_phrase: Annotated[Line | None, Field(alias="from")] = None
    to_phrase: Annotated[Line | None, Field(alias="to")] = None
    tags: Tags | None = None
    questions: Questions | None = None
    references: References | None = None
    origin: Origin | None = None


@dataclass(frozen=True)
class SuiteForm:
    """A whole suite.yaml."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"noun": "a suite"})
    name: Line
    version: Line
    licence: Line
    videos: Annotated[list[VideoForm], Field(min_length=1)]
    edits: Annotated[list[EditForm], Field(min_length=1)]
    colour: Colour | None = None
    categories: Spellings | None = None
    origin: Origin | None = None


def suite_form() -> type[SuiteForm]:
    """Return the form of a suite, in which each world has a key for its recipes."""
    return _suite_form(tuple(WORLDS.names()))


@cache
def _suite_form(worlds: tuple[str, ...]) -> type[SuiteForm]:
    video, edit = (with_recipes(row, worlds, Recipe) for row in (VideoForm, EditForm))
    tables = [(key, _table(row)) for key, row in (("videos", video), ("edits", edit))]
    return make_dataclass("SuiteForm", tables, bases=(SuiteForm,), frozen=True)


def _table(row: type) -> Any:
    return Annotated[list[row], Field(min_length=1)]  # type: ignore[valid-type]


def with_recipes(row: type, worlds: tuple[str, ...], recipe: object) -> type:
    """Return a dataclass of a row that has a field for a recipe of each world as well."""
    kind: Any = recipe
    return make_dataclass(
        row.__name__, [(world, kind | None, None) for world in worlds], bases=(row,), frozen=True
    )
