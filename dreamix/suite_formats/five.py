"""FiVE (Li et al. 2025): captions in which the changed words stand in [brackets], in six lists.

Fields as FiVE-Bench of the Harvard-AI-and-Robotics-Lab reads them, at 98ea719. Results there are
known by the place of a row in its list, so the words are part of an edit's id here; an output is
called by the beginning of the edited caption, brackets and blanks and all. Masks there are JPEG,
which blurs edges: they are not taken over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from dreamix.core.errors import UserError
from dreamix.core.json_reading import read_json_document
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite_form import Text
from dreamix.suite_formats.base import LIMITS, suite_format
from dreamix.suite_formats.draft import Draft, EditDraft, FileRow, shuffled

KINDS: dict[str, tuple[str, str | None, tuple[str, ...]]] = {  # list -> kind, ours, tags
    "1": ("rigid object replacement", "object", ("replacement",)),
    "2": ("non-rigid object replacement", "object", ("replacement",)),
    "3": ("color alteration", "appearance", ("colour",)),
    "4": ("material modification", "appearance", ("material",)),
    "5": ("object addition", "object", ("addition",)),
    "6": ("object removal", None, ("removal",)),
}
_MARKED = re.compile(r"\[([^\[\]]*)\]")
_OPTION = re.compile(r"^\s*([ab])\)\s*(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class FiveRow:
    """A row of one of FiVE's lists."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "an edit"})
    editing_type_id: int | str
    video_name: Text
    source_prompt: Text
    target_prompt: Text
    save_dir: Text
    multiple_choice_question: str | None = None
    source_yes_no_question: str | None = None
    target_yes_no_question: str | None = None


@suite_format("five", title="FiVE", licence="CC BY-NC 4.0", free=False)
def five(path: Path, draft: Draft) -> None:
    """PATH: the folder of edit_prompt/edit1_FiVE.json to 6, or one of them; with --fps.

    Outputs: VIDEO/TYPE_BEGINNING OF THE CAPTION, frames or .mp4.
    """
    for file in _lists(path):
        is_inner = file.parent.name == "edit_prompt"
        draft.at_home(file.parent.parent if is_inner else file.parent)
        for row in draft.rows(read_json_document(file, LIMITS), FiveRow):
            draft.add(row.at, _asked(row, file, draft))


def _lists(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    inner = path / "edit_prompt"
    found = sorted((inner if inner.is_dir() else path).glob("edit[1-6]_FiVE.json"))
    if not found:
        raise UserError(f"{path} has no edit_prompt/edit1_FiVE.json to edit6_FiVE.json")
    return found


def _asked(row: FileRow[FiveRow], file: Path, draft: Draft) -> EditDraft:
    told, place = row.value, int(row.place[-1])
    kind = str(told.editing_type_id)
    words, known_as, tags = KINDS.get(kind, (kind, None, ()))
    before, after = (_MARKED.findall(text) for text in (told.source_prompt, told.target_prompt))
    one_each = len(before) == len(after) == 1
    cut = told.target_prompt[: max(len(told.save_dir) - 2, 0)]
    output = f"{told.video_name}/{kind}_{cut}"
    return EditDraft(
        f"{told.video_name}/{file.stem}/{place}",
        f"images/{told.video_name}",
        prompt=_plain(told.target_prompt),
        caption=_plain(told.source_prompt),
        phrases=(before[0] or None, after[0] or None) if one_each else (None, None),
        category=words,
        known_as=known_as,
        tags=tags,
        questions=[*_questions(row, output, draft)],
        output=output,
        positional=True,
    )


def _plain(text: str) -> str:
    """Return a caption without the brackets around the changed words."""
    return " ".join(text.replace("[", "").replace("]", "").split())


def _questions(row: FileRow[FiveRow], name: str, draft: Draft) -> Iterator[EditQuestion]:
    """Yield what is asked of the edited clip: the source's words are wrong there."""
    told = row.value
    for key, right in (("source_yes_no_question", False), ("target_yes_no_question", True)):
        if (text := getattr(told, key)) and text.strip().lower() != "nan":
            yield EditQuestion(" ".join(text.split()), right, id=key.split("_")[0])
    text = told.multiple_choice_question or ""
    if not text.strip() or text.strip().lower() == "nan":
        return
    options = dict(_OPTION.findall(text))
    asked = " ".join(_OPTION.sub("", text).split())
    if options.keys() != {"a", "b"} or not asked or options["a"] == options["b"]:
        draft.wrong(row.at, "multiple_choice_question needs a question and the lines a) and b)")
        return
    both = shuffled([*options.values()], name, "choice")
    yield EditQuestion(asked, options["b"], both, "choice")
