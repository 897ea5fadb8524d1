"""Whether intervals of a MOS hold it where votes pile up at the end of the scale.

Four methods, the last near the ceiling and with twice the spread; every rater has a bias N(0, 0.4),
a taste for each method N(0, 0.25) and a slope N(1, 0.3) on what sources and methods do: source
N(0, 0.6), source by method N(0, 0.35), effects -0.4, 0, 0.3, 0.6 about 3.6, answers N(0, 0.8),
rounded to 1 to 5. The truth is the mean of two million raters, each on a source of their own.
"""

from functools import cache
from typing import Any

import numpy as np

from evaluation.stats.ratings import Votes, method_scores

CEILING = {  # raters, sources, share of all votes that are there
    "24 raters x 30 sources, half": (24, 30, 0.5),
    "12 x 29, all": (12, 29, 1.0),
    "8 x 8, all": (8, 8, 1.0),
}
EFFECTS, SPREAD = np.array([-0.4, 0.0, 0.3, 0.6]), np.array([1.0, 1.0, 1.0, 2.0])
MANY = 2_000_000


def ceiling_study(name: str, number: int) -> dict[str, Any]:
    """Return {"interval": of each method's MOS, ...}."""
    raters, sources, share = CEILING[name]
    rng = np.random.default_rng([10, list(CEILING).index(name), number])
    shape = raters, sources, len(EFFECTS)
    rater, source, method = (axis.ravel() for axis in np.indices(shape))
    felt = SPREAD * rng.normal(0, 0.35, shape[1:]) + rng.normal(0, 0.6, (sources, 1)) + EFFECTS
    felt = 3.6 + rng.normal(1, 0.3, (raters, 1, 1)) * felt + rng.normal(0, 0.4, (raters, 1, 1))
    felt += rng.normal(0, 0.25, (raters, 1, len(EFFECTS))) + SPREAD * rng.normal(0, 0.8, shape)
    value = np.clip(np.rint(felt), 1, 5).ravel()
    sizes = raters, sources, sources, len(EFFECTS)
    votes = Votes(rater, source, source, method, value, *sizes)
    found = method_scores(votes.where(rng.random(len(value)) < share))
    ends = zip(found.low, found.mos, found.high, strict=True)
    held = {f"MOS of method {m + 1}": each for m, each in enumerate(ends)}
    return {"p": {}, "interval": held, "truth": {}}


@cache
def ceiling_truths() -> dict[str, float]:
    """Return the mean vote of each method over raters and sources."""
    rng, found = np.random.default_rng(0), {}
    for m, (effect, spread) in enumerate(zip(EFFECTS, SPREAD, strict=True)):
        felt = rng.normal(0, 0.6, MANY) + spread * rng.normal(0, 0.35, MANY) + effect
        felt = 3.6 + rng.normal(1, 0.3, MANY) * felt + rng.normal(0, 0.4, MANY)
        felt += rng.normal(0, 0.25, MANY) + spread * rng.normal(0, 0.8, MANY)
        found[f"MOS of method {m + 1}"] = float(np.clip(np.rint(felt), 1, 5).mean())
    return found
