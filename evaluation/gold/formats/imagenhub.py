"""ImagenHub: one tab-separated file a rater, a column a method, both answers in a cell."""

import re
from pathlib import Path

from dreamix.core.csv_reading import is_missing
from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.wording import listed
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import table_rows

QUESTIONS = ("SC", "PQ")  # semantic consistency, perceptual quality: in this order in every cell
_FILE = re.compile(r"(.+)_(rater\d+)\.tsv")
_CELL = re.compile(r"\[\s*([^,\[\]]+?)\s*,\s*([^,\[\]]+?)\s*\]")
_EDIT = re.compile(r"(.+_\d+)_\d+\.\w+")  # sample_SOURCE_TURN.jpg; sample_7.jpg is its own source


@rating_format("imagenhub", unit="image")
def read_imagenhub(path: Path, asked: ImportSettings) -> GatheredRatings:
    """A folder of TASK_rater1.tsv, TASK_rater2.tsv, ..., or FOLDER/TASK: cells [SC, PQ]."""
    found = GatheredRatings()
    columns: dict[str, list[str]] = {}
    rated: dict[str, set[str]] = {}
    for file, rater in _files(path):
        names, rows = table_rows(file, found)
        columns[file.name] = names[1:]
        if names[0] != "uid":
            found.wrong(file, 1, f"the first column should be uid, not {shown(names[0])}")
        rated[file.name] = {cells[0] for _, cells in rows}
        for line, cells in rows:
            found.rows += _of_line(file, rater, line, cells, names, asked, found)
    _check_alike(path, found, columns, rated, asked)
    if any(_EDIT.fullmatch(row.edit) for row in found.rows) and not asked.source_pattern:
        found.remarks.append("turns of one image, sample_IMAGE_TURN, share it as their source")
    return found


def _files(path: Path) -> list[tuple[Path, str]]:
    """Return the files of a task with the rater of each."""
    folder, task = (path, "") if path.is_dir() else (path.parent, path.name)
    fits = [(one, found) for one in sorted(folder.glob("*.tsv")) if (found := _named(one.name))]
    tasks = sorted({found[0] for _, found in fits})
    if task:
        fits = [one for one in fits if one[1][0] == task]
    elif len(tasks) > 1:
        raise UserError(f"{path} has {listed(tasks)}: name one, such as {path / tasks[0]}")
    if not fits:
        has = f"; {folder} has {listed(tasks)}" if tasks else ""
        raise UserError(f"{path}: there are no files TASK_rater1.tsv, TASK_rater2.tsv{has}")
    return [(one, found[1]) for one, found in fits]


def _named(name: str) -> tuple[str, str] | None:
    found = _FILE.fullmatch(name)
    return (found[1], found[2]) if found else None


def _of_line(
    file: Path,
    rater: str,
    line: int,
    cells: list[str],
    names: list[str],
    asked: ImportSettings,
    found: GatheredRatings,
) -> list[RatingRow]:
    edit, rows = cells[0], []
    turn = _EDIT.fullmatch(edit)
    source = turn[1] if turn else ""
    for method, cell in zip(names[1:], cells[1:], strict=True):
        answers = _CELL.fullmatch(cell)
        if answers:
            rows += [
                RatingRow(str(file), line, edit, method, question, value, rater, source)
                for question, value in zip(QUESTIONS, answers.groups(), strict=True)
                if question not in asked.drop and not (asked.skip_empty and is_missing(value))
            ]
        elif cell or not asked.skip_empty:
            found.wrong(file, line, f"{method}: {shown(cell)} should be two answers, [SC, PQ]")
    return rows


def _check_alike(
    path: Path,
    found: GatheredRatings,
    columns: dict[str, list[str]],
    rated: dict[str, set[str]],
    asked: ImportSettings,
) -> None:
    """Note where raters' files have other methods or edits than the first."""
    first = next(iter(columns))
    for name in columns:
        file = next(one for one in found.files if one.name == name)
        if columns[name] != columns[first]:
            found.wrong(file, 1, f"its methods are not those of {first}, in their order")
        for edit in sorted(rated[first] ^ rated[name]):
            if not asked.skip_empty:
                where = name if edit in rated[first] else first
                found.wrong(file, 1, f"{shown(edit)} is missing in {where}")
