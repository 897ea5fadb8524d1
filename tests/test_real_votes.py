"""Real votes on edits, from the folder beside the checkout, against what was published with them.

ImagenHub and VIEScore (TIGER-AI-Lab): the same three people rated 179 edits by nine editors, and
154 subject-driven ones by three, on 0, 0.5 and 1. Means, alphas and Spearman's correlations of the
judge gemini_0shot are those of the notebooks in the two repositories, to the digits printed there.
TDVE: mean opinion scores of edited videos by twelve editors; single votes are not public.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from real_ratings import EDITORS, RATINGS, Editor

from evaluation.stats.agreement import krippendorff_alpha
from evaluation.stats.meta import correlate, metric_ranking
from evaluation.stats.ratings import (
    Ratings,
    compare_methods,
    compare_success,
    method_scores,
    read_ratings,
    votes_on,
)
from evaluation.stats.resampling import Resampling

pytestmark = pytest.mark.skipif(
    not RATINGS.is_dir(), reason=f"no real votes at {RATINGS} (set DREAMIX_SHARED to their folder)"
)


def source_of(edit: pd.Series) -> pd.Series:
    """The source image of a text-guided edit is its id without the last `_N.jpg`."""
    return edit.str.replace(r"_\d+\.jpg$", "", regex=True)


@cache
def read(name: str) -> tuple[Ratings, pd.DataFrame]:
    """Return the votes of a file, every edit its own source as in the notebooks, and its rows."""
    rows = pd.read_csv(RATINGS / "imagenhub" / f"{name}-ratings.csv")
    return read_ratings(rows.assign(source=rows["edit"]), scale=(0, 1)), rows


@cache
def judged(name: str) -> pd.DataFrame:
    """Return a judge's scores (metric, question, method, edit): the smaller of the two parts."""
    scores = pd.read_csv(RATINGS / "imagenhub" / f"{name}-scores.csv.gz")
    keys = ["metric", "question", "method", "edit"]
    scores["value"] = scores["value"].fillna(-np.inf)  # an answer that could not be read
    least = scores.groupby(keys, dropna=False)["value"].min().replace(-np.inf, np.nan)
    return least.reset_index()


def table(values: pd.DataFrame, methods: tuple[str, ...], edits: tuple[str, ...]) -> np.ndarray:
    """Return values (methods, edits), NaN where there is none."""
    found = values.pivot_table(index="method", columns="edit", values="value", dropna=False)
    return found.reindex(index=list(methods), columns=list(edits)).to_numpy(np.float64)


def test_the_panels_are_as_described() -> None:
    """179 edits of 116 images by 9 editors, 154 by 3, each by the same 3 people; no gap."""
    for name, edits, methods in (("text", 179, 9), ("subject", 154, 3)):
        ratings, _ = read(name)
        assert (len(ratings.edits), len(ratings.methods), len(ratings.raters)) == (
            edits,
            methods,
            3,
        )
        assert len(ratings.value) == edits * methods * 3 * 2
    assert source_of(pd.Series(read("text")[0].edits)).nunique() == 116


@pytest.mark.parametrize("row", EDITORS, ids=lambda row: row.name)
def test_means_and_alphas_are_the_published_ones(row: Editor) -> None:
    name, editor, of_sc, of_pq, alpha_sc, alpha_pq, *_ = row
    ratings, _ = read(name)
    method = ratings.methods.index(editor)
    for question, mean, alpha in (("SC", of_sc, alpha_sc), ("PQ", of_pq, alpha_pq)):
        votes = votes_on(ratings, question)
        assert method_scores(votes).mos[method] == pytest.approx(mean, abs=0.005 + 1e-9)
        own = votes.where(votes.method == method)
        found = krippendorff_alpha(own.value, own.item, own.source)
        if alpha is None:
            assert np.isnan(found.mid) and found.why_not == "all votes are the same grade"
        else:
            assert found.mid == pytest.approx(alpha, abs=0.005 + 1e-9)


@pytest.mark.parametrize("row", EDITORS, ids=lambda row: row.name)
def test_a_judge_follows_the_mean_vote_as_published(row: Editor) -> None:
    (name, editor), (of_sc, of_pq) = row[:2], row[6:]
    ratings, _ = read(name)
    scores = judged(name)
    for question, published in (("SC", of_sc), ("PQ", of_pq)):
        human = mean_votes_of(ratings, question)
        at = ratings.methods.index(editor)
        mine = scores[(scores["metric"] == "gemini_0shot") & (scores["question"] == question)]
        judge = table(mine, ratings.methods, ratings.edits)
        found = correlate(judge[at : at + 1], human[at : at + 1], level="edits", kind="spearman")
        if published is None:
            assert np.isnan(found.value) and found.why_not == "the metric has no value"
        else:
            assert found.value == pytest.approx(published, abs=5e-5)


