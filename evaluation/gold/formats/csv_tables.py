"""CSV: a row a rating, or a row a clip with a column for every question."""

import re
from pathlib import Path
from typing import NamedTuple

from dreamix.core.csv_reading import is_missing
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses, shown
from dreamix.core.wording import listed
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import table_rows

KNOWN = ("edit", "method", "rater", "question", "value", "source", "category", "seed", "prompt")
MEANS = ("mean", "mos")  # what the column of values may be called where no rater is told
PERSONAL = frozenset(
    re.split(
        r"\s+",
        "name firstname lastname surname email mail age sex gender birth birthday birthdate "
        "country city address nationality ethnicity race language languages fluent education "
        "occupation employment student income religion phone telephone ip useragent agent "
        "latitude longitude location demographics",
    )
)


class _Layout(NamedTuple):
    """What the columns of a table are."""

    called: list[str]  # known names in any case, others as they are spelled
    left: list[str]  # not read
    questions: list[str]  # columns of answers; none in a table with a row a rating
    seeds: bool  # an edit has several, so that each is an edit of its own


@rating_format("csv")
def read_csv(path: Path, asked: ImportSettings) -> GatheredRatings:
    """Edit, method, rater, question, value; or a column a question; without rater: mean scores."""
    found = GatheredRatings()
    names, rows = table_rows(path, found)
    layout = _layout(path, names, rows, asked, found)
    found.means = "rater" not in layout.called
    for line, cells in rows:
        row = dict(zip(layout.called, cells, strict=True))
        found.rows += _ratings(str(path), line, row, layout, asked, found)
    return found


def _layout(
    path: Path,
    names: list[str],
    rows: list[tuple[int, list[str]]],
    asked: ImportSettings,
    found: GatheredRatings,
) -> _Layout:
    called = _called(path, names, asked)
    called = [f"{name} (left out)" if name in asked.drop else name for name in called]
    personal = [name for name in called if name not in KNOWN and _is_personal(name)]
    if personal:
        found.remarks.append(f"personal columns are left out: {listed(personal)}")
    left = [name for name in called if name.endswith(" (left out)") or name in personal]
    wide = not {"question", "value"} & set(called)
    questions = [n for n in called if n not in KNOWN and n not in left] if wide else []
    at = called.index("seed") if "seed" in called else None
    seeds = at is not None and len({cells[at] for _, cells in rows}) > 1
    if seeds:
        found.remarks.append("every seed is an edit of its own; seeds of an edit share its source")
    layout = _Layout(called, left, questions, seeds)
    _check(path, layout, wide, found)
    return layout


def _called(path: Path, names: list[str], asked: ImportSettings) -> list[str]:
    given = {theirs: ours for ours, theirs in asked.columns}
    for ours, theirs in asked.columns:
        if theirs not in names:
            raise UserError(
                f"--column {ours}={theirs}: {path} has no column {shown(theirs)}"
                f"{near_misses(theirs, names)}; it has {listed(names)}"
            )
    found = [given.get(name, name.lower() if name.lower() in KNOWN else name) for name in names]
    if "rater" not in found and "value" not in found:
        found = ["value" if name.lower() in MEANS else name for name in found]
    return found


def _is_personal(name: str) -> bool:
    return bool(PERSONAL & set(re.split(r"[\W_]+", name.lower())))


def _check(path: Path, layout: _Layout, wide: bool, found: GatheredRatings) -> None:
    """Note columns that are missing and columns that nobody knows."""
    need = ("edit", "method") if wide else ("edit", "method", "question", "value")
    for name in need:
        if name not in layout.called:
            found.wrong(path, 1, f"there is no column {name}; --column {name}=THEIRS says which is")
    if wide and not layout.questions:
        found.wrong(path, 1, "there are no answers: question and value, or a column a question")
    for name in layout.called:
        if not wide and name not in (*KNOWN, *layout.left):
            found.wrong(path, 1, f"unknown column {shown(name)}: --drop {name} leaves it out")


def _ratings(
    file: str,
    line: int,
    row: dict[str, str],
    layout: _Layout,
    asked: ImportSettings,
    found: GatheredRatings,
) -> list[RatingRow]:
    """Return the ratings of a line; an empty cell is a mistake unless these are skipped."""
    texts = {name: row.get(name, "") for name in ("rater", "source", "category", "prompt")}
    edit = row.get("edit", "")
    if layout.seeds:
        texts["source"] = texts["source"] or edit
        edit = f"{edit} seed {row['seed']}"
    given = {name: row[name] for name in layout.questions}
    given = given or {row.get("question", ""): row.get("value", "")}
    rows = []
    if "rater" in row and not texts["rater"]:
        why = "no rater: every row should name one, or --drop rater where values are mean scores"
        found.wrong(file, line, why)
    if layout.seeds and not row["seed"]:
        found.wrong(file, line, "no seed, though other rows have one")
    for question, value in given.items():
        if not is_missing(value) or asked.scale.grade(value) is not None:
            rows.append(
                RatingRow(file, line, edit, row.get("method", ""), question, value, **texts)
            )
        elif not asked.skip_empty:
            found.wrong(file, line, f"no value of {question}: --skip-empty takes it as not rated")
    return rows
