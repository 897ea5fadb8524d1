"""CoVEBench: tasks of several changes with a checklist of questions each.

Fields as github.com/NJU-LINK/CoVEBench has them in data/checklist.json, at e9aff10. A task is known
by its id and several share a source. Questions that want a score and no answer are left out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from string import ascii_uppercase
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from dreamix.core.json_reading import read_json_document
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite import Edit, Suite
from dreamix.data.suite_form import Line, Text
from dreamix.suite_formats.base import LIMITS, suite_format
from dreamix.suite_formats.draft import Draft, EditDraft, FileRow, shuffled, slug
from dreamix.suite_formats.files import one_file
from dreamix.suite_formats.writing import clip_of, ids_of, needed

LOOSE = ConfigDict(extra="ignore")
SCORE = "Score-MCQ"  # its expected answer is 5 on a scale of ten
YES, NO = ("true", "yes"), ("false", "no")
SEVERAL = "multiple"


@dataclass(frozen=True)
class CoveLevels:
    """A category of a task."""

    __pydantic_config__ = LOOSE
    first: Annotated[Line, Field(alias="Level 1")]
    second: Annotated[Line | None, Field(alias="Level 2")] = None
    third: Annotated[Line | None, Field(alias="Level 3")] = None


@dataclass(frozen=True)
class CoveQuestion:
    """A question of a task."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "a question"})
    id: Text
    type: Literal["AB-MCQ", "Single-TF", "Dual-TF", "Score-MCQ"]
    question: Line
    expected_answer: str | bool
    dimension: Line | None = None
    options: dict[str, Line] | None = None
    difficulty: Any = None


@dataclass(frozen=True)
class CoveGroup:
    """The questions about one change, or about what is to stay."""

    __pydantic_config__ = LOOSE
    questions: list[CoveQuestion]


@dataclass(frozen=True)
class CoveTask:
    """A task of CoVEBench."""

    __pydantic_config__ = ConfigDict(extra="ignore", json_schema_extra={"noun": "a task"})
    id: int
    original_description: Line
    editing_instruction: Line
    target_video_description: Line
    videoA_path: Text
    category: Annotated[list[CoveLevels], Field(min_length=1)]
    evaluation_groups: list[CoveGroup]
    summary_of_changes: Any = None  # an editor's log


def write(suite: Suite) -> str:
    """Return the list of tasks of a suite; their questions are one group."""
    ids = ids_of(suite, numbers=True)
    tasks = [_task(suite, edit, id_) for edit, id_ in zip(suite.edits, ids, strict=True)]
    return json.dumps(tasks, indent=1) + "\n"


def _task(suite: Suite, edit: Edit, id_: str) -> dict[str, Any]:
    levels = str((edit.origin or {}).get("category") or edit.category).split(" + ")
    return {
        "id": int(id_),
        "original_description": needed(edit, "a caption", suite.videos[edit.video].caption),
        "editing_instruction": needed(edit, "an instruction", edit.instruction),
        "target_video_description": needed(edit, "a prompt", edit.prompt),
        "videoA_path": clip_of(suite, edit),
        "category": [{"Level 1": level} for level in levels],
        "evaluation_groups": [{"questions": [*starmap(_written, enumerate(edit.questions, 1))]}],
    }


def _written(number: int, asked: EditQuestion) -> dict[str, Any]:
    """Return a question with its answer, by letter where there are options."""
    letters = dict(zip(ascii_uppercase, asked.options, strict=False))
    answer = next((key for key, text in letters.items() if text == asked.answer), str(asked.answer))
    told = {
        "id": asked.id or f"q{number}",
        "type": "AB-MCQ" if letters else "Dual-TF" if asked.sees == "both" else "Single-TF",
        "dimension": asked.about,
        "question": asked.question,
        "options": letters or None,
        "expected_answer": answer,
    }
    return {key: value for key, value in told.items() if value is not None}


@suite_format(
    "covebench",
    title="CoVEBench",
    licence="not stated; clips are called as Mixkit's are",
    free=False,
    write=write,
    holds=("prompt", "instruction", "questions"),
)
def covebench(path: Path, draft: Draft) -> None:
    """PATH: checklist.json. Outputs: ID.mp4, by task."""
    file = path / "data" / "checklist.json" if (path / "data").is_dir() else path
    document = read_json_document(one_file(file, "checklist.json", "*.json"), LIMITS)
    for row in draft.rows(document, CoveTask):
        told, levels = row.value, row.value.category
        firsts = list(dict.fromkeys(level.first for level in levels))
        tags = [slug(name) for level in levels for name in (level.second, level.third) if name]
        draft.add(
            row.at,
            EditDraft(
                str(told.id),
                told.videoA_path,
                prompt=told.target_video_description,
                instruction=told.editing_instruction,
                caption=told.original_description,
                category=" + ".join(firsts),
                known_as=SEVERAL if len(firsts) > 1 else None,
                tags=tags,
                questions=[*_questions(row, draft)],
                output=str(told.id),
            ),
        )


def _questions(row: FileRow[CoveTask], draft: Draft) -> Iterator[EditQuestion]:
    """Yield the questions of a task whose right answer is known."""
    seen: set[str] = set()
    for asked in (one for group in row.value.evaluation_groups for one in group.questions):
        if asked.id in seen:
            draft.wrong(row.at, f"question {asked.id} of task {row.value.id} stands twice")
        elif asked.type == SCORE:
            draft.notes["questions that want a score, left out"] += 1
        elif found := _question(asked, str(row.value.id)):
            yield found
        else:
            draft.wrong(row.at, f"question {asked.id} of task {row.value.id} has no right answer")
        seen.add(asked.id)


def _question(asked: CoveQuestion, task: str) -> EditQuestion | None:
    answer = str(asked.expected_answer).strip()
    if asked.type == "AB-MCQ":
        options = asked.options or {}
        if answer not in options or len(set(options.values())) < len(options):
            return None
        mixed = shuffled([*options.values()], task, slug(asked.id))
        return EditQuestion(asked.question, options[answer], mixed, slug(asked.id), asked.dimension)
    if answer.lower() not in YES + NO:
        return None
    told = answer.lower() in YES, (), slug(asked.id), asked.dimension
    return EditQuestion(asked.question, *told, "both" if asked.type == "Dual-TF" else None)
