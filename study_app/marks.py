"""Where an edit is broken, as a rater marked it: from when to when, in which place, how, how badly.

A place is a box in shares of the picture's width and height, from the top left; without one the
mark is of the whole picture. Marks are optional: none says that a rater marked nothing, not that
nothing is broken.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from study_app.plan import Item, Plan
from study_app.spec.study import Study
from study_app.spec.texts import DefectKind, StrictModel
from study_app.store.tables import Mark, Trial

MOST = 20  # marks of a trial
LATE = 0.1  # seconds beyond the end of a clip that are its end

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Box(StrictModel):
    """A place in a picture, in shares of its width and height."""

    x: Share
    y: Share
    width: Share
    height: Share

    @model_validator(mode="after")
    def _is_inside(self) -> "Box":
        if self.x + self.width > 1.001 or self.y + self.height > 1.001:
            raise ValueError("a box reaches beyond the picture")
        return self


class DefectMark(StrictModel):
    """A fault of one clip of a trial."""

    clip: Literal["edit", "left", "right"]  # of a pair: the side on which it stood
    start: Seconds
    end: Seconds
    kind: DefectKind
    severity: Annotated[int, Field(ge=1, le=3)]
    box: Box | None = None

    @model_validator(mode="after")
    def _goes_forward(self) -> "DefectMark":
        if self.end < self.start:
            raise ValueError(f"a mark goes from {self.start} s back to {self.end} s")
        return self


def clips_to_mark(item: Item, swapped: bool) -> dict[str, str]:
    """Return the media names of the clips that may be marked, by what marks call them."""
    _source, *edits = item.clips_shown(swapped)
    return dict(zip(("edit",) if len(edits) == 1 else ("left", "right"), edits, strict=True))


def checked_marks(
    study: Study, plan: Plan, item: Item, swapped: bool, marks: Sequence[DefectMark]
) -> list[DefectMark]:
    """Return the marks, none beyond the end of its clip; what no page can send is a ValueError."""
    if marks and not study.defects.ask:
        raise ValueError("marks, where the study does not ask for them")
    if len(marks) > MOST:
        raise ValueError(f"{len(marks)} marks, {MOST} are the most")
    names = clips_to_mark(item, swapped)
    lengths = {clip: plan.clips[name].seconds for clip, name in names.items()}
    return [_checked(study, mark, lengths) for mark in marks]


def _checked(study: Study, mark: DefectMark, lengths: Mapping[str, float]) -> DefectMark:
    if mark.kind not in study.defects.kinds:
        raise ValueError(f"a mark of {mark.kind}, which the study does not ask for")
    if mark.clip not in lengths:
        raise ValueError(f"a mark on {mark.clip}, the trial has {', '.join(lengths)}")
    length = lengths[mark.clip]
    if mark.end > length + LATE:
        raise ValueError(f"a mark up to {mark.end} s of a clip of {length} s")
    return mark.model_copy(update={"start": min(mark.start, length), "end": min(mark.end, length)})


def mark_rows(study: Study, plan: Plan, trial: Trial, marks: Sequence[DefectMark]) -> list[Mark]:
    """Return the rows of what a rater marked in a trial.

    Raises:
        ValueError: for marks that no page can send.
    """
    found = checked_marks(study, plan, plan.by_key[trial.item], trial.swapped, marks)
    return [
        Mark(
            trial_id=trial.id,
            clip=mark.clip,
            start_s=mark.start,
            end_s=mark.end,
            kind=mark.kind,
            severity=mark.severity,
            **(mark.box.model_dump() if mark.box else {}),
        )
        for mark in found
    ]
