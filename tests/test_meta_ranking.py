"""Metric rankings: each number against the function it comes from, clusters, gaps, small n."""

import numpy as np
import pytest
from metric_contests import perm_both, swap_accuracies

from evaluation.stats.meta import (
    LEVELS,
    MetricRanking,
    RankedMetric,
    Statistic,
    correlate,
    leave_one_rater_out,
    mean_votes,
    metric_ranking,
    out_of_sample_accuracy,
    pair_draws,
    soft_pairwise,
    soft_pairwise_accuracy,
    statistic_value,
    tie_calibrated_accuracy,
)
from evaluation.stats.meta import score_swaps as swaps
from evaluation.stats.resampling import Resampling

NAN = np.nan
SOURCES = np.arange(36) // 4
NAMES = ["good", "fair", "poor", "noise"]
STATISTICS = [
    Statistic(),
    Statistic("spa"),
    *(Statistic("correlation", level, "kendall_b", "zero") for level in LEVELS),
]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Four metrics of falling merit and the votes of three raters: 5 systems, 36 items."""
    draw = rng(seed)
    votes = draw.integers(1, 6, (5, 36, 1)) + draw.integers(-1, 2, (5, 36, 3)).astype(float)
    human = votes.mean(axis=2)
    metrics = [human + noise * draw.normal(size=human.shape) for noise in (0.5, 1.5, 4)]
    return np.stack([*metrics, draw.normal(size=human.shape)]), votes


def made(statistic: Statistic, seed: int = 0, **options: object) -> MetricRanking:
    metrics, votes = data()
    settings = {"permutations": 400, "resamples": 60, **options}
    sources = settings.pop("sources", SOURCES)
    draws = Resampling(rng(seed), **settings)  # type: ignore[arg-type]
    return metric_ranking(
        metrics, votes, names=NAMES, statistic=statistic, sources=sources, resampling=draws  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda s: f"{s.name}-{s.level}")
def test_rows_are_what_the_single_functions_say(statistic: Statistic) -> None:
    metrics, votes = data()
    table = made(statistic)
    assert [row.value for row in table.rows] == sorted(
        (row.value for row in table.rows), reverse=True
    )
    for row in table.rows:
        metric = metrics[NAMES.index(row.name)]
        if statistic.name == "acc_eq":
            alone = tie_calibrated_accuracy(metric, votes)
            assert (row.value, row.epsilon) == pytest.approx((alone.value, alone.epsilon))
            outside = out_of_sample_accuracy(metric, votes, SOURCES)
            assert row.out_of_sample == pytest.approx(outside.value)
        elif statistic.name == "spa":
            alone = soft_pairwise_accuracy(metric, votes, sources=SOURCES, exact=True)
            assert row.value == pytest.approx(alone.value)
        else:
            alone = correlate(
                metric, votes, level=statistic.level, kind="kendall_b", constants="zero"
            )
            assert row.value == pytest.approx(alone.value)
        assert row.low <= row.value <= row.high
        assert (row.missing, np.isnan(row.epsilon)) == (0, statistic.name != "acc_eq")
    assert (table.systems, table.items, table.sources) == (5, 36, 9)


@pytest.mark.parametrize(
    "statistic",
    [
        Statistic(),
        Statistic("correlation", "system", "kendall_b", "zero"),
        Statistic("correlation", "item", "spearman", "zero"),
        Statistic("correlation", "global", "pearson", "zero"),
        Statistic("correlation", "edits", "pearson", "zero"),
    ],
)
def test_p_values_are_near_all_swaps_of_nine_sources(statistic: Statistic) -> None:
    """2^9 swaps listed by the single tests; 4,000 drawn here: standard deviation 0.008."""
    metrics, votes = data()
    table = made(statistic, permutations=4000)
    order = [NAMES.index(row.name) for row in table.rows]
    options = {"sources": SOURCES, "exact": True}
    for i, j in ((0, 1), (1, 2), (2, 3)):
        pair = metrics[order[i]], metrics[order[j]], votes
        if statistic.name == "acc_eq":
            found = swap_accuracies(*pair, **options)  # type: ignore[arg-type]
        else:
            found = perm_both(
                *pair, level=statistic.level, kind=statistic.kind, constants="zero", **options
            )  # type: ignore[arg-type]
        assert table.p_alone[i, j] == pytest.approx(found.p_two_sided, abs=0.032)
    assert np.isnan([table.p[np.tril_indices(4)], table.p_alone[np.tril_indices(4)]]).all()
    assert (table.p >= table.p_alone)[np.triu_indices(4, 1)].all()


def test_a_good_metric_leads_alone_and_p_is_adjusted() -> None:
    table = made(Statistic(), permutations=2000)
    assert [row.name for row in table.rows[:3]] == ["good", "fair", "poor"]
    assert [row.cluster for row in table.rows[:2]] == [1, 2]
    assert np.isnan(table.rows[0].p_best)
    assert [row.p_best for row in table.rows[1:]] == table.p[0, 1:].tolist()
    assert table.rows[1].p_best < 0.05


def test_people_are_in_the_table_as_raters_against_the_others() -> None:
    metrics, votes = data()
    expected = leave_one_rater_out(votes, lambda m, h: tie_calibrated_accuracy(m, h).value)
    table = made(Statistic())
    assert table.people is not None
    assert table.people.values == pytest.approx(expected.values)
    means = metric_ranking(
        metrics, mean_votes(votes), names=NAMES, resampling=Resampling(rng(), 20, permutations=20)
    )
    assert means.people is None
    assert means.sources == 36


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda s: f"{s.name}-{s.level}")
def test_a_ranking_does_not_depend_on_the_block_size(
    statistic: Statistic, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = made(statistic, permutations=30, resamples=20)
    for module in (swaps, soft_pairwise, pair_draws):
        monkeypatch.setattr(module, "BLOCK", 700)
    found = made(statistic, permutations=30, resamples=20)
    assert np.array_equal(found.p, expected.p, equal_nan=True)
    for row, other in zip(found.rows, expected.rows, strict=True):
        assert row[1:] == pytest.approx(other[1:], nan_ok=True, abs=1e-12)


LOVEU = {  # LOVEU-TGVE 2023, leaderboard rows: CLIP-F, CLIP-T, PickScore | human quality, text
    "Noah Wukong": (91.25, 27.21, 20.72, 0.465, 0.538),
    "T2I_HERO": (92.27, 25.57, 20.22, 0.564, 0.531),
    "PAIR": (92.47, 25.53, 19.79, 0.387, 0.399),
    "RewardT2VE": (92.17, 27.55, 20.55, 0.438, 0.451),
}


def test_four_public_rows_support_no_claim() -> None:
    """Spearman of four pairs is 1 - 6 sum d^2 / 60. CLIP-T and human text: ranks (3, 2, 1, 4) and
    (4, 3, 1, 2), sum d^2 = 6: 0.4. CLIP-F and human quality: (1, 3, 4, 2) and (3, 4, 1, 2),
    sum d^2 = 14: -0.4."""
    rows = np.array(list(LOVEU.values()))
    statistic = Statistic("correlation", "system", "spearman")
    for human, metric, expected in ((4, 1, 0.4), (3, 0, -0.4)):
        table = metric_ranking(
            rows[:, [metric, 2]].T[:, :, None],
            rows[:, [human]],
            names=["CLIP", "PickScore"],
            statistic=statistic,
            resampling=Resampling(rng(), 50, permutations=500),
        )
        clip = next(row for row in table.rows if row.name == "CLIP")
        assert clip.value == pytest.approx(expected)
        assert np.isnan([clip.low, clip.high]).all()
        assert {row.cluster for row in table.rows} == {1}
        assert "4 systems cannot support a claim at system level" in table.notes[0]
        assert "1/4! = 0.042" in table.notes[0]


def test_notes_say_what_the_numbers_cannot() -> None:
    assert made(Statistic("correlation", "system")).notes == (
        "9 source videos: a percentile interval from so few is too narrow or absent.",
    )
    assert "not about other systems" in made(Statistic("spa")).notes[0]
    metrics, votes = data()
    many = metric_ranking(
        metrics, votes, names=NAMES, resampling=Resampling(rng(), 20, permutations=20)
    )
    assert many.notes == ()


def test_what_another_metric_leads_on_other_cells_is_no_lead_of_the_first() -> None:
    """By hand: a and its copy b are equal, so no test can call b worse than a; yet on the third
    of the videos that y has, y leads both. On all videos a and b come first.
    """
    draw, source = rng(1), np.repeat(np.arange(30), 3)
    people = draw.normal(size=(4, 90))
    a = people + draw.normal(0, 1.2, people.shape) * np.where(source < 10, 1.0, 0.0)
    y = np.where(source < 10, people + draw.normal(0, 0.3, people.shape), np.nan)
    found = metric_ranking(
        np.stack([a, a, y]),
        people,
        names=["a", "b", "y"],
        sources=source,
        resampling=Resampling(rng(0), 10, permutations=1000),
    )
    assert [row.name for row in found.rows] == ["a", "b", "y"]
    assert found.p_alone[0].tolist()[1:] == [1.0, 1.0]
    assert [row.p_best for row in found.rows][1:] == [1.0, 1.0]
    assert [row.cluster for row in found.rows] == [1, 1, 1]


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda s: f"{s.name}-{s.level}")
def test_a_metric_without_values_is_last_and_not_ranked(statistic: Statistic) -> None:
    metrics, votes = data()
    metrics[0] = NAN
    metrics[1, :, 3] = NAN
    table = metric_ranking(
        metrics,
        votes,
        names=NAMES,
        statistic=statistic,
        sources=SOURCES,
        resampling=Resampling(rng(), 20, permutations=50),
    )
    last = table.rows[-1]
    assert (last.name, last.cluster, last.missing) == ("good", 0, 180)
    assert np.isnan([last.value, last.low, last.p_best]).all()
    assert np.isnan(table.p[:, -1]).all()
    assert min(row.cluster for row in table.rows[:-1]) == 1
    assert {row.missing for row in table.rows} == {0, 5, 180}


@pytest.mark.parametrize("statistic", STATISTICS, ids=lambda s: f"{s.name}-{s.level}")
@pytest.mark.parametrize("case", ["one system", "two systems", "one item", "equal", "one metric"])
def test_degenerate_data_make_a_table(statistic: Statistic, case: str) -> None:
    """A value may be missing; a claim is never made from one system, one item or no variation."""
    metrics, votes = data()
    kept = {"one system": 1, "two systems": 2}.get(case, 5)
    items = 1 if case == "one item" else 36
    names = NAMES[:1] if case == "one metric" else NAMES
    metrics, votes = metrics[: len(names), :kept, :items], votes[:kept, :items]
    if case == "equal":
        votes = np.full(votes.shape, 3.0)
    table = metric_ranking(
        metrics,
        votes,
        names=names,
        statistic=statistic,
        resampling=Resampling(rng(), 10, permutations=30),
    )
    assert len(table.rows) == len(names)
    values = np.array([row.value for row in table.rows])
    if case == "one system":
        assert np.isnan(values).all() == (statistic.level not in ("global", "edits"))
    if case == "one item":
        assert np.isnan([row.low for row in table.rows]).all()
        assert {row.cluster for row in table.rows} <= {0, 1}
    if case == "equal" and statistic.name == "correlation":
        assert (values == 0).all()  # constants="zero"
    if case == "one metric":
        assert table.p.shape == (1, 1) and table.rows[0].cluster == 1


def test_the_statistic_of_one_metric_is_that_of_its_function() -> None:
    metrics, votes = data()
    accuracy = tie_calibrated_accuracy(metrics[1], votes).value
    spa = soft_pairwise_accuracy(metrics[1], votes, rng=rng(3)).value
    tau = correlate(metrics[1], votes, level="edits", kind="kendall_c").value
    asked = Statistic(), Statistic("spa"), Statistic("correlation", "edits", "kendall_c")
    found = [statistic_value(metrics[1], votes, each, rng(3)) for each in asked]
    assert found == [accuracy, spa, tau]
    with pytest.raises(ValueError, match="unknown statistic"):
        statistic_value(metrics[1], votes, Statistic("rho"), rng())  # type: ignore[arg-type]


def test_a_row_says_how_many_vectors_were_constant() -> None:
    metrics, votes = data()
    votes[:, :6] = 3
    table = metric_ranking(
        metrics,
        votes,
        names=NAMES,
        statistic=Statistic("correlation", "item"),
        resampling=Resampling(rng(), 10, permutations=20),
    )
    assert {row.constant for row in table.rows} == {6}
    assert isinstance(table.rows[0], RankedMetric)


def test_bad_requests_raise() -> None:
    metrics, votes = data()
    with pytest.raises(ValueError, match="a name each"):
        metric_ranking(metrics, votes, names=NAMES[:2], resampling=Resampling(rng()))
    with pytest.raises(ValueError, match="a name each"):
        metric_ranking(metrics[0], votes, names=NAMES, resampling=Resampling(rng()))
    with pytest.raises(ValueError, match="unknown statistic 'tau'"):
        metric_ranking(
            metrics, votes, names=NAMES, statistic=Statistic("tau"), resampling=Resampling(rng())
        )  # type: ignore[arg-type]
