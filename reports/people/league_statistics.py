"""The other agreements of metrics with people: SPA, and correlations at three levels."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.stats.meta import (
    WITHIN,
    Kind,
    Level,
    MetaInterval,
    SplitHalf,
    Statistic,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
    correlate,
    mean_votes,
    split_half,
)
from reports.people.agreement import why_none
from reports.people.cells import ends_cell, plain_cell
from reports.people.joint import Joint
from reports.tables import NOTHING, Cell, Head, Row, Table

DRAWS = 1000  # resamples, at most
LEVELS: dict[Level, str] = {
    "item": "mean over edits of the correlation over methods within the edit",
    "edits": "mean over methods of the correlation over the method's edits",
    "global": "over all edits by all methods at once; confounded by how hard each video is",
}
KINDS: dict[Kind, str] = {"pearson": "Pearson", "spearman": "Spearman", "kendall_b": "Kendall"}


class Others(NamedTuple):
    """Statistics of every metric on one question, by metric."""

    question: str
    spa: dict[str, MetaInterval]
    correlations: dict[str, dict[tuple[Level, Kind], MetaInterval]]
    constant: dict[str, int]  # edits on which metric or people are all equal over methods
    ceilings: dict[Level, SplitHalf]  # Pearson of halves of the panel
    why_not: dict[str, str]  # by metric: what is missing or does not vary; "" for nothing


def others(joint: Joint, question: str) -> Others:
    """Return SPA and correlations of every metric with their intervals over source videos."""
    votes, few = joint.votes[question], min(DRAWS, joint.people.how.resamples)
    human = mean_votes(votes)
    draws = joint.people.resampling("statistics", question)._replace(resamples=few)
    spa = bootstrap_soft_pairwise(joint.metrics, human, draws, sources=joint.sources)
    named = list(zip(joint.names, joint.metrics, strict=True))
    return Others(
        question,
        dict(zip(joint.names, spa, strict=True)),
        {name: _correlations(joint, metric, human, question, few) for name, metric in named},
        {name: correlate(metric, human, level="item").constant for name, metric in named},
        {level: split_half(votes, level=level, rng=draws.rng) for level in LEVELS},
        {name: why_none(joint, k, question) for k, name in enumerate(joint.names)},
    )


def statistics_table(found: Others, order: list[str], confidence: float) -> Table:
    """Return a row for every metric, in the order of the league."""
    heads = [
        Head("SPA", hint="soft pairwise accuracy: are methods ranked with the raters' confidence?")
    ]
    heads += [
        Head(f"{KINDS[kind]}, {level}", hint=hint)
        for level, hint in LEVELS.items()
        for kind in KINDS
    ]
    heads.append(Head("edits all equal", hint="the metric or the raters give all methods the same"))
    return Table(
        f"metric_statistics_{found.question}",
        f"{found.question.capitalize()}: other statistics of the metrics",
        "Not ranked by: SPA over pairs of methods; correlations within an edit (item), between the "
        f"edits of a method (edits), and over all (global), with {100 * confidence:g}% "
        "intervals over "
        "source videos. "
        "Last line: Pearson that a metric knowing the true means would reach, from the "
        "agreement of halves of the panel. Edits where all are equal have no correlation and are "
        "left out of the means.",
        tuple(heads),
        (*(Row(name, _cells(found, name)) for name in order), _ceiling_row(found)),
        first="metric",
    )


def statistics_frame(found: Others) -> pd.DataFrame:
    """Return one row for every metric and statistic, unrounded."""
    rows = []
    for name, values in found.correlations.items():
        ends: dict[tuple[str, str], MetaInterval] = {("SPA", ""): found.spa[name]}
        ends |= {(str(level), str(kind)): one for (level, kind), one in values.items()}
        for (level, kind), one in ends.items():
            row = {"question": found.question, "metric": name, "level": level, "kind": kind}
            rows.append(row | {"value": one.value, "low": one.low, "high": one.high})
    return pd.DataFrame(rows)


def _correlations(
    joint: Joint, metric: np.ndarray, human: np.ndarray, question: str, resamples: int
) -> dict[tuple[Level, Kind], MetaInterval]:
    def found(level: Level, kind: Kind) -> MetaInterval:
        draws = joint.people.resampling("correlations", question)._replace(resamples=resamples)
        statistic = Statistic("correlation", level, kind)
        return bootstrap_correlation(metric, human, statistic, draws, sources=joint.sources)

    return {(level, kind): found(level, kind) for level in LEVELS for kind in KINDS}


def _cells(found: Others, name: str) -> tuple[Cell, ...]:
    why = found.why_not[name]
    cells = [ends_cell(found.spa[name], why=why)]
    cells += [
        ends_cell(one, why=why or WITHIN[level])
        for (level, _), one in found.correlations[name].items()
    ]
    return (*cells, Cell(str(found.constant[name])))


def _ceiling_row(found: Others) -> Row:
    cells = [Cell(NOTHING)]
    for level in LEVELS:
        cells += [plain_cell(found.ceilings[level].ceiling), Cell(NOTHING), Cell(NOTHING)]
    return Row("ceiling (people)", (*cells, Cell(NOTHING)))
