"""What one simulated study says whose raters see one method each, a few of them the first.

Latent answers: 3.2 + rater N(0, 0.4) + source N(0, 0.6) + source by method N(0, 0.35) + N(0, 0.8),
rounded to 1 to 5: no difference between the methods. In the last design some raters see both, and
effects of rater by method N(0, 0.25) come in. An edit is a success where its mean is above 3.2,
about half of them. Beside the tests of `compare_methods` stands the t of all raters less one,
whichever method they saw.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from evaluation.stats.long_table import LeftOut
from evaluation.stats.ratings import Ratings, Votes, compare_success, mos_difference, superiority

LATENT = 3.2


class Arms(NamedTuple):
    """How many raters see the first method only, the second only, and both."""

    first: int
    second: int
    sources: int = 29
    both: int = 0


ARMS = {
    "6 and 6 raters": Arms(6, 6),
    "3 and 9": Arms(3, 9),
    "4 and 20": Arms(4, 20, 30),
    "5 and 65": Arms(5, 65),
    "2 and 2, 8 both": Arms(2, 2, both=8),
    "1 and 5, 6 both": Arms(1, 5, both=6),
}


def arms_study(name: str, number: int) -> dict[str, Any]:
    """Return {"p": of two methods that do not differ, ...}."""
    rng = np.random.default_rng([9, list(ARMS).index(name), number])
    votes = draw_arms(ARMS[name], rng)
    gap, share = mos_difference(votes, 0, 1), superiority(votes, 0, 1)
    usual = 2 * stats.t.sf(abs(gap.mid) / gap.error, min(gap.raters, gap.sources) - 1)
    p = {
        "difference, t": gap.p,
        "P(B > A)": share.found.p,
        "difference of success": compare_success(_ratings(votes), LATENT)[0].p,
        "difference, all raters less one": usual,
    }
    return {"p": p, "interval": {}, "truth": {}}


def _ratings(votes: Votes) -> Ratings:
    """Return votes on one question as ratings; every source is one edit."""
    sources = tuple(f"s{k}" for k in range(votes.sources))
    return Ratings(
        votes.rater, votes.edit, votes.method, np.zeros(len(votes.value), np.int64), votes.value,
        np.arange(votes.sources), tuple(f"r{k}" for k in range(votes.raters)), sources, sources,
        ("a", "b"), ("quality",), (1.0, 5.0), True, LeftOut(0, 0),
    )  # fmt: skip


def draw_arms(arms: Arms, rng: np.random.Generator) -> Votes:
    """Return the votes of a study."""
    raters, sources = arms.first + arms.second + arms.both, arms.sources
    seen = np.zeros((raters, 2), bool)
    seen[: arms.first, 0] = seen[arms.first : arms.first + arms.second, 1] = True
    seen[arms.first + arms.second :] = True
    rater, method = np.nonzero(seen)
    rater, method = np.repeat(rater, sources), np.repeat(method, sources)
    source = np.tile(np.arange(sources), int(seen.sum()))
    felt = LATENT + rng.normal(0, 0.4, raters)[rater] + rng.normal(0, 0.6, sources)[source]
    felt += rng.normal(0, 0.35, (sources, 2))[source, method] + rng.normal(0, 0.8, len(rater))
    if arms.both:
        felt += rng.normal(0, 0.25, (raters, 2))[rater, method]
    value = np.clip(np.rint(felt), 1, 5)
    return Votes(rater, source, source, method, value, raters, sources, sources, 2)
