"""P(B > A) + P(tie) / 2: against hand values, loops over pairs, scipy and simulation."""

import numpy as np
import pytest
import scipy.stats
import simulated_ratings as simulated
from bell_mccaffrey import written_out
from simulated_ratings import small, votes_of

from evaluation.stats.ratings import Votes, common_votes, superiority


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_within_raters_by_hand() -> None:
    """Pairs: r0 on edit 0, 4 > 2: 1; r1 on edit 2, 2 > 1: 1. Mean over sources 1."""
    found = superiority(small(), 0, 1)
    assert (found.kind, found.pairs, found.edits, found.found.mid) == ("within", 2, 2, 1)


def test_across_raters_by_hand() -> None:
    """Pairs of different raters: edit 0, r0's 4 against r1's 4: 1/2; edit 1, 3 against 3: 1/2;
    edit 2, r0's 5 against r1's 1: 1. Sources 1/2 and 1: 3/4.
    """
    found = superiority(small(), 0, 1, kind="across")
    assert (found.kind, found.pairs, found.edits) == ("across", 3, 3)
    assert found.found.mid == 0.75
    assert superiority(small(), 1, 0, kind="across").found.mid == 0.25


def test_across_agrees_with_mann_whitney() -> None:
    """One source, raters of the two methods apart: U / (n m), scipy 1.17 `mannwhitneyu`."""
    draw = rng(12)
    value = draw.integers(1, 6, 20).astype(float)
    method = (np.arange(20) >= 8).astype(np.int64)
    zeros = np.zeros(20, np.int64)
    votes = Votes(np.arange(20), zeros, zeros, method, value, 20, 1, 1, 2)
    reference = scipy.stats.mannwhitneyu(value[8:], value[:8]).statistic / (8 * 12)
    assert superiority(votes, 0, 1).found.mid == pytest.approx(reference, abs=1e-12)
    assert superiority(votes, 0, 1).kind == "across"


def test_across_agrees_with_loops_over_pairs() -> None:
    """Every pair of two raters written out: the share, and the variance by the formula of the
    module; and swapped methods give the other share with the same error.
    """
    design = simulated.some_of(simulated.split_items(9, 7, 20, 2, 4, rng(14)), 0.9, rng(15))
    votes = votes_of(design, simulated.values(design, np.array([0.0, 0.4]), rng(16)))
    common = common_votes(votes, 0, 1)
    pairs = []  # of edit, source, the two raters, and whether B won
    for i, k in np.argwhere(common.edit[:, None] == common.edit):
        if common.method[i] == 1 and common.method[k] == 0 and common.rater[i] != common.rater[k]:
            gain = np.sign(common.value[i] - common.value[k])
            won = (gain + 1) / 2
            pairs.append((common.edit[i], common.source[i], *common.rater[[i, k]], won, i, k))
    edit, source, first, second = (
        np.array(column) for column in list(zip(*pairs, strict=True))[:4]
    )
    won = np.array([pair[4] for pair in pairs])
    edits_of = {s: len(set(edit[source == s].tolist())) for s in set(source.tolist())}
    weight = np.array(
        [
            1 / (len(edits_of) * edits_of[s] * (edit == e).sum())
            for e, s in zip(edit, source, strict=True)
        ]
    )
    mid = float(weight @ won)
    score = weight * (won - mid)
    places = np.array([pair[5:] for pair in pairs])
    noise = np.zeros((len(pairs), len(common.value)))  # of a pair: of b's vote less a's
    noise[np.arange(len(pairs)), places[:, 0]] = weight
    noise[np.arange(len(pairs)), places[:, 1]] = -weight

    def expected_square(of: np.ndarray) -> float:
        """Return what the squared sum of these pairs' scores is if votes are noise alone."""
        return float(((noise[of].sum(axis=0) - weight[of].sum() * noise.sum(axis=0)) ** 2).sum())

    by_source = sum(score[source == s].sum() ** 2 for s in edits_of) * 7 / 6
    of_raters = [(first == r) | (second == r) for r in range(9)]
    of_cells = [of & (source == s) for of in of_raters for s in edits_of]
    shares = [np.array([weight[side == r].sum() for r in range(9)]) for side in (first, second)]
    factor, _ = written_out(shares)
    by_rater = sum(f * score[of].sum() ** 2 for f, of in zip(factor, of_raters, strict=True))
    both = sum(score[of].sum() ** 2 for of in of_cells)
    k = sum(f * expected_square(of) for f, of in zip(factor, of_raters, strict=True))
    k /= sum(expected_square(of) for of in of_cells if of.any())
    expected = by_source + by_rater - k * both
    found = superiority(votes, 0, 1)
    assert (found.kind, found.pairs) == ("across", len(pairs))
    assert found.found.mid == pytest.approx(mid, abs=1e-12)
    assert expected > max(by_source, by_rater / 2)  # no floor was reached
    assert found.found.error == pytest.approx(expected**0.5, abs=1e-12)
    swapped = superiority(votes, 1, 0)
    assert swapped.found.mid == pytest.approx(1 - mid, abs=1e-12)
    assert swapped.found.error == pytest.approx(found.found.error, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["within", "across"])
def test_superiority_holds_its_level(name: str) -> None:
    """No difference between methods, 600 studies: p < 5% in 2.5 to 7.5% of them, binomial
    standard error 0.9%. Across, raters of an edit are split between methods.
    """
    draw = rng(13)
    if name == "within":
        design = simulated.some_of(simulated.complete(20, 25, 2), 0.7, draw)
    else:
        design = simulated.split_items(12, 29, 60, 2, 3, draw)
    raw = votes_of(design, np.ones(len(design["rater"])))
    rejected = []
    for _ in range(600):
        votes = raw._replace(value=simulated.values(design, np.array([0.0, 0.0]), draw))
        found = superiority(votes, 0, 1)
        assert found.kind == name
        rejected.append(found.found.p < 0.05)
    assert 0.025 <= np.mean(rejected) <= 0.075
