"""Metrics without people: methods ranked by each of them, and how far they agree.

Nothing here says which metric is right; that takes ratings.
"""

from typing import Any

import numpy as np
import pandas as pd

from dreamix.core.wording import listed, plural
from evaluation.stats.meta import system_note
from reports.figures.style import marks
from reports.loading import AXES
from reports.metrics.rankings import (
    ALPHA,
    PERMUTATIONS,
    RESAMPLES,
    Agreements,
    Ranking,
    agreement_figure,
    agreements,
    ranking_figure,
    rankings,
    values_of,
)
from reports.metrics.results import rank_bounds
from reports.parts import Drawing, ReportPart
from reports.subjects import subject
from reports.summary import RunSummary
from reports.tables import NOTHING, Head, Table, TableCell, is_number, number, table_of, those

NOBODY = (
    "Nobody was asked. This shows how metrics rank the methods and how far they agree, not which "
    "of them to believe: metrics that agree can be wrong together."
)


@subject("metrics-alone", "metrics alone")
def metric_parts(summary: RunSummary) -> list[ReportPart]:
    """Return the part on metrics alone, for a run without ratings.

    None in the list unless two methods compete and some axis has two metrics with values.
    """
    given, run = values_of(summary), summary.run
    axes: dict[str, str] = {name: run.metrics[name].axis for name in given.names}
    meant = [a for a in AXES if a != "other"]  # metrics of no axis need not agree
    several = [a for a in meant if sum(axis == a for axis in axes.values()) > 1]
    if len(given.methods) < 2 or not several:
        return []
    how = summary.resampling
    found = rankings(given, how.seed)
    agreed = agreements(given, axes, how)
    by_axis = {a: [one for one in found if axes[one.metric] == a] for a in AXES}
    return [
        ReportPart(
            id="metrics-alone",
            title="Methods by every metric, and metrics by each other",
            found=tuple(_sentence(a, by_axis[a], agreed) for a in several),
            notes=tuple(filter(None, (NOBODY, system_note(len(given.methods)), _hopeless(found)))),
            drawings=_drawings(summary, found, agreed, axes),
            folded=(
                *(_ranking_table(a, by_axis[a]) for a in AXES if by_axis[a]),
                *(_agreement_table(a, by_axis[a], agreed, how.confidence) for a in several),
            ),
            frames=(
                ("metric_rankings", _ranking_frame(found, summary)),
                ("metric_agreement", _frame(agreed)),
            ),
            done=_done(summary),
        )
    ]


def _sentence(axis: str, found: list[Ranking], agreed: Agreements) -> str:
    """Return whom the metrics of an axis put first, and how far they agree within edits."""
    text = f"{axis.capitalize()} by metrics alone: {'; '.join(_firsts(found))}"
    alone = sum(one.alone for one in found)
    differing, tested = sum(one.differing for one in found), sum(one.tested for one in found)
    text += f"; {_so_many(alone, len(found))} one method significantly ahead of all others"
    text += f". {_significant(differing, tested)}"
    names = {one.metric for one in found}
    taus = {pair: one.value for pair, one in agreed.ends.items() if pair[0] in names}
    known = {pair: tau for pair, tau in taus.items() if is_number(tau)}
    if not known:
        return f"{text}."
    worst = min(known, key=lambda pair: known[pair])
    mean = number(float(np.mean([*known.values()])), 2)
    text += f". Within edits, the metrics agree with a mean Kendall's tau of {mean}"
    if len(known) > 1:
        text += f"; {worst[0]} and {worst[1]} agree least ({number(known[worst], 2)})"
    return f"{text}."


def _so_many(some: int, every: int) -> str:
    """Return "none of them puts", "one of them puts", "both put", "all 3 put"."""
    if some == every:
        return "both put" if every == 2 else f"all {every} put"
    if some > 1:
        return f"{some} of them put"
    none = "neither puts" if every == 2 else "none of them puts"
    return "one of them puts" if some else none


def _significant(differing: int, tested: int) -> str:
    """Return how many differences between two methods are significant."""
    if not tested:
        return "No difference between two methods could be tested"
    if tested == 1:
        return f"The one difference tested is {'' if differing else 'not '}significant"
    if differing == tested:
        every = "Both" if tested == 2 else f"All {tested}"
        return f"{every} differences between two methods are significant"
    are = "is" if differing < 2 else "are"
    some = differing or "None"
    return f"{some} of the {tested} differences between two methods {are} significant"


