"""What a report says in numbers: means with intervals, counts, and paired leads.

A method's score on a metric is the mean over its edits of the mean over the edit's seeds. Clips
without a value (failed, not applicable, missing) are left out of the mean and counted beside it;
methods are compared on the edits that they have in common (`reports.ground`).
Intervals resample source videos, each with all of its edits; see `evaluation.stats.intervals`.
Every table uses the same draws.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.seeding import rng_for
from evaluation.schema import kind_of_reason
from evaluation.stats.intervals import Interval, cluster_bootstrap, cluster_intervals
from evaluation.stats.resampling import Resampling
from reports.ground import Gapped, MethodRanks, compared_values, gapped, stand
from reports.loading import STATUSES, Run

# The metric that stands for an axis where one number must: the first of these with values.
# What knows the exact edit (of rendered suites) comes before what does not, with * for the name of
# the world, and a gain over the source before the raw similarity, which the source already has.
HEADLINE = {
    "alignment": ("judge_alignment", "clip_t_gain", "ideal_gain", "conse_t", "clip_dir", "clip_t"),
    "fidelity": ("*_nearness", "clip_i", "lpips", "lpips.masked", "ssim", "psnr"),
    "quality": ("judge_quality", "brisque", "clip_f", "warp_error.self_flow", "flicker"),
}


class IntervalSettings(NamedTuple):
    """How sure the intervals of a report are to be, and how they are drawn."""

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0

    @property
    def alpha(self) -> float:
        """Level of tests that goes with that of intervals."""
        return round(1 - self.confidence, 9)

    def resampling(self, *names: str | int) -> Resampling:
        """Return the draws for one purpose: they depend on its names and the seed alone."""
        return Resampling(rng_for(*names, self.seed), self.resamples, self.confidence)

    def facts(self) -> dict[str, float]:
        """Return what a page says of them, by the names of the options."""
        return {"level": self.confidence, "resamples": self.resamples, "seed": self.seed}


@dataclass(frozen=True)
class Score:
    """A mean over edits, and the counts without which it should not be read."""

    interval: Interval
    edits: int  # with a value
    videos: int  # with a value
    clips: dict[str, int]  # how many clips have each of STATUSES


@dataclass(frozen=True)
class RunSummary:
    """The numbers of a report, by (method, metric) and by (method, metric, category).

    scores, categories: over all edits that a method has a value for, partial clips too.
    common, common_categories: what is compared: of ranked methods and anchors over the common edits
             of a metric (`reports.ground`), of all others the same as above.
    deltas:  of the value minus the same metric on the source itself; common_deltas: of what is
             compared.
    standings: of the competing methods, in the order of `Run.ranked`.
    """

    run: Run
    resampling: IntervalSettings
    scores: dict[tuple[str, str], Score]
    common: dict[tuple[str, str], Score]
    deltas: dict[tuple[str, str], Score]
    common_deltas: dict[tuple[str, str], Score]
    categories: dict[tuple[str, str, str], Score]
    common_categories: dict[tuple[str, str, str], Score]
    gapped: dict[str, Gapped]
    standings: dict[str, MethodRanks]

    def interval(self, method: str, metric: str) -> Interval:
        """Return the mean of a method over its own edits, and its interval."""
        return self.scores[method, metric].interval

    def compared(self, method: str, metric: str) -> Interval:
        """Return the mean by which a method is compared, and its interval."""
        return self.common[method, metric].interval

    def expected(self, metric: str) -> int:
        """Return how many edits of the grid a metric is meant for."""
        not_for = self.run.metrics[metric].not_for
        return sum(n for category, n in self.run.categories.items() if category not in not_for)

    def column(self, metric: str) -> list[Score]:
        """Return the scores of every method on one metric, anchors last."""
        return [self.scores[label, metric] for label in self.run.methods]

    def ranking(self, metric: str) -> list[str]:
        """Return the ranked methods, best first by their means on common edits; equal ones as run.

        A method alone is its own ranking. Empty for a metric that only describes, and where the
        methods have no edits in common.
        """
        if not self.run.metrics[metric].sign:
            return []
        if self.alone(metric):
            return self._valued(metric)
        return self._labels(self.standings[metric].order)

    def alone(self, metric: str) -> bool:
        """Return whether a single competing method has a value, so that nothing can be compared."""
        return len(self._valued(metric)) == 1

    def top(self, metric: str) -> list[str]:
        """Return the methods of the best mean on common edits: one, or several that share it."""
        return self._labels(self.standings[metric].top) if self.run.metrics[metric].sign else []

    def best(self, metric: str) -> set[str]:
        """Return the methods that are called best: at the top, whatever their gaps hide."""
        named = self.standings[metric].called_best if self.run.metrics[metric].sign else ()
        return set(self._labels(named))

    def apart(self, metric: str) -> list[str]:
        """Return the competing methods with values that are not ranked; none for one alone."""
        ranked = set(self.ranking(metric))
        return [label for label in self._valued(metric) if label not in ranked]

    def uneven(self, metric: str) -> bool:
        """Return whether some competing method has values that are not compared."""
        return bool(self.apart(metric)) or any(self.more(m, metric) for m in self.run.ranked)

    def more(self, method: str, metric: str) -> bool:
        """Return whether a method has values on other edits than those it is compared on."""
        own, one = self.scores[method, metric], self.common[method, metric]
        away = abs(own.interval.mid - one.interval.mid) > self.gapped[metric].near
        return own.edits != one.edits or away

    def lead(self, first: str, second: str, metric: str) -> Interval:
        """Return the mean of first - second over the edits on which they are compared.

        Of two ranked methods these are the common edits, else those that both have.
        """
        whole, methods = self.gapped[metric].whole, list(self.run.methods)
        difference = whole[methods.index(first)] - whole[methods.index(second)]
        ranked = self.ranking(metric)
        if first in ranked and second in ranked and not self.alone(metric):
            difference = np.where(self.standings[metric].ground.edits, difference, np.nan)
        return cluster_bootstrap(difference, _videos(self.run), _draws(self.resampling))

    def headline(self, axis: str) -> str | None:
        """Return the metric that stands for an axis, or None if none has a value and a direction.

        The first, as HEADLINE orders them, that some competing method has a value for (some anchor,
        if nothing competes); failing that, the first such metric of the axis by name.
        """
        facts = {facts.name: facts for facts in self.run.on_axis(axis) if facts.sign}
        wanted = HEADLINE.get(axis, ())
        preferred = [name for like in wanted for name in facts if fnmatch(name, like)]
        voices = self.run.ranked or [*self.run.methods]
        usable = (
            name
            for name in [*preferred, *facts]
            if any(self.scores[label, name].edits for label in voices)
        )
        return next(usable, None)

    def _valued(self, metric: str) -> list[str]:
        return [label for label in self.run.ranked if self.scores[label, metric].edits]

    def _labels(self, places: tuple[int, ...]) -> list[str]:
        return [self.run.ranked[place] for place in places]


def summarize(run: Run, resampling: IntervalSettings) -> RunSummary:
    """Return all numbers of a report on `run`."""
    found = gapped(run)
    rows = [list(run.methods).index(label) for label in run.ranked]
    standings = {name: stand(one, run.metrics[name].sign or 1, rows) for name, one in found.items()}
    own, deltas = (per_edit(run, field) for field in ("value", "delta"))
    values = compared_values(run, found, standings, own)

    def both(all_: pd.DataFrame, some: pd.DataFrame) -> tuple[dict[Any, Score], dict[Any, Score]]:
        scores = _scores(run, all_, resampling)
        return scores, scores if values.equals(own) else _scores(run, some, resampling)

    scores, common = both(own, values)
    differences, common_differences = both(deltas, deltas.where(values.notna()))
    parts, common_parts = both(_by_category(run, own), _by_category(run, values))
    return RunSummary(
        run, resampling, scores, common, differences, common_differences, parts, common_parts,
        found, standings,
    )  # fmt: skip


def per_edit(run: Run, field: str) -> pd.DataFrame:
    """Return the mean of `field` over the seeds of each edit: index edit, columns (method, metric).

    NaN where no seed of the edit has a number.
    """
    scored = run.scores[run.scores["status"] == "ok"]
    means = scored.groupby(["edit", "method", "metric"])[field].mean().unstack(["method", "metric"])
    columns = pd.MultiIndex.from_product([run.methods, run.metrics], names=["method", "metric"])
    return means.reindex(index=list(run.edits), columns=columns).astype("float64")


def _by_category(run: Run, values: pd.DataFrame) -> pd.DataFrame:
    """Return `values` with one column for every (method, metric, category), NaN outside it."""
    parts = {
        name: values.loc[[id for id, edit in run.edits.items() if edit.category == name]]
        for name in run.categories
    }
    joined = pd.concat(parts, axis=1, names=["category"]).reindex(values.index)
    return joined.reorder_levels(["method", "metric", "category"], axis=1)


def _scores(run: Run, values: pd.DataFrame, resampling: IntervalSettings) -> dict[Any, Score]:
    """Return a score for every column of `values`, by the column's name (a tuple)."""
    found = cluster_intervals(values.to_numpy(), _videos(run), _draws(resampling))
    edits = values.notna().sum(axis=0).to_numpy()
    counts = _counts(run, [str(name) for name in values.columns.names])
    return {
        key: Score(
            Interval(float(found.low[i]), float(found.mid[i]), float(found.high[i])),
            int(edits[i]),
            int(found.clusters[i]),
            {status: counts.get((*key, status), 0) for status in STATUSES},
        )
        for i, key in enumerate(values.columns)
    }


