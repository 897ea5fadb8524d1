"""EditVerseBench (Ju et al. 2025): instructions for clips that everybody gets for themselves.

Fields as github.com/adobe-research/EditVerse reads them, at eeca9ce. Other tags than <video1> are
references: such an edit is kept, and methods that read words alone do not apply to it.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from dreamix.core.errors import UserError
from dreamix.core.json_reading import read_json_document
from dreamix.core.yaml_reading import Document
from dreamix.data.suite import Edit, Suite
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import LIMITS, suite_format
from dreamix.suite_formats.draft import Draft, EditDraft, FileRow
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import clip_of, ids_of, needed

SOURCE = "<video1>"
_TAG = re.compile(r"<(?:image|video)[0-9]+>")


@dataclass(frozen=True)
class EditVerseRow:
    """An edit of EditVerseBench."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "an edit"})
    text: Annotated[Line, Field(alias="<text>")]
    video: Annotated[Text, Field(alias=SOURCE)]
    type: Line
    source_prompt: Line | None = None
    target_prompt: Line | None = None
    direction: Any = None  # whether the frame is wide or high: the clip says so itself
    link: Annotated[Any, Field(alias="<video1> link")] = None


def write(suite: Suite) -> str:
    """Return the object of edits; those that are numbers there already keep them."""
    found = {}
    for key, edit in zip(ids_of(suite), suite.edits, strict=True):
        told = {
            "<text>": f"{SOURCE} {needed(edit, 'an instruction', edit.instruction)}",
            SOURCE: clip_of(suite, edit),
            "type": str((edit.origin or {}).get("category") or edit.category),
            "source_prompt": suite.videos[edit.video].caption,
            "target_prompt": edit.prompt,
        }
        told |= _with_tags(edit)
        found[key] = {name: value for name, value in told.items() if value is not None}
    return json.dumps(found, indent=1) + "\n"


def _with_tags(edit: Edit) -> dict[str, str | None]:
    """Return the references under the tags by which the words name them."""
    tags = dict.fromkeys(tag for tag in _TAG.findall(str(edit.instruction)) if tag != SOURCE)
    if len(tags) != len(edit.references):
        raise UserError(f"edit {edit.id} does not name its references by tags such as <image1>")
    return dict(zip(tags, edit.references, strict=True))


@suite_format(
    "editversebench",
    title="EditVerseBench",
    licence="Adobe Research License, noncommercial; clips: Pixabay",
    free=False,
    write=write,
    holds=("prompt", "instruction", "references"),
)
def editversebench(path: Path, draft: Draft) -> None:
    """PATH: the JSON of all edits. Outputs: ID/generate.mp4."""
    document = read_json_document(one_file(path, "*.json"), LIMITS)
    for row in draft.rows(document, EditVerseRow):
        key, told = str(row.place[-1]), row.value
        draft.add(
            row.at,
            EditDraft(
                key,
                told.video,
                prompt=told.target_prompt,
                instruction=_order(told.text),
                caption=told.source_prompt,
                category=told.type,
                references=_references(document, row, told.text, draft),
                output=f"{key}/generate",
            ),
        )


def _order(text: str) -> str:
    """Return the words without the tag that they begin with."""
    return text.removeprefix(SOURCE).strip() or text


def _references(
    document: Document, row: FileRow[EditVerseRow], text: str, draft: Draft
) -> tuple[str, ...]:
    """Return what the words refer to beside the source."""
    fields = document.value[row.place[-1]]
    tags = [tag for tag in dict.fromkeys(_TAG.findall(text)) if tag != SOURCE]
    tags += [key for key in fields if _TAG.fullmatch(key) and key not in (SOURCE, *tags)]
    for tag in tags:
        draft.notes.pop(f"key {tag!r}", None)
        if not isinstance(fields.get(tag), str):
            draft.wrong(row.at, f"the text refers to {tag}, which is not there")
    return tuple(fields[tag] for tag in tags if isinstance(fields.get(tag), str))