def _firsts(found: list[Ranking]) -> list[str]:
    """Return whom metrics put first, and which name nobody best; equal means share the place."""
    ranked = [one for one in found if one.methods]
    first: dict[tuple[str, ...], list[str]] = {}
    for one in ranked:
        first.setdefault(one.first, []).append(one.metric)
    said = []
    if len(first) == 1 and len(ranked) == len(found):
        names = next(iter(first))
        together = "" if len(names) == 1 else " together"
        every = "Both" if len(found) == 2 else f"All {len(found)}"
        said.append(f"{every} metrics put {those(list(names))} first{together}")
    elif first:
        order = sorted(first, key=lambda names: (-len(first[names]), names))
        each = [f"{_some(first[names])} put{'s' * (len(first[names]) == 1)} {those(list(names))}"
                for names in order]  # fmt: skip
        said.append(f"By the means, {listed([f'{each[0]} first', *each[1:]])}")
    for one in ranked:
        if names_ := [name for name in one.first if name not in one.best]:
            is_, their = ("is", "its") if len(names_) == 1 else ("are", "their")
            said.append(
                f"by {one.metric}, {those(names_)} {is_} not called best, as {their} place depends "
                "on missing values"
            )
    if nobody := [one.metric for one in found if not one.methods]:
        said.append(f"by {listed(nobody)}, methods have too few edits in common to be ranked")
    return [f"{said[0][0].upper()}{said[0][1:]}", *said[1:]] if said else said


def _hopeless(found: list[Ranking]) -> str:
    """Return on which metrics too few source videos have values to show any difference."""
    names = [f"{one.metric} ({one.sources})" for one in found if one.hopeless]
    if not names:
        return ""
    return (
        "On some metrics, too few source videos have values for any difference between two "
        f"methods to be significant after Holm's adjustment: {listed(names)}."
    )


def _some(names: list[str]) -> str:
    return listed(names) if len(names) < 4 else plural(len(names), "metric")


def _drawings(
    summary: RunSummary, found: list[Ranking], agreed: Agreements, axes: dict[str, str]
) -> tuple[Drawing, ...]:
    methods = summary.run.ranked
    ranked = Drawing(
        "metric_rankings",
        ranking_figure(found, axes, marks(summary.run), methods),
        f"{plural(len(found), 'metric')}: the {len(methods)} methods in the order of their means.",
        "The methods in the order of their means on the common edits, metric by metric; = marks "
        "equal means. A bar joins the methods of a cluster: the next cluster begins with a method "
        "that is significantly worse than every method before it. Where rows differ, metrics "
        "disagree; nobody was asked which is right.",
    )
    if len(agreed.names) < 3:
        return (ranked,)  # the table says the one number
    above = f"; above it: tau of the {len(methods)} methods' means" if agreed.enough else ""
    matrix = Drawing(
        "metric_agreement",
        agreement_figure(agreed, axes),
        f"Matrix of Kendall's tau of {len(agreed.names)} metrics with each other.",
        "How far metrics agree with each other: Kendall's tau, in hundredths, with every metric "
        "turned so that more is better. Below the diagonal: tau over the methods within an edit, "
        f"averaged over edits{above}. Darker cells agree more; hatched ones are below zero.",
    )
    return (ranked, matrix)


def _ranking_table(axis: str, found: list[Ranking]) -> Table:
    count = max(len(one.methods) for one in found)
    return table_of(
        f"metric_rankings_{axis}",
        f"{axis.capitalize()}: methods in the order of each metric's mean",
        "Methods are ranked by their means on the common edits, those on which every ranked "
        "method has a value. Below each method stand its rank, which equal means share, and its "
        "cluster. A cluster begins where a method is worse than every method before it at "
        f"p < {ALPHA:g} (paired test over source videos, two-sided, Holm-adjusted). Bold: the "
        "best, whatever values are missing.",
        [one.metric for one in found],
        [
            *((str(place + 1), [_ranked_cell(one, place) for one in found])
              for place in range(count)),
            ("pairs that differ", [f"{one.differing} of {one.tested}" for one in found]),
            ("common edits", [one.edits for one in found]),
            (Head("not ranked", hint="too few edits in common with the others"),
             [", ".join(one.apart) or NOTHING for one in found]),
        ],
        first="metric",
    )  # fmt: skip