def _videos(run: Run) -> np.ndarray:
    """Return the source video of every edit: what is resampled."""
    return np.array([edit.video for edit in run.edits.values()])


def _draws(settings: IntervalSettings) -> Resampling:
    """Return what every table starts anew, so that all share their draws."""
    return settings.resampling("report")


def _counts(run: Run, by: list[str]) -> dict[Any, int]:
    """Return how many clips there are of every (*by, status) that occurs."""
    return {key: int(n) for key, n in run.scores.groupby([*by, "status"]).size().items()}


class MissingValues(NamedTuple):
    """Numbers that are missing for one and the same reason."""

    status: str
    reason: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    clips: int
    example: str  # METHOD/EDIT/SEED of one of the clips


def gaps(run: Run) -> list[MissingValues]:
    """Return every reason for a missing number: failures, then missing, then not applicable."""
    missing = run.scores[run.scores["status"] != "ok"].fillna({"reason": "no reason given"})
    pairs = zip(missing["reason"], missing["edit"], strict=True)
    missing = missing.assign(reason=[kind_of_reason(str(why), str(edit)) for why, edit in pairs])
    found = [
        _gap(run, str(status), str(reason), group)
        for (status, reason), group in missing.groupby(["status", "reason"])
    ]
    order = ("failed", "missing", "n/a")
    return sorted(found, key=lambda gap: (order.index(gap.status), -gap.clips, gap.reason))


def _gap(run: Run, status: str, reason: str, group: pd.DataFrame) -> MissingValues:
    clips = group[["method", "edit", "seed"]].drop_duplicates()
    method, edit, seed = clips.iloc[0]
    return MissingValues(
        status=status,
        reason=reason,
        methods=tuple(label for label in run.methods if label in set(group["method"])),
        metrics=tuple(name for name in run.metrics if name in set(group["metric"])),
        clips=len(clips),
        example=f"{method}/{edit}/{seed}",
    )


def clip_counts(run: Run, method: str) -> dict[str, int]:
    """Return how many clips of a method have each of STATUSES."""
    status = [
        run.clips[cell].status if cell in run.clips else "missing"
        for cell in run.cells
        if cell[0] == method
    ]
    return {name: status.count(name) for name in STATUSES}
