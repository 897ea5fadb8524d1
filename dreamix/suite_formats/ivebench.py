"""IVEBench (Chen et al. 2025): captions, instructions and phrases for one edit a clip.

Fields as github.com/RyanChenYN/IVEBench reads them, at 2dcf890. Its short and its long list are two
suites. A method's output is called as its source, so two edits of one source cannot be told apart.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from dreamix.core.json_reading import read_json_document
from dreamix.data.suite import Edit, Suite
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import LIMITS, suite_format
from dreamix.suite_formats.draft import Draft, EditDraft, slug
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import ids_of, needed

TAGS = {  # subcategory -> tags with a known meaning
    "color change": ("colour",),
    "material change": ("material",),
    "subject addition": ("addition",),
    "subject removal": ("removal",),
    "subject replacement": ("replacement",),
    "quantity": ("count",),
}


@dataclass(frozen=True)
class IveRow:
    """A record of IVEBench."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "an edit"})
    id: int | str
    src_video_name: Text
    category: Line
    subcategory: Line
    source_prompt: Line
    edit_prompt: Line
    target_prompt: Line
    target_phrase: Line | None = None
    target_span: Any = None  # places of the phrase in the prompt: not used


def write(suite: Suite) -> str:
    """Return the list of records of a suite."""
    ids = ids_of(suite, numbers=True)
    records = [_record(suite, edit, id_) for edit, id_ in zip(suite.edits, ids, strict=True)]
    return json.dumps(records, indent=1) + "\n"


def _record(suite: Suite, edit: Edit, id_: str) -> dict[str, Any]:
    video = suite.videos[edit.video]
    origin = edit.origin or {}
    both = str(origin.get("category") or edit.category).partition(" / ")
    record: dict[str, Any] = {
        "id": int(id_),
        "src_video_name": needed(edit, "a file as its source", video.path),
        "category": both[0],
        "subcategory": both[2] or both[0],
        "source_prompt": needed(edit, "a caption", video.caption),
        "edit_prompt": needed(edit, "an instruction", edit.instruction),
        "target_prompt": needed(edit, "a prompt", edit.prompt),
    }
    return record | ({"target_phrase": edit.to_phrase} if edit.to_phrase else {})


@suite_format(
    "ivebench",
    title="IVEBench",
    licence="MIT (dataset card)",
    free=True,
    write=write,
    holds=("prompt", "instruction", "to"),
)
def ivebench(path: Path, draft: Draft) -> None:
    """PATH: ivebench_prompt_short.json or the long list. Outputs: as the source is called."""
    document = read_json_document(one_file(path, "*.json"), LIMITS)
    for row in draft.rows(document, IveRow):
        told = row.value
        clip = told.src_video_name
        draft.add(
            row.at,
            EditDraft(
                str(told.id),
                clip,
                prompt=told.target_prompt,
                instruction=told.edit_prompt,
                caption=told.source_prompt,
                phrases=(None, told.target_phrase),
                category=told.category,
                spelled=f"{told.category} / {told.subcategory}",
                tags=(*TAGS.get(told.subcategory.lower(), ()), slug(told.subcategory)),
                output=Path(clip).with_suffix("").name,
            ),
        )
