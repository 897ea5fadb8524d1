"""What methods cost: time of an edit and of finetuning, all time, memory."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from evaluation.schema import finetune_seconds
from reports.loading import Run
from reports.tables import NOTHING, Head, Table, is_number, number, table_of


def cost_table(run: Run) -> Table:
    """Return what each method cost: time of an edit and of finetuning, all time, memory."""
    costs = zip(*(_cost_texts(run, label) for label in run.methods), strict=True)
    heads = (
        Head("s / edit", hint="median wall time of one clip in seconds, without finetuning"),
        Head("finetuning s / video", hint="median over the videos that were finetuned on"),
        Head("all min", hint="sum over the clips, in minutes of one process"),
        Head("peak MB", hint="highest resident memory of the process that made the clips"),
    )
    text = (
        "Wall time without writing the clips, each process on one core. Clips that were made "
        "elsewhere and brought in have none."
    )
    columns = list(zip(heads, costs, strict=True))
    return table_of("cost", "Cost", text, [*run.methods], columns, anchors=run.anchors)


class MethodCost(NamedTuple):
    """What making the clips of a method took; NaN where nobody knows."""

    edit_seconds: float  # median of a clip, without finetuning
    finetune_seconds: float  # median over the videos that were finetuned on
    total_seconds: float
    peak_memory_mb: float


def method_cost(run: Run, label: str) -> MethodCost:
    """Return what a method took, by the clips that say so."""
    made = run.timed(label)
    if not made:
        return MethodCost(np.nan, np.nan, np.nan, np.nan)
    tuning: defaultdict[str, float] = defaultdict(float)
    alone = []
    for clip in made:
        spent = finetune_seconds(clip.facts)
        tuning[run.edits[clip.edit].video] += spent
        alone.append((clip.seconds or 0.0) - spent)
    paid = [seconds for seconds in tuning.values() if seconds > 0]
    memory = max(clip.peak_memory_mb or 0.0 for clip in made)
    return MethodCost(
        float(np.median(alone)),
        float(np.median(paid)) if paid else np.nan,
        sum(clip.seconds or 0.0 for clip in made),
        memory or np.nan,
    )


def _cost_texts(run: Run, label: str) -> list[str]:
    """Return the numbers of one method in `cost_table`."""
    cost = method_cost(run, label)
    shown = (
        (cost.edit_seconds, 2),
        (cost.finetune_seconds, 1),
        (cost.total_seconds / 60, 1),
        (cost.peak_memory_mb, 0),
    )
    return [number(value, digits) if is_number(value) else NOTHING for value, digits in shown]
