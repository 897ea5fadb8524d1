"""Bootstrap of meta-evaluation: weights against copied data, scipy, nlpstats, degenerate data."""

import numpy as np
import pytest
import scipy.stats

from evaluation.stats.meta import (
    KINDS,
    LEVELS,
    Calibration,
    Claim,
    Constants,
    Kind,
    Level,
    Resample,
    Statistic,
    bootstrap_accuracy,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
    correlate,
    mean_votes,
    out_of_sample_accuracy,
    pair_draws,
    pairwise_accuracy,
    signs,
    soft_pairwise,
    soft_pairwise_accuracy,
    tie_calibrated_accuracy,
)
from evaluation.stats.resampling import Resampling, cluster_counts, expanded

NAN = np.nan
SOURCES = np.array([0, 0, 1, 2, 2, 2, 3])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def data(seed: int, systems: int = 4, items: int = 7, raters: int = 5) -> tuple[np.ndarray, ...]:
    """A metric and votes with ties and gaps; an item of one system, a system of one item."""
    draw = rng(seed)
    votes = draw.integers(1, 6, (systems, items, raters)).astype(float)
    votes[draw.random(votes.shape) < 0.3] = NAN
    metric = draw.integers(0, 5, (systems, items)).astype(float)
    metric[0, 0] = metric[1:, 5] = metric[-1, 1:] = NAN
    return metric, votes


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resample", ["inputs", "systems", "both"])
@pytest.mark.parametrize("raters", [False, True])
def test_a_draw_is_the_correlation_of_the_copied_data(
    level: Level, kind: Kind, resample: Resample, raters: bool
) -> None:
    """The same counts, drawn in the same order, turned into copies of items, systems, raters."""
    metric, votes = data(1)
    constants: Constants = "omit" if kind in ("pearson", "kendall_c") else "zero"
    found = bootstrap_correlation(
        metric,
        votes,
        Statistic("correlation", level, kind, constants),
        Resampling(rng(2), 25),
        sources=SOURCES,
        claim=Claim(resample, raters),
    )
    draw = rng(2)
    counts = [np.ones((25, 7), int), np.ones((25, 4), int), np.ones((25, 5), int)]
    if resample != "systems":
        counts[0] = cluster_counts(4, 25, draw).astype(int)[:, SOURCES]
    if resample != "inputs":
        counts[1] = cluster_counts(4, 25, draw).astype(int)
    if raters:
        counts[2] = cluster_counts(5, 25, draw).astype(int)
    for value, items, systems, panel in zip(found.draws, *counts, strict=True):
        copies = np.repeat(np.repeat(votes, items, axis=1), systems, axis=0)
        one = np.repeat(np.repeat(metric, items, axis=1), systems, axis=0)
        people = mean_votes(np.repeat(copies, panel, axis=2))
        expected = correlate(one, people, level=level, kind=kind, constants=constants).value
        assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert np.isfinite(found.draws).any()
    assert (
        found.value == correlate(metric, votes, level=level, kind=kind, constants=constants).value
    )


def test_ends_are_the_expanded_percentiles_of_the_draws() -> None:
    """Hesterberg (2015): of n sources the share kept is that of a normal within t sqrt(n / (n-1)),
    t of n - 1 degrees of freedom. 4 sources at 80%: t = 1.63774, x 1.15470 = 1.89110, 94.139%.
    """
    metric, votes = data(3)
    found = bootstrap_correlation(
        metric,
        votes,
        Statistic("correlation", "item", "pearson"),
        Resampling(rng(), 500, 0.8),
        sources=SOURCES,
    )
    assert expanded(0.8, 4) == pytest.approx(0.9413896, abs=1e-6)
    ends = np.nanquantile(found.draws, [0.0293052, 0.9706948])
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pearson", "spearman", "kendall_b"])
def test_global_intervals_are_those_of_scipy(kind: Kind) -> None:
    """scipy.stats.bootstrap 1.17, paired, percentile, on 60 items of one system: 3,000 draws
    each, so the ends differ by Monte Carlo error, some percent of the width."""
    human = rng(1).normal(size=60)
    metric = human + rng(2).normal(size=60)
    statistic = {
        "pearson": lambda x, y: scipy.stats.pearsonr(x, y).statistic,
        "spearman": lambda x, y: scipy.stats.spearmanr(x, y).statistic,
        "kendall_b": lambda x, y: scipy.stats.kendalltau(x, y).statistic,
    }[kind]
    reference = scipy.stats.bootstrap(
        (metric, human), statistic, paired=True, vectorized=False, method="percentile",
        n_resamples=3000, random_state=rng(3),
    ).confidence_interval  # fmt: skip
    for level in ("global", "edits"):
        found = bootstrap_correlation(
            metric[None],
            human[None],
            Statistic("correlation", level, kind),
            Resampling(rng(4), 3000),
        )  # type: ignore[arg-type]
        width = reference.high - reference.low
        assert found.low == pytest.approx(reference.low, abs=0.06 * width)
        assert found.high == pytest.approx(reference.high, abs=0.06 * width)


