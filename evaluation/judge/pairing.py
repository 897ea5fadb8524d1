"""All pairs of methods on all edits, compared by a judge in both orders.

A pair is two clips of one edit. What both orders say together is one row; where they contradict
each other, that is *depends on order*, and where one has no answer, *unknown*: neither is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.data.suite_entries import Edit
from evaluation.judge.client import CallFailed
from evaluation.judge.frames import Stills
from evaluation.judge.judge import ModelJudge
from evaluation.judge.pairs import PairAnswer, Verdict, pair_answer, verdict_of
from evaluation.judge.prompts import QUESTIONS, JudgeQuestion, pairwise
from evaluation.judge.showing import Showing
from evaluation.judge.together import ask_together
from evaluation.run.folder import RunFolder
from evaluation.schema import ClipRow


class PairTask(NamedTuple):
    """Two clips of an edit, and what is asked of them."""

    edit: Edit
    first: ClipRow
    second: ClipRow
    question: JudgeQuestion


@dataclass(frozen=True)
class JudgedPair:
    """What a judge said of two edits; numbers are None where an order failed."""

    edit: str
    video: str
    category: str
    question: str
    first: str  # method
    second: str
    verdict: Verdict
    preference: float | None  # of the second over the first, ties as half
    forward: float | None  # preference for the seat A, the first method in it
    swapped: float | None  # the same with the second method in it
    forward_says: str | None  # A, B or C
    swapped_says: str | None
    reason: str | None  # why an order has no answer


def pair_tasks(run: RunFolder, methods: Sequence[str], questions: Sequence[str]) -> list[PairTask]:
    """Return all pairs of the methods' clips, of the first seed of each.

    Raises:
        UserError: if a method or question is unknown, or fewer than two methods are given.
    """
    for kind, named, known in (
        ("method", methods, [*run.info.methods]), ("question", questions, [*QUESTIONS])
    ):  # fmt: skip
        if strange := [one for one in named if one not in known]:
            raise UserError(f"no {kind} is called {strange[0]} (known: {', '.join(known)})")
    chosen = [one for one in run.info.methods if one in methods or not methods]
    if len(chosen) < 2:
        raise UserError("a pair needs two methods")
    asked = [QUESTIONS[name] for name in QUESTIONS if name in questions or not questions]
    return [
        PairTask(edit, first, second, question)
        for edit in run.edits
        for first, second in combinations(_clips(run, edit, chosen), 2)
        for question in asked
    ]


def judged_pairs(
    judge: ModelJudge,
    run: RunFolder,
    tasks: Sequence[PairTask],
    align: str,
    together: int,
    progress: Progress = lambda *_: None,
) -> list[JudgedPair]:
    """Return what a judge says of all pairs, in the order of the tasks.

    Raises:
        UserError: if nothing more can be asked; what was answered is in the archive.
    """
    showing = Showing(run, judge.frames, align)
    jobs = ((place, partial(_judged, judge, showing, task)) for place, task in enumerate(tasks))
    kept = "pairs are judged"
    found = ask_together(jobs, len(tasks), together, progress, judge.name, kept)
    return [found[place] for place in sorted(found)]


def _clips(run: RunFolder, edit: Edit, methods: Sequence[str]) -> Iterator[ClipRow]:
    for method in methods:
        row = run.clip_row(run.first_cell(method, edit.id))
        if row is not None and row.status == "ok":
            yield row


def _judged(judge: ModelJudge, showing: Showing, task: PairTask) -> JudgedPair:
    edit, question = task.edit, task.question
    forward = _asked(judge, showing, task, (task.first, task.second))
    swapped = _asked(judge, showing, task, (task.second, task.first))
    verdict = verdict_of(forward.shares, swapped.shares)
    one, other = forward.shares, swapped.shares
    return JudgedPair(
        edit.id, edit.video, edit.category, question.name, task.first.method, task.second.method,
        verdict.verdict, verdict.preference,
        one.for_a if one else None, other.for_a if other else None,
        one.favourite if one else None, other.favourite if other else None,
        forward.reason or swapped.reason,
    )  # fmt: skip


def _asked(
    judge: ModelJudge, showing: Showing, task: PairTask, order: tuple[ClipRow, ClipRow]
) -> PairAnswer:
    """Return what is said of two clips in one order."""
    a, b = (_seat(showing, clip, letter) for clip, letter in zip(order, "AB", strict=True))
    told = task.edit.instruction, task.edit.prompt
    parts = pairwise(task.question, (a, b), *told, judge.form)
    try:
        return pair_answer(judge.ask(judge.request(parts)), judge.form)
    except CallFailed as error:
        return PairAnswer("unreadable", None, str(error))


def _seat(showing: Showing, clip: ClipRow, letter: str) -> Stills:
    """Return the stills of a clip under its letter."""
    stills = showing.stills(clip, True)
    edited = tuple(
        still.under(f"Edit {letter}, {still.label.partition(', ')[2]}") for still in stills.edited
    )
    return Stills(stills.source, edited)
