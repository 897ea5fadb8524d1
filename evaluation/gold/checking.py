"""What has to hold for ratings of any origin; all mistakes are told at once, each with its line."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from unicodedata import normalize

from dreamix.core.errors import Mistakes, UserError
from dreamix.core.names import shown, why_not_plain
from dreamix.core.spreadsheet import harmless
from dreamix.core.wording import listed
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow

TAKEN = {"success", *RatingRow._fields, "kind", "video", "excluded", "simulated", "state", "trial"}
ALONE = "no source is told: every edit is taken as a source of its own"
NAMES = ("edit", "method", "question", "rater", "source", "category")
MOST_LETTERS = 2000  # of an id
MOST_METHODS, MOST_QUESTIONS = 500, 50


def checked(found: GatheredRatings, asked: ImportSettings) -> GatheredRatings:
    """Return the ratings with values on the scale, sources and questions as they were asked for.

    Raises:
        Mistakes: with everything that is wrong, what the format noted included.
    """
    if not asked.source_pattern and not any(row.source for row in found.rows):
        found.remarks.append(ALONE)
    found = replace(found, rows=[_as_asked(row, asked, found) for row in found.rows])
    found = replace(found, rows=_with_categories(found), remarks=[*found.remarks, *_alike(found)])
    seen: dict[tuple[str, ...], RatingRow] = {}
    sources: dict[str, RatingRow] = {}
    rows = []
    for row in found.rows:
        wrong = [*_wrong(row, asked), *_said_before(row, seen, sources)]
        for message in wrong:
            found.wrong(row.file, row.line, message)
        if not wrong:
            rows.append(row._replace(value=asked.scale.grade(row.value)))
    if found.problems:
        raise Mistakes(sorted(found.problems, key=lambda one: (one.file, one.line)))
    if not rows:
        raise UserError(f"{found.files[0] if found.files else 'it'} holds no rating")
    _check_size(rows)
    return replace(found, rows=rows)


def _as_asked(row: RatingRow, asked: ImportSettings, found: GatheredRatings) -> RatingRow:
    """Return a rating with its source, and its question by the name it shall have.

    An accent may be a letter's own or a sign of its own behind it: names that look alike are one.
    """
    edit, method, question, rater, source, category = (
        normalize("NFC", getattr(row, name)) for name in NAMES
    )
    row = row._replace(
        edit=edit, method=method, question=question, rater=rater, source=source, category=category
    )
    names = dict(asked.questions)
    row = row._replace(question=names.get(row.question, row.question))
    if asked.source_pattern:
        fits = re.fullmatch(asked.source_pattern, row.edit)
        if fits and fits.lastindex and fits[1]:
            return row._replace(source=fits[1])
        found.wrong(row.file, row.line, f"--source-pattern does not fit edit {shown(row.edit)}")
    return row._replace(source=row.source or row.edit)


def _with_categories(found: GatheredRatings) -> list[RatingRow]:
    """Return the ratings, each with the category that any rating of its edit tells."""
    first: dict[str, RatingRow] = {}
    for row in found.rows:
        told = first.setdefault(row.edit, row) if row.category else row
        if told.category != row.category:
            what = f"edit {shown(row.edit)} has category {shown(row.category)} here and "
            found.wrong(row.file, row.line, f"{what}{shown(told.category)} in line {told.line}")
    return [row._replace(category=first.get(row.edit, row).category) for row in found.rows]


def _alike(found: GatheredRatings) -> Iterator[str]:
    """Yield which names differ by large and small letters alone: one may be a slip."""
    for name in ("edit", "method", "question", "rater"):
        spelled: dict[str, set[str]] = {}
        for text in {getattr(row, name) for row in found.rows}:
            spelled.setdefault(text.casefold(), set()).add(text)
        if several := sorted(sorted(one) for one in spelled.values() if len(one) > 1):
            told = "" if name == "rater" else f", such as {listed(several[0])}"  # not who rated
            yield f"{name}s that differ only by case are told apart{told}"


def _wrong(row: RatingRow, asked: ImportSettings) -> Iterator[str]:
    """Yield what is wrong with a rating by itself."""
    for name in ("edit", "method", "question", "source", "rater", "category"):
        text = getattr(row, name)
        if not text and name in ("edit", "method", "question"):
            yield f"no {name}"
        elif name == "source" and text == row.edit:
            continue
        elif len(text) > MOST_LETTERS or not text.isprintable():
            yield f"{name} {shown(text)} has letters that cannot be shown, or over {MOST_LETTERS}"
        elif name != "rater" and harmless(text) != text:  # who rated gets another name
            yield f"{name} {shown(text)} would be a formula to a spreadsheet: call it otherwise"
    if row.method and (why := why_not_plain(row.method)):
        yield f"method {shown(row.method)} cannot name a file: {why}"
    if row.question in TAKEN:
        name = row.question
        yield f"a question cannot be called {name}: --question {name}=OTHER calls it otherwise"
    yield from _off_scale(row, asked)


def _off_scale(row: RatingRow, asked: ImportSettings) -> Iterator[str]:
    low, high, words = asked.scale
    value = asked.scale.grade(row.value)
    if value is None and words:
        yield f"{shown(row.value)} is none of the grades {' < '.join(words)} ({row.question})"
    elif value is None:
        yield f"{shown(row.value)} is no number ({row.question})"
    elif not low <= value <= high:
        told = f"{value:g}" if isfinite(value) else shown(row.value)
        yield f"{told} is off the scale {low:g} to {high:g} ({row.question})"


def _said_before(
    row: RatingRow, seen: dict[tuple[str, ...], RatingRow], sources: dict[str, RatingRow]
) -> Iterator[str]:
    """Yield what contradicts a rating before: the same vote again, another source of the edit."""
    key = row.rater, row.edit, row.method, row.question
    first = seen.setdefault(key, row)
    if first is not row:
        who = f"rater {shown(row.rater)}" if row.rater else "the file"
        yield (
            f"{who} rates {row.question} of {shown(row.edit)} by {row.method} again, "
            f"first in line {first.line}"
        )
    other = sources.setdefault(row.edit, row)
    if other.source != row.source:
        yield (
            f"edit {shown(row.edit)} has source {shown(row.source)} here and "
            f"{shown(other.source)} in line {other.line}"
        )


def _check_size(rows: list[RatingRow]) -> None:
    for name, most in (("method", MOST_METHODS), ("question", MOST_QUESTIONS)):
        count = len({getattr(row, name) for row in rows})
        if count > most:
            raise UserError(f"{count} {name}s, {most} at most: is another column the {name}?")
