"""PERM-BOTH and swapped verdicts: enumeration, scipy, nlpstats, error rates."""

from itertools import product

import numpy as np
import pytest
import scipy.stats
from metric_contests import perm_both, swap_accuracies, tally

from evaluation.stats.meta import (
    KINDS,
    LEVELS,
    Constants,
    Kind,
    Level,
    Swaps,
    correlate,
    correlation_contest,
    pairwise_accuracy,
    signs,
    soft_pairwise,
    soft_pairwise_accuracy,
    soft_pairwise_contest,
    swapped_pearson,
    tie_calibrated_accuracy,
)
from evaluation.stats.meta import score_swaps as swaps

NAN = np.nan


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def data(seed: int, systems: int, items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A good metric, a bad one, and people."""
    draw = rng(seed)
    human = draw.integers(1, 6, (systems, items)).astype(float)
    first = human + draw.normal(size=human.shape)
    return first, human + 3 * draw.normal(size=human.shape), human


def z(values: np.ndarray) -> np.ndarray:
    return (values - np.nanmean(values)) / np.nanstd(values)


def listed(
    first: np.ndarray,
    second: np.ndarray,
    human: np.ndarray,
    level: Level,
    kind: Kind,
    member: np.ndarray,
    constants: Constants = "omit",
) -> tuple[float, float]:
    """Exact one- and two-sided p by enumerating all swaps; member numbers the unit of each cell."""
    one, other = z(first), z(second)

    def gap(swap: np.ndarray) -> float:
        sides = np.where(swap, other, one), np.where(swap, one, other)
        a, b = (
            correlate(side, human, level=level, kind=kind, constants=constants).value
            for side in sides
        )
        return a - b

    units = int(member.max()) + 1
    gaps = [gap(np.array(bits)[member]) for bits in product([False, True], repeat=units)]
    seen = gaps[0]
    # A mixture without any correlation counts against the claim.
    greater = np.mean([not g < seen - 1e-10 for g in gaps])
    return float(greater), float(np.mean([not abs(g) < abs(seen) - 1e-10 for g in gaps]))


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_listed_swaps_of_cells_are_all_swaps(level: Level, kind: Kind) -> None:
    """3 systems x 3 items: all 2^9 mixtures, each computed from scratch."""
    first, second, human = data(1, 3, 3)
    cells = np.arange(9).reshape(3, 3)
    found = perm_both(first, second, human, level=level, kind=kind, swap="cells", exact=True)
    expected = listed(first, second, human, level, kind, cells)
    assert (found.p_greater, found.p_two_sided) == pytest.approx(expected, abs=1e-12)
    assert found.permutations == 512
    assert found.first == pytest.approx(correlate(first, human, level=level, kind=kind).value)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("constants", ["omit", "zero"])
def test_listed_swaps_with_gaps_ties_and_constants(level: Level, constants: Constants) -> None:
    """Missing cells (left out for both metrics), items where mixtures are constant, sources."""
    first, second, human = data(2, 3, 8)
    first, second = np.round(first / 2), np.round(second / 2)
    first[:2, 0], second[1:, 0] = 2, 2
    human[:, 3], first[0, 5], second[2, 5] = 4, NAN, NAN
    gone = np.isnan(first) | np.isnan(second)
    one, other = np.where(gone, NAN, first), np.where(gone, NAN, second)
    labels = np.array([0, 1, 2, 3, 3, 4, 5, 0])
    found = perm_both(
        first, second, human, level=level, kind="kendall_b", constants=constants,
        sources=labels, exact=True,
    )  # fmt: skip
    member = np.broadcast_to(labels, (3, 8))
    expected = listed(one, other, human, level, "kendall_b", member, constants)
    assert (found.p_greater, found.p_two_sided) == pytest.approx(expected, abs=1e-12)
    assert found.missing == 2


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_short_cuts_give_what_recomputing_gives(
    level: Level, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look-up tables and linear means against correlations of the mixed scores, swap by swap."""
    first, second, human = data(3, 4, 10)
    first, human[1, 2] = np.round(first), NAN
    drawn = rng(1).random((40, 4, 10)) < 0.5
    contest = correlation_contest(first, second, human, level, kind, "omit")
    one, other = (z(np.where(np.isnan(human), NAN, each)) for each in (first, second))
    expected = [
        correlate(np.where(swap, other, one), human, level=level, kind=kind).value
        - correlate(np.where(swap, one, other), human, level=level, kind=kind).value
        for swap in drawn
    ]
    assert contest.delta(Swaps(drawn)) == pytest.approx(np.array(expected), abs=1e-10)
    monkeypatch.setattr(swaps, "PATTERNS", 0)
    again = correlation_contest(first, second, human, level, kind, "omit")
    assert again.delta(Swaps(drawn)) == pytest.approx(np.array(expected), abs=1e-10)


def test_pearson_from_its_sums_knows_what_does_not_vary() -> None:
    """People give the second system one vote for all; its correlation is left out of the mean, and
    a mixture that is the same everywhere has none at all."""
    human = np.array([[1.0, 2, 4, 3], [0.1, 0.1, 0.1, 0.1]])
    one, other = np.ones((2, 4)), np.array([[2.0, 1, 5, 3], [1, 2, 3, 5]])
    swap = np.stack([np.zeros((1, 4)), np.zeros((1, 4))])
    first, second = swapped_pearson(swap, one, z(other), human, whole=False)
    assert np.isnan(first).all()
    expected = np.corrcoef(other[0], human[0])[0, 1]
    assert second[0] == pytest.approx([expected, NAN], nan_ok=True)


def test_a_mixture_without_a_correlation_counts_against_the_claim() -> None:
    """Two systems, one item, people (1, 2); scores (-1, 1) and (1, -1). Of the four swaps of cells
    none gives a difference of +2, all of them -2, and a single one two constant mixtures, which
    cannot be said to lie below what was seen: p is 3/4 one-sided and 1 two-sided."""
    human = np.array([[1.0], [2]])
    first, second = np.array([[-1.0], [1]]), np.array([[1.0], [-1]])
    for level in ("system", "item", "global"):
        found = perm_both(first, second, human, level=level, swap="cells", exact=True)  # type: ignore[arg-type]
        assert found[2:5] == pytest.approx((2, 0.75, 1))


def test_item_level_blocks_are_the_paired_test_of_scipy() -> None:
    """With an item as its own block the swaps exchange the two correlations of that item:
    scipy.stats.permutation_test 1.17, "samples", all 2^10 permutations of r1_i - r2_i."""
    first, second, human = data(4, 5, 10)
    pairs = [
        [scipy.stats.kendalltau(m[:, i], human[:, i]).statistic for i in range(10)]
        for m in (first, second)
    ]
    for alternative, name in (("greater", "p_greater"), ("two-sided", "p_two_sided")):
        expected = scipy.stats.permutation_test(
            pairs,
            lambda x, y, axis: (x - y).mean(axis=axis),
            permutation_type="samples",
            alternative=alternative,
            n_resamples=np.inf,
            vectorized=True,
        ).pvalue
        found = perm_both(first, second, human, level="item", kind="kendall_b", exact=True)
        assert getattr(found, name) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("level", "kind", "cells", "items"),
    [
        ("system", "pearson", 0.4, 0.4085),
        ("item", "pearson", 0.003, 0.00625),
        ("item", "kendall_b", 0.011, 0.0305),
        ("global", "pearson", 0.0015, 0.00475),
        ("global", "kendall_b", 0.00325, 0.00525),
    ],
)
def test_p_values_are_near_those_of_nlpstats(
    level: Level, kind: Kind, cells: float, items: float
) -> None:
    """nlpstats 0.0.1, permutation_test(..., alternative="greater", n_resamples=4000), with a
    function that swaps cells and with "inputs"; data made by formula. Both sides are random:
    four standard deviations of 4,000 draws each. "system kendall" is left out: mixed means of
    equal size differ by rounding there, and nlpstats counts them as smaller."""
    s, i = np.meshgrid(np.arange(4), np.arange(9), indexing="ij")
    human = 1 + ((3 * s + 5 * i + s * i * i) % 5).astype(float)
    first = human + ((7 * s + 2 * i * i + s * i) % 11) / 4
    second = human / 2 + ((5 * s * s + 3 * i + 2 * s * i) % 13) / 4
    for swap, expected in (("cells", cells), ("sources", items)):
        found = perm_both(
            first, second, human, level=level, kind=kind, swap=swap, rng=rng(1), permutations=4000
        )
        spread = np.sqrt(2 * expected * (1 - expected) / 4000)
        assert found.p_greater == pytest.approx(expected, abs=4 * spread + 1 / 4000)


