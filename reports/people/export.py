"""The export of a rater study, read: who said what of which edit. Files only, no database.

The folder is what `dreamix study export` writes; its codebook.csv says what every column means.
Tables are held to their columns, so that who reads on can rely on their kinds: here is what reports
cannot do without, and of what kind a column is where it is there.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.places import inside
from dreamix.core.records import open_file
from dreamix.core.typed import as_typed, read_typed
from dreamix.core.yaml_reading import read_yaml
from reports.people.study_file import ExportedDeclaration, ExportedStopping, ExportedStudy

MOST_ROWS, MOST_COLUMNS, MOST_BYTES = 5_000_000, 200, 1 << 30
Kind = Literal["text", "flag", "number"]
TEXTS = (
    "rater language kind state item video edit category prompt method method_left method_right "
    "check question preferred rule reason screen consent_version media_left media_right declared "
    "marked clip defect"
)
FLAGS = "simulated excluded finished rejected automatic phone commented"
NUMBERS = (
    "trial place value expected alignment fidelity quality seconds minutes_in coverage plays seeks "
    "stalls hidden_ms width minutes trials_rated trials_unplayable variance traps_failed "
    "gold_failed window_width seconds_of_clip start_s end_s clip_s x y height severity"
)
KINDS: dict[str, Kind] = {
    **dict.fromkeys(TEXTS.split(), "text"),
    **dict.fromkeys(FLAGS.split(), "flag"),
    **dict.fromkeys(NUMBERS.split(), "number"),
}
# without a gap in them
WHOLE = (
    *("rater", "kind", "video", "edit", "question", "excluded", "simulated", "finished", "rule"),
    *("clip", "defect", "start_s", "end_s", "clip_s", "severity"),
)
TABLES = {  # table -> columns that it must have
    "ratings_long": "rater excluded kind video edit category question value simulated",
    "ratings_wide": "rater kind video edit simulated",
    "raters": "rater excluded finished traps_failed gold_failed simulated",
    "exclusions": "rater rule",
    "plan": "kind video edit",
}
MARKS = "marks"  # of studies that ask where edits are broken
OF_MARKS = "rater kind video edit trial clip start_s end_s clip_s x y width height defect severity"
PREFIX = "simulated_"
RULES = {
    "failed_traps": "failing {} or more trap clips",
    "failed_gold": "failing {} or more trials with a known answer",
    "failed_playback": "rating {} or more clips without having watched them",
    "straight_line": "giving votes with a variance of at most {}",
    "unplayable": "reporting that {} of the clips or more did not play",
    "least_ratings": "giving fewer than {} ratings",
}
RULES_OF_ONE = {
    "failed_traps": "failing a trap clip",
    "failed_gold": "failing a trial with a known answer",
    "failed_playback": "rating a clip without having watched it",
}


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Return a table of an export.

    Raises:
        UserError: if it is not of the form that it should have.
    """
    frame = _frame(path)
    for column in (TABLES | {MARKS: OF_MARKS})[name].split():
        if column not in frame:
            raise UserError(f"{path}: there is no column {column}; export the study again")
    for column in frame.columns:
        if why := _why_not(frame[column], str(column)):
            raise UserError(f"{path}: column {column} {why}; export the study again")
    return frame


def _frame(path: Path) -> pd.DataFrame:
    try:
        with open_file(path) as file:
            held = pq.ParquetFile(file)
            about = held.metadata
            size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            if about.num_rows > MOST_ROWS or about.num_columns > MOST_COLUMNS or size > MOST_BYTES:
                raise ValueError(f"it is too large: {about.num_rows} rows, {size >> 20} MB")
            held.read().validate(full=True)  # else text that is no text shows when it is used
            file.seek(0)
            frame = pd.read_parquet(file)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - damage shows in errors of many libraries
        raise UserError(f"{path} cannot be read: {error}; export the study again") from None
    if not frame.columns.is_unique:
        raise UserError(f"{path}: two columns have one name; export the study again")
    return frame.reset_index(drop=True)


def _why_not(column: pd.Series, name: str) -> str | None:
    """Return why the values of a column are not of its kind; None if they are, or it has none."""
    there = column.dropna()
    if name in WHOLE and len(there) < len(column):
        return "has empty cells"
    kind = KINDS.get(name)
    if kind == "text" and not _is_text(there):
        return "should hold text"
    if kind == "flag" and not there.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return "should hold true and false"
    if kind == "number":
        numbers = pd.to_numeric(there, errors="coerce") if _is_real(there) else None
        if numbers is None or not np.isfinite(numbers.astype(float)).all():
            return "should hold numbers"
    return None


def _is_text(column: pd.Series) -> bool:
    try:
        return all(isinstance(value, str) for value in column.unique())
    except TypeError:  # lists and the like, which cannot be told apart
        return False


def _is_real(column: pd.Series) -> bool:
    """Return True for numbers as they are: neither text nor flags nor complex ones."""
    if column.empty:
        return True
    return pd.api.types.infer_dtype(column) in ("integer", "floating", "mixed-integer-float")


