"""OpenVE-Bench (He et al. 2025): an instruction a clip, in a table.

Columns as github.com/showlab/Kiwi-Edit reads them, at 223572d. ThinkV2V-Bench is a part of it.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from dreamix.core.csv_reading import table_rows
from dreamix.core.errors import UserError
from dreamix.data.suite import Suite
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import suite_format
from dreamix.suite_formats.draft import At, Draft, EditDraft
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import clip_of, needed

COLUMNS = ("original_video", "prompt", "edited_type")
KINDS: dict[str, tuple[str | None, tuple[str, ...]]] = {  # type -> our category, tags
    "global_style": ("style", ()),
    "background_change": ("background", ()),
    "local_change": (None, ("replacement",)),
    "local_remove": (None, ("removal",)),
    "local_add": ("object", ("addition",)),
    "creative_edit": (None, ("creative",)),
    "camera_edit": ("camera", ("viewpoint",)),
    "subtitle_edit": (None, ("subtitle",)),
}


@dataclass(frozen=True)
class OpenVERow:
    """A row of OpenVE-Bench."""

    __pydantic_config__ = ConfigDict(extra="ignore")
    original_video: Text
    prompt: Line
    edited_type: Line


def write(suite: Suite) -> str:
    """Return the table of a suite."""
    held = io.StringIO()
    lines = csv.writer(held)
    lines.writerow(COLUMNS)
    first: dict[str, str] = {}
    for edit in suite.edits:
        stem = Path(clip_of(suite, edit)).stem
        if (other := first.setdefault(stem, edit.id)) != edit.id:
            raise UserError(f"edits {other} and {edit.id} are of one source, {stem}: the format "
                            "knows an edit by its source")  # fmt: skip
        kind = (edit.origin or {}).get("category") or edit.category
        order = needed(edit, "an instruction", edit.instruction)
        lines.writerow([clip_of(suite, edit), order, kind])
    return held.getvalue()


@suite_format(
    "openve-bench",
    title="OpenVE-Bench",
    licence="CC BY-NC 4.0 (card of a copy)",
    free=False,
    write=write,
    holds=("instruction",),
)
def openve_bench(path: Path, draft: Draft) -> None:
    """PATH: the CSV of all edits. Outputs: NAME-OF-THE-SOURCE_edited.mp4."""
    file = one_file(path, "*.csv")

    def wrong(line: int, why: str) -> None:
        draft.wrong(At(file, line), why)

    for line, cells in table_rows(file, COLUMNS, (), wrong):
        at = At(file, line)
        if (told := draft.cells(at, OpenVERow, cells)) is None:
            continue
        stem = Path(told.original_video).stem
        known_as, tags = KINDS.get(told.edited_type, (None, ()))
        draft.add(
            at,
            EditDraft(
                stem,
                told.original_video,
                instruction=told.prompt,
                category=told.edited_type,
                known_as=known_as,
                tags=tags,
                output=f"{stem}_edited",
            ),
        )
