"""The tables of an export, held to their columns: who reads on can rely on their kinds.

Which columns there are stands in the export's codebook.csv; here is what reports cannot do without,
and of what kind a column is where it is there.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from dreamix.core.errors import UserError
from dreamix.core.records import open_file

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


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Return a table of an export; one that is not of the form it has is a `UserError`."""
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
