"""Bradley-Terry with ties and sides: against packages, closed forms, a published example, truth."""

import choix
import evalica
import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import statsmodels.api as sm
from statsmodels.stats.sandwich_covariance import cov_cluster_2groups

from dreamix.core.errors import UserError
from evaluation.stats.preference import (
    ChoiceRows,
    bradley_terry,
    compare_preferences,
    count_choices,
    influence,
    preference_intervals,
    read_choices,
    win_probability,
)
from evaluation.stats.resampling import Resampling
from evaluation.stats.two_way_cluster import two_way_variance

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(*counted: tuple[int, int, int, int]) -> Columns:
    """Return left, right and outcome of (left, right, outcome, times)."""
    table = np.array([row[:3] for row in counted for _ in range(row[3])])
    return table[:, 0], table[:, 1], table[:, 2]


def simulate(
    strength: np.ndarray, tie: float, bias: float, many: int, draw: np.random.Generator
) -> Columns:
    """Return choices of random pairs by the model's probabilities."""
    left = draw.integers(0, len(strength), many)
    right = (left + draw.integers(1, len(strength), many)) % len(strength)
    d = strength[left] - strength[right] + bias
    weights = np.stack([np.exp(d / 2), np.full(many, tie), np.exp(-d / 2)], axis=1)
    below = (weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1)
    return left, right, (draw.random(many)[:, None] > below).sum(axis=1) - 1


def test_the_worked_example_of_wikipedia() -> None:
    """Wikipedia, Bradley-Terry model, worked example: wins A>B 2, A>D 1, B>A 3, B>C 5, C>B 3,
    C>D 1, D>A 4, D>C 3 give p = .640, 1.043, .660, 2.270 with geometric mean 1.
    """
    columns = rows(
        (0, 1, -1, 2), (0, 3, -1, 1), (1, 0, -1, 3), (1, 2, -1, 5),
        (2, 1, -1, 3), (2, 3, -1, 1), (3, 0, -1, 4), (3, 2, -1, 3),
    )  # fmt: skip
    found = bradley_terry(*columns, "ABCD", position=False)
    assert np.exp(found.strength) == pytest.approx([0.640, 1.043, 0.660, 2.270], abs=5e-4)
    assert (found.tie, found.bias, found.choices, found.ties) == (0, 0, 22, 0)


def test_differences_clustered_two_ways_agree_with_statsmodels() -> None:
    """Without ties and sides it is a logit of "left wins" on the strengths' differences:
    statsmodels 0.15.0, Logit, `cov_cluster_2groups`, whose (N - 1) / (N - k) is taken out."""
    draw = rng(3)
    left = draw.integers(0, 3, 400)
    right = (left + draw.integers(1, 3, 400)) % 3
    rater, source = draw.integers(0, 12, 400), draw.integers(0, 9, 400)
    taste = draw.normal(0, 0.8, (12, 1, 3)) + draw.normal(0, 0.8, (9, 3)) + [0.5, 0.0, -0.3]
    gap = taste[rater, source, left] - taste[rater, source, right]
    outcome = np.where(draw.random(400) < 1 / (1 + np.exp(-gap)), -1, 1)
    found = compare_preferences(
        ChoiceRows(left, right, outcome, "ABC", rater, source), position=False
    )
    signs = np.zeros((400, 3))
    signs[np.arange(400), left], signs[np.arange(400), right] = 1, -1
    fit = sm.Logit((outcome == -1).astype(float), signs[:, :2]).fit(disp=False, tol=1e-12)
    cov = cov_cluster_2groups(fit, rater, source)[0] * (400 - 2) / (400 - 1)
    first = found[0].difference
    assert first.mid == pytest.approx(fit.params[0] - fit.params[1], abs=1e-9)
    error = np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    choices = count_choices(left, right, outcome, "ABC", position=False)
    moved, _ = influence(choices, fit.params)
    plain = two_way_variance(moved[:, 0] - moved[:, 1], rater, source)
    assert plain.total == pytest.approx(error**2, rel=1e-6)
    # raters and sources weigh unequally by chance: factors of their own, near G / (G - 1)
    assert first.error == pytest.approx(error, rel=0.03)
    assert [one.difference.error for one in found[1:]] == pytest.approx(
        np.sqrt(cov.diagonal()), rel=0.03
    )
    assert 7 < first.freedom <= 8
    assert sum(one.choices for one in found) == 400


