"""One run under many protocols: a claim that holds, one that flips by one choice, and failures."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from drawn_run import STATES, drawn_run

from dreamix.core.errors import Mistakes
from evaluation.run.elsewhere import JudgeInfo
from evaluation.stats.meta import LabelSwaps
from evaluation.stats.resampling import Resampling
from reports.loading import Run
from reports.multiverse.claims import PairClaim, claims, reduction, sentence, untouched_sentence
from reports.multiverse.curve import curve
from reports.multiverse.edit_scores import joined, judges_of
from reports.multiverse.protocols import Protocol, protocols_of, shipped_protocols
from reports.multiverse.universes import Multiverse, multiverse
from reports.summary import IntervalSettings

HOW = IntervalSettings(resamples=200)
EDITS = 12
OK, FAILED = STATES.index("ok"), STATES.index("failed")


def written(folder: Path, text: str) -> tuple[Protocol, ...]:
    """The protocols of a file alone."""
    path = folder / "protocols.yaml"
    path.write_text(text)
    return protocols_of(path)[len(shipped_protocols()) :]


ONE = """protocols:
  - name: one
    groups: {all: {of: [{metric: x}]}}
"""
TWO = """protocols:
  - name: first-most
    groups: {all: {of: [{metric: x, weight: 3}, {metric: y}]}}
  - name: second-most
    groups: {all: {of: [{metric: x}, {metric: y, weight: 3}]}}
