"""The verdict on a study: sentences against numbers derived by hand, for every size of study."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fabricated_export import Vote, drawn, made_up, people

from evaluation.stats.ratings import compare_methods, method_scores, votes_on
from reports.people.build import people_parts
from reports.people.comparisons import comparisons_part
from reports.people.differences import Difference, detectable, gaps_of, letters_of
from reports.people.mos import mos_part
from reports.people.outcome import SUCCESS, people_of
from reports.people.verdict import said_of, verdict
from reports.summary import IntervalSettings
from reports.tables import number


def gap(a: str, b: str, mid: float, p: float, half: float = 0.1, edits: int = 9) -> Difference:
    return Difference("quality", a, b, mid - half, mid, mid + half, p, p, edits, 5, 5)


def shifted(rater: int, edit: int, method: int, _: int) -> float:
    """Method 1 gets 3; method 0 gets 4, one more from every third rater, one less on every third
    edit: one point above on the whole, where both counts are multiples of three."""
    return 3.0 if method else 4.0 + (rater % 3 == 0) - (edit % 3 == 0)


def test_every_pair_of_three_is_said_with_its_interval() -> None:
    """a beats both by hand; b and c are open, and the one with the higher mean stands first."""
    gaps = [gap("a", "b", 0.42, 0.001, 0.21), gap("a", "c", 0.5, 0.001), gap("b", "c", -0.05, 0.6)]
    said = said_of(gaps, 0.05, {"a": 4, "b": 3.5, "c": 3.55})
    assert said == (
        "a beats b by 0.42 points [0.21, 0.63] and c by 0.50 [0.40, 0.60]; the difference between "
        "c and b (0.05 points [\N{MINUS SIGN}0.05, 0.15]) is not significant"
    )


def test_an_interval_without_zero_that_holm_does_not_pass_is_explained() -> None:
    said = said_of([gap("a", "b", 0.2, 0.08)], 0.05, {"a": 4, "b": 3.8})
    assert said.endswith("(0.20 points [0.10, 0.30], adjusted p 0.080) is not significant")


def test_several_open_differences_are_said_each_between_two() -> None:
    gaps = [gap("a", "b", 0.05, 0.6), gap("a", "c", 0.9, 0.001), gap("b", "c", 0.03, 0.7)]
    assert said_of(gaps, 0.05, {"a": 4, "b": 3.5, "c": 3.4}) == (
        "a beats c by 0.90 points [0.80, 1.00]; the differences between a and b (0.05 points "
        "[\N{MINUS SIGN}0.05, 0.15]) and between b and c (0.03 points "
        "[\N{MINUS SIGN}0.07, 0.13]) are not significant"
    )


def test_the_highest_of_many_that_beats_nobody_is_said_not_to() -> None:
    """Of six pairs none differs; a leads d by most, 0.15."""
    names = "abcd"
    gaps = [
        gap(one, other, 0.05 * (k - j), 0.6)
        for j, one in enumerate(names)
        for k, other in enumerate(names)
        if j < k
    ]
    scores = dict(zip(names, (4.0, 3.95, 3.9, 3.85), strict=True))
    said = said_of(gaps, 0.05, scores)
    assert said == (
        "a has the highest mean vote but is not significantly ahead of any of the 3 others; its "
        "leads over b (0.05 points [\N{MINUS SIGN}0.05, 0.15]), c (0.10 points [0.00, 0.20]) and "
        "d (0.15 points [0.05, 0.25], adjusted p 0.600) are not significant; none of the 3 other "
        "pairs differs significantly"
    )


def test_of_many_methods_the_highest_is_placed_and_the_rest_is_counted() -> None:
    names = ["a", "b", "c", "d"]
    gaps = [
        gap(one, other, 0.5 * (names.index(other) - names.index(one)), 0.001)
        for k, one in enumerate(names)
        for other in names[k + 1 :]
    ]
    gaps[-1] = gap("c", "d", 0.02, 0.9)
    said = said_of(gaps, 0.05, {"a": 4, "b": 3.5, "c": 3, "d": 2.98})
    assert said == (
        "a beats all 3 others, the nearest, b, by 0.50 points [0.40, 0.60]; 2 of the 3 other pairs "
        "differ significantly"
    )
    gaps[0] = gap("a", "b", 0.0, 0.9)
    said = said_of(gaps, 0.05, {"a": 4, "b": 4, "c": 3, "d": 2.98})
    start = "a and b share the highest mean vote; a beats 2 of the 3 others; its lead over b (0.00 "
    assert said.startswith(f"{start}points [")


@pytest.mark.slow
def test_a_method_that_excluded_raters_alone_saw_is_named_and_has_no_place(tmp_path: Path) -> None:
    """Rater 0 of 5 is excluded and alone voted on `c`: without c the page is as if it were not."""
    export = made_up(tmp_path, drawn([0.5, 0.0, 1.0]), methods="abc", raters=5, excluded=[0])
    long = export.long[(export.long["rater"] == "r00") | (export.long["method"] != "c")]
    found = people_of(replace(export, long=long), IntervalSettings(resamples=100))
    assert verdict(found)[-1].endswith(" c has votes from excluded raters only.")
    part = mos_part(found)
    assert [[row.label for row in table.rows] for table in (*part.tables, *part.folded)] == [
        ["a", "b"], ["a", "b"]
    ]  # fmt: skip
    without = replace(export, long=long[long["method"] != "c"])
    fewer = mos_part(people_of(without, IntervalSettings(resamples=100)))
    assert fewer.folded[0].rows == part.folded[0].rows


def test_power_is_said_of_the_questions_whose_votes_vary(tmp_path: Path) -> None:
    """Alignment is 4 for all; the table has a number for the others, and so has the sentence."""
    free = drawn([0.5, 0.0])
    found = people(tmp_path, lambda *at: 4.0 if at[3] == 0 else free(*at))
    (said,) = (text for text in verdict(found) if text.startswith("Power"))
    assert re.search(r"a difference of [\d.]+ on fidelity and [\d.]+ on quality \(", said)
    assert said.endswith(" It is not known on alignment: the votes do not vary.")


def test_no_difference_is_wider_than_the_scale(tmp_path: Path) -> None:
    """Two raters of two videos have one degree of freedom: nothing on a scale of 4 is detected."""
    found = people(tmp_path, drawn([0.5, 0.0], noise=1.0), raters=2, sources=2)
    part = comparisons_part(found)
    assert part
    table = next(table for table in part.folded if table.name == "detectable")
    assert {row.cells[0].main for row in table.rows} == {">4"}


def test_what_cannot_be_tested_is_said_with_its_reason() -> None:
    nan = float("nan")
    apart = Difference("quality", "a", "c", nan, nan, nan, nan, nan, 0, 0, 0)
    said = said_of([gap("a", "b", 0.5, 0.01), apart], 0.05, {"a": 4, "b": 3.5, "c": 3})
    assert said.endswith("; a and c cannot be compared: no edit in common")
    alone = said_of([apart], 0.05, {"a": 4, "c": nan})
    assert alone == "No difference can be tested: no edit in common (a 4.00 and c no votes)"


def test_the_verdict_gives_the_numbers_of_the_comparison(tmp_path: Path) -> None:
    """Differences are those of `compare_methods`, turned so that the winner leads: by hand one
    point, see `shifted`. No edit's mean is below 2.5."""
    found = people(tmp_path, shifted, raters=9, sources=9, edits_each=1)
    sentences = dict(text.split(": ", 1) for text in verdict(found))
    one = next(c for c in compare_methods(found.kept.ratings) if c.question == "quality")
    ahead = one.difference if one.b == "beta" else None
    assert ahead and ahead.mid == pytest.approx(1.0)
    ends = f"[{number(ahead.low, 2)}, {number(ahead.high, 2)}]"
    assert sentences["Quality"] == f"beta beats alpha by 1.00 points {ends}."
    assert sentences["Success"] == "Nothing differs: every method succeeds on 100% of the edits."
    assert sentences["Exclusions"] == "No rater with votes was excluded."


