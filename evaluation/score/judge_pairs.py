"""All pairs of a run compared by a judge that was named, as far as budget and audit let it."""

from collections.abc import Sequence
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from evaluation.judge.archive import FOLDER
from evaluation.judge.canary import ASKED
from evaluation.judge.judge import JudgeSettings, ModelJudge, open_judge, spec_of
from evaluation.judge.limits import Spending, check_budget, cost_words
from evaluation.judge.pairing import JudgedPair, PairTask, judged_pairs, pair_tasks
from evaluation.judge.request import PIXELS_A_TOKEN
from evaluation.run.folder import RunFolder
from evaluation.score.judge_cost import ASPECT, WORDS
from evaluation.score.judging import check_audits


class Compared(NamedTuple):
    """What a judge said of all pairs; audit: its line, if there was one."""

    rows: list[JudgedPair]
    judge: ModelJudge
    audit: str | None


def compare(
    run: RunFolder, spec: str, methods: Sequence[str], questions: Sequence[str],
    settings: JudgeSettings, align: str, progress: Progress,
) -> Compared:  # fmt: skip
    """Return what a judge says of all pairs of methods, or of those that are named.

    Raises:
        UserError: if the judge cannot be asked, costs too much, or failed its audit in the order
            of pairs.
    """
    tasks, named = pair_tasks(run, methods, questions), spec_of(spec)
    spending = Spending(settings.budget)
    judge = open_judge(named, run.place(FOLDER, f"{named.name}.jsonl"), settings, spending)
    check_audits(settings.audits, {named.name: judge})
    for audit in settings.audits:
        if why := audit.why_not("pairs", "", is_motion=False):
            raise UserError(f"--judge {named.name} compares no pairs: {why} ({audit.line})")
    _check_cost(judge, tasks, settings, spending)
    rows = judged_pairs(judge, run, tasks, align, 2 * settings.limits.together, progress)
    return Compared(rows, judge, "; ".join(audit.line for audit in settings.audits) or None)


def _check_cost(
    judge: ModelJudge, tasks: Sequence[PairTask], settings: JudgeSettings, spending: Spending
) -> None:
    """Say what it costs at most; a `UserError` where that is over the budget."""
    if judge.is_replayed:
        return
    count = 2 * len(tasks) + len(ASKED) + spending.requests
    frames = judge.frames
    tokens = count * (WORDS + 3 * frames.count * frames.side**2 * ASPECT / PIXELS_A_TOKEN)
    settings.tell(cost_words(f"judge {judge.name}", count, tokens, settings.price))
    check_budget(settings.budget, count, tokens, "name fewer --methods or --questions")
