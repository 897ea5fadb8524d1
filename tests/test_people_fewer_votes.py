"""`study analyze --with METRIC`: what a page says of votes and a metric together."""

import numpy as np
import pandas as pd
import pytest
from fabricated_joint import fabricate_joint

from dreamix.core.errors import UserError
from evaluation.stats.ratings import mos_difference, read_ratings, success_votes, votes_on
from reports.parts import ReportPart
from reports.people.build import joint_parts
from reports.people.fewer_votes import (
    check_helpers,
    fewer_votes_parts,
    metric_on_edits,
    powered_means,
    powered_pairs,
)
from reports.people.joint import Joint
from reports.people.outcome import SUCCESS


@pytest.fixture(scope="module")
def joint() -> Joint:
    """Raters saw 14 of 60 sources, two edits each; `good_a` follows alignment, `poor_a` hardly."""
    return fabricate_joint(sources=60, rated=14, raters=10, seed=3)


def part_of(joint: Joint, name: str) -> ReportPart:
    return fewer_votes_parts(joint, (name,))[0]


def test_the_metric_is_on_all_edits_and_the_votes_are_where_they_belong(joint: Joint) -> None:
    on, ratings = metric_on_edits(joint, "good_a"), joint.people.kept.ratings
    assert on.value.shape == (3, 120) and len(on.place) == 28
    edits = list(joint.run.edits)
    assert [edits[place] for place in on.place] == list(ratings.edits)
    scores = joint.run.scores.set_index(["metric", "method", "edit"])["value"]
    assert on.value[1, 77] == scores["good_a", ratings.methods[1], edits[77]]
    same = on.source[on.place] == ratings.source
    assert same.all(), "a source has one number, with votes or without"


def test_a_metric_of_which_less_is_better_is_turned(joint: Joint) -> None:
    on, scores = metric_on_edits(joint, "good_f"), joint.run.scores
    row = scores[(scores["metric"] == "good_f") & (scores["method"] == "method-0")].iloc[5]
    assert on.value[0, 5] == -row["value"]


def test_votes_alone_are_the_difference_of_every_other_table(joint: Joint) -> None:
    pairs = powered_pairs(joint, "good_a", "alignment", metric_on_edits(joint, "good_a"))
    votes = votes_on(joint.people.kept.ratings, "alignment")
    assert pairs[0].label == "method-0 \N{MINUS SIGN} method-1"
    assert pairs[0].found.people == mos_difference(votes, 1, 0)
    truth = joint.people.comparison("alignment", "method-0", "method-1").difference
    assert abs(pairs[0].found.people.mid) == pytest.approx(abs(truth.mid))


def test_a_good_metric_is_worth_votes_and_a_poor_one_is_told_so(joint: Joint) -> None:
    good, poor = part_of(joint, "good_a"), part_of(joint, "poor_a")
    assert good.found[0].startswith("Alignment with good_a: 3 of 3 differences are as precise as ")
    bold = [[cell.best for cell in row.cells[:2]] for row in good.tables[0].rows]
    assert bold == [[False, True]] * 3
    frame = dict(poor.frames)["fewer_votes_poor_a"].query("question == 'alignment'")
    assert (frame["r"].abs() < 0.6).all()
    shown = np.where(frame["helps"], frame["powered_high"] - frame["powered_low"], np.inf)
    alone = frame["people_high"] - frame["people_low"]
    assert (np.minimum(shown, alone) <= alone).all()


def test_mean_votes_of_methods_stand_beside_their_differences(joint: Joint) -> None:
    part = part_of(joint, "good_a")
    rows = part.folded[0].rows
    assert [row.label for row in rows] == ["method-0", "method-1", "method-2"]
    mos = joint.people.kept.scores["alignment"].mos
    assert [row.cells[0].main for row in rows] == [f"{value:.2f}" for value in mos]
    assert all(row.cells[1].best for row in rows), "a good metric helps means too"


def test_edits_at_which_a_difference_is_settled_by_hand(joint: Joint) -> None:
    """Half widths fall with the root of the edits: (half / difference)^2 times those rated."""
    pairs = powered_pairs(joint, "poor_a", "quality", metric_on_edits(joint, "poor_a"))
    for one in pairs:
        used = one.found.used
        half = (used.high - used.low) / 2
        if half > abs(used.mid):
            assert one.settled_at == np.ceil(28 * (half / used.mid) ** 2)
        else:
            assert np.isnan(one.settled_at)


