"""What one simulated rater study says: p-values without a difference, intervals with one.

Differences and effects are of methods a and b on quality; the family has three questions by three
pairs. Every fourth study also has the resampled intervals, and alpha's truth for its own raters.
"""

from typing import Any

import numpy as np
import scipy.stats
from naive_tests import intervals as naive_intervals
from naive_tests import p_values as naive_p_values
from simulated_studies import (
    DESIGNS,
    EFFECTS,
    Design,
    Panel,
    draw_panel,
    draw_study,
    true_mos,
    true_superiority,
    true_vote_success,
)

from evaluation.stats.agreement import krippendorff_alpha
from evaluation.stats.multiplicity import holm
from evaluation.stats.ratings import (
    Ratings,
    Votes,
    bootstrap_differences,
    compare_methods,
    compare_success,
    method_scores,
    success,
    votes_on,
)
from evaluation.stats.resampling import Resampling

RESAMPLES = 1000
SLOW = 4  # every so many studies
QUESTION, A, B = "quality", 0, 1
LARGE = 40  # times as many sources: a study whose alpha is the truth for its raters


def rating_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": by test, "interval": by statistic, "truth": of this study alone}."""
    design = DESIGNS[name]
    rng = np.random.default_rng([5, list(DESIGNS).index(name), number])
    panel = draw_panel(design, rng)
    study = draw_study(design, panel, rng)
    null, real = study.ratings(np.zeros(3)), study.ratings(EFFECTS)
    found: dict[str, Any] = {"p": tests(null), "interval": ends(real), "truth": {}}
    if number % SLOW == 0:
        found["interval"] |= resampled(votes_on(null, QUESTION), votes_on(real, QUESTION), rng)
        found["truth"] = {"alpha, these raters": _alpha_of(design, panel, rng)}
    return found


def tests(null: Ratings) -> dict[str, float]:
    """Return p-values of methods that do not differ."""
    found = compare_methods(null)
    (one,) = (f for f in found if (f.question, f.a, f.b) == (QUESTION, "a", "b"))
    votes = votes_on(null, QUESTION)
    return {
        "difference, t": one.difference.p,
        "P(B > A)": one.superiority.found.p,
        "9 tests, Holm": float(np.nanmin([f.p_holm for f in found])),
        "difference of success": compare_success(null)[0].p,
        **naive_p_values(votes, A, B),
        "9 tests, pooled t, Holm": _naive_family(null),
    }


def ends(real: Ratings) -> dict[str, tuple[float, float, float]]:
    """Return (low, mid, high) of statistics of methods that do differ."""
    votes = votes_on(real, QUESTION)
    scores = method_scores(votes)
    (pair,) = (f for f in compare_methods(real) if (f.question, f.a, f.b) == (QUESTION, "a", "b"))
    rates = success(real)
    return {
        "MOS, t": (scores.low[B], scores.mos[B], scores.high[B]),
        "difference, t": pair.difference[:3],
        "P(B > A)": pair.superiority.found[:3],
        "success of items": (rates.items.low[B], rates.items.share[B], rates.items.high[B]),
        "success of votes": (rates.votes.low[B], rates.votes.share[B], rates.votes.high[B]),
        "difference of success": compare_success(real)[0][2:5],
        **{f"MOS, {name}": each for name, each in naive_intervals(votes, B).items()},
    }


def resampled(
    null: Votes, real: Votes, rng: np.random.Generator
) -> dict[str, tuple[float, float, float]]:
    """Return percentile intervals (low, mid, high) of the bootstraps."""
    draws = {
        name: bootstrap_differences(votes, [(A, B)], Resampling(rng, RESAMPLES))[:, 0]
        for name, votes in (("null difference, bootstrap", null), ("difference, bootstrap", real))
    }
    found = {}
    for name, each in draws.items():
        low, mid, high = np.nanquantile(each, [0.025, 0.5, 0.975])
        found[name] = (low, mid, high)
    scores = method_scores(real, resampling=Resampling(rng, RESAMPLES))
    found["MOS, bootstrap"] = (scores.boot_low[B], scores.mos[B], scores.boot_high[B])
    alpha = krippendorff_alpha(
        real.value, real.item, real.source, resampling=Resampling(rng, RESAMPLES)
    )
    found["alpha, these raters"] = found["alpha, other raters"] = alpha[:3]
    return found


def truths(name: str) -> dict[str, float]:
    """Return the true value of each interval's statistic; others are the mean over all studies."""
    kind = "within" if DESIGNS[name].seen else "across"
    mos = [true_mos(effect) for effect in EFFECTS]
    gap = mos[B] - mos[A]
    return {
        **{f"MOS, {of}": mos[B] for of in ("t", "bootstrap", "pooled votes, 1.96 s / sqrt N")},
        **{f"MOS, by {axis} only, t": mos[B] for axis in ("rater", "source")},
        "difference, t": gap,
        "difference, bootstrap": gap,
        "null difference, bootstrap": 0.0,
        "P(B > A)": true_superiority(EFFECTS[A], EFFECTS[B], kind),
        "success of votes": true_vote_success(EFFECTS[B]),
    }


def _naive_family(null: Ratings) -> float:
    p = []
    for question in null.questions:
        votes = votes_on(null, question)
        sides = [votes.value[votes.method == m] for m in range(3)]
        p += [scipy.stats.ttest_ind(sides[i], sides[j]).pvalue for i, j in ((0, 1), (0, 2), (1, 2))]
    return float(holm(np.array(p)).min())


def _alpha_of(design: Design, panel: Panel, rng: np.random.Generator) -> float:
    real = draw_study(design, panel, rng, LARGE).ratings(EFFECTS)
    votes = votes_on(real, QUESTION)
    return float(krippendorff_alpha(votes.value, votes.item, votes.source).mid)
