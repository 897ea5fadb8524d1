"""Pearmut: its log of annotations, JSON lines, one a rated group of segments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.names import shown
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import json_lines

RESET = "__RESET__"  # an annotation that voids what the rater said of the item before
PAGES = ("welcome_", "random_", "goodbye_")
SCORE = "score"
NO_SLIDER = {"score", "error_spans", "comment"}


class _Entry(NamedTuple):
    """A line of the log."""

    line: int
    rater: str
    item: str  # its number
    segments: list[Any]
    annotation: Any


@rating_format("pearmut")
def read_pearmut(path: Path, asked: ImportSettings) -> GatheredRatings:
    """JSON lines with user_id, item_i, item and annotation: scores and sliders of each model."""
    found = GatheredRatings()
    entries = [entry for entry in _entries(path, found) if not entry.item.startswith(PAGES)]
    kept = _kept(entries)
    left = sum(entry.annotation != RESET for entry in entries) - len(kept)
    if left:
        found.remarks.append(f"{left} lines were rated again or reset later, and are left out")
    once = _ids(kept)
    for entry in kept:
        for place, (segment, said) in enumerate(zip(entry.segments, entry.annotation, strict=True)):
            if said is not None:
                edit = _edit(segment, entry, place, once)
                found.rows += _rows(path, entry, edit, segment, said, asked, found)
    return found


def _entries(path: Path, found: GatheredRatings) -> Iterator[_Entry]:
    """Yield the lines that have the form of a log."""
    for line, one in json_lines(path, found):
        rater, item = one.get("user_id"), one.get("item_i")
        segments, said = one.get("item"), one.get("annotation")
        if said == RESET:
            yield _Entry(line, str(rater), str(item), [], RESET)
        elif not isinstance(rater, str) or not isinstance(item, int | str):
            found.wrong(path, line, "user_id and item_i should say who rated what")
        elif not isinstance(segments, list) or not isinstance(said, list):
            found.wrong(path, line, "item and annotation should be lists")
        elif len(segments) != len(said):
            found.wrong(path, line, f"{len(segments)} segments in item, {len(said)} in annotation")
        else:
            yield _Entry(line, rater, str(item), segments, said)


def _kept(entries: list[_Entry]) -> list[_Entry]:
    """Return of every rater and item the last line, none that a reset voids."""
    last: dict[tuple[str, str], _Entry] = {}
    for entry in entries:
        last.pop((entry.rater, entry.item), None)
        if entry.annotation != RESET:
            last[entry.rater, entry.item] = entry
    return list(last.values())


def _ids(entries: list[_Entry]) -> set[str]:
    """Return the ids of segments that stand in one place only: others need it beside them."""
    places: dict[str, set[tuple[str, int]]] = {}
    for entry in entries:
        for place, segment in enumerate(entry.segments):
            name = segment.get("item_id") if isinstance(segment, dict) else None
            if isinstance(name, str):
                places.setdefault(name, set()).add((entry.item, place))
    return {name for name, where in places.items() if len(where) == 1}


def _edit(segment: Any, entry: _Entry, place: int, once: set[str]) -> str:
    name = segment.get("item_id") if isinstance(segment, dict) else None
    if isinstance(name, str) and name in once:
        return name
    return f"{name if isinstance(name, str) else 'item'} ({entry.item}.{place})"


def _rows(
    path: Path,
    entry: _Entry,
    edit: str,
    segment: Any,
    said: Any,
    asked: ImportSettings,
    found: GatheredRatings,
) -> list[RatingRow]:
    """Return the ratings of a segment: its score and its sliders, by model."""
    if not isinstance(said, dict):
        found.wrong(path, entry.line, f"the annotation of {shown(edit)} should be one by model")
        return []
    rows = []
    prompt = segment.get("src") if isinstance(segment, dict) else None
    for model, answer in said.items():
        for question, value in _answers(answer).items():
            if question in asked.drop:
                continue
            row = RatingRow(str(path), entry.line, edit, model, question, value, entry.rater)
            if value is not None:
                rows.append(row._replace(prompt=prompt if isinstance(prompt, str) else ""))
            elif not asked.skip_empty:
                found.wrong(path, entry.line, f"no {question} of {model} on {shown(edit)}")
    return rows


def _answers(answer: Any) -> dict[str, Any]:
    """Return score and sliders; one without any has no score."""
    if not isinstance(answer, dict):
        return {SCORE: None}
    sliders = {
        name: value
        for name, value in answer.items()
        if name not in NO_SLIDER and isinstance(value, int | float) and not isinstance(value, bool)
    }
    return {SCORE: answer.get(SCORE)} if SCORE in answer or not sliders else sliders