def test_the_power_sentence_has_the_sizes_and_the_difference_of_the_study(tmp_path: Path) -> None:
    found = people(tmp_path, drawn([0.5, 0]), raters=8, sources=6)
    (power,) = [text for text in verdict(found) if text.startswith("Power")]
    first = detectable(found)[0]
    assert power.startswith(
        "Power: With 8 raters and 6 source videos, a single comparison can detect a difference of "
        f"{first.alone:.2f} on align"
    )
    assert first.corrected > first.alone and first.tests == 3, "one pair on three questions"


def test_a_conclusion_that_hangs_on_an_excluded_rater_is_named(tmp_path: Path) -> None:
    """Eight raters see no difference but noise of their own; eight excluded ones see two points.
    With their votes the pair differs, by one point on the whole; without them it does not."""

    def vote(rater: int, edit: int, method: int, _: int) -> float:
        if rater >= 8:
            return 4.0 if method == 0 else 2.0
        return 3.0 + (rater * 7 + edit * 5 + method * 3) % 3 - 1

    noisy = people(tmp_path / "a", vote, raters=16, excluded=range(8, 16), questions=("quality",))
    text = verdict(noisy)[-1]
    assert text.startswith("Exclusions: Including the 8 excluded raters' votes would change ")
    assert "do not differ significantly without them but differ in favour of beta with" in text
    calm = people(tmp_path / "b", shifted, raters=9, sources=9, excluded=(0,))
    assert verdict(calm)[-1] == (
        "Exclusions: Including the excluded rater's votes would change none of the 4 conclusions."
    )