def test_drawn_p_values_come_near_the_listed_ones() -> None:
    """Standard deviation of p from 20,000 draws: at most 0.0035."""
    first, second, human = data(5, 3, 6)
    exact = perm_both(first, second, human, level="item", exact=True)
    drawn = perm_both(first, second, human, level="item", rng=rng(), permutations=20_000)
    assert drawn.p_greater == pytest.approx(exact.p_greater, abs=0.014)
    assert drawn.p_two_sided == pytest.approx(exact.p_two_sided, abs=0.014)


def test_p_is_never_zero_when_drawn() -> None:
    """A perfect metric against an upside-down one: (1 + 0) / (1 + 99) at the least."""
    human = rng(0).normal(size=(5, 40))
    found = perm_both(human, -human, human, level="item", rng=rng(), permutations=99)
    assert found.p_greater == 0.01
    assert perm_both(-human, human, human, level="item", rng=rng(), permutations=99).p_greater == 1


def test_swapped_verdicts_by_hand() -> None:
    """One item, three systems, ratings 1, 2, 3, epsilon 0. First metric right on all 3 pairs;
    second (1, 3, 2) wrong on one: delta 1/3. Only that verdict differs, so the swaps give
    +1/3 and -1/3: one-sided p = 1/2, two-sided 1."""
    human = np.array([[1.0], [2], [3]])
    second = np.array([[1.0], [3], [2]])
    found = swap_accuracies(human, second, human, epsilons=(0, 0), swap="pairs", exact=True)
    assert found.delta == pytest.approx(1 / 3)
    assert (found.p_greater, found.p_two_sided, found.permutations) == (0.5, 1, 2)


