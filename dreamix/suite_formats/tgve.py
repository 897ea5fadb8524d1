"""TGVE 2023 (LOVEU challenge): four captions a video, one for each kind of change.

Columns as github.com/showlab/loveu-tgve-2023 reads them, at d75589f. Rows that name a subset stand
between the videos; a video is known by its subset and name, an edit by the kind of its column.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from dreamix.core.csv_reading import table_rows
from dreamix.core.errors import UserError
from dreamix.data.suite import Suite
from dreamix.data.suite_form import Line
from dreamix.suite_formats.base import suite_format
from dreamix.suite_formats.draft import At, Draft, EditDraft
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import clip_of, needed

HEADS = ("Video name", "Our GT caption")
KINDS = ("style", "object", "background", "multiple")
COLUMNS = {
    "style": "Style Change Caption",
    "object": "Object Change Caption",
    "background": "Background Change Caption",
    "multiple": "Multiple Changes Caption",
}
SUBSETS = {"davis": "DAVIS_480p", "youtube": "youtube_480p", "videvo": "videvo_480p"}


@dataclass(frozen=True)
class TgveRow:
    """The captions of a video."""

    __pydantic_config__ = ConfigDict(extra="ignore")
    caption: Line
    style: Line | None = None
    object: Line | None = None
    background: Line | None = None
    multiple: Line | None = None


def write(suite: Suite) -> str:
    """Return the table of a suite whose videos have at most one edit of each of the four kinds."""
    held = io.StringIO()
    lines = csv.writer(held)
    lines.writerow([*HEADS, *COLUMNS.values()])
    subset = ""
    for video in suite.videos.values():
        edits = [edit for edit in suite.edits if edit.video == video.id]
        if not edits:
            continue
        folder = Path(clip_of(suite, edits[0])).parts[0]
        known = {name: word for word, name in SUBSETS.items()}
        if folder not in known:
            raise UserError(f"video {video.id} is in none of the folders {', '.join(known)}")
        if folder != subset:
            subset = folder
            lines.writerow([f"{known[folder].upper()} Videos:", *[""] * 5])
        by_kind = {edit.category: needed(edit, "a prompt", edit.prompt) for edit in edits}
        if len(by_kind) < len(edits) or by_kind.keys() - COLUMNS.keys():
            raise UserError(f"video {video.id} has edits beside one each of {', '.join(KINDS)}")
        caption = needed(edits[0], "a caption", video.caption)
        name = Path(str(video.path)).stem
        lines.writerow([name, caption, *(by_kind.get(kind, "") for kind in KINDS)])
    return held.getvalue()


@suite_format(
    "tgve",
    title="TGVE 2023",
    licence="clips Creative Commons; code Apache 2.0",
    free=True,
    write=write,
    holds=("prompt",),
)
def tgve(path: Path, draft: Draft) -> None:
    """PATH: LOVEU-TGVE-2023_Dataset.csv. Outputs: SUBSET/VIDEO/KIND, a folder of frames."""
    file = one_file(path, "*.csv")
    subset: str | None = None

    def wrong(line: int, why: str) -> None:
        draft.wrong(At(file, line), why)

    columns = [name.lower() for name in (*HEADS, *COLUMNS.values())]
    for line, cells in table_rows(file, columns, (), wrong, empty=columns):
        at, name = At(file, line), cells.get(columns[0], "")
        if name and not any(cells.get(column) for column in columns[1:]):
            subset = SUBSETS.get(name.split()[0].lower())
            if subset is None:
                draft.wrong(at, f"{name!r} has no captions and is none of {', '.join(SUBSETS)}")
        elif subset is None:
            draft.wrong(at, f"video {name!r} stands under no subset, such as `DAVIS Videos:`")
        elif not name:
            draft.wrong(at, "captions without the name of a video")
        else:
            _add_video(at, draft, f"{subset}/{name}", cells)


def _add_video(at: At, draft: Draft, video: str, cells: dict[str, str]) -> None:
    """Take in the edits of one video."""
    texts = {kind: cells.get(column.lower(), "") for kind, column in COLUMNS.items()}
    told = draft.cells(at, TgveRow, {"caption": cells.get(HEADS[1].lower(), ""), **texts})
    if told is None:
        return
    subset, _, name = video.partition("/")
    for kind in KINDS:
        if prompt := getattr(told, kind):
            key = f"{video}/{kind}"
            asked = EditDraft(key, _clip(draft, subset, name), prompt=prompt, caption=told.caption)
            asked.category, asked.known_as, asked.output = COLUMNS[kind], kind, key
            asked.positional = True
            draft.add(at, asked)
        else:
            draft.notes["captions that are empty"] += 1


def _clip(draft: Draft, subset: str, name: str) -> str:
    """Return the path of a video: its file, or its frames where there is none."""
    frames = f"{subset}/480p_frames/{name}"
    clip = f"{subset}/480p_videos/{name}.mp4"
    return frames if not (draft.root / clip).exists() and (draft.root / frames).is_dir() else clip
