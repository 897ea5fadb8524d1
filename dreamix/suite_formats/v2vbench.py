"""V2VBench (Sun et al. 2024): descriptions of the edited clip, by the place of an edit in a list.

Keys as github.com/wenhao728/awesome-diffusion-v2v reads them, at 20afc6f. The words are part of an
edit's id here: an edit put in before the others would move all places.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field

from dreamix.core.yaml_reading import read_document
from dreamix.data.suite import Suite
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import LIMITS, suite_format
from dreamix.suite_formats.draft import At, Draft, EditDraft
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import needed


@dataclass(frozen=True)
class V2VEdit:
    """An edit of V2VBench."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "an edit"})
    prompt: Line


@dataclass(frozen=True)
class V2VVideo:
    """A video of V2VBench with its edits."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "a video"})
    video_id: Text
    edit: Annotated[list[V2VEdit], Field(min_length=1)]


def write(suite: Suite) -> str:
    """Return the configuration that lists the edits of a suite, video by video."""
    data: list[dict[str, Any]] = []
    for video in suite.videos.values():
        edits = [edit for edit in suite.edits if edit.video == video.id]
        told = [{"prompt": needed(edit, "a prompt", edit.prompt)} for edit in edits]
        if told:
            name = Path(video.path).stem if video.path else video.id
            data.append({"video_id": name, "edit": told})
    return yaml.safe_dump({"data": data}, sort_keys=False, allow_unicode=True, width=100)


@suite_format(
    "v2vbench",
    title="V2VBench",
    licence="not stated (data card); code MIT",
    free=False,
    write=write,
    holds=("prompt",),
)
def v2vbench(path: Path, draft: Draft) -> None:
    """PATH: config.yaml, with --fps of its frames. Outputs: VIDEO/0.mp4 or a folder of frames."""
    document = read_document(one_file(path, "config.yaml", "*.yaml"), LIMITS)
    for row in draft.rows(document, V2VVideo, ("data",)):
        video = row.value.video_id
        for k, edit in enumerate(row.value.edit):
            at = At(row.at.file, document.line((*row.place, "edit", k)))
            clip, output = f"frames/{video}", f"{video}/{k}"
            draft.add(
                at, EditDraft(output, clip, prompt=edit.prompt, output=output, positional=True)
            )