@pytest.mark.parametrize("swap", ["pairs", "sources"])
def test_swapped_verdicts_are_all_swaps(swap: str) -> None:
    """Every assignment of verdicts to the two metrics, from a list of right and wrong."""
    first, second, human = data(6, 3, 5)
    labels = np.array([0, 1, 1, 2, 3])
    epsilons = tuple(tie_calibrated_accuracy(m, human).epsilon for m in (first, second))
    gaps = {}
    for i in range(5):
        for a, b in ((0, 1), (0, 2), (1, 2)):
            right = [
                pairwise_accuracy(m[[a, b], i][:, None], human[[a, b], i][:, None], e).value
                for m, e in zip((first, second), epsilons, strict=True)
            ]
            gaps[a, b, i] = (right[0] - right[1]) / 15
    units = list(gaps.values())
    if swap == "sources":
        units = [sum(g for (_, _, i), g in gaps.items() if labels[i] == k) for k in range(4)]
    sums = np.array([np.dot(units, flips) for flips in product([1, -1], repeat=len(units))])
    found = swap_accuracies(first, second, human, swap=swap, sources=labels, exact=True)
    assert found.delta == pytest.approx(sum(units), abs=1e-12)
    assert found.p_greater == pytest.approx(np.mean(sums >= sums[0] - 1e-12), abs=1e-12)
    assert found.p_two_sided == pytest.approx(np.mean(abs(sums) >= abs(sums[0]) - 1e-12))


def test_each_metric_keeps_its_own_epsilon() -> None:
    """The same metric in two units: calibrated apart they are equal, p is 1."""
    first, _, human = data(7, 4, 12)
    found = swap_accuracies(first, 100 * first, human, rng=rng(), permutations=50)
    assert (found.delta, found.p_greater, found.p_two_sided) == (0, 1, 1)


def test_verdicts_on_missing_cells_are_left_out_for_both() -> None:
    first, second, human = data(8, 4, 6)
    first[0, 0], second[3, 2] = NAN, NAN
    found = swap_accuracies(first, second, human, epsilons=(0.1, 0.2), rng=rng(), permutations=9)
    gone = np.isnan(first) | np.isnan(second)
    for value, metric, epsilon in ((found.first, first, 0.1), (found.second, second, 0.2)):
        kept = pairwise_accuracy(np.where(gone, NAN, metric), human, epsilon)
        assert value == pytest.approx(kept.value)
    assert found.missing == 2


def test_soft_pairwise_swaps_are_spa_of_the_mixtures() -> None:
    """SPA of each mixture from scratch, by all 2^3 signs of three sources."""
    first, second, human = data(9, 3, 7)
    human[2, 1] = NAN
    labels = np.array([0, 0, 1, 1, 2, 2, 2])
    matrix = np.concatenate(list(signs(3, 1, None, 0, True)))
    contest = soft_pairwise_contest(first, second, human, labels, matrix)
    drawn = rng(2).random((10, 3, 7)) < 0.5
    one, other = (z(np.where(np.isnan(human), NAN, each)) for each in (first, second))

    def value(metric: np.ndarray) -> float:
        return soft_pairwise_accuracy(metric, human, sources=labels, exact=True).value

    expected = [
        value(np.where(swap, other, one)) - value(np.where(swap, one, other)) for swap in drawn
    ]
    assert contest.delta(Swaps(drawn)) == pytest.approx(np.array(expected), abs=1e-12)
    assert contest.first == pytest.approx(value(first))


