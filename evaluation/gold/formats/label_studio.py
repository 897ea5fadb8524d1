"""Label Studio: tasks with annotations as its JSON export has them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamix.core.names import shown
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import json_value, lines_of_list
from evaluation.gold.formats.names import edit_and_method, why_no_name

KINDS = ("rating", "number", "choices")
CLIPS = ("video", "image", "clip", "edited")  # keys of data that may name the clip
# A file that was uploaded has eight letters before its name, which are others for every upload.
UPLOADED = re.compile(r"(/data/upload/\d+/)[0-9a-f]{8}-")
Place = tuple[int, str, str, str, str]  # line, edit, method, source, prompt


@rating_format("label-studio")
def read_label_studio(path: Path, asked: ImportSettings) -> GatheredRatings:
    """JSON export of tasks: ratings, numbers and single choices; not what was skipped or owned."""
    found = GatheredRatings()
    tasks, lines = json_value(path, found), lines_of_list(path)
    if not isinstance(tasks, list):
        found.wrong(path, 1, "it should be a list of tasks: export as JSON, not as JSON-MIN")
        return found
    left = 0
    for number, task in enumerate(tasks):
        line = lines[number] if number < len(lines) else 1
        place = _place(path, line, task, asked, found)
        for one in _annotations(path, line, task, found) if place else ():
            if one.get("was_cancelled") or one.get("ground_truth"):
                left += 1
            elif place:
                found.rows += _rows(path, place, one, asked, found)
    if left:
        found.remarks.append(f"{left} annotations, skipped or the owner's, are left out")
    return found


def _place(
    path: Path, line: int, task: Any, asked: ImportSettings, found: GatheredRatings
) -> Place | None:
    """Return what a task is about; None, and a mistake, where it does not say."""
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        found.wrong(path, line, "a task should have data")
        return None
    names = {ours: theirs for ours, theirs in asked.columns}
    told = {
        ours: str(data.get(names.get(ours, ours), "") or "")
        for ours in ("edit", "method", "source", "prompt")
    }
    if not (told["edit"] and told["method"]):
        clip = next((data[key] for key in CLIPS if isinstance(data.get(key), str)), "")
        clip = UPLOADED.sub(r"\1", clip)
        fits = edit_and_method(clip, asked)
        if not fits:
            found.wrong(path, line, f"data has no edit and method, and {why_no_name(clip)}")
            return None
        told["edit"], told["method"] = told["edit"] or fits[0], told["method"] or fits[1]
    return line, told["edit"], told["method"], told["source"], told["prompt"]


def _annotations(
    path: Path, line: int, task: dict[str, Any], found: GatheredRatings
) -> Iterator[dict[str, Any]]:
    given = task.get("annotations")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        found.wrong(path, line, "a task should have a list of annotations")
        return
    yield from given


def _rows(
    path: Path, place: Place, one: dict[str, Any], asked: ImportSettings, found: GatheredRatings
) -> list[RatingRow]:
    line, edit, method, source, prompt = place
    rater, results = _rater(one.get("completed_by")), one.get("result")
    if not rater or not isinstance(results, list):
        found.wrong(path, line, "an annotation should have completed_by and a list result")
        return []
    rows = []
    for result in results:
        name = str(result.get("from_name")) if isinstance(result, dict) else ""
        if name in asked.drop:
            continue
        value, why = _value(result)
        if why:
            found.wrong(path, line, f"{name or 'a result'} {why}: --drop {name} leaves it out")
        else:
            row = RatingRow(str(path), line, edit, method, name, value, rater, source)
            rows.append(row._replace(prompt=prompt))
    return rows


def _rater(by: Any) -> str:
    """Return who rated, by number: an object has e-mail and name beside it."""
    number = by.get("id") if isinstance(by, dict) else by
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else ""


def _value(result: Any) -> tuple[Any, str]:
    """Return what was answered, or why it is no rating."""
    kind = result.get("type") if isinstance(result, dict) else None
    told = result.get("value") if isinstance(result, dict) else None
    if kind not in KINDS or not isinstance(told, dict):
        return None, f"is {shown(kind)}, which is no rating"
    value = told.get(kind)
    if kind == "choices":
        if not isinstance(value, list) or len(value) != 1:
            return None, f"has not one choice but {shown(value)}"
        return value[0], ""
    return (value, "") if value is not None else (None, f"has no {kind}")