def test_two_methods_in_closed_form() -> None:
    """Log odds of 30 wins to 12, halved: +- log(30/12) / 2. With 9 ties: v = 9 / sqrt(30 * 12)."""
    columns = rows((0, 1, -1, 30), (0, 1, 1, 12))
    found = bradley_terry(*columns, "AB", position=False)
    assert found.strength == pytest.approx(np.log(30 / 12) / 2 * np.array([1, -1]), abs=1e-10)
    assert found.win[0, 1] == pytest.approx(30 / 42, abs=1e-12)
    columns = rows((0, 1, -1, 30), (0, 1, 1, 12), (0, 1, 0, 9))
    found = bradley_terry(*columns, "AB", position=False)
    assert found.strength == pytest.approx(np.log(30 / 12) / 2 * np.array([1, -1]), abs=1e-10)
    assert found.tie == pytest.approx(9 / (30 * 12) ** 0.5, abs=1e-10)
    assert found.win[0, 1] == pytest.approx((30 + 4.5) / 51, abs=1e-10)


def test_a_favoured_side_in_closed_form() -> None:
    """A left: 20 to 5; B left: 12 to 8. d + b = log 4, -d + b = log 1.5: d = (log 4 - log 1.5) / 2,
    b = (log 4 + log 1.5) / 2.
    """
    columns = rows((0, 1, -1, 20), (0, 1, 1, 5), (1, 0, -1, 12), (1, 0, 1, 8))
    found = bradley_terry(*columns, "AB")
    assert found.strength[0] - found.strength[1] == pytest.approx(np.log(4 / 1.5) / 2, abs=1e-10)
    assert found.bias == pytest.approx(np.log(4 * 1.5) / 2, abs=1e-10)
    assert found.log_likelihood == pytest.approx(
        20 * np.log(0.8) + 5 * np.log(0.2) + 12 * np.log(0.6) + 8 * np.log(0.4), abs=1e-9
    )


def test_without_ties_it_agrees_with_choix() -> None:
    """choix 0.4.1 `ilsr_pairwise` (alpha 0, tol 1e-12), 5 methods, 400 choices, to 1e-9."""
    left, right, outcome = simulate(np.array([0, 0.3, 0.5, 1, -0.5]), 0, 0, 400, rng(1))
    pairs = [(a, b) if o < 0 else (b, a) for a, b, o in zip(left, right, outcome, strict=True)]
    reference = choix.ilsr_pairwise(5, pairs, alpha=0.0, max_iter=1000, tol=1e-12)
    found = bradley_terry(left, right, outcome, "ABCDE", position=False)
    assert found.strength == pytest.approx(reference - reference.mean(), abs=1e-9)


def test_with_ties_it_agrees_with_evalica() -> None:
    """evalica 0.4.2 `newman` (ties of Davidson, v of its weight 2 v), 4 methods, 600 choices, to
    1e-7: it stops at changes of 1e-12, in a slower iteration.
    """
    left, right, outcome = simulate(np.array([0, 0.3, 0.9, -0.5]), 0.8, 0, 600, rng(2))
    winners = [(evalica.Winner.X, evalica.Winner.Draw, evalica.Winner.Y)[o + 1] for o in outcome]
    names = np.array(list("ABCD"))
    reference = evalica.newman(
        names[left].tolist(), names[right].tolist(), winners, tolerance=1e-12, limit=100_000
    )
    strength = np.log(reference.scores[list("ABCD")].to_numpy())
    found = bradley_terry(left, right, outcome, "ABCD", position=False)
    assert found.strength == pytest.approx(strength - strength.mean(), abs=1e-7)
    assert found.tie == pytest.approx(2 * reference.v, abs=1e-7)


def test_ties_and_sides_together_maximise_the_likelihood() -> None:
    """The likelihood written out choice by choice, maximised by scipy 1.17 (BFGS), to 1e-5."""
    left, right, outcome = simulate(np.array([0, 0.4, -0.6]), 0.7, 0.5, 500, rng(3))

    def loss(x: np.ndarray) -> float:
        s = np.array([x[0], x[1], 0])
        d = s[left] - s[right] + x[2]
        weight = np.select(
            [outcome < 0, outcome == 0], [np.exp(d / 2), np.exp(x[3])], np.exp(-d / 2)
        )
        return float(-np.log(weight / (np.exp(d / 2) + np.exp(x[3]) + np.exp(-d / 2))).sum())

    reference = scipy.optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6})
    found = bradley_terry(left, right, outcome, "ABC")
    assert found.strength - found.strength[2] == pytest.approx([*reference.x[:2], 0], abs=1e-5)
    assert (found.bias, np.log(found.tie)) == pytest.approx(tuple(reference.x[2:]), abs=1e-5)
    assert found.log_likelihood == pytest.approx(-reference.fun, abs=1e-8)