"""


def run_of(
    values: dict[str, list[float]],
    *,
    failed: dict[int, list[int]] | None = None,
    videos: int = EDITS,
    judges: dict[str, tuple[str, int]] | None = None,
    edits: int = EDITS,
    unedited: bool = False,
) -> Run:
    """A run: metric -> value by method, plus 0.001 x edit; failed: method -> edits.

    unedited: the last method is the source itself.
    """
    methods = len(next(iter(values.values())))
    states = np.full((methods, edits, 1), OK)
    for method, those in (failed or {}).items():
        states[method, those] = FAILED
    step = 0.001 * np.arange(edits)[None, :, None]
    tables = {name: np.array(of)[:, None, None] + step for name, of in values.items()}
    run = drawn_run(
        tables,
        states,
        better=dict.fromkeys(values, "higher"),
        bounds=dict.fromkeys(values, ("0", "1")),
        videos=videos,
        anchors=int(unedited),
    )
    for label in run.anchors:
        object.__setattr__(run.methods[label], "name", "unedited")
    for name, facts in run.metrics.items():
        model, count = (judges or {}).get(name.partition(".")[0], ("", 0))
        if model:
            told = JudgeInfo(model, "token", {"count": count, "side": 448})
            object.__setattr__(facts, "judge", told)
    return run


def found(run: Run, protocols: tuple[Protocol, ...]) -> tuple[Multiverse, PairClaim, str]:
    """The multiverse, and what it says of the first two methods."""
    made = multiverse(run, protocols, HOW)
    one = claims(made)[0]
    return made, one, sentence(one)


def mids(made: Multiverse) -> dict[str, float]:
    """The lead of ma over mb by protocol, where a protocol has one universe."""
    rows = zip(made.universes, made.found, strict=True)
    return {universe.protocol.name: row[0].gap.mid for universe, row in rows}


class TestClaims:
    def test_a_lead_in_every_metric_holds_in_all(self, tmp_path: Path) -> None:
        run = run_of({"x": [0.6, 0.4], "y": [0.7, 0.3]})
        _, one, said = found(run, written(tmp_path, TWO))
        assert one.kind == "holds in all"
        assert said == "ma against mb: ma is better in all 2 universes."

    def test_weights_alone_turn_a_claim_and_are_named(self, tmp_path: Path) -> None:
        """ma leads by .2 in x and trails by .2 in y: 3 to 1 gives +.1, 1 to 3 gives -.1."""
        run = run_of({"x": [0.6, 0.4], "y": [0.4, 0.6]})
        made, one, said = found(run, written(tmp_path, TWO))
        assert mids(made) == pytest.approx({"first-most": 0.1, "second-most": -0.1})
        assert one.kind == "flips"
        assert "the claim flips: ma is better in 1 of 2 universes, mb in 1" in said
        assert "protocol alone decides which: ma under first-most, mb under second-most" in said
        assert "ma leads most in x" in said and "mb in y" in said

    def test_the_judge_is_named_where_it_alone_turns_a_claim(self, tmp_path: Path) -> None:
        names = {"p.alignment": [0.6, 0.4], "p.quality": [0.7, 0.5]}
        names |= {"q.alignment": [0.3, 0.6], "q.quality": [0.2, 0.4]}
        judges = {"p": ("kind", 8), "q": ("stern", 8)}
        text = TWO.replace("metric: x", "metric: judge.alignment")
        text = text.replace("metric: y", "metric: judge.quality")
        _, one, said = found(run_of(names, judges=judges), written(tmp_path, text))
        assert (one.better, one.worse, one.untold) == (2, 2, 0)
        assert said.endswith("the judge alone decides which: ma under kind, mb under stern.")

    def test_frames_are_a_choice_of_their_own(self, tmp_path: Path) -> None:
        """One model under two policies: what differs is the frames, not the judge."""
        names = {"p.alignment": [0.6, 0.4], "q.alignment": [0.3, 0.6]}
        run = run_of(names, judges={"p": ("m", 4), "q": ("m", 16)})
        assert [one.model for one in judges_of(run)] == ["m", "m"]
        _, one, said = found(
            run, written(tmp_path, ONE.replace("metric: x", "metric: judge.alignment"))
        )
        assert one.deciding is not None and one.deciding.choice == "frames"
        assert "ma under 4 of 448 px, mb under 16 of 448 px" in said

    def test_equal_methods_are_told_apart_nowhere(self, tmp_path: Path) -> None:
        run = run_of({"x": [0.5, 0.5], "y": [0.5, 0.5]})
        made, _, said = found(run, written(tmp_path, TWO))
        assert said == "ma against mb: they cannot be told apart in any of 2 universes."
        assert {row[0].gap.p for row in made.found} == {1.0}

    def test_one_method_is_compared_with_nobody(self, tmp_path: Path) -> None:
        made = multiverse(run_of({"x": [0.5], "y": [0.5]}), written(tmp_path, TWO), HOW)
        assert made.pairs == [] and claims(made) == []

    def test_few_sources_can_tell_nothing_and_it_is_said(self, tmp_path: Path) -> None:
        """Of 2 ** 4 swaps two are as extreme as the extremest: p is at least 1/8."""
        run = run_of({"x": [0.6, 0.4], "y": [0.7, 0.3]}, videos=4)
        made, _, _ = found(run, written(tmp_path, TWO))
        assert made.hopeless and made.found[0][0].gap.p == 2 / 16
        assert not found(run_of({"x": [0.6, 0.4], "y": [0.7, 0.3]}), written(tmp_path, TWO))[
            0
        ].hopeless


class TestStrangers:
    def test_names_of_models_are_drawn_as_they_are(self, tmp_path: Path) -> None:
        """A run folder may hold any text as a model and anything as its frames."""
        names = {"p.alignment": [0.6, 0.4], "q.alignment": [0.3, 0.6]}
        run = run_of(names, judges={"p": ("$\\frac{", 4), "q": ("two\nlines", 16)})
        run.metrics["q.alignment"].judge.frames["count"] = "²" * 9  # type: ignore[union-attr]
        text = ONE.replace("metric: x", "metric: judge.alignment")
        made, _, _ = found(run, written(tmp_path, text))
        curve(made.of(0), "ma", "mb").savefig(tmp_path / "curve.png", dpi=30)
        judges = [one.judge for one in made.universes if one.judge]
        assert [one.frames for one in judges] == ["4 of 448 px", "? of 448 px"]
        assert all(one.model.isprintable() for one in judges)


class TestUnedited:
    def test_a_protocol_that_rewards_doing_nothing_is_named(self, tmp_path: Path) -> None:
        """The last column is the unedited clip: nothing of x is there, and all of y was kept."""
        run = run_of({"x": [0.6, 0.5, 0.1], "y": [0.6, 0.5, 0.9]}, unedited=True)
        made, _, _ = found(run, written(tmp_path, TWO))
        assert made.pairs == [("ma", "mb")]
        verdicts = {universe.protocol.name: [one.verdict for one in row]
                    for universe, row in made.untouched}  # fmt: skip
        assert verdicts == {"first-most": ["first"] * 2, "second-most": ["second"] * 2}
        assert untouched_sentence(made) == [
            "Doing nothing: of 2 protocols with their judges, ma is ahead of the unedited clip "
            "under 1 and behind it under 1; mb is ahead of the unedited clip under 1 and behind it "
            "under 1."
        ]

    def test_one_method_is_held_against_it_all_the_same(self, tmp_path: Path) -> None:
        run = run_of({"x": [0.6, 0.1], "y": [0.6, 0.1]}, unedited=True)
        made = multiverse(run, written(tmp_path, TWO), HOW)
        assert made.pairs == []
        assert untouched_sentence(made) == [
            "Doing nothing: of 2 protocols with their judges, ma is ahead of the unedited clip "
            "under 2 and behind it under 0."
        ]


class TestFailures:
    """ma is .05 worse than mb on every edit but fails on the last five, which are the hard ones."""

    HARD = (7, 8, 9, 10, 11)

    @pytest.fixture
    def run(self) -> Run:
        run = run_of({"x": [0.55, 0.6]}, failed={0: [*self.HARD]})
        hard = run.scores["edit"].isin([f"e{e:02d}" for e in self.HARD])
        run.scores.loc[hard, "value"] -= 0.5
        return run

    def test_dropping_by_method_turns_the_verdict(self, run: Run, tmp_path: Path) -> None:
        """Means by hand, without the steps of .001 (their means: 3 of 0-6, 5.5 of 0-11, 9 of 7-11):

        own edits    .550 + .003 - (.6 - .5 * 5 / 12 + .0055)   = +.155833
        both have    .550 - .600                                = -.05
        bottom       (7 * .553) / 12 - (.6 - .5 * 5 / 12 + .0055) = -.074583
        """
        made, _, _ = found(run, written(tmp_path, ONE))
        by = {
            universe.failures: row[0]
            for universe, row in zip(made.universes, made.found, strict=True)
            if universe.average == "edits"
        }
        leads = {name: one.gap.mid for name, one in by.items()}
        assert leads == pytest.approx(
            {
                "dropped by method": 0.553 - (0.6 - 0.5 * 5 / 12 + 0.0055),
                "dropped from both": -0.05,
                "bottom of the scale": 7 * 0.553 / 12 - (0.6 - 0.5 * 5 / 12 + 0.0055),
                "bounds": -0.05,
            }
        )
        assert by["dropped from both"].verdict == "second"
        assert made.gaps == {"ma": 5, "mb": 0}

    def test_a_lead_that_failures_could_turn_is_none_within_bounds(self, tmp_path: Path) -> None:
        """mb leads by .05 where both have values; at the top, ma's one failure would undo that."""
        run = run_of({"x": [0.55, 0.6]}, failed={0: [0, 1]})
        made, _, _ = found(run, written(tmp_path, ONE))
        verdicts = {universe.failures: row[0].verdict
                    for universe, row in zip(made.universes, made.found, strict=True)
                    if universe.average == "edits"}  # fmt: skip
        assert verdicts["dropped from both"] == "second"
        assert verdicts["bounds"] == "not told apart"
        assert verdicts["bottom of the scale"] == "second"

    def test_failures_of_one_side_alone_are_the_choice_that_flips(self, tmp_path: Path) -> None:
        """ma is .1 better wherever it has a clip, and has none of a third of the edits."""
        run = run_of({"x": [0.9, 0.8]}, failed={0: [*range(0, 36, 3)]}, edits=36, videos=36)
        _, one, said = found(run, written(tmp_path, ONE))
        assert one.kind == "flips" and one.deciding is not None
        assert one.deciding.choice == "failures"
        assert "of 36 edits, ma lacks 12 and mb lacks 0" in said

    def test_without_failures_they_are_treated_one_way(self, tmp_path: Path) -> None:
        made, _, _ = found(run_of({"x": [0.6, 0.4]}), written(tmp_path, ONE))
        assert [universe.failures for universe in made.universes] == [None]


