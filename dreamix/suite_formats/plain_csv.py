"""Plain CSV: one edit a row, for requests that somebody keeps in a spreadsheet.

Columns `video` and `prompt` or `instruction`; if wanted, `id`, `category`, `caption`, `from`, `to`,
`tags` (between blanks or ;) and `fps` of a folder of frames. A row without an id is called after
its clip and its words. What a spreadsheet would take for a formula is written with an apostrophe
before it, which is taken away again when the table is read.
"""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from dreamix.core.csv_reading import table_rows
from dreamix.core.spreadsheet import as_given, harmless
from dreamix.data.suite import Suite
from dreamix.data.suite_entries import CATEGORIES
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import suite_format
from dreamix.suite_formats.draft import At, Draft, EditDraft, digest, safe_id, slug
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import category_of, clip_of

NEEDED = ("video",)
OPTIONAL = ("id", "prompt", "instruction", "category", "caption", "from", "to", "tags", "fps")
COLUMNS = ("id", *NEEDED, *OPTIONAL[1:])


@dataclass(frozen=True)
class CsvRow:
    """A row of the table."""

    __pydantic_config__ = ConfigDict(extra="ignore")
    video: Text
    id: Text | None = None
    prompt: Line | None = None
    instruction: Line | None = None
    category: Line | None = None
    caption: Line | None = None
    before: Annotated[Line | None, Field(alias="from")] = None
    after: Annotated[Line | None, Field(alias="to")] = None
    tags: Text | None = None
    fps: Annotated[float, Field(gt=0)] | None = None


def write(suite: Suite) -> str:
    """Return the table of a suite."""
    held = io.StringIO()
    lines = csv.DictWriter(held, COLUMNS)
    lines.writeheader()
    for edit in suite.edits:
        video = suite.videos[edit.video]
        told = {
            "id": edit.id,
            "video": clip_of(suite, edit),
            "category": category_of(suite, edit),
            "caption": video.caption,
            "from": edit.from_phrase,
            "to": edit.to_phrase,
            "tags": " ".join(edit.tags),
            "fps": video.fps,
            "prompt": edit.prompt,
            "instruction": edit.instruction,
        }
        lines.writerow(
            {name: "" if value is None else harmless(value) for name, value in told.items()}
        )
    return held.getvalue()


@suite_format(
    "csv",
    title="CSV",
    licence="",
    free=True,
    write=write,
    holds=("prompt", "instruction", "from", "to", "tags"),
)
def plain_csv(path: Path, draft: Draft) -> None:
    """PATH: a table with `video`, and `prompt` or `instruction`. Outputs: ID.mp4."""
    file = one_file(path, "*.csv")

    def wrong(line: int, why: str) -> None:
        draft.wrong(At(file, line), why)

    for line, cells in table_rows(file, NEEDED, OPTIONAL, wrong, numbers=("fps",)):
        at = At(file, line)
        cells = {name: as_given(cell) for name, cell in cells.items()}
        if (told := draft.cells(at, CsvRow, cells)) is None:
            continue
        words = digest(told.prompt or "", told.instruction or "")
        key = told.id or f"{safe_id(Path(told.video).stem)}_{words}"
        word = slug(told.category or "")
        asked = EditDraft(
            key,
            told.video,
            prompt=told.prompt,
            instruction=told.instruction,
            caption=told.caption,
            phrases=(told.before, told.after),
            category=told.category,
            known_as=word if word in CATEGORIES else None,
            tags=[slug(tag) for tag in re.split(r"[;\s]+", told.tags or "") if tag],
            output=safe_id(key),
            fps=told.fps,
        )
        draft.add(at, asked)