@pytest.mark.parametrize(
    ("level", "resample", "low", "high"),
    [
        ("global", "inputs", 0.6066, 0.8354),
        ("global", "systems", 0.6079, 0.8099),
        ("global", "both", 0.4622, 0.8873),
        ("item", "inputs", 0.6660, 0.8651),
    ],
)
def test_kinds_of_resampling_are_those_of_nlpstats(
    level: Level, resample: Resample, low: float, high: float
) -> None:
    """nlpstats 0.0.1, bootstrap(metric, human, level, "pearson", resampling_method,
    n_resamples=6000), 95%; data by formula. Plain percentiles agree within Monte Carlo error."""
    s, i = np.meshgrid(np.arange(4), np.arange(9), indexing="ij")
    human = 1 + ((3 * s + 5 * i + s * i * i) % 5).astype(float)
    metric = human / 2 + ((5 * s * s + 3 * i + 2 * s * i) % 13) / 4
    found = bootstrap_correlation(
        metric,
        human,
        Statistic("correlation", level, "pearson"),
        Resampling(rng(5), 6000),
        claim=Claim(resample),
    )
    ends = np.nanquantile(found.draws, [0.025, 0.975])
    assert ends == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found.low < ends[0] and found.high > ends[1]


@pytest.mark.slow
def test_intervals_over_sources_hold_the_truth() -> None:
    """Item-level agreement of 30 sources x 3 edits, the noise of a source shared: the 95%
    interval must hold the true value (1,500 sources) in about 94% of 200 sets; treating edits as
    independent holds it far less often. Standard error of a share: 1.7 points."""

    def draw(seed: int, sources: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        labels = np.arange(3 * sources) // 3
        make = rng(seed)
        human = np.broadcast_to(np.arange(4.0)[:, None], (4, 3 * sources))
        return human + 3 * make.normal(size=(4, sources))[:, labels], human, labels

    truth = correlate(*draw(10**6, 1500)[:2], level="item").value
    held = {"sources": 0, "items": 0}
    for seed in range(200):
        metric, human, labels = draw(seed, 30)
        for name, clusters in (("sources", labels), ("items", None)):
            low, _, high, _ = bootstrap_correlation(
                metric,
                human,
                Statistic("correlation", "item", "pearson"),
                Resampling(rng(seed), 400),
                sources=clusters,
            )
            held[name] += low < truth < high
    assert 0.89 < held["sources"] / 200 < 0.99
    assert held["items"] / 200 < 0.85


def test_drawing_raters_widens_the_interval() -> None:
    """Two raters who disagree: without drawing them their disagreement does not show."""
    metric, votes = data(4, systems=5, items=30, raters=2)
    item = Statistic("correlation", "item", "pearson", "zero")
    fixed = bootstrap_correlation(metric, votes, item, Resampling(rng(1), 600))
    drawn = bootstrap_correlation(
        metric, votes, item, Resampling(rng(1), 600), claim=Claim(raters=True)
    )
    assert drawn.high - drawn.low > fixed.high - fixed.low
    assert drawn.value == fixed.value


@pytest.mark.parametrize("epsilon", [None, 1.0])
@pytest.mark.parametrize("calibration", ["kept", "each draw"])
def test_a_draw_of_accuracy_is_acc_eq_of_the_copied_items(
    calibration: Calibration, epsilon: float | None
) -> None:
    """Calibrated on the copies, or with the epsilon of all items, or with a given one."""
    metric, votes = data(5)
    human = mean_votes(votes)
    found = bootstrap_accuracy(
        metric,
        votes,
        Resampling(rng(6), 30),
        sources=SOURCES,
        calibration=calibration if epsilon is None else epsilon,
    )
    counts = cluster_counts(4, 30, rng(6)).astype(int)[:, SOURCES]
    whole = tie_calibrated_accuracy(metric, human)
    for value, items in zip(found.draws, counts, strict=True):
        one, people = np.repeat(metric, items, axis=1), np.repeat(human, items, axis=1)
        kept = whole.epsilon if epsilon is None else epsilon
        expected = pairwise_accuracy(one, people, kept).value
        if epsilon is None and calibration == "each draw":
            expected = tie_calibrated_accuracy(one, people).value
        assert value == pytest.approx(expected, abs=1e-12, nan_ok=True)
    if epsilon is None:
        assert found.value == pytest.approx(whole.value, abs=1e-12)


def test_out_of_sample_draws_keep_the_epsilon_of_the_other_sources() -> None:
    """A draw is the mean over copied items of their accuracy at their source's epsilon."""
    metric, votes = data(11, systems=5)
    human = mean_votes(votes)
    found = bootstrap_accuracy(
        metric, votes, Resampling(rng(6), 30), calibration="other sources", sources=SOURCES
    )
    outside = out_of_sample_accuracy(metric, human, SOURCES)
    items = np.array(
        [
            pairwise_accuracy(metric[:, [i]], human[:, [i]], outside.epsilons[source]).value
            for i, source in enumerate(SOURCES)
        ]
    )
    assert found.value == pytest.approx(outside.value, abs=1e-12)
    for value, count in zip(found.draws, cluster_counts(4, 30, rng(6)), strict=True):
        copies = np.repeat(items, count.astype(int)[SOURCES])
        assert value == pytest.approx(np.nanmean(copies), abs=1e-12)


def test_calibrating_in_each_draw_adds_its_optimism_to_the_draws() -> None:
    """A draw's best epsilon is at least as good as the kept one: never lower, mostly higher."""
    _, votes = data(12, systems=4, items=40)
    votes = np.round(mean_votes(votes))  # many ties
    metric = votes + rng(2).normal(size=votes.shape)
    sources = np.arange(40) // 4
    kept = bootstrap_accuracy(metric, votes, Resampling(rng(1), 200), sources=sources)
    anew = bootstrap_accuracy(
        metric, votes, Resampling(rng(1), 200), calibration="each draw", sources=sources
    )
    assert (anew.draws >= kept.draws - 1e-12).all()
    assert anew.draws.mean() > kept.draws.mean()
    assert anew.value == pytest.approx(kept.value)


@pytest.mark.parametrize(("permutations", "rows"), [(12, 12), (64, 16)])
def test_a_draw_of_spa_is_spa_of_weighted_sources(permutations: int, rows: int) -> None:
    """A source drawn twice counts twice and changes sign as one: its differences doubled.
    Of four sources all 16 signs are listed where more are asked for."""
    metric, votes = data(7, systems=3)
    human = mean_votes(votes)
    found = bootstrap_soft_pairwise(
        metric[None], human, Resampling(rng(8), 20), sources=SOURCES, permutations=permutations
    )[0]
    draw = rng(8)
    matrix = np.concatenate(list(signs(4, 1, draw, permutations, rows == 16)))
    assert len(matrix) == rows
    counts = cluster_counts(4, 20, draw)
    assert np.isfinite(found.draws).all()
    for value, weights in zip(found.draws, counts, strict=True):
        near = []
        for a, b in ((0, 1), (0, 2), (1, 2)):
            both = np.isfinite((metric[a] - metric[b]) * (human[a] - human[b]))
            ps = []
            for each in (metric, human):
                gap = np.where(both, each[a] - each[b], 0.0)
                units = np.array([gap[k == SOURCES].sum() for k in range(4)]) * weights
                ps.append(np.mean(matrix @ units >= units.sum() - 1e-9))
            if (weights * [both[k == SOURCES].sum() for k in range(4)]).sum():
                near.append(1 - abs(ps[0] - ps[1]))
        assert value == pytest.approx(np.mean(near), abs=1e-12)


def test_spa_beside_its_interval_is_spa_by_the_same_signs() -> None:
    metric, votes = data(9, systems=4)
    found = bootstrap_soft_pairwise(
        metric[None], votes, Resampling(rng(1), 10), sources=SOURCES, permutations=15
    )[0]
    alone = soft_pairwise_accuracy(metric, votes, sources=SOURCES, rng=rng(1), permutations=15)
    assert found.value == pytest.approx(alone.value, abs=1e-12)


def test_results_do_not_depend_on_the_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    metric, votes = data(10)

    def found() -> np.ndarray:
        parts = [
            bootstrap_correlation(
                metric, votes, Statistic("correlation", level, "kendall_b"),
                Resampling(rng(1), 50), sources=SOURCES, claim=Claim("both", True),
            ).draws
            for level in LEVELS
        ]  # fmt: skip
        draws = Resampling(rng(1), 50)
        soft = bootstrap_soft_pairwise(metric[None], votes, draws, sources=SOURCES)
        return np.concatenate([*parts, *(each.draws for each in soft)])

    expected = found()
    monkeypatch.setattr(pair_draws, "BLOCK", 1)
    monkeypatch.setattr(soft_pairwise, "BLOCK", 1)
    assert found() == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("resample", ["inputs", "systems", "both"])
def test_nothing_to_draw_from_gives_no_interval(resample: Resample) -> None:
    """One source or one system: the value stands alone."""
    metric, human = rng(1).normal(size=(2, 4, 6))
    one_source = np.zeros(6)
    found = bootstrap_correlation(
        metric,
        human,
        Statistic("correlation", "global", "pearson"),
        Resampling(rng()),
        sources=one_source,
        claim=Claim(resample),
    )
    assert np.isfinite(found.value)
    assert np.isnan(found.low) == (resample != "systems")
    single = bootstrap_correlation(
        metric[:1],
        human[:1],
        Statistic("correlation", "global", "pearson"),
        Resampling(rng()),
        claim=Claim(resample),
    )
    assert np.isfinite(single.value)
    assert np.isnan(single.high) == (resample != "inputs")


@pytest.mark.parametrize("level", LEVELS)
def test_no_value_no_interval(level: Level) -> None:
    human = rng(1).normal(size=(4, 6))
    for metric in (np.full((4, 6), NAN), np.ones((4, 6))):
        found = bootstrap_correlation(
            metric, human, Statistic("correlation", level, "pearson"), Resampling(rng(), 20)
        )
        assert np.isnan(found[:3]).all() and np.isnan(found.draws).all()


def test_accuracy_and_spa_without_pairs() -> None:
    gone, human = np.full((3, 4), NAN), np.ones((3, 4))
    assert np.isnan(bootstrap_accuracy(gone, human, Resampling(rng(), 9))[:3]).all()
    spa = bootstrap_soft_pairwise(gone[None], human, Resampling(rng(), 9))[0]
    assert np.isnan(spa[:3]).all()
    one_item = bootstrap_accuracy(np.eye(3)[:, :1], np.eye(3)[:, :1], Resampling(rng(), 9))
    assert one_item.value == 1 and np.isnan(one_item.low)


def test_bad_requests_raise() -> None:
    metric, votes = data(1)
    with pytest.raises(ValueError, match="from votes"):
        bootstrap_correlation(
            metric,
            mean_votes(votes),
            Statistic("correlation", "item", "pearson"),
            Resampling(rng()),
            claim=Claim(raters=True),
        )
    with pytest.raises(ValueError, match="'inputs', 'systems' or 'both'"):
        bootstrap_correlation(
            metric,
            votes,
            Statistic("correlation", "item", "pearson"),
            Resampling(rng()),
            claim=Claim("all"),
        )  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_correlation(
            metric,
            votes,
            Statistic("correlation", "item", "pearson"),
            Resampling(rng(), confidence=95),
        )
    with pytest.raises(ValueError, match="calibration must be one of"):
        bootstrap_accuracy(metric, votes, Resampling(rng()), calibration="none")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one resample"):
        bootstrap_accuracy(metric, votes, Resampling(rng(), 0))
