"""What judges will cost at most, told before they are asked, and refused where it is too much."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from dreamix.core.errors import UserError
from dreamix.data.suite import Suite
from evaluation.judge.canary import ASKED
from evaluation.judge.judge import JudgeSettings, ModelJudge
from evaluation.judge.limits import cost_words
from evaluation.judge.request import PIXELS_A_TOKEN
from evaluation.score.judge_metric import CHECKLIST, JudgeLoad, JudgeMetric
from evaluation.score.plan import TasksOfVideo

WORDS = 250  # tokens of a question and its labels, about
ASPECT = 9 / 16  # of clips whose size is not known before they are decoded


def check_cost(
    units: Sequence[TasksOfVideo],
    metrics: Mapping[str, JudgeMetric],
    settings: JudgeSettings,
    suite: Suite,
) -> None:
    """Tell what the judges will be asked at most.

    Raises:
        UserError: if that is over the budget.
    """
    requests, tokens = Counter[str](), 0.0
    judges = {one.judge.name: one.judge for one in metrics.values() if not one.judge.is_replayed}
    for judge, load in _loads(units, metrics, suite):
        if judge.name in judges:
            requests[judge.name] += load.requests
            tokens += _tokens(judge, load)
    if not requests:
        return
    for name in requests:
        requests[name] += len(ASKED)
    total = requests.total() + max(one.requests for one in judges.values())  # probes
    who = f"judges ({', '.join(sorted(judges))})"
    settings.tell(cost_words(who, total, tokens, settings.price))
    stated = sum(bool(edit.questions) for edit in suite.edits)
    if stated and CHECKLIST not in settings.asks:
        settings.tell(f"{stated} edits state questions; --judge-asks scales,checklist asks them")
    most, most_tokens = settings.budget
    if most is not None and total > most:
        raise UserError(
            f"--budget: up to {total} requests are needed, and {most} are allowed: allow more, or "
            "judge fewer edits"
        )
    if most_tokens is not None and tokens > most_tokens:
        raise UserError(
            f"--budget: about {tokens:.0f} tokens are needed, and {most_tokens} are allowed: allow "
            "more, show fewer or smaller frames, or judge fewer edits"
        )


def _loads(
    units: Sequence[TasksOfVideo], metrics: Mapping[str, JudgeMetric], suite: Suite
) -> Iterator[tuple[ModelJudge, JudgeLoad]]:
    """Yield what is sent for each clip; what several metrics share is sent once."""
    tasks = (task for unit in units for task in unit.tasks if task.clip.status == "ok")
    for task in tasks:
        lacking = [metrics[name] for name in task.metrics if name in metrics]
        asked = {(one.judge.name, one.asks): one for one in lacking}
        for one in asked.values():
            load = one.load(suite.edit(task.cell.edit))
            if load.requests:
                yield one.judge, load


def _tokens(judge: ModelJudge, load: JudgeLoad) -> float:
    """Return the tokens of questions, as they were before or else by the size of the stills."""
    if used := _used(judge):
        return load.requests * mean(used)
    frames = judge.frames
    stills = load.clips * frames.count * frames.side**2 * ASPECT / PIXELS_A_TOKEN
    return load.requests * WORDS + stills


def _used(judge: ModelJudge) -> list[int]:
    usages = [one.usage for one in judge.archive.of_kind("judgement") if one.usage]
    return [total for usage in usages if (total := usage.get("total_tokens"))]
