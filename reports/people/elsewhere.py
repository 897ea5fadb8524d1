"""What a report says of ratings that were collected elsewhere: where they come from, in what unit.

The sections of a study are written about clips of source videos. Where images were edited, their
words are changed here, in one place, as the stamp of simulated raters is set in one.
"""

import re
from dataclasses import replace
from typing import Any

from dreamix.core.wording import listed, plural, titled
from reports.parts import ReportPart
from reports.people.export import StudyExport
from reports.tables import Table

IMAGES = (
    ("source videos", "source images"), ("source video", "source image"),
    ("videos", "images"), ("video", "image"), ("clips", "images"), ("clip", "image"),
)  # fmt: skip
_WORDS = re.compile(
    r"(?<![\w.-])(?P<article>a )?(?P<word>source videos?|videos?|clips?)(?!\w|\.\w)", re.IGNORECASE
)


def origin_lead(export: StudyExport) -> list[str]:
    """Return what was asked of whom, as far as the origin of the ratings tells."""
    own = export.own
    edits = f"{plural(own['edit'].nunique(), 'edit')} of "
    edits += plural(own["video"].nunique(), "source video")
    low, high = export.scale
    words = export.study["scale"]["words"]
    grades = f", in the words {listed(list(words))}" if words else ""
    if export.means:
        asked = f"The origin tells the mean scores of {edits} by {listed(export.methods)}"
    else:
        asked = f"{plural(own['rater'].nunique(), 'rater')} rated {edits} by "
        asked += listed(export.methods)
    return [
        f"The ratings {export.name} were collected elsewhere and read from "
        f"{listed([one['file'] for one in _origin(export)['files']])} ({_published(export)}).",
        f"{asked}, from {low:g} to {high:g}{grades}, on {listed(export.questions)}; "
        f"{plural(len(own), 'score' if export.means else 'vote')} in all.",
        "How raters were recruited, instructed and checked, whom the authors left out, and what "
        "was planned beforehand is not in the files.",
        *_remarks(export),
    ]


def _origin(export: StudyExport) -> dict[str, Any]:
    assert export.origin is not None
    return export.origin


def _published(export: StudyExport) -> str:
    origin = _origin(export)
    licence = f"licence: {origin['licence']}" if origin["licence"] else "no licence stated"
    return f"{origin['source']}; {licence}" if origin["source"] else licence


def _remarks(export: StudyExport) -> list[str]:
    remarks = list(_origin(export)["remarks"])
    return [f"On reading them: {'; '.join(remarks)}."] if remarks else []


def origin_facts(export: StudyExport) -> dict[str, Any]:
    """Return where the ratings come from, for the table of provenance."""
    origin = _origin(export)
    files = {one["file"]: one["sha256"] for one in origin["files"]}
    return {
        "collected": "elsewhere",
        "read as": origin["format"],
        "published at": origin["source"] or "not stated",
        "licence": origin["licence"] or "not stated",
        **files,
    }


def in_unit(text: str, export: StudyExport) -> str:
    """Return a text about videos in the words for what was rated."""
    return _WORDS.sub(_image_word, text) if export.study.get("unit") == "image" else text


def _image_word(found: re.Match[str]) -> str:
    word, article = dict(IMAGES)[found["word"].lower()], found["article"] or ""
    if found["word"][0].isupper():
        word = titled(word)
    if article and word.startswith("i"):
        article = f"{article[0]}n "
    return f"{article}{word}"


def part_in_unit(part: ReportPart, export: StudyExport) -> ReportPart:
    """Return a part in the words for what was rated."""
    if export.study.get("unit") != "image":
        return part

    def said(text: str) -> str:
        return in_unit(text, export)

    return part._replace(
        title=said(part.title),
        found=tuple(map(said, part.found)),
        notes=tuple(map(said, part.notes)),
        done=tuple(map(said, part.done)),
        drawings=tuple(
            one._replace(alt=said(one.alt), caption=said(one.caption)) for one in part.drawings
        ),
        tables=tuple(_table_in_unit(one, export) for one in part.tables),
        folded=tuple(_table_in_unit(one, export) for one in part.folded),
    )


def _table_in_unit(table: Table, export: StudyExport) -> Table:
    def said(text: str) -> str:
        return in_unit(text, export)

    rows = tuple(
        replace(row, cells=tuple(replace(one, hint=said(one.hint)) for one in row.cells))
        for row in table.rows
    )
    head = tuple(replace(one, text=said(one.text), hint=said(one.hint)) for one in table.head)
    title, caption = said(table.title), said(table.caption)
    return replace(table, title=title, caption=caption, head=head, rows=rows)
