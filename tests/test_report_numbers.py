"""What the numbers of a report are: every expected mean is worked out by hand."""

from pathlib import Path

import pytest

from reports.loading import load_run
from reports.metrics.results import decimals
from reports.metrics.trade_off import pareto_front
from reports.summary import IntervalSettings, RunSummary, Score, summarize
from reports.tables import number


@pytest.mark.slow
def test_a_score_is_the_mean_over_edits_of_the_mean_over_seeds(summary: RunSummary) -> None:
    """alpha: 0.3 + 0.016. gamma: its two seeds differ by 0.1, so its edits are 0.05 higher."""
    assert summary.interval("alpha", "clip_t_gain").mid == pytest.approx(0.316)
    assert summary.interval("gamma", "clip_t_gain").mid == pytest.approx(0.1 + 0.05 + 0.016)
    score = summary.scores["gamma", "clip_t_gain"]
    assert (score.edits, score.videos, score.clips["ok"]) == (12, 4, 24)


def test_a_metric_is_averaged_over_the_edits_it_is_meant_for(summary: RunSummary) -> None:
    """lpips is not for motion: categories 1 and 2 are left, so 0.5 + 0.015 + 0.0015."""
    score = summary.scores["alpha", "lpips"]
    assert score.interval.mid == pytest.approx(0.5165)
    assert (score.edits, score.clips["ok"], score.clips["n/a"]) == (8, 8, 4)
    assert summary.expected("lpips") == 8


def test_a_failed_clip_is_left_out_of_the_mean_and_counted(summary: RunSummary) -> None:
    """be_ta lacks va_style, whose value was 0.2 + 0.002: (12 x 0.216 - 0.202) / 11."""
    score = summary.scores["be_ta", "clip_t_gain"]
    assert score.interval.mid == pytest.approx((12 * 0.216 - 0.202) / 11)
    assert score.clips == {"ok": 11, "failed": 1, "n/a": 0, "missing": 0}


def test_a_lead_is_taken_edit_by_edit_over_what_both_have(summary: RunSummary) -> None:
    """alpha - be_ta is 0.1 on each of the eleven edits, so the interval has no width."""
    assert summary.lead("alpha", "be_ta", "clip_t_gain") == pytest.approx((0.1, 0.1, 0.1))


def test_categories_and_deltas(summary: RunSummary) -> None:
    """Category 2 of alpha: 0.3 + 0.015 + 0.002; delta: brisque 0.4 + 0.016 - 0.25."""
    assert summary.categories["alpha", "clip_t_gain", "style"].interval.mid == pytest.approx(0.317)
    assert summary.deltas["alpha", "brisque"].interval.mid == pytest.approx(0.166)


def test_anchors_never_rank(summary: RunSummary) -> None:
    """unedited has the lowest lpips of all, but be_ta is the best method."""
    assert summary.ranking("lpips") == ["be_ta", "gamma", "alpha"]
    assert summary.best("lpips") == {"be_ta"}
    assert summary.ranking("motion_mag") == []  # it only describes


def test_pareto_front_takes_directions_into_account(summary: RunSummary) -> None:
    """alpha has the best gain, be_ta the best (lowest) lpips; gamma is worse than be_ta on both."""
    assert pareto_front(summary, "clip_t_gain", "lpips") == ["be_ta", "alpha"]


def test_headline_metrics_follow_the_documented_order(summary: RunSummary) -> None:
    assert summary.headline("alignment") == "clip_t_gain"
    assert summary.headline("fidelity") == "lpips"
    assert summary.headline("motion") is None  # no direction, so it cannot stand for an axis


def test_the_seed_of_the_bootstrap_decides_the_interval(
    run_folder: Path, summary: RunSummary
) -> None:
    run = load_run(run_folder)
    again = summarize(run, IntervalSettings(resamples=500))
    other = summarize(run, IntervalSettings(resamples=500, seed=1))
    assert again.scores == summary.scores
    assert other.scores != summary.scores
    low = [s.scores["be_ta", "brisque"].interval.low for s in (summary, other)]
    assert low[0] == pytest.approx(low[1], abs=0.01)


@pytest.mark.parametrize(
    ("half", "mid", "digits"),
    [(0.0123, 0.5, 3), (0.5, 3.0, 2), (12, 300, 0), (0.0, 0.1234, 3), (0.0, 0.0, 3), (1e-9, 1, 5)],
)
def test_decimals_show_two_digits_of_the_half_interval(
    half: float, mid: float, digits: int
) -> None:
    """0.0123 -> 0.012: three decimals. Without a width: three digits of the value."""
    from evaluation.stats.intervals import Interval

    assert decimals([Score(Interval(mid - half, mid, mid + half), 2, 2, {})]) == digits


def test_a_number_has_a_real_minus_sign_and_no_negative_zero() -> None:
    assert number(-1.25, 1) == "\N{MINUS SIGN}1.2"
    assert number(-0.001, 2) == "0.00"