def test_known_strengths_are_recovered() -> None:
    """20,000 choices: standard errors of about .03."""
    strength = np.array([0.8, 0.2, -0.1, -0.9])
    found = bradley_terry(*simulate(strength, 0.6, 0.3, 20_000, rng(4)), "ABCD")
    assert found.strength == pytest.approx(strength, abs=0.1)
    assert (found.tie, found.bias) == pytest.approx((0.6, 0.3), abs=0.06)


def test_order_of_rows_and_sides_do_not_matter() -> None:
    """Rows shuffled; and all sides swapped: same strengths, bias of the other sign."""
    left, right, outcome = simulate(np.array([0, 0.4, -0.6]), 0.7, 0.5, 300, rng(5))
    found = bradley_terry(left, right, outcome, "ABC")
    order = rng(6).permutation(300)
    again = bradley_terry(left[order], right[order], outcome[order], "ABC")
    assert again.strength == pytest.approx(found.strength, abs=1e-10)
    swapped = bradley_terry(right, left, -outcome, "ABC")
    assert swapped.strength == pytest.approx(found.strength, abs=1e-10)
    assert (swapped.bias, swapped.tie) == pytest.approx((-found.bias, found.tie), abs=1e-10)


def test_win_probabilities_of_a_pair_add_up() -> None:
    """exp(d / 2) : v : exp(-d / 2) at d = log 4, v = 1: 2 : 1 : .5, so (2 + .5) / 3.5."""
    win = win_probability(np.array([np.log(4), 0.0]), 1.0)
    assert win[0, 1] == pytest.approx(2.5 / 3.5)
    assert (win + win.T) == pytest.approx(np.ones((2, 2)))


def test_intervals_agree_with_a_refit_of_repeated_rows() -> None:
    """Each resample, its rows repeated as often as rater and source were drawn, fitted anew."""
    left, right, outcome = simulate(np.array([0, 0.4, -0.6]), 0.7, 0.2, 400, rng(7))
    rater, source = np.arange(400) % 10, np.arange(400) // 10 % 8
    rows = ChoiceRows(left, right, outcome, "ABC", rater, source)
    found = preference_intervals(rows, Resampling(rng(8), 40, 0.5))
    again = rng(8)
    raters = again.multinomial(10, np.full(10, 0.1), size=40)
    sources = again.multinomial(8, np.full(8, 1 / 8), size=40)
    fits = []
    for r, s in zip(raters, sources, strict=True):
        times = np.repeat(np.arange(400), r[rater] * s[source])
        fits.append(bradley_terry(left[times], right[times], outcome[times], "ABC"))
    strengths = np.array([fit.strength for fit in fits])
    assert found.low == pytest.approx(np.quantile(strengths, 0.25, axis=0), abs=1e-7)
    assert found.high == pytest.approx(np.quantile(strengths, 0.75, axis=0), abs=1e-7)
    gaps = strengths[:, 0] - strengths[:, 1]
    assert found.difference_low[0, 1] == pytest.approx(np.quantile(gaps, 0.25), abs=1e-7)
    assert found.difference_high[1, 0] == pytest.approx(-np.quantile(gaps, 0.25), abs=1e-7)
    assert found.bias[1] == pytest.approx(np.quantile([fit.bias for fit in fits], 0.75), abs=1e-7)
    assert (found.resamples, found.failed) == (40, 0)


def test_resamples_without_an_estimate_are_counted() -> None:
    """B wins 2 of 40 choices, both of one rater: that rater is not drawn in (3/4)^4 = 32% of 4
    draws of 4 raters, and B never wins then. Of 400 resamples 127, standard deviation 9; sources
    add more.
    """
    left, right = np.zeros(40, int), np.ones(40, int)
    rater, source = np.arange(40) % 4, np.arange(40) // 4 % 5
    outcome = np.full(40, -1)
    outcome[[0, 4]] = 1
    rows = ChoiceRows(left, right, outcome, "AB", rater, source)
    found = preference_intervals(rows, Resampling(rng(9), 400), position=False)
    assert found.resamples + found.failed == 400 and found.failed >= 100
    assert np.isfinite([*found.low, *found.high]).all()