class TestProtocols:
    def test_what_a_run_lacks_is_listed_with_what_is_missing(self, tmp_path: Path) -> None:
        names = {"q.alignment": [0.6, 0.4], "q.fidelity": [0.7, 0.5], "q.quality": [0.7, 0.5]}
        run = run_of(names, judges={"q": ("m", 8)})
        made, _, _ = found(run, shipped_protocols())
        missing = {one.protocol.name: one.missing for one in made.left_out}
        scored = {universe.protocol.name for universe in made.universes}
        assert scored == {"editverse-like", "openve-like", "all-three"}
        assert scored | set(missing) == {one.name for one in shipped_protocols()}
        assert missing["five-like"] == (
            "q.checklist_strict was not scored (`--judge-asks checklist`)",
            "q.checklist_loose was not scored (`--judge-asks checklist`)",
        )

    def test_without_a_judge_none_that_needs_one_is_scored(self) -> None:
        made = multiverse(run_of({"x": [0.6, 0.4]}), shipped_protocols(), HOW)
        assert made.universes == []
        needs = [one for one in made.left_out if one.protocol.needs_judge]
        assert {one.missing for one in needs} == {("no judge was asked (`bench score --judge`)",)}

    def test_a_metric_without_ends_needs_a_scale(self, tmp_path: Path) -> None:
        run = run_of({"x": [0.6, 0.4]})
        object.__setattr__(run.metrics["x"], "bounds", (0, "inf"))
        made = multiverse(run, written(tmp_path, ONE), HOW)
        assert made.left_out[0].missing == ("x has no declared ends: give it a scale",)
        scaled = ONE.replace("metric: x", "metric: x, scale: [0, 2]")
        assert mids(multiverse(run, written(tmp_path, scaled), HOW)) == pytest.approx({"one": 0.1})

    def test_openve_caps_and_viescore_multiplies(self) -> None:
        """On 0..1: alignment .25, fidelity 1, quality .49, exclusivity .64: the cap is .25."""
        value = {"alignment": 0.25, "fidelity": 1.0, "quality": 0.49, "exclusivity": 0.64}
        names = {f"q.{name}": [v, 0.0] for name, v in value.items()}
        run = run_of(names, judges={"q": ("m", 8)})
        run.scores["value"] = run.scores["value"].where(run.scores["method"] == "mb")
        for name, v in value.items():
            here = (run.scores["metric"] == f"q.{name}") & (run.scores["method"] == "ma")
            run.scores.loc[here, "value"] = v
        run.scores.loc[run.scores["method"] == "mb", "value"] = 0.0
        found_ = mids(multiverse(run, shipped_protocols(), HOW))
        assert found_["openve-like"] == pytest.approx(0.25)
        assert found_["viescore-like"] == pytest.approx((0.25 * 0.49) ** 0.5)
        assert found_["editverse-like"] == pytest.approx((0.25 + 1 + 0.49) / 3)
        assert found_["all-three"] == 0

    def test_every_mistake_of_a_file_is_told_with_its_line(self, tmp_path: Path) -> None:
        text = """protocols:
  - name: ivebench-like
    groups:
      a: {of: [{metric: x, scale: [3, 1]}]}
    failurs: bounds
  - name: two
    groups:
      a: {of: []}
    average: weeks
    never_above: b
  - name: two
    groups: {a: {of: [{metric: x, weight: -1}]}}
"""
        with pytest.raises(Mistakes) as raised:
            written(tmp_path, text)
        told = {problem.line: problem.message for problem in raised.value.problems}
        assert sorted(told) == [2, 4, 5, 8, 9, 10, 11, 12]
        assert "comes along" in told[2] and "go up" in told[4] and "failures?" in told[5]
        assert "is empty" in told[8] and "weeks" in told[9] and "no group" in told[10]
        assert "stands twice" in told[11] and "greater than 0" in told[12]

    def test_the_hash_is_of_what_decides_a_number(self, tmp_path: Path) -> None:
        (one,) = written(tmp_path, ONE)
        (told,) = written(tmp_path, f"{ONE}    like: other words\n")
        (other,) = written(tmp_path, ONE.replace("metric: x", "metric: x, weight: 2"))
        assert one.sha256 == told.sha256 != other.sha256


