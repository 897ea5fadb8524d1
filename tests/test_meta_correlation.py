"""Correlations of metric and people at four levels: scipy, nlpstats, hand-derived cases, gaps."""

import numpy as np
import pytest
import scipy.stats

from evaluation.stats.meta import (
    FEW,
    KINDS,
    LEVELS,
    Kind,
    Level,
    cells,
    coefficient,
    coefficients,
    correlate,
    level_vectors,
    mean_of,
    mean_votes,
    merged,
    midranks,
    smallest_p,
    sources_of,
    system_means,
    system_note,
)

SCIPY = {
    "pearson": lambda x, y: scipy.stats.pearsonr(x, y).statistic,
    "spearman": lambda x, y: scipy.stats.spearmanr(x, y).statistic,
    "kendall_b": lambda x, y: scipy.stats.kendalltau(x, y, variant="b").statistic,
    "kendall_c": lambda x, y: scipy.stats.kendalltau(x, y, variant="c").statistic,
}


def tied(seed: int, *shape: int) -> np.ndarray:
    """Values on five points: many ties."""
    return np.random.default_rng(seed).integers(1, 6, shape).astype(float)


def reference_data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """People and two metrics, 4 systems x 9 items, made without a generator."""
    s, i = np.meshgrid(np.arange(4), np.arange(9), indexing="ij")
    human = 1 + ((3 * s + 5 * i + s * i * i) % 5).astype(float)
    first = human + ((7 * s + 2 * i * i + s * i) % 11) / 4
    second = human / 2 + ((5 * s * s + 3 * i + 2 * s * i) % 13) / 4
    return human, first, second


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [2, 3, 5, FEW, FEW + 1, 200])
def test_coefficients_are_those_of_scipy(kind: Kind, points: int) -> None:
    """scipy 1.17, vector by vector, with ties; both sides of FEW and the matrix form."""
    x, y = tied(points, 7, points), tied(points + 1, 7, points) + tied(points, 7, points) / 2
    x[:, 0], y[:, 0] = 0, 0  # below all: nothing is constant
    together = coefficient(x, y, kind)
    for row, (a, b) in enumerate(zip(x, y, strict=True)):
        expected = SCIPY[kind](a, b)
        assert together[row] == pytest.approx(expected, abs=1e-12)
        assert coefficient(a, b, kind) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(6,), (3, 6), (3, 60)])
def test_a_weight_is_that_many_copies(kind: Kind, shape: tuple[int, ...]) -> None:
    """scipy 1.17 on the repeated data; one vector (matrix form), few and many points."""
    x, y = tied(1, *shape), tied(2, *shape) + tied(1, *shape)
    weights = np.random.default_rng(3).integers(0, 4, (5, *shape))
    x[..., 0], y[..., 0], weights[..., 0] = 0, 0, 1
    weights[..., -1] = 2
    found = coefficient(x, y, kind, weights)
    for place in np.ndindex(found.shape):
        row = place[1:]
        copies = [np.repeat(each[row], weights[place]) for each in (x, y)]
        assert found[place] == pytest.approx(SCIPY[kind](*copies), abs=1e-12)