def constant(rater: int, edit: int, method: int, question: int) -> float:
    return 3.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vote", "said", "quality"),
    [
        (drawn([0.0]), {"methods": ("only",)}, "only, the only method, has a mean vote of "),
        (drawn([1, 0]), {"raters": 1}, "No difference can be tested: one rater says nothing about"),
        (drawn([1, 0]), {"sources": 1}, "No difference can be tested: edits of one source video"),
        (constant, {}, "Nothing differs: every method has a mean vote of 3.00."),
    ],
)  # fmt: skip
def test_small_studies_have_a_sentence_of_their_own(
    tmp_path: Path, vote: Vote, said: dict[str, object], quality: str
) -> None:
    found = people(tmp_path, vote, **said)
    sentences = verdict(found)
    assert any(text.startswith(f"Quality: {quality}") for text in sentences)
    assert all("nan" not in text and "inf" not in text.split() for text in sentences)
    power = [text for text in sentences if text.startswith("Power")]
    assert bool(power) == (len(found.methods) > 1)
    assert all("is not known" in text for text in power)


def test_letters_agree_with_the_differences(tmp_path: Path) -> None:
    methods = ("a", "b", "c", "d")
    found = people(tmp_path, drawn([1.0, 0.9, 0.2, -1]), methods=methods, raters=12, sources=10)
    for topic, gaps in gaps_of(found, found.kept).items():
        score = dict.fromkeys(methods, 3.0)
        letters = letters_of(found, gaps, score)
        for one in gaps:
            shared = set(letters[one.a]) & set(letters[one.b])
            assert bool(shared) == (one.sign(0.05) == 0), topic


def test_a_difference_is_turned_with_its_interval(tmp_path: Path) -> None:
    found = people(tmp_path, drawn([1, 0, 0.5]), methods=("z", "m", "a"), raters=8, sources=6)
    gaps = gaps_of(found, found.kept)
    assert [(one.a, one.b) for one in gaps["quality"]] == [("z", "m"), ("z", "a"), ("m", "a")]
    for one in (*gaps["quality"], *gaps[SUCCESS]):
        back = one.turned
        np.testing.assert_array_equal(
            (back.low, back.mid, back.high), (-one.high, -one.mid, -one.low)
        )
        scores = found.kept.scores["quality"].mos
        at = found.kept.ratings.methods.index
        if one.question == "quality":  # every rater rates everything: difference of means
            assert one.mid == pytest.approx(scores[at(one.a)] - scores[at(one.b)])
    assert np.isfinite([one.mid for one in gaps[SUCCESS]]).all()


@pytest.mark.slow
def test_intervals_of_scores_end_where_the_scale_does(tmp_path: Path) -> None:
    """Two raters of two videos: t on one degree of freedom, 12.7 errors each way, leaves 1 to 5."""
    found = people(tmp_path, drawn([0.5, 0.0], noise=1.0), raters=2, sources=2)
    free = method_scores(votes_on(found.kept.common, "quality"))
    assert free.low.min() < 1 and free.high.max() > 5
    scores = found.kept.scores["quality"]
    assert np.array_equal(scores.low, np.maximum(free.low, 1))
    assert np.array_equal(scores.high, np.minimum(free.high, 5))
    frames = {name: frame for part in people_parts(found) for name, frame in part.frames}
    for name in ("mos", "mos_categories"):
        shown = frames[name].query("score != 'success'") if name == "mos" else frames[name]
        shown = shown[["low", "high"]].to_numpy(float)
        assert np.nanmin(shown) >= (0 if name == "mos" else 1) and np.nanmax(shown) <= 5
    for name in ("comparisons", "panel"):
        assert np.nanmax(np.abs(frames[name][["low", "high"]].to_numpy(float))) <= 4