class TestJoining:
    def test_parts_that_are_not_there_are_left_out_and_gaps_are_not(self) -> None:
        parts = np.array([[0.2, 0.2, np.nan, 0.9], [0.8, 0.0, 0.8, 0.9]])
        there = np.array([[True, True, True, False], [True, False, True, False]])
        mean = joined(parts, there, [1, 3], "mean", 0.5)
        assert mean == pytest.approx([0.65, 0.2, np.nan, np.nan], nan_ok=True)
        least = joined(parts, there, [1, 3], "least", 0.5)
        assert least == pytest.approx([0.2, 0.2, np.nan, np.nan], nan_ok=True)
        every = joined(parts, there, [1, 3], "all", 0.1)
        assert every == pytest.approx([1, 1, np.nan, np.nan], nan_ok=True)


class TestSwaps:
    def test_p_is_that_of_all_swaps_one_by_one(self) -> None:
        """Values and gaps of a source change places together; nothing is assumed of the code."""
        rng = np.random.default_rng(3)
        sources, categories = np.arange(10) % 6, np.array([*"aabbabbbaa"])
        first, second = rng.normal(0.4, 1, 10), rng.normal(0, 1, 10)
        first[[1, 4]], second[7] = np.nan, np.nan
        swaps = LabelSwaps(sources, categories, Resampling(np.random.default_rng(0), 200))
        for average in ("edits", "sources", "categories"):
            seen = gap(first, second, sources, categories, average)
            drawn = []
            for turned in product((False, True), repeat=6):
                there = np.array(turned)[sources]
                one, other = np.where(there, second, first), np.where(there, first, second)
                drawn.append(gap(one, other, sources, categories, average))
            share = np.mean(np.abs(drawn) >= abs(seen) - 1e-9)
            found_ = swaps.compare(first, second, average)
            assert found_.mid == pytest.approx(seen)
            assert found_.p == pytest.approx(share)
            assert found_.low < found_.mid < found_.high

    def test_a_method_without_values_has_no_lead(self) -> None:
        swaps = LabelSwaps(np.arange(4), np.arange(4), Resampling(np.random.default_rng(0), 100))
        assert np.isnan(swaps.compare(np.full(4, np.nan), np.ones(4), "edits").p)