def test_only_blocks_keep_the_error_rate_when_edits_of_a_video_depend() -> None:
    """Two equally good metrics whose advantage is shared by the 8 edits of a source (12 sources,
    3 systems, 250 data sets). At nominal 5% (one-sided, acc_eq at epsilon 0): blocks must stay
    within 5% + 3 standard errors (1.4 points each); single verdicts reject far more often."""
    rejected = {"sources": 0, "pairs": 0}
    human = np.repeat([[1.0], [2], [3]], 96, axis=1)
    labels = np.arange(96) // 8
    for seed in range(250):
        draw = rng(seed)
        noise = draw.normal(size=(2, 3, 12))[:, :, labels] + 0.3 * draw.normal(size=(2, 3, 96))
        for swap in rejected:
            found = swap_accuracies(
                human + noise[0],
                human + noise[1],
                human,
                epsilons=(0, 0),
                swap=swap,
                sources=labels,
                rng=draw,
                permutations=199,
            )
            rejected[swap] += found.p_greater <= 0.05
    assert rejected["sources"] / 250 < 0.05 + 3 * 0.014
    assert rejected["pairs"] / 250 > 0.15


@pytest.mark.slow
@pytest.mark.parametrize("swap", ["cells", "sources"])
@pytest.mark.parametrize("block", [1, 100])
def test_results_do_not_depend_on_the_block_size(
    swap: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, human = data(10, 4, 9)

    def found() -> list[object]:
        labels = np.arange(9) // 2
        options = {"sources": labels, "permutations": 300}
        return [
            perm_both(first, second, human, level=level, swap=swap, rng=rng(3), **options)  # type: ignore[arg-type]
            for level in LEVELS
        ] + [swap_accuracies(first, second, human, rng=rng(4), **options)]  # type: ignore[arg-type]

    expected = found()
    monkeypatch.setattr(swaps, "BLOCK", block)
    monkeypatch.setattr(soft_pairwise, "BLOCK", block)
    assert found() == expected


def test_metrics_without_a_value_have_no_p() -> None:
    """All missing, one system, constant ratings, nothing in common."""
    first, second, human = data(11, 3, 4)
    gone = np.full((3, 4), NAN)
    for a, b, h in (
        (gone, second, human),
        (first[:1], second[:1], human[:1]),
        (first, second, np.full((3, 4), 2.0)),
    ):
        found = perm_both(a, b, h, level="item", rng=rng(), permutations=20)
        assert np.isnan([found.delta, found.p_greater, found.p_two_sided]).all()
    lost = swap_accuracies(gone, second, human, rng=rng(), permutations=20)
    assert np.isnan([lost.delta, lost.p_greater]).all() and lost.missing == 12


def test_a_constant_metric_loses_only_where_constants_count() -> None:
    """Left out it has no correlation at all; counted as zero it has 0 and can be compared."""
    first, _, human = data(12, 4, 12)
    flat = np.ones((4, 12))
    omit = perm_both(first, flat, human, level="item", rng=rng(), permutations=200)
    assert np.isnan(omit.delta)
    zero = perm_both(
        first, flat, human, level="item", constants="zero", rng=rng(), permutations=200
    )
    assert zero.second == 0
    assert zero.p_greater < 0.05


def test_bad_requests_raise() -> None:
    first, second, human = data(13, 3, 8)
    with pytest.raises(ValueError, match="too many to list"):
        perm_both(first, second, human, level="item", swap="cells", exact=True)
    with pytest.raises(ValueError, match="'cells' or 'sources'"):
        perm_both(first, second, human, level="item", swap="rows", rng=rng())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'pairs' or 'sources'"):
        swap_accuracies(first, second, human, swap="cells", rng=rng())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs an rng"):
        perm_both(first, second, human, level="item")


def test_many_contests_are_each_as_if_alone() -> None:
    first, second, human = data(14, 3, 9)
    contests = [
        correlation_contest(first, second, human, "item", "pearson", "omit"),
        correlation_contest(second, first, human, "global", "spearman", "omit"),
    ]
    drawn = [Swaps(rng(k).random((20, 3, 9)) < 0.5) for k in range(3)]
    together = tally(contests, iter(drawn))
    alone = [tally([each], iter(drawn)) for each in contests]
    assert together.greater == pytest.approx([each.greater[0] for each in alone], abs=0)
