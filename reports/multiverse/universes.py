"""Universes: every protocol with every judge, treatment of failures and way of averaging.

In each, two methods are compared by a test in which their labels are swapped within source videos
(`evaluation.stats.meta.label_swaps`), Holm-adjusted over the pairs of methods. What cannot make a
difference in a run makes no universe: where nothing failed, failures are treated one way; where all
sources (categories) have equally many edits and nothing failed, means over them are those over
edits.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from dreamix.core.progress import Progress
from evaluation.stats.meta import Average, LabelSwaps, MeanGap
from evaluation.stats.multiplicity import holm
from reports.ground import means_over
from reports.loading import Run
from reports.multiverse.edit_scores import (
    ClipTables,
    EditScores,
    JudgeAsked,
    Resolved,
    UnscoredProtocol,
    edit_scores,
    on_scale,
    over_seeds,
    resolved,
)
from reports.multiverse.protocols import AVERAGES, FAILURES, Failures, Protocol
from reports.summary import IntervalSettings

Verdict = Literal["first", "second", "not told apart", "no value"]
NONE_FAILED = "none failed"
NO_JUDGE = "no judge"
UNTOUCHED = "unedited"  # the anchor that is the source itself
TINY = 1e-9
LABELS: dict[Average, str] = {"edits": "id", "sources": "video", "categories": "category"}


class Universe(NamedTuple):
    """One way from scores to verdicts."""

    protocol: Protocol
    judge: JudgeAsked | None
    failures: Failures | None  # None: nothing failed
    average: Average
    is_habit: bool  # failures and averages are treated as the protocol's own benchmark does

    @property
    def choices(self) -> dict[str, str]:
        """What was chosen, by what there was to choose."""
        return {
            "protocol": self.protocol.name,
            "judge": self.judge.model if self.judge else NO_JUDGE,
            "frames": self.judge.frames if self.judge else NO_JUDGE,
            "failures": self.failures or NONE_FAILED,
            "average": self.average,
        }


def levels_of(universes: list[Universe]) -> dict[str, list[str]]:
    """Return the levels of every choice, protocols as they are listed, frames by their number."""
    found = {
        choice: list(dict.fromkeys(one.choices[choice] for one in universes))
        for choice in universes[0].choices
    }
    found["frames"].sort(key=lambda level: int(level.split()[0]) if level[0].isdigit() else 0)
    return found


class UniverseVerdict(NamedTuple):
    """Two methods in a universe."""

    verdict: Verdict
    gap: MeanGap  # first minus second, on the protocol's scale of 0 to 1
    p: float  # Holm-adjusted
    effect: MeanGap  # the same in standard deviations of an edit's score under the protocol


class MetricLead(NamedTuple):
    """By how much the first of two methods leads in a metric that universes use."""

    metric: str
    effect: float  # in standard deviations of an edit's score; NaN without


class Multiverse(NamedTuple):
    """All verdicts; the rows of `found` are universes, its columns pairs of competing methods."""

    universes: list[Universe]
    pairs: list[tuple[str, str]]
    found: list[list[UniverseVerdict]]
    untouched: list[
        tuple[Universe, list[UniverseVerdict]]
    ]  # methods against the unedited clip, by habit
    left_out: list[UnscoredProtocol]
    leads: list[list[MetricLead]]  # by pair
    gaps: dict[str, int]  # by method: edits with a gap, in the protocol where they are most
    edits: int
    sources: int
    hopeless: bool  # so few sources that no difference of two methods could be told
    hopeless_untouched: bool  # nor one of a method and the unedited clip

    def of(self, pair: int) -> list[tuple[Universe, UniverseVerdict]]:
        """Return the universes in which the two methods of a pair could be compared."""
        rows = zip(self.universes, self.found, strict=True)
        return [(one, row[pair]) for one, row in rows if row[pair].verdict != "no value"]

    def shown(self, most: int) -> list[int]:
        """Return the pairs that there is room for, those whose verdicts turn first, in order."""

        def turns(place: int) -> bool:
            return len({row[place].verdict for row in self.found} & {"first", "second"}) > 1

        first = sorted(range(len(self.pairs)), key=lambda place: not turns(place))[:most]
        return sorted(first)


def multiverse(
    run: Run,
    protocols: tuple[Protocol, ...],
    how: IntervalSettings,
    progress: Progress | None = None,
) -> Multiverse:
    """Return the verdicts on every two competing methods in all universes that the run allows."""
    kept, left = resolved(run, protocols)
    tables, pairs = ClipTables(run), list(combinations(run.ranked, 2))
    sources, categories = (
        np.array([getattr(edit, name) for edit in run.edits.values()])
        for name in ("video", "category")
    )
    swaps = LabelSwaps(sources, categories, how.resampling("multiverse"))
    nothing = [label for label in run.anchors if run.methods[label].name == UNTOUCHED][:1]
    against = [(label, other) for other in nothing for label in run.ranked]
    universes, found, untouched, gaps = [], [], [], Counter[str]()
    for place, one in enumerate(kept):
        scores = edit_scores(tables, one)
        gaps |= _gaps(run, scores)
        for universe in _of(one, scores, run, sources, categories):
            universes.append(universe)
            found.append(_row(run, pairs, scores, universe, swaps, how))
            if universe.is_habit and against:
                untouched.append((universe, _row(run, against, scores, universe, swaps, how)))
        if progress:
            progress(place + 1, len(kept))
    leads = [_leads(run, tables, kept, pair) for pair in pairs]
    return Multiverse(
        universes, pairs, found, untouched, left, leads,
        {label: gaps[label] for label in run.ranked}, len(run.edits), len(set(sources)),
        swaps.least_p(len(pairs)) >= how.alpha, swaps.least_p(len(against)) >= how.alpha,
    )  # fmt: skip


def _gaps(run: Run, scores: EditScores) -> Counter[str]:
    counts = scores.gaps.sum(axis=1)
    return Counter({label: int(n) for label, n in zip(run.methods, counts, strict=True)})


def _of(
    one: Resolved, scores: EditScores, run: Run, sources: np.ndarray, categories: np.ndarray
) -> Iterator[Universe]:
    """Yield the universes of a protocol and a judge that can differ."""
    rows = _places(run, run.ranked)
    failed = bool(scores.gaps[rows].any())
    due = np.isfinite(scores.low[rows]).any(axis=0)
    sizes = {"sources": Counter(sources[due]), "categories": Counter(categories[due])}
    averages = [a for a in AVERAGES if a == "edits" or failed or len({*sizes[a].values()}) > 1]
    own = one.protocol.average if one.protocol.average in averages else "edits"
    for average in averages:
        for failures in FAILURES if failed else (None,):
            is_habit = average == own and failures in (None, one.protocol.failures)
            yield Universe(one.protocol, one.judge, failures, average, is_habit)


def _places(run: Run, labels: list[str]) -> list[int]:
    every = list(run.methods)
    return [every.index(label) for label in labels]


def _row(
    run: Run,
    pairs: list[tuple[str, str]],
    scores: EditScores,
    universe: Universe,
    swaps: LabelSwaps,
    how: IntervalSettings,
) -> list[UniverseVerdict]:
    """Return the verdicts of a universe on all pairs."""
    spread = _spread(scores.whole[_places(run, run.ranked)])
    every, field = list(run.methods), LABELS[universe.average]
    labels = np.array([getattr(edit, field) for edit in run.edits.values()])
    places = [(every.index(one), every.index(other)) for one, other in pairs]
    gaps = [_gap(scores, a, b, universe, swaps) for a, b in places]
    adjusted = holm(np.array([gap.p for gap in gaps]))
    found = []
    for (a, b), gap, p in zip(places, gaps, adjusted, strict=True):
        shown = p < how.alpha
        if shown and universe.failures == "bounds":
            ahead, behind = (a, b) if gap.mid > 0 else (b, a)
            shown = _is_kept(scores, ahead, behind, labels)
        effect = gap._replace(low=gap.low / spread, mid=gap.mid / spread, high=gap.high / spread)
        found.append(UniverseVerdict(_verdict(gap, bool(shown)), gap, float(p), effect))
    return found


def _verdict(gap: MeanGap, shown: bool) -> Verdict:
    if not np.isfinite(gap.mid):
        return "no value"
    if not shown:
        return "not told apart"
    return "first" if gap.mid > 0 else "second"


def _gap(scores: EditScores, a: int, b: int, universe: Universe, swaps: LabelSwaps) -> MeanGap:
    """Return how far one method is ahead of another, failures treated as the universe says."""
    held = scores.low if universe.failures == "bottom of the scale" else scores.whole
    first, second = held[a], held[b]
    if universe.failures != "dropped by method":
        both = np.isfinite(first) & np.isfinite(second)
        first, second = (np.where(both, values, np.nan) for values in (first, second))
    return swaps.compare(first, second, universe.average)


def _is_kept(scores: EditScores, ahead: int, behind: int, labels: np.ndarray) -> bool:
    """Return whether the lead stays with all gaps of the one at the bottom, or the other's at top.

    As on leaderboards: each on the edits on which the other has a whole score. labels: of edits,
    whose groups weigh alike.
    """
    whole = scores.whole
    leads = np.stack([scores.low[ahead] - whole[behind], whole[ahead] - scores.high[behind]])
    return bool((means_over(leads, labels) > TINY).all())


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation of all scores of edits; 1 where they do not vary."""
    known = values[np.isfinite(values)]
    found = float(known.std()) if known.size else 0.0
    return found if found > TINY else 1.0


def _leads(
    run: Run, tables: ClipTables, kept: list[Resolved], pair: tuple[str, str]
) -> list[MetricLead]:
    """Return the leads in the metrics of all protocols, on edits that both methods have."""
    scales = {one.names[m.metric]: m.scale for one in kept for m in reversed(one.protocol.metrics)}
    places = _places(run, list(pair))
    found = []
    for name, scale in scales.items():
        values = over_seeds(on_scale(run.metrics[name], tables.of(name).value, scale))
        first, second = (values[place] for place in places)
        lead = means_over((first - second)[None], None)[0]
        spread = _spread(values[_places(run, run.ranked)])
        found.append(MetricLead(name, float(lead / spread)))
    return sorted(found, key=lambda one: one.metric)
