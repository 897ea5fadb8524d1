"""Methods are compared on common edits; gaps are bounded; ties are ties. Expected: by hand."""

import csv
import io

import numpy as np
import pytest
from drawn_run import drawn_run

from reports.ground import common_ground, levelled, standing, tolerance
from reports.metrics.alone import metric_parts
from reports.metrics.frames import remarks, remarks_table
from reports.metrics.results import (
    axis_table,
    bounds_tables,
    counts_table,
    mean_bounds,
    rank_bounds,
)
from reports.metrics.sentences import summary_sentences
from reports.page.files import csv as csv_of
from reports.page.files import markdown
from reports.summary import IntervalSettings, RunSummary, summarize

NAN = np.nan
HOW = IntervalSettings(resamples=100)
OK, FAILED, MISSING, REFUSED, PARTIAL, UNDEFINED = range(6)


def has(*edits: str) -> np.ndarray:
    """Return where there are values: one string of 1 and 0 a method."""
    return np.array([[c == "1" for c in line] for line in edits])


def test_one_thin_method_does_not_take_the_common_edits_of_the_others() -> None:
    """Nine of twenty: with it the others would keep nine, without it twenty, more than twice."""
    full, half, thin = "1" * 20, "1" * 10 + "0" * 10, "1" * 9 + "0" * 11
    assert common_ground(has(full, full, thin))[:2] == ((0, 1), (2,))
    found = common_ground(has(full, full, half))
    assert (found.ranked, int(found.edits.sum())) == ((0, 1, 2), 10)
    assert common_ground(has(full, thin))[:2] == ((0, 1), ())  # two are compared on what there is


def test_three_methods_that_overlap_in_pairs_only_are_not_ranked() -> None:
    found = common_ground(has("110", "011", "101"))
    assert (found.ranked, found.apart, found.edits.any()) == ((), (0, 1, 2), False)
    assert common_ground(np.zeros((3, 4), bool)).apart == ()


def test_equal_means_share_a_rank_and_one_that_differs_by_rounding_is_equal() -> None:
    """Range 1: 1e-10 is no difference, 1e-8 is one."""
    values = np.array([[0.0, 1.0], [1e-10, 1.0], [2e-8, 1.0], [-1.0, 0.5]])
    found = standing(values, near=tolerance(values, -1.0, 1.0))
    assert found.ranks.tolist() == [2, 2, 1, 4]
    assert (found.order, found.called_best) == ((2, 0, 1, 3), (2,))


def test_rounding_is_levelled_to_the_least_value_of_a_group() -> None:
    """Tolerance 1: 0, 0.9 and 1 are one group, 1.1 begins another; each column for itself."""
    values = np.array([[1.1, 5], [0.9, NAN], [0.0, 4.5], [1.0, 7]])
    expected = [[1.1, 4.5], [0.0, NAN], [0.0, 4.5], [0.0, 7]]
    np.testing.assert_array_equal(levelled(values, 1.0), expected)
    np.testing.assert_array_equal(levelled(values, np.array([1.0, 0.1])), [
        [1.1, 5], [0, NAN], [0, 4.5], [0, 7]])  # fmt: skip
    assert levelled(np.empty((3, 0)), 1.0).shape == (3, 0)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_what_differs_by_rounding_on_every_edit_is_no_significant_difference(better: str) -> None:
    """Twelve sources; b is 1e-13 above a on each, in the other metric below: exactly tied.

    A sign test on the rounding would give 2/2^12 a pair, Kendall's tau of it -1; tied methods have
    p = 1 and no tau.
    """
    ground = np.linspace(0.2, 0.9, 12)[:, None]
    noise = np.array([0, 1e-13, 2e-13]).reshape(3, 1, 1)
    given = {"ssim": ground + noise, "psnr": ground - noise}
    run = drawn_run(given, np.zeros((3, 12, 1), int), better=dict.fromkeys(given, better))
    part = metric_parts(summarize(run, HOW))[0]
    assert part.found[0].endswith("None of the 6 differences between two methods is significant.")
    frame = dict(part.frames)["metric_rankings"]
    assert frame["cluster"].tolist() == frame["rank"].tolist() == [1] * 6
    assert frame["p_best"].dropna().tolist() == [1.0] * 4
    assert dict(part.frames)["metric_agreement"]["within_edits"].isna().all()