@dataclass(frozen=True)
class StudyExport:
    """An export in memory; the frames are its tables."""

    folder: Path
    study: dict[str, Any]  # study.yaml
    declared: dict[str, Any]  # hash of the analysis plan, when it was kept, amendments
    simulated: bool
    long: pd.DataFrame
    wide: pd.DataFrame
    raters: pd.DataFrame
    exclusions: pd.DataFrame
    plan: pd.DataFrame
    ratings_sha256: str  # of the table of answers
    marks: pd.DataFrame | None = None  # where edits are broken; None in exports of before
    stopping: ExportedStopping | None = None  # of a study whose votes were dealt adaptively

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.study["name"])

    @property
    def design(self) -> str:
        """Return "absolute" (votes from 1 to 5) or "pairwise" (choices)."""
        return str(self.study.get("design", "absolute"))

    @property
    def methods(self) -> list[str]:
        """Labels of the methods that were rated, as the study lists them."""
        return [str(method) for method in self.study["methods"]]

    @property
    def questions(self) -> list[str]:
        """What was asked, in the study's order."""
        asked = self.study.get("questions", ["alignment", "fidelity", "quality"])
        return [str(question) for question in asked]

    @property
    def scale(self) -> tuple[float, float]:
        """Least and greatest vote."""
        scale = self.study.get("scale", {})
        return float(scale.get("low", 1)), float(scale.get("high", 5))

    @property
    def threshold(self) -> float:
        """An edit succeeds if its mean vote is above this on every question."""
        return float(self.study.get("scale", {}).get("success", 2.5))

    @property
    def means(self) -> bool:
        """Whether only mean scores are known, not who gave which vote."""
        return bool(self.study.get("ratings") == "means")

    @property
    def origin(self) -> dict[str, Any] | None:
        """Where ratings come from that were collected elsewhere; None for a study of ours."""
        found: dict[str, Any] | None = self.study.get("origin")
        return found

    @property
    def own(self) -> pd.DataFrame:
        """Answers that were given for their own sake: no training, traps, gold or repeats."""
        return self.long[self.long["kind"] == "rating"]


def read_export(folder: Path) -> StudyExport:
    """Return the export in `folder`.

    It may come from a stranger: what is in it is held to its form before it is worked with.

    Raises:
        UserError: for a folder that is none, or lacks a file.
    """
    before = _prefix(folder)
    study = _study(inside(folder, "study.yaml"))
    tables = {name: read_table(inside(folder, f"{before}{name}.parquet"), name) for name in TABLES}
    declared = inside(folder, "declaration.json")
    return StudyExport(
        folder=folder,
        study=study,
        declared=asdict(read_typed(declared, ExportedDeclaration)) if declared.exists() else {},
        simulated=bool(before) or bool(tables["ratings_long"]["simulated"].any()),
        long=tables["ratings_long"],
        wide=tables["ratings_wide"],
        raters=tables["raters"],
        exclusions=tables["exclusions"],
        plan=tables["plan"],
        ratings_sha256=sha256_file(folder / f"{before}ratings_long.parquet"),
        marks=_marks(inside(folder, f"{before}{MARKS}.parquet")),
        stopping=_stopping(inside(folder, "adaptive.json"), study),
    )


def _stopping(path: Path, study: dict[str, Any]) -> ExportedStopping | None:
    """Return how pairs stood when votes were dealt adaptively; None for a fixed plan.

    Raises:
        UserError: if study.yaml declares a rule and there is no record of it, or the reverse.
    """
    if bool(study.get("adaptive")) != path.is_file():
        has = "has no" if study.get("adaptive") else "has an"
        raise UserError(f"{path.parent} {has} {path.name}, unlike its study.yaml; export it again")
    return read_typed(path, ExportedStopping) if path.is_file() else None


def _marks(path: Path) -> pd.DataFrame | None:
    """Return what raters marked.

    Raises:
        UserError: for a mark that is none.
    """
    if not path.is_file():
        return None
    marks = read_table(path, MARKS)
    wrong = (marks["start_s"] > marks["end_s"]) | (marks["end_s"] > marks["clip_s"] + 0.01)
    wrong |= (marks["start_s"] < 0) | (marks["clip_s"] <= 0)
    if wrong.any():
        raise UserError(f"{path}: a mark is not within its clip; export the study again")
    return marks


def _study(path: Path) -> dict[str, Any]:
    """Return what study.yaml says; what reports read of it is held to its form."""
    found = read_yaml(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: a study is a list of settings, `name: value` in each line")
    read = {field.name: found[field.name] for field in fields(ExportedStudy) if field.name in found}
    held = asdict(as_typed(read, ExportedStudy, str(path)))
    if held["playback"]["coverage"] is None:
        held["playback"] = {}
    return found | held


def is_export(folder: Path) -> bool:
    """Return whether a folder is the export of a study."""
    names = (f"{before}ratings_long.parquet" for before in ("", PREFIX))
    return any((folder / name).is_file() for name in names)


def _prefix(folder: Path) -> str:
    if not is_export(folder) or not (folder / "study.yaml").is_file():
        raise UserError(
            f"{folder} is no export of a study: it has no ratings_long.parquet and study.yaml; "
            "`dreamix study export STUDY` makes one"
        )
    return "" if (folder / "ratings_long.parquet").is_file() else PREFIX


def rule_words(rule: str, limit: float) -> str:
    """Return what a rule excludes raters for, such as "failing a trap clip"."""
    text = RULES_OF_ONE.get(rule) if limit == 1 else None
    return text or RULES[rule].format(f"{100 * limit:g}%" if rule == "unplayable" else f"{limit:g}")