@pytest.mark.parametrize("kind", ["kendall_b", "kendall_c"])
def test_long_vectors_take_another_way_to_the_same_number(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = tied(7, 90), tied(8, 90) + tied(7, 90)
    weights = np.random.default_rng(9).integers(0, 3, (4, 90))
    expected = coefficient(x, y, kind, weights)
    monkeypatch.setattr(coefficients, "MANY", 50)
    assert coefficient(x, y, kind, weights) == pytest.approx(expected, abs=1e-12)
    assert coefficient(x, y, kind) == pytest.approx(SCIPY[kind](x, y), abs=1e-12)


def test_a_resample_that_misses_the_outlier_is_as_exact_as_any() -> None:
    """Around the common mean its variance would be a difference of numbers 1e12 times larger."""
    x, y = np.append(tied(1, 12), 1e7), np.append(tied(2, 12), -3e7)
    weights = np.append(np.ones(12), 0.0)
    expected = SCIPY["pearson"](x[:-1], y[:-1])
    assert coefficient(x, y, "pearson", weights[None]) == pytest.approx([expected], abs=1e-8)
    near = np.append(tied(1, 12), 1e3), np.append(tied(2, 12), -3e3)
    assert coefficient(*near, "pearson", weights[None]) == pytest.approx([expected], abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_points_are_left_out_pairwise(kind: Kind) -> None:
    """The same as scipy 1.17 on the points that have both values."""
    x, y = tied(5, 30), tied(6, 30) + tied(5, 30)
    x[[3, 4]], y[[4, 9]] = np.nan, np.inf
    kept = np.isfinite(x) & np.isfinite(y)
    expected = SCIPY[kind](x[kept], y[kept])
    assert kept.sum() == 27
    assert coefficient(x, y, kind) == pytest.approx(expected, abs=1e-12)
    stacked = coefficient(np.stack([x, x]), np.stack([y, y]), kind)
    assert stacked == pytest.approx([expected] * 2, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "x", [[], [1.0], [2.0, 2, 2], [np.nan] * 3, [1.0, np.nan, np.nan], [0.1] * 45]
)
def test_there_is_no_correlation_without_variation(kind: Kind, x: list[float]) -> None:
    y = np.arange(len(x), dtype=float)
    assert np.isnan(coefficient(np.array(x), y, kind))
    assert np.isnan(coefficient(y, np.array(x), kind))
    assert np.isnan(coefficient(np.stack([x, x]), np.stack([y, y]), kind)).all()


def test_an_unknown_coefficient_raises() -> None:
    with pytest.raises(ValueError, match="unknown coefficient 'tau'"):
        coefficient(np.arange(3), np.arange(3), "tau")  # type: ignore[arg-type]


def test_midranks_of_copies_are_those_of_scipy() -> None:
    """scipy.stats.rankdata 1.17 (average) of the repeated values."""
    values, weights = np.array([3.0, 1, 3, 2]), np.array([2.0, 1, 1, 3])
    copies = scipy.stats.rankdata(np.repeat(values, weights.astype(int)))
    assert midranks(values, weights) == pytest.approx(copies[[0, 2, 3, 4]])


@pytest.mark.parametrize(
    ("level", "kind", "first", "second"),
    [
        ("system", "pearson", 1.0, 0.9984271534444102),
        ("item", "pearson", 0.9480194467084841, 0.760787225433279),
        ("item", "spearman", 0.9147172813370751, 0.7522578132673665),
        ("item", "kendall_b", 0.8756728767598334, 0.6772716794455925),
        ("global", "pearson", 0.9128377533223311, 0.7220992112773311),
        ("global", "spearman", 0.9007928620173151, 0.7003841827700048),
        ("global", "kendall_b", 0.7889343842326716, 0.5677725798938681),
    ],
)
def test_levels_are_those_of_nlpstats(
    level: Level, kind: Kind, first: float, second: float
) -> None:
    """nlpstats 0.0.1, correlate(metric, human, level, coefficient); its "input" is our "item"."""
    human, *metrics = reference_data()
    found = [correlate(metric, human, level=level, kind=kind).value for metric in metrics]
    assert found == pytest.approx([first, second], abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_between_edits_is_the_mean_of_scipy_over_systems(kind: Kind) -> None:
    """scipy 1.17. People give the first system one score throughout: three systems remain."""
    human, metric, _ = reference_data()
    rows = list(zip(metric, human, strict=True))
    assert len(set(human[0])) == 1
    expected = np.mean([SCIPY[kind](m, h) for m, h in rows[1:]])
    found = correlate(metric, human, level="edits", kind=kind)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert (found.used, found.constant, found.points) == (3, 1, 36)


def test_levels_answer_different_questions() -> None:
    """By hand: within each item the metric is right (+1), but items that people like it dislikes.

    Item i: human (10 i, 10 i + 1), metric (-10 i, -10 i + 1). System means differ by +1 in both:
    +1. Within a system both run against each other over items: -1.
    """
    item = np.arange(4.0) * 10
    human, metric = np.stack([item, item + 1]), np.stack([-item, -item + 1])
    values = {level: correlate(metric, human, level=level).value for level in LEVELS}
    assert values["system"] == pytest.approx(1)
    assert values["item"] == pytest.approx(1)
    assert values["edits"] == pytest.approx(-1)
    assert values["global"] < -0.9


def test_constant_items_are_counted_and_treated_as_asked() -> None:
    """Three items: r = 1, r = -1, and people all equal. Mean 0 of two, or 0 of three.

    A fourth item that agrees gives 1/3 of three, or 1/4 of four.
    """
    human = np.array([[1.0, 1, 3, 1], [2, 2, 3, 2]])
    metric = np.array([[0.0, 9, 1, 3], [1, 8, 2, 4]])
    omit = correlate(metric, human, level="item")
    zero = correlate(metric, human, level="item", constants="zero")
    assert (omit.value, omit.used, omit.constant) == (pytest.approx(1 / 3), 3, 1)
    assert (zero.value, zero.used, zero.constant) == (pytest.approx(1 / 4), 4, 1)


def test_missing_cells_and_short_items_are_counted() -> None:
    """Item 0 whole; item 1 one cell short of two systems; item 2 with one system; item 3 empty."""
    human = np.array([[1.0, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]])
    metric = human.copy()
    metric[0, 1] = metric[:2, 2] = np.nan
    human[:, 3] = np.nan
    found = correlate(metric, human, level="item", constants="zero")
    assert found[:6] == pytest.approx((1.0, 2, 0, 2, 6, 6)) and found.why_not == ""


def test_votes_are_averaged_over_the_raters_that_voted() -> None:
    votes = np.array([[[1.0, 3], [2, np.nan]], [[np.nan, np.nan], [5, 4]]])
    assert mean_votes(votes) == pytest.approx(np.array([[2, 2], [np.nan, 4.5]]), nan_ok=True)


def test_a_constant_metric_has_constant_system_means_whatever_is_missing() -> None:
    """0.1 added up 3, 7 and 10 times has means that differ in the last bit; a correlation of
    such noise with people would be a number like 0.9."""
    metric = np.full((3, 10), 0.1)
    metric[0, :7], metric[1, :3] = np.nan, np.nan
    human = np.repeat([[1.0], [2], [3]], 10, axis=1)
    assert len({np.nansum(row) / np.isfinite(row).sum() for row in metric}) > 1
    for kind in KINDS:
        assert np.isnan(correlate(metric, human, level="system", kind=kind).value)


def test_means_that_are_equal_on_paper_are_tied() -> None:
    """(0.1 + 0.2) / 2 and (0.15 + 0.15) / 2 differ by one rounding; tau-b must see a tie."""
    metric = np.array([[0.1, 0.2], [0.15, 0.15], [0.3, 0.4]])
    means = system_means(metric)
    assert means[0] == means[1] != means[2]
    rows = np.array([[3.0, 1 + 1e-15, np.nan, 1], [5, 1e-9, 0, np.nan]])
    expected = np.array([[3, 1, np.nan, 1], [5, 1e-9, 0, np.nan]])
    assert np.array_equal(merged(rows), expected, equal_nan=True)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_data_have_no_correlation_and_say_why(level: Level, kind: Kind) -> None:
    """One system of one item; all people equal; a metric of one value; nothing at all."""
    human, metric, _ = reference_data()
    flat, gone = np.full(human.shape, 3.0), np.full(human.shape, np.nan)
    for m, h in ((metric, flat), (flat, human), (gone, human), (metric[:1, :1], human[:1, :1])):
        found = correlate(m, h, level=level, kind=kind)
        assert np.isnan(found.value)
        assert found.used == 0
    assert correlate(metric, flat, level=level).constant > 0
    said = [correlate(m, h, level=level).why_not for m, h in ((metric, flat), (flat, human))]
    assert said == ["people rated all cells 3: there is nothing to follow",
                    "the metric is 3 on all cells"]  # fmt: skip
    assert correlate(gone, human, level=level).why_not == "the metric has no value"
    assert correlate(metric, gone, level=level).why_not == "people rated nothing"
    assert correlate(metric, human, level=level).why_not == ""
    assert correlate(gone, human, level=level)[:6] == pytest.approx(
        (np.nan, 0, 0, found_short(level), 0, 36), nan_ok=True
    )


def found_short(level: Level) -> int:
    """Vectors of a level in 4 systems x 9 items."""
    return {"system": 1, "item": 9, "global": 1, "edits": 4}[level]


def test_one_system_has_a_value_between_edits_only() -> None:
    human, metric, _ = reference_data()
    values = {level: correlate(metric[1:2], human[1:2], level=level) for level in LEVELS}
    assert values["edits"].value == values["global"].value
    assert np.isfinite(values["edits"].value)
    assert np.isnan(values["system"].value) and values["system"].short == 1
    assert np.isnan(values["item"].value) and values["item"].short == 9


def test_two_systems_rank_right_or_wrong() -> None:
    """Two points correlate by +1 or -1 whatever the coefficient."""
    human, metric = np.array([[1.0, 4], [2, 5]]), np.array([[3.0, 3], [9, 4]])
    for kind in KINDS:
        assert correlate(metric, human, level="system", kind=kind).value == pytest.approx(1)
        assert correlate(-metric, human, level="item", kind=kind).value == pytest.approx(-1)


def test_shapes_that_do_not_fit_and_unknown_choices_raise() -> None:
    human, metric, _ = reference_data()
    with pytest.raises(ValueError, match="same cells"):
        correlate(metric[:2], human, level="item")
    with pytest.raises(ValueError, match="unknown level 'input'"):
        correlate(metric, human, level="input")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'omit' or 'zero'"):
        correlate(metric, human, level="item", constants="drop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="systems, items"):
        cells(metric, human[0])
    with pytest.raises(ValueError, match="one source an item"):
        sources_of(9, np.arange(8))


def test_weights_of_items_weigh_means() -> None:
    """Item correlations (1, -1, nothing): weights (3, 1, 5) give (3 - 1) / 4."""
    human, metric = np.array([[1.0, 1, 3], [2, 2, 3]]), np.array([[0.0, 9, 1], [1, 8, 2]])
    vectors = level_vectors(metric, human, "item", "pearson")
    assert mean_of(vectors, "omit", np.array([[3.0, 1, 5]])) == pytest.approx([0.5])
    assert mean_of(vectors, "zero", np.array([[3.0, 1, 5]])) == pytest.approx([2 / 9])


def test_few_systems_come_with_the_smallest_p_they_can_reach() -> None:
    """scipy 1.17 gives tau = 1 of four points an exact one-sided p of 1/24."""
    four = scipy.stats.kendalltau([1, 2, 3, 4], [1, 2, 3, 4], alternative="greater").pvalue
    assert smallest_p(4) == pytest.approx(four)
    assert smallest_p(4) == 1 / 24
    assert "4 systems cannot support a claim" in system_note(4)
    assert "1/4! = 0.042" in system_note(4)
    assert system_note(5) == ""