def test_gaps_are_worst_and_best_values_and_decide_who_is_called_best() -> None:
    """b (3 on two edits) is ahead of a (2) there; with 0 for its two gaps it has 1.5, rank 2; with
    4 it has 3.5. a has no gap; c has no value at all: 0 to 4."""
    whole = np.array([[2.0, 2, 2, 2], [3, 3, NAN, NAN], [NAN] * 4])
    gaps = np.isnan(whole)
    worst, best = np.where(gaps, 0.0, whole), np.where(gaps, 4.0, whole)
    found = standing(whole, worst, best, gaps, 1e-9)
    assert found.ranks.tolist() == [2, 1, 0]
    assert found.worst.tolist() == [2, 1.5, 0] and found.best.tolist() == [2, 3.5, 4]
    assert found.first.tolist() == [2, 1, 1] and found.last.tolist() == [2, 2, 3]
    assert (found.top, found.called_best) == ((1,), ())


def tables(summary: RunSummary) -> str:
    return markdown(axis_table(summary, "fidelity"))


def easy_half() -> RunSummary:
    """full: 32 on ten easy edits, 18 on ten hard ones; partial: 30 on the easy ones only."""
    values = np.array([[32.0] * 10 + [18.0] * 10, [30.0] * 20])[:, :, None]
    values = values + 0.01 * np.arange(20)[:, None]
    states = np.zeros(values.shape, int)
    states[1, 10:] = FAILED
    run = drawn_run(
        {"psnr": values, "ssim": values / 100}, states, better={"psnr": "higher", "ssim": "higher"},
        labels=("full", "partial"), bounds={"psnr": ("0", "100"), "ssim": ("-1", "1")},
    )  # fmt: skip
    return summarize(run, HOW)


def test_a_method_with_outputs_on_the_easy_half_does_not_win() -> None:
    """Own means: 25.095 against 30.045; on the ten edits that both have, 32.045 against 30.045.
    All ten differences have one sign: p = 2 / 2^10. The mean with ten gaps at 0 dB is 15.02, at
    100 dB 65.02."""
    summary = easy_half()
    assert summary.ranking("psnr") == ["full", "partial"] and summary.best("psnr") == {"full"}
    shown = tables(summary)
    assert "**32.0" in shown and "own 25.1 n=20" in shown and "**30" not in shown
    assert mean_bounds(summary, "partial", "psnr") == pytest.approx((15.0225, 65.0225))
    assert rank_bounds(summary, "partial", "psnr") == (1, 2)
    part = metric_parts(summary)[0]
    frame = dict(part.frames)["metric_rankings"].set_index(["metric", "method"])
    assert frame.loc[("psnr", "full"), ["rank", "cluster"]].tolist() == [1, 1]
    assert frame.loc[("psnr", "partial"), "p_best"] == pytest.approx(2 / 2**10)
    assert part.found[0].startswith("Fidelity by metrics alone: Both metrics put full first; bo")
    said = " ".join(summary_sentences(summary))
    assert "full has the highest mean ssim on the 10 edits that both have, 0.320 [" in said
    assert "Edit by edit, it is 0.020 [0.020, 0.020] ahead of partial, the next" in said
    assert "psnr 0 and 100, ssim \N{MINUS SIGN}1 and 1" in bounds_tables(summary)[0].caption


def test_who_fails_on_the_hard_edits_is_not_called_best() -> None:
    """partial is ahead by 1 on the easy half and has nothing on the hard one."""
    values = np.array([[30.0] * 10 + [18.0] * 10, [31.0] * 20])[:, :, None]
    for state in (FAILED, MISSING, REFUSED, PARTIAL):
        states = np.zeros(values.shape, int)
        states[1, 10:] = state
        run = drawn_run({"psnr": values, "ssim": values}, states,
                        better={"psnr": "higher", "ssim": "higher"}, labels=("full", "partial"),
                        bounds={"psnr": ("0", "100"), "ssim": ("0", "100")})  # fmt: skip
        summary = summarize(run, HOW)
        assert summary.top("psnr") == ["partial"] and summary.best("psnr") == set()
        assert "**" not in tables(summary)
        said = " ".join(summary_sentences(summary))
        why = "partial is not called best: if its values on the 10 edits that it lacks were the "
        why += "worst possible, it would have rank 2"
        assert why in said
        part = metric_parts(summary)[0]
        assert "; neither puts one method significantly ahead of all others" in part.found[0]
        open_ = "by psnr, partial is not called best, as its place depends on missing values"
        assert open_ in part.found[0]
        assert not any(c.best for t in part.folded for r in t.rows for c in r.cells)