def _ranked_cell(one: Ranking, place: int) -> TableCell:
    if place >= len(one.methods):
        return TableCell(NOTHING, hint="no value")
    method = one.methods[place]
    under = f"rank {one.ranks[place]}, cluster {one.clusters[place]}"
    return TableCell(method, under, best=method in one.best)


def _agreement_table(axis: str, found: list[Ranking], agreed: Agreements, level: float) -> Table:
    names = [one.metric for one in found]
    return table_of(
        f"metric_agreement_{axis}",
        f"{axis.capitalize()}: agreement of the metrics within edits",
        "Kendall's tau over the methods within an edit, averaged over edits, with its "
        f"{100 * level:g}% interval over source videos. Edits on which a metric gives every method "
        "the same value are left out.",
        names,
        [(Head(b, code=True), [_agreement_cell(a, b, agreed) for a in names]) for b in names],
        first="metric",
    )


def _agreement_cell(a: str, b: str, agreed: Agreements) -> TableCell:
    one = agreed.ends.get((a, b)) or agreed.ends.get((b, a))
    if one is None or not is_number(one.value):
        return TableCell(NOTHING)
    ends = f"[{number(one.low, 2)}, {number(one.high, 2)}]" if is_number(one.low) else ""
    return TableCell(number(one.value, 2), ends or "[no interval]")


def _ranking_frame(found: list[Ranking], summary: RunSummary) -> pd.DataFrame:
    """Return a row for every metric and method with a value; one that is not ranked has no rank."""
    rows = [
        _frame_row(one, summary, method, place)
        for one in found
        for place, method in enumerate([*one.methods, *one.apart])
    ]
    return pd.DataFrame(rows)


def _frame_row(one: Ranking, summary: RunSummary, method: str, place: int) -> dict[str, Any]:
    ranked, own = place < len(one.methods), summary.scores[method, one.metric]
    ends = rank_bounds(summary, method, one.metric)
    return {
        "metric": one.metric,
        "rank": one.ranks[place] if ranked else pd.NA,
        "method": method,
        "cluster": one.clusters[place] if ranked else pd.NA,
        "p_best": one.p[0, place] if ranked else np.nan,
        "called_best": method in one.best,
        "mean": summary.compared(method, one.metric).mid if ranked else np.nan,
        "common_edits": one.edits if ranked else pd.NA,
        "own_mean": own.interval.mid,
        "own_edits": own.edits,
        "best_rank": ends[0] if ends else pd.NA,
        "worst_rank": ends[1] if ends else pd.NA,
    }


def _frame(agreed: Agreements) -> pd.DataFrame:
    rows = []
    for i, a in enumerate(agreed.names):
        for j in range(i):
            b = agreed.names[j]
            ends = agreed.ends.get((b, a))
            row = {"metric": a, "other": b, "within_edits": agreed.within[i, j]}
            row |= {"low": ends.low if ends else np.nan, "high": ends.high if ends else np.nan}
            rows.append(row | {"of_means": agreed.means[i, j]})
    return pd.DataFrame(rows)


def _done(summary: RunSummary) -> tuple[str, ...]:
    few = min(summary.resampling.resamples, RESAMPLES)
    return (
        "Methods were ranked by each metric's mean over their common edits, those on which every "
        "ranked method has a whole clip with a value; two methods were compared on these "
        "by a paired permutation test in which the differences of a source video change "
        f"sign together ({PERMUTATIONS} permutations, all of them where there are no more; "
        "two-sided, Holm-adjusted over the pairs of methods of a metric [@holm1979; "
        f"@phipson2010]), and a cluster begins where a method is worse at p < {ALPHA:g} than every "
        "method before it.",
        "Agreement of two metrics is the mean over edits of Kendall's tau-b over the methods "
        f"within the edit, with {100 * summary.resampling.confidence:g}% percentiles of {few} "
        "resamples of source videos.",
    )
