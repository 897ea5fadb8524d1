"""Potato: what its command line exports, or the state that it keeps of every user."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import json_lines, json_value
from evaluation.gold.formats.names import edit_and_method, why_no_name

STATE = "user_state.json"
LABELS = "instance_id_to_label_to_value"
Answer = tuple[Path, int, str, str, Any]  # file, line, user, instance, labels by schema


@rating_format("potato")
def read_potato(path: Path, asked: ImportSettings) -> GatheredRatings:
    """annotations.jsonl, or annotation_output with a folder a user; EDIT__METHOD as instance."""
    found = GatheredRatings()
    for file, line, user, instance, labels in _answers(path, found):
        fits = edit_and_method(instance, asked)
        if not fits:
            found.wrong(file, line, why_no_name(instance))
        elif not isinstance(labels, dict):
            found.wrong(file, line, f"the labels of {shown(instance)} should be those of schemas")
        else:
            found.rows += _rows(file, line, user, fits, labels, asked, found)
    return found


def _answers(path: Path, found: GatheredRatings) -> Iterator[Answer]:
    if not path.is_dir():
        for line, one in json_lines(path, found):
            user, instance = one.get("user_id"), one.get("instance_id")
            if isinstance(user, str) and isinstance(instance, str):
                yield path, line, user, instance, one.get("labels")
            else:
                found.wrong(path, line, "user_id and instance_id should say who rated what")
        return
    files = sorted(path.glob(f"*/{STATE}"))
    if not files:
        raise UserError(f"{path} has no folders of users with {STATE}")
    for file in files:
        yield from _of_user(file, found)


def _of_user(file: Path, found: GatheredRatings) -> Iterator[Answer]:
    """Yield what one user answered; the file has no lines, so all stand in the first."""
    state = json_value(file, found)
    user = state.get("user_id") if isinstance(state, dict) else None
    answers = state.get(LABELS) if isinstance(state, dict) else None
    if not isinstance(user, str) or not isinstance(answers, dict):
        found.wrong(file, 1, f"it should have user_id and {LABELS}")
        return
    for instance, labels in answers.items():
        yield file, 1, user, instance, labels


def _rows(
    file: Path,
    line: int,
    user: str,
    fits: tuple[str, str],
    labels: dict[str, Any],
    asked: ImportSettings,
    found: GatheredRatings,
) -> list[RatingRow]:
    """Return a rating for every schema; a schema with several labels is no rating."""
    rows = []
    for schema, chosen in labels.items():
        if schema in asked.drop:
            continue
        if not isinstance(chosen, dict) or len(chosen) > 1:
            what = f"{schema} of {'__'.join(fits)}"
            found.wrong(file, line, f"{what}: one label is wanted, not {shown(chosen)} (--drop)")
        elif chosen:
            value = _value(*next(iter(chosen.items())))
            rows.append(RatingRow(str(file), line, *fits, schema, value, user))
        elif not asked.skip_empty:
            found.wrong(file, line, f"no {schema} of {'__'.join(fits)}")
    return rows


def _value(label: str, value: Any) -> Any:
    """Return a grade: the name of the chosen label, or the number that a slider has."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and not label.strip("-.").isdigit() else label