def test_what_no_method_can_be_measured_on_is_no_gap() -> None:
    values = np.ones((2, 4, 1))
    states = np.zeros((2, 4, 1), int)
    states[:, 3] = UNDEFINED
    summary = summarize(drawn_run({"ssim": values}, states, better={"ssim": "higher"}), HOW)
    assert summary.standings["ssim"].gaps.tolist() == [0, 0] and not bounds_tables(summary)


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_equal_methods_share_sentence_and_bold_face(better: str) -> None:
    """Three methods with the same values: nobody is named before the others."""
    rounding = np.array([0, 1e-11, -1e-11]).reshape(3, 1, 1)
    values = np.linspace(0.2, 0.9, 7)[:, None] + rounding
    given, labels = {"ssim": values, "psnr": values}, ("m00", "m01", "m02")
    run = drawn_run(given, np.zeros(values.shape, int), better=dict.fromkeys(given, better),
                    labels=labels)  # fmt: skip
    summary = summarize(run, HOW)
    word = "highest" if better == "higher" else "lowest"
    said = " ".join(summary_sentences(summary))
    assert f"Fidelity: m00, m01 and m02 share the {word} mean ssim, 0.55 [" in said
    assert "ahead of" not in said
    assert tables(summary).count("**") == 3 * 2 * 2
    found = metric_parts(summary)[0]
    assert "Both metrics put m00, m01 and m02 first together; neither puts" in found.found[0]


def test_partial_clips_are_counted_and_never_best() -> None:
    """one covers half of every source and has the perfect score."""
    values = np.array([[1.0] * 4, [0.5] * 4, [0.4] * 4])[:, :, None]
    states = np.zeros(values.shape, int)
    states[0] = PARTIAL
    run = drawn_run({"ssim": values}, states, better={"ssim": "higher"},
                    labels=("one", "crop", "rest"), bounds={"ssim": ("-1", "1")})  # fmt: skip
    summary = summarize(run, HOW)
    assert summary.best("ssim") == {"crop"} and summary.ranking("ssim") == ["crop", "rest"]
    row = next(line for line in tables(summary).splitlines() if line.startswith("| one"))
    assert "4 partial" in row and "**" not in row and "\N{DAGGER}" in row
    counts = {r.label: [c.main for c in r.cells] for r in counts_table(run).rows}
    assert counts["one"][:3] == ["4", "4", "4"] and counts["crop"][:3] == ["4", "4", "0"]
    assert mean_bounds(summary, "one", "ssim") == (-1, 1)
    assert "All 12 clips were made (partial: one 4)." in summary_sentences(summary)[1]


def test_remarks_are_counted_by_method() -> None:
    values = np.ones((2, 3, 1))
    run = drawn_run({"ssim": values, "psnr": values}, np.zeros((2, 3, 1), int),
                    better={"ssim": "higher", "psnr": "higher"})  # fmt: skip
    text = "48 frames each, 6 s against 2 s: paired by number"
    run.scores["remarks"] = [(text,) if m == "mb" else () for m in run.scores["method"]]
    assert [(one.method, one.remark, one.clips) for one in remarks(run)] == [("mb", text, 3)]
    table = remarks_table(run)
    assert table and [c.main for c in table.rows[0].cells] == [text, "3", "mb/e00/0"]
    numbers = iter(range(40, 99))
    many = [(f"{next(numbers)} frames each, {text[16:]}",) for _ in run.scores["method"]]
    run.scores["remarks"] = many
    ours = [one for one in remarks(run) if one.method == "mb"]
    assert [one.clips for one in ours] == [3] and "(others with other numbers)" in ours[0].remark


def test_cells_of_csv_are_no_formulas_whatever_separates_them() -> None:
    """OWASP, CSV injection; numbers stay numbers, absent ones are empty."""
    import pandas as pd

    frame = pd.DataFrame({"=name": ["=1+1", "a;=1+1;b", "a\t@x", None], "n": [-1.5, 2, NAN, 3]})
    head, *lines = csv.reader(io.StringIO(csv_of(frame)))
    assert head == ["'=name", "n"]
    assert lines == [["'=1+1", "-1.5"], ["a;'=1+1;b", "2"], ["a\t'@x", ""], ["", "3"]]
    for separator in ";\t|":
        cells = csv.reader(io.StringIO(csv_of(frame)), delimiter=separator, quoting=csv.QUOTE_NONE)
        assert not [c for line in cells for c in line if c.lstrip('" ').startswith(("=", "@", "+"))]
