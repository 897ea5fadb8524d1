"""What the choice of the model and of the test of a composite rests on, simulated.

`python tests/test_composite_evidence.py models|tests` prints the tables of composite/model.py and
composite/gains.py; the tests here hold a part of each to them.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent / "support"))  # run as a program

from composite_data import Made, families, noisy, world

from evaluation.stats.composite import (
    PENALTIES,
    STATISTICS,
    RatedMetrics,
    gain_in_folds,
    gain_in_hindsight,
    held_out,
    learn,
    verdict,
    weighted,
)
from evaluation.stats.meta import correlate
from evaluation.stats.resampling import Resampling

KINDS = ("many", "one", "two", "taken")
DESIGNS = ((10, 2, 3), (15, 3, 4), (29, 4, 5))
HEADLINE, _, ACCURACY, *_ = STATISTICS
Predict = Callable[[np.ndarray], np.ndarray]


def flat(made: Made) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values (cells, metrics), votes and sources (cells,)."""
    values = made.metrics.reshape(len(made.metrics), -1).T
    return values, made.votes.ravel(), np.tile(made.sources, len(made.votes))


def bounded(made: Made) -> Predict:
    model = learn(*flat(made))
    return lambda values: weighted(model, values)


def free(made: Made, penalties: Iterable[float] = PENALTIES) -> Predict:
    """Ridge without the bound, its penalty chosen in the same way."""
    values, votes, groups = flat(made)

    def fitted(rows: np.ndarray, penalty: float) -> np.ndarray:
        z = (values[rows] - values[rows].mean(axis=0)) / values[rows].std(axis=0)
        matrix = z.T @ z / len(z) + penalty * np.eye(z.shape[1])
        return np.linalg.solve(matrix, z.T @ (votes[rows] - votes[rows].mean()) / len(z))

    def error(penalty: float) -> float:
        found = 0.0
        for source in np.unique(groups):
            rows = groups != source
            z = (values[~rows] - values[rows].mean(axis=0)) / values[rows].std(axis=0)
            off = votes[~rows] - votes[rows].mean() - z @ fitted(rows, penalty)
            found += float((off**2).sum())
        return found

    every = np.ones(len(votes), dtype=bool)
    weights = fitted(every, min(penalties, key=error)) / values.std(axis=0)
    return lambda new: new @ weights


def least_squares(made: Made) -> Predict:
    return free(made, [1e-12])


def equal_weights(made: Made) -> Predict:
    scale = flat(made)[0].std(axis=0)
    return lambda values: (values / scale).sum(axis=1)


def best_metric(made: Made) -> Predict:
    best = int(np.argmax([correlate(m, made.votes, level="item").value for m in made.metrics]))
    return lambda values: values[:, best]


MODELS = {
    "bounded ridge": bounded,
    "ridge": free,
    "least squares": least_squares,
    "equal weights": equal_weights,
    "best metric": best_metric,
}


def reached(kind: str, design: tuple[int, int, int], names: Iterable[str], sets: int) -> np.ndarray:
    """Return each model's mean correlation within an edit with votes on 60 new sources."""
    found = []
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        here, elsewhere = families(rng, kind, *design), families(rng, kind, 60, 4, design[2])
        new = flat(elsewhere)[0]
        predicted = [MODELS[name](here)(new).reshape(elsewhere.votes.shape) for name in names]
        found.append([correlate(p, elsewhere.votes, level="item").value for p in predicted])
    return np.nanmean(found, axis=0)


NULLS = {  # deviations of the noise of 12 metrics; infinite: it knows nothing
    "no metric knows": [np.inf] * 12,
    "one alone knows": [0.7] + [np.inf] * 11,
}
GAINS = {"four know": [1.5] * 4 + [np.inf] * 8, "eight know": [1.5] * 8 + [np.inf] * 4}


def rates(noise: list[float], design: tuple[int, int, int], sets: int) -> np.ndarray:
    """Return how often a composite is better by p, by p of swaps alone, and by verdict.

    For the headline and for acc_eq: float (2, 3).
    """
    count = np.zeros((2, 3))
    names = [f"m{k:02}" for k in range(len(noise))]
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        truth, votes, source = world(rng, *design)
        metrics = noisy(truth, np.array(noise), rng)
        scores = held_out(metrics, votes, source).scores
        for row, statistic in enumerate((HEADLINE, ACCURACY)):
            data = RatedMetrics(metrics, votes, source, names, len(np.unique(source)))
            given = scores, data, statistic, Resampling(rng, 2, permutations=499)
            gain, over = gain_in_folds(*given), gain_in_hindsight(*given)
            above = gain.delta > 0
            better = verdict(gain, over) == "better"
            count[row] += [above and gain.p < 0.05, above and gain.p_swaps < 0.05, better]
    return count / sets


@pytest.mark.slow
def test_bounded_weights_do_better_with_few_data_and_as_well_with_many() -> None:
    for kind in ("one", "two"):
        bounded_, ridge, plain = reached(kind, (10, 2, 3), list(MODELS)[:3], 20)
        assert bounded_ > ridge + 0.02 > plain
        bounded_, ridge, plain = reached(kind, (29, 4, 5), list(MODELS)[:3], 5)
        assert bounded_ == pytest.approx(ridge, abs=0.02)


@pytest.mark.slow
def test_a_composite_is_rarely_called_better_where_nothing_can_be_gained() -> None:
    """80 sets each: at a true 5% more than 9 in 80 have a chance of 1 in 100."""
    for noise in NULLS.values():
        found = rates(noise, (15, 3, 4), 80)
        assert (found[:, 2] <= 9 / 80).all()


@pytest.mark.slow
def test_a_composite_is_called_better_where_much_can_be_gained() -> None:
    assert rates(GAINS["eight know"], (29, 4, 5), 10)[0, 2] >= 0.8


if __name__ == "__main__" and sys.argv[1:] == ["models"]:
    for kind in KINDS:
        for design in DESIGNS:
            found = reached(kind, design, MODELS, 20)
            print(kind, design, dict(zip(MODELS, found.round(2).tolist(), strict=True)), flush=True)
if __name__ == "__main__" and sys.argv[1:] == ["tests"]:
    for name, noise in (NULLS | GAINS).items():
        for design, sets in (((15, 3, 4), 300), ((29, 4, 5), 150)):
            print(name, design, sets, rates(noise, design, sets).round(3).tolist(), flush=True)
