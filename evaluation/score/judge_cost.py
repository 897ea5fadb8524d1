"""What judges will cost at most, told before they are asked, and refused where it is too much."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean

from dreamix.core.errors import UserError
from evaluation.judge.canary import ASKED
from evaluation.judge.judge import JudgeSettings, ModelJudge
from evaluation.judge.request import PIXELS_A_TOKEN
from evaluation.score.judging import JudgeMetric
from evaluation.score.plan import TasksOfVideo

WORDS = 250  # tokens of a question and its labels, about
ASPECT = 9 / 16  # of clips whose size is not known before they are decoded


def check_cost(
    units: Sequence[TasksOfVideo], metrics: Mapping[str, JudgeMetric], settings: JudgeSettings
) -> None:
    """Tell what the judges will be asked at most.

    Raises:
        UserError: if that is over the budget.
    """
    requests, tokens = Counter[str](), 0.0
    judges = {one.judge.name: one.judge for one in metrics.values() if not one.judge.is_replayed}
    for name, metric in metrics.items():
        if metric.judge.name in judges and (count := _lacking(units, name)):
            requests[metric.judge.name] += count
            tokens += count * _tokens(metric)
    if not requests:
        return
    for name in requests:
        requests[name] += len(ASKED)
    total = requests.total() + max(one.requests for one in judges.values())  # probes
    settings.tell(_told(total, tokens, settings, judges))
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


def _lacking(units: Sequence[TasksOfVideo], name: str) -> int:
    tasks = (task for unit in units for task in unit.tasks if task.clip.status == "ok")
    return sum(name in task.metrics for task in tasks)


def _tokens(metric: JudgeMetric) -> float:
    """Return the tokens of a question, as they were before or else by the size of the stills."""
    if used := _used(metric.judge):
        return mean(used)
    frames = metric.judge.frames
    clips = 2 if metric.question.sees_source else 1
    return WORDS + clips * frames.count * frames.side**2 * ASPECT / PIXELS_A_TOKEN


def _used(judge: ModelJudge) -> list[int]:
    usages = [one.usage for one in judge.archive.of_kind("judgement") if one.usage]
    return [total for usage in usages if (total := usage.get("total_tokens"))]


def _told(
    requests: int, tokens: float, settings: JudgeSettings, judges: Mapping[str, ModelJudge]
) -> str:
    money = ""
    if settings.price:
        money = f", about {tokens * settings.price.sent / 1e6:.2f} in the money of --price"
    return (
        f"judges ({', '.join(sorted(judges))}): up to {requests} requests, about "
        f"{tokens:.2g} tokens{money}; what was asked before is not asked again"
    )