def gap(
    one: np.ndarray, other: np.ndarray, sources: np.ndarray, categories: np.ndarray, average: str
) -> float:
    """The difference of two means, word for word."""

    def mean(values: np.ndarray) -> float:
        if average == "edits":
            return float(np.nanmean(values))
        labels = sources if average == "sources" else categories
        groups = [values[labels == one] for one in np.unique(labels)]
        return float(np.mean([np.nanmean(g) for g in groups if np.isfinite(g).any()]))

    return mean(one) - mean(other)


def test_the_share_that_a_choice_explains_is_goodman_and_kruskals() -> None:
    """Verdicts a a b b over levels: 1 1 2 2 tell all; 1 2 1 2 tell nothing.

    By hand for a a a b over 1 1 2 2: 1 - (9 + 1) / 16 = .375 whole, 1 - (4/2 + 1/2 + 1/2) / 4 = .25
    within; corrected for two levels of four universes by 3 / 2.
    """
    assert reduction("aabb", "1122") == 1
    assert reduction("aabb", "1212") == pytest.approx(1 - 1.5)
    assert reduction("aaab", "1122") == pytest.approx(1 - 0.25 / 0.375 * 3 / 2)
    assert np.isnan(reduction("aaaa", "1122")) and np.isnan(reduction("aabb", "1234"))