def mean_votes_of(ratings: Ratings, question: str) -> np.ndarray:
    return cube(ratings, question).mean(axis=2)


def cube(ratings: Ratings, question: str) -> np.ndarray:
    """Return the votes (methods, edits, raters)."""
    votes = votes_on(ratings, question)
    found = np.full((votes.methods, votes.edits, votes.raters), np.nan)
    found[votes.method, votes.edit, votes.rater] = votes.value
    return found


FIRST_LOOK = {  # acc_eq within edits, 8 editors, blocks by source image: `ratings/README.md`
    "SC": (
        {"gpt4o_0shot": 0.697, "gemini_0shot": 0.641, "gpt4v_0shot": 0.586, "LPIPS": 0.528},
        0.805,
    ),
    "PQ": ({"gpt4o_0shot": 0.548, "LPIPS": 0.518}, 0.629),
}


@pytest.mark.parametrize("question", ["SC", "PQ"])
def test_judges_and_single_raters_reach_what_a_first_look_found(question: str) -> None:
    """The values of the README of the data, to its three digits; LPIPS turned: less is better."""
    ratings, _ = read("text")
    editors = tuple(name for name in ratings.methods if name != "Imagic")  # judges have no answers
    places = [ratings.methods.index(name) for name in editors]
    scores, (expected, rater) = judged("text"), FIRST_LOOK[question]
    metrics = []
    for name in expected:
        rows = scores[scores["metric"] == name]
        rows = rows if name == "LPIPS" else rows[rows["question"] == question]
        metrics.append(table(rows, editors, ratings.edits) * (-1 if name == "LPIPS" else 1))
    found = metric_ranking(
        np.stack(metrics),
        cube(ratings, question)[places],
        names=list(expected),
        sources=source_of(pd.Series(ratings.edits)).to_numpy(),
        resampling=Resampling(np.random.default_rng(0), 2000, permutations=1000),
    )
    values = {row.name: row.value for row in found.rows}
    assert values == {name: pytest.approx(value, abs=0.0006) for name, value in expected.items()}
    assert found.people is not None
    assert found.people.mean == pytest.approx(rater, abs=0.0006)
    assert (found.systems, found.items, found.sources) == (8, 179, 116)
    if question == "SC":
        first = found.rows[0]
        assert (first.name, first.low, first.high) == (
            "gpt4o_0shot", pytest.approx(0.667, abs=0.006), pytest.approx(0.724, abs=0.006)
        )  # fmt: skip
        assert [row.cluster for row in found.rows] == [1, 2, 3, 4]


def test_three_raters_show_more_of_themselves_than_of_raters_like_them() -> None:
    """MagicBrush is the best on SC in the published means. With three raters, t has two degrees of
    freedom for raters like these; with these raters, one less than there are source images.
    """
    _, rows = read("text")
    ratings = read_ratings(rows.assign(source=source_of(rows["edit"])), scale=(0, 1))
    random, fixed = (
        {(one.question, one.a, one.b): one for one in compare_methods(ratings, raters=raters)}
        for raters in ("random", "fixed")
    )
    pair = ("SC", "InstructPix2Pix", "MagicBrush")
    assert random[pair].difference.mid == pytest.approx(fixed[pair].difference.mid)
    assert random[pair].difference.freedom <= 2
    assert fixed[pair].difference.freedom == 115
    assert fixed[pair].p_holm < 0.001
    shown = [sum(one.p_holm < 0.05 for one in found.values()) for found in (random, fixed)]
    assert shown[0] < shown[1]
    gaps = compare_success(ratings, 0.5, raters="fixed")
    assert all(-1 <= one.low <= one.mid <= one.high <= 1 for one in gaps)
    gaps = compare_success(ratings, 0.5)
    assert all(-1 <= one.low <= one.mid <= one.high <= 1 for one in gaps)


def test_the_means_of_tdve_by_editor() -> None:
    """3,085 x 3 scores, 12 editors; single votes are not public: one rater stands for their mean.

    With each clip as its source a method's MOS is the mean over its clips: pandas' groupby.
    """
    rows = pd.read_csv(RATINGS / "tdve" / "train-mos.csv")
    rows["edit"] = rows["category"] + "/" + rows["clip"].astype(str)
    rows = rows.rename(columns={"mos": "value"}).assign(rater="the panel", source=rows["edit"])
    ratings = read_ratings(rows.drop(columns="category"), scale=(0, 100))
    assert (len(ratings.methods), len(ratings.value)) == (12, 3 * 3085)
    for question in ("quality", "alignment", "structure"):
        found = method_scores(votes_on(ratings, question))
        means = rows[rows["question"] == question].groupby("method")["value"].mean()
        assert found.mos == pytest.approx(means.loc[list(ratings.methods)].to_numpy(), abs=1e-9)
        assert np.isnan(found.low).all()  # one rater says nothing of others
