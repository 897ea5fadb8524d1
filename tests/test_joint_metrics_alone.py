"""Metrics without ratings: rankings with clusters, agreement, and real edits of seven methods."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from fabricated_joint import METRICS, Meant, fabricate_joint

from reports.loading import load_run
from reports.metrics.alone import metric_parts
from reports.metrics.rankings import Values, agreements, rankings, values_of
from reports.page.latex import latex
from reports.people.joint import Joint
from reports.summary import IntervalSettings, RunSummary, summarize

HOW = IntervalSettings(resamples=100)
DREAMIX = Path(sys.executable).with_name("dreamix")


def values(sources: int = 12, seed: int = 0) -> Values:
    """Three methods of means 2, 1.9 and 0 (noise 0.5) on one metric; two edits a source."""
    draw = np.random.default_rng(seed)
    means = np.array([0.0, 2.0, 1.9])[:, None]
    data = means + 0.5 * draw.normal(size=(3, 2 * sources))
    return Values(("m",), ("low", "high", "near"), data[None], np.arange(2 * sources) // 2)


def summary_of(joint: Joint) -> RunSummary:
    return summarize(joint.run, HOW)


def test_p_is_the_share_of_all_sign_changes_of_the_sources() -> None:
    """Six sources: 2^6 = 64 signs are listed, as in scipy's exact paired permutation test of the
    sums over sources. One pair of methods: nothing to adjust for."""
    given = values(sources=6)
    pair = given._replace(methods=("low", "near"), values=given.values[:, [0, 2]])
    gaps = (pair.values[0, 0] - pair.values[0, 1]).reshape(6, 2).sum(axis=1)
    exact = scipy.stats.permutation_test(
        (gaps, -gaps), lambda a, b: abs(a.sum()), permutation_type="samples", alternative="greater",
        n_resamples=np.inf,
    )  # fmt: skip
    found = rankings(pair, seed=0)[0]
    assert found.methods == ("near", "low")
    assert found.p[0, 1] == pytest.approx(exact.pvalue) == 2 / 64


def test_a_cluster_begins_with_what_is_worse_than_all_above() -> None:
    """2 and 1.9 differ by 0.1 with an error near 0.14; 0 is far below both."""
    found = rankings(values(), seed=0)[0]
    assert found.methods[2] == "low"
    assert found.clusters == (1, 1, 2)
    assert (found.differing, found.tested) == (2, 3)


def test_four_sources_cannot_show_a_difference() -> None:
    """Of 2^4 = 16 signs two give the greatest difference: p is at least 0.125 before Holm."""
    found = rankings(values(sources=4), seed=0)[0]
    assert found.clusters == (1, 1, 1)
    assert np.nanmin(found.p) >= 0.125
    assert found.hopeless and not rankings(values(sources=12), seed=0)[0].hopeless


def test_agreement_is_kendalls_tau_within_edits_and_of_means() -> None:
    draw = np.random.default_rng(1)
    data = draw.normal(size=(2, 5, 8))
    given = Values(("a", "b"), tuple("vwxyz"), data, np.arange(8))
    found = agreements(given, {"a": "quality", "b": "quality"}, IntervalSettings(resamples=50))
    taus = [scipy.stats.kendalltau(data[0, :, e], data[1, :, e]).statistic for e in range(8)]
    means = scipy.stats.kendalltau(*data.mean(axis=2)).statistic
    assert found.within[0, 1] == found.within[1, 0] == pytest.approx(np.mean(taus))
    assert found.means[0, 1] == pytest.approx(means)
    assert found.enough and found.ends["a", "b"].value == pytest.approx(np.mean(taus))


def test_metrics_where_less_is_better_are_turned() -> None:
    joint = fabricate_joint()
    given = values_of(summary_of(joint))
    assert given.names == tuple(METRICS)
    assert given.values == pytest.approx(joint.metrics)


def test_nothing_is_said_about_people_and_few_methods_are_a_note() -> None:
    part = metric_parts(summary_of(fabricate_joint()))[0]
    assert "Nobody was asked" in part.notes[0]
    assert "3 systems cannot support a claim" in part.notes[1]
    few = metric_parts(summary_of(fabricate_joint(sources=4)))[0]
    assert "good_a (4), poor_a (4), good_f (4) and good_q (4)" in few.notes[2]
    said = " ".join(part.found)
    assert part.found[0].startswith("Alignment by metrics alone: ")
    assert not {"rater", "people", "vote"} & set(said.lower().split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"methods": 1}, {"metrics": {}}, {"metrics": {"one": Meant("quality", "quality")}}],
    ids=["one method", "no metric", "one metric an axis"],
)
def test_where_there_is_nothing_to_compare_there_is_no_part(options: dict[str, object]) -> None:
    assert metric_parts(summary_of(fabricate_joint(**options))) == []  # type: ignore[arg-type]


def test_one_video_and_missing_values_make_a_part() -> None:
    joint = fabricate_joint(sources=1)
    joint.run.scores.loc[joint.run.scores["metric"] == "poor_a", "value"] = np.nan
    joint.run.scores.loc[0, "value"] = np.nan
    metrics = {"a": Meant("quality", "quality"), "b": Meant("quality", "quality")}
    for run in (joint, fabricate_joint(sources=1, metrics=metrics)):
        for part in metric_parts(summary_of(run)):
            assert all("nan" not in latex(table) for table in part.folded)
            assert "neither puts one method significantly ahead of all others" in part.found[0]


@pytest.mark.slow
def test_seven_published_methods_are_ranked_without_ratings(
    shared_dir: Path, tmp_path: Path
) -> None:
    """24 edits of 17 real clips by seven methods. Skips, with the reason, where they are absent.

    What holds of any metric on other people's clips is checked, not which method is best.
    """
    command = [
        str(DREAMIX), "bench", "compare", str(shared_dir / "realset/suite.yaml"),
        "--methods", f"external:{shared_dir}/realset/outputs/*", "--out", str(tmp_path / "run"),
        "--metrics", "psnr,ssim,flicker,warp_error.self_flow",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    part = metric_parts(summarize(load_run(tmp_path / "run"), HOW))[0]
    assert [text.split(":")[0] for text in part.found] == [
        "Fidelity by metrics alone", "Quality by metrics alone",
    ]  # fmt: skip
    tables = {table.name: table for table in part.folded}
    for name in ("metric_rankings_fidelity", "metric_rankings_quality"):
        for row in tables[name].rows:
            assert len({cell.main for cell in row.cells[:7]}) == 7
            assert row.cells[7].main.endswith(" of 21")
    frame = dict(part.frames)["metric_agreement"]
    assert frame["within_edits"].between(-1, 1).all() and len(frame) == 6
    assert part.drawings