def test_where_all_edits_are_rated_nothing_is_promised() -> None:
    part = part_of(fabricate_joint(sources=10, raters=4), "good_a")
    assert not part.tables and not part.found and "Every edit has votes" in part.notes[0]


@pytest.mark.slow
def test_the_part_stands_among_what_follows_raters_only_if_it_is_asked_for(joint: Joint) -> None:
    names = [part.id for part in joint_parts(joint, ("good_a",))]
    assert "fewer-votes-good-a" in names
    assert "fewer-votes-good-a" not in [part.id for part in joint_parts(joint)]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("goood_a",), "no metric 'goood_a' in run, did you mean good_a or"),
        (("only",), "only describes"),
    ],
)
def test_a_metric_that_cannot_help_is_one_line(names: tuple[str, ...], says: str) -> None:
    from fabricated_joint import METRICS, Meant

    metrics = {**METRICS, "only": Meant("quality", "quality", better="neither")}
    joint = fabricate_joint(sources=4, raters=3, metrics=metrics)
    with pytest.raises(UserError, match=says):
        check_helpers(joint.run, joint.people.export, names)
    with pytest.raises(UserError, match="name the run too"):
        check_helpers(None, joint.people.export, ("good_a",))
    check_helpers(None, joint.people.export, ())


class TestSuccess:
    """Success rates, of each rater's answers, by votes alone and with a metric."""

    def test_answers_that_are_all_above_the_threshold_count_by_hand(self) -> None:
        rows = [("r", "e", q, v) for q, v in (("a", 3), ("b", 4))]
        rows += [("s", "e", q, v) for q, v in (("a", 2), ("b", 5))]
        rows += [("s", "f", "a", 5)]  # lacks b
        frame = pd.DataFrame(rows, columns=["rater", "edit", "question", "value"])
        frame = frame.assign(method="m", source="v", video="v")
        ratings = read_ratings(frame)
        found = success_votes(ratings)
        names = [ratings.raters[r] for r in found.rater]
        assert dict(zip(names, found.value, strict=True)) == {"r": 1, "s": 0}
        assert {ratings.edits[e] for e in found.edit} == {"e"}

    def test_votes_alone_are_the_rate_of_source_means(self, joint: Joint) -> None:
        on = metric_on_edits(joint, "good_a")
        means = powered_means(joint, "good_a", SUCCESS, on)
        own = joint.people.kept.ratings
        long = joint.people.export.own
        wide = long[~long["excluded"]].pivot_table(
            index=["rater", "edit", "video", "method"], columns="question", values="value"
        )
        good = (wide > own.threshold).all(axis=1).rename("good").reset_index()
        by_item = good.groupby(["method", "video", "edit"])["good"].mean()
        right = by_item.groupby(["method", "video"]).mean().groupby("method").mean()
        assert [one.found.people.mid for one in means] == pytest.approx(
            [right[one.method] for one in means]
        )
        assert all(0 <= one.found.powered.mid <= 1 for one in means)

    def test_the_page_has_a_table_of_it(self, joint: Joint) -> None:
        part = part_of(joint, "good_a")
        titles = [table.title for table in (*part.tables, *part.folded)]
        assert (
            "Success (answers above 2.5 on every question): votes alone, and with good_a" in titles
        )
        assert any("rates, alone and with good_a" in title for title in titles)
        frame = dict(part.frames)["fewer_votes_good_a"]
        assert "success" in set(frame["question"])

    @pytest.mark.slow
    def test_intervals_hold_the_truth_as_often_as_those_of_votes_alone(self) -> None:
        """Of 150 studies: 12 rated of 60 sources, and success as a property of the edit."""
        held = []
        for seed in range(150):
            joint = fabricate_joint(sources=60, rated=20, raters=12, seed=1000 + seed)
            whole = fabricate_joint(sources=60, raters=12, seed=1000 + seed)
            rates = {o.method: o.found.people.mid for o in powered_means(
                whole, "good_a", SUCCESS, metric_on_edits(whole, "good_a"))}  # fmt: skip
            for one in powered_means(joint, "good_a", SUCCESS, metric_on_edits(joint, "good_a")):
                ends = one.found.people, one.found.used
                held.append([e.low <= rates[one.method] <= e.high for e in ends])
        people, used = np.mean(held, axis=0)
        assert used >= people - 0.02
