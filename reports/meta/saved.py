"""What a metric would have saved: votes of a random part of the edits and the metric on the rest.

The edits of gold data are the population, the difference of two methods over all of them the truth.
Again and again n labelled edits and the others, unlabelled, are drawn from them with replacement;
how often an interval holds the truth, how wide it is and how much the estimates vary tells what the
metric is worth beside n rated edits, and whether the interval can be believed.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.core.seeding import rng_for
from dreamix.core.wording import plural
from evaluation.stats.ratings import MetricOnEdits, PoweredEstimate, Votes, powered_difference
from reports.people.joint import Joint
from reports.people.outcome import SUCCESS
from reports.tables import is_number, number

LABELLED = (20, 40, 80)


class Saved(NamedTuple):
    """One pair of methods at one number of labelled edits; widths in points of the scale."""

    question: str
    a: str
    b: str
    edits: int  # of the population
    labelled: int
    r: float  # correlation of the differences of votes and metric, over all edits
    truth: float  # mean vote on a less that on b
    people_width: float
    ratio: float  # width of what is reported to that of people
    people_cover: float  # share of intervals that hold the truth
    cover: float  # of what is reported
    gain: float  # variance of people's estimates over that of the mixed ones


class _Population(NamedTuple):
    """Two methods on the edits that both have votes on."""

    a: str
    b: str
    votes: np.ndarray  # float (2, edits, raters), NaN where a rater did not see it
    metric: np.ndarray  # float (2, edits)

    @property
    def difference(self) -> np.ndarray:
        """Mean vote on a less that on b (edits,)."""
        first, second = np.nanmean(self.votes, axis=2)
        return np.asarray(first - second)


def saved(
    joint: Joint,
    metric: str,
    question: str,
    labelled: tuple[int, ...] = LABELLED,
    *,
    draws: int = 300,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> list[Saved]:
    """Return a row for every pair of methods and number of labelled edits.

    Every metric gets the same draws. A pair with fewer edits than n / 0.8 has no row for n: nearly
    all of its edits would be rated.

    Raises:
        UserError: if no pair has enough edits for any of the numbers.
    """
    pairs = _pairs(joint, metric, question)
    work = [(one, n) for one in pairs for n in labelled if n <= 0.8 * one.votes.shape[1]]
    if not work:
        most = max((one.votes.shape[1] for one in pairs), default=0)
        raise UserError(
            f"{question}: no pair of methods has votes and {metric} on {min(labelled) / 0.8:.0f} "
            f"edits, the most is {most}: name fewer with --labelled"
        )
    found = []
    for done, (one, n) in enumerate(work, 1):
        found.append(_row(question, one, n, draws, seed, joint.people.how.confidence))
        progress(done, len(work))
    return found


def _pairs(joint: Joint, metric: str, question: str) -> list[_Population]:
    value = joint.metrics[joint.names.index(metric)]
    votes = _success(joint) if question == SUCCESS else joint.votes[question]
    there = np.isfinite(votes).any(axis=2)
    found = []
    for a, b in combinations(range(len(joint.systems)), 2):
        both = there[a] & there[b]
        if both.any() and np.isfinite(value[[a, b]][:, both]).any():
            names = joint.systems[a], joint.systems[b]
            found.append(_Population(*names, votes[[a, b]][:, both], value[[a, b]][:, both]))
    return found


def _success(joint: Joint) -> np.ndarray:
    """Return 1 or 0 for a rater's answers about an edit, NaN where one lacks: as votes."""
    answers = np.stack([*joint.votes.values()])
    good = (answers > joint.people.kept.ratings.threshold).all(axis=0).astype(float)
    return np.where(np.isfinite(answers).all(axis=0), good, np.nan)


def _row(
    question: str, one: _Population, n: int, draws: int, seed: int, confidence: float
) -> Saved:
    edits, y = one.votes.shape[1], one.difference
    rng = rng_for("votes saved", question, one.a, one.b, n, seed)
    parts = rng.integers(edits, size=(draws, edits))
    several = [
        estimate(one.votes, one.metric, part, n, np.random.default_rng(k), confidence)
        for k, part in enumerate(parts)
    ]
    people, used = (np.array([getattr(each, what)[:3] for each in several])
                    for what in ("people", "used"))  # fmt: skip
    mixed = np.array([each.powered.mid for each in several])
    spread = float(mixed.var())
    return Saved(
        question, one.a, one.b, edits, n, _correlation(y, one.metric[0] - one.metric[1]),
        float(y.mean()), _width(people), _width(used) / _width(people),
        _held(people, y.mean()), _held(used, y.mean()),
        float(people[:, 1].var()) / spread if spread > 0 else np.nan,
    )  # fmt: skip


def estimate(
    votes: np.ndarray,
    metric: np.ndarray,
    drawn: np.ndarray,
    n: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> PoweredEstimate:
    """Return the first method less the second, from drawn edits of which n have votes.

    votes: float (2, edits, raters), NaN where a rater did not see it. metric: float (2, edits).
    drawn: int, into the edits: the first n are labelled; each is a source of its own.
    """
    values = votes[:, drawn[:n]]
    method, edit, rater = np.nonzero(np.isfinite(values))
    given = Votes(rater, edit, edit, method, values[method, edit, rater], values.shape[2], n, n, 2)
    on = MetricOnEdits(metric[:, drawn], np.arange(len(drawn)), np.arange(n))
    return powered_difference(given, 1, 0, on, rng=rng, raters="fixed", confidence=confidence)


def _correlation(y: np.ndarray, f: np.ndarray) -> float:
    both = np.isfinite(f)
    if both.sum() < 3 or np.ptp(y[both]) == 0 or np.ptp(f[both]) == 0:
        return np.nan
    return float(np.corrcoef(y[both], f[both])[0, 1])


def _width(ends: np.ndarray) -> float:
    return float(np.nanmean(ends[:, 2] - ends[:, 0]))


def _held(ends: np.ndarray, truth: float) -> float:
    ends = ends[np.isfinite(ends[:, 0])]  # votes that are all alike have none
    if not len(ends):
        return np.nan
    return float(np.mean((ends[:, 0] <= truth + 1e-12) & (truth - 1e-12 <= ends[:, 2])))


def saved_lines(metric: str, found: list[Saved]) -> list[str]:
    """Return what a metric saves on one question, a line for each number of labelled edits."""
    lines = [f"{found[0].question}: {metric} beside votes, "
             f"{plural(len({(o.a, o.b) for o in found}), 'pair')} of methods"]  # fmt: skip
    for n in dict.fromkeys(one.labelled for one in found):
        rows = [one for one in found if one.labelled == n]
        gain, ratio = (_middle([getattr(one, what) for one in rows]) for what in ("gain", "ratio"))
        cover, alone = (100 * np.mean([getattr(one, what) for one in rows])
                        for what in ("cover", "people_cover"))  # fmt: skip
        lines.append(
            f"  {n} rated edits: worth {gain} times as many, intervals {ratio} as wide as by votes "
            f"alone; they hold the truth in {number(cover, 1)}% (votes alone {number(alone, 1)}%)"
        )
    return lines


def _middle(values: list[float]) -> str:
    """Return "1.22 (0.91 to 1.52)": the median, and the ends of several."""
    known = [value for value in values if is_number(value)]
    if not known:
        return "an unknown number of"
    middle = number(float(np.median(known)), 2)
    if len(known) == 1:
        return middle
    return f"{middle} ({number(min(known), 2)} to {number(max(known), 2)})"