def test_one_rater_or_one_source_has_no_interval() -> None:
    columns = simulate(np.array([0, 0.4]), 0.7, 0.2, 60, rng(10))
    two, one = np.arange(60) % 6, np.zeros(60, int)
    for rater, source in ((one, two), (two, one)):
        rows = ChoiceRows(*columns, "AB", rater, source)
        found = preference_intervals(rows, Resampling(rng(), 20))
        assert np.isnan([*found.low, *found.high, *found.bias, *found.tie]).all()


@pytest.mark.parametrize(
    ("columns", "names", "message"),
    [
        (rows((0, 1, -1, 5), (1, 0, 1, 5), (1, 2, -1, 3), (1, 2, 1, 3)), "ABC", "^A always wins"),
        (
            rows((0, 1, -1, 5), (0, 1, 1, 5), (2, 3, -1, 3), (2, 3, 1, 3)),
            "ABCD",
            r"no choice links these groups of methods: A, B \| C, D",
        ),
        (rows((0, 1, -1, 3), (0, 1, 1, 2)), "ABC", "no choice links"),  # C is never shown
        (rows((0, 0, -1, 1)), "AB", "1 choices are between a method and itself"),
        (rows((0, 1, 2, 1)), "AB", r"not \{2\}"),
        ((np.zeros(0, int),) * 3, "AB", "need choices"),
    ],
)
def test_what_has_no_estimate_says_so_in_one_line(
    columns: Columns, names: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        bradley_terry(*columns, names)
    assert "\n" not in str(caught.value)


def test_one_way_round_cannot_tell_the_side() -> None:
    columns = rows((0, 1, -1, 5), (0, 1, 1, 5))
    with pytest.raises(UserError, match="the favoured side cannot be told"):
        bradley_terry(*columns, "AB")
    assert bradley_terry(*columns, "AB", position=False).strength == pytest.approx([0, 0])


def test_consistent_choices_with_ties_have_no_maximum() -> None:
    """A beats or ties B, B beats or ties C, A always beats C: with strengths ever further apart and
    v growing with them, all of it gets ever more likely, though no method always wins.
    """
    columns = rows((0, 1, -1, 3), (0, 1, 0, 3), (1, 2, -1, 3), (1, 2, 0, 3), (0, 2, -1, 3))
    with pytest.raises(UserError, match="too consistent"):
        bradley_terry(*columns, "ABC", position=False)


def choice_table() -> pd.DataFrame:
    """Three raters, two edits, methods x and y, then y and z."""
    return pd.DataFrame(
        {
            "rater": ["r1", "r1", "r2", "r2", "r3", "r3"],
            "video": ["s1", "s2", "s1", "s2", "s1", "s2"],
            "edit": ["e1", "e2", "e1", "e2", "e1", "e2"],
            "method_left": ["x", "y", "y", "z", "x", "y"],
            "method_right": ["y", "z", "x", "y", "y", "z"],
            "question": "better",
            "value": [-1, 0, 1, 1, 1, -1],
            "kind": "rating",
            "excluded": False,
            "simulated": True,
        }
    )


def test_choices_of_a_long_table() -> None:
    found = read_choices(choice_table(), "better")
    names = np.array(found.methods)
    assert names[found.left].tolist() == ["x", "y", "y", "z", "x", "y"]
    assert names[found.right].tolist() == ["y", "z", "x", "y", "y", "z"]
    assert found.outcome.tolist() == [-1, 0, 1, 1, 1, -1]
    assert len(set(found.rater)) == 3 and (found.rater[::2] == found.rater[1::2]).all()
    assert found.source.tolist() == [0, 1] * 3
    assert found.simulated and found.left_out == (0, 0)


def test_excluded_raters_and_checks_are_no_choices() -> None:
    table = choice_table()
    table["excluded"] = table["rater"] == "r1"
    table.loc[5, "kind"] = "trap"
    table.loc[5, ["method_left", "method_right"]] = None
    found = read_choices(table, "better")
    assert len(found.outcome) == 3 and found.left_out == (2, 1)
    assert len(read_choices(table, "better", keep_excluded=True).outcome) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": [-1, 0, 1, 1, 1, 2]}, r"1 choices are not -1 \(left\), .* the first is 2"),
        ({"value": [-1, 0, 1, 1, 1, np.nan]}, "the first is nan"),
        ({"rater": "r1"}, "4 choices are given twice"),
        ({"method_left": None}, "has no method"),
        ({"question": "worse"}, "no question 'better'; there are worse"),
    ],
)
def test_a_wrong_table_of_choices_raises_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_choices(choice_table().assign(**change), "better")
