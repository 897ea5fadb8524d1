"""Metrics as one more rater, as a page says it."""

from dataclasses import replace

import pytest
from fabricated_joint import METRICS, Meant, fabricate_joint

from evaluation.stats.meta import RaterPlace
from reports.parts import ReportPart
from reports.people.joint import Joint
from reports.people.rater_place import Placed, _sentence, placed, rater_place_part


@pytest.fixture(scope="module")
def joint() -> Joint:
    metrics = {**METRICS, "noise_a": Meant("alignment", "quality", 5.0)}
    return fabricate_joint(sources=24, raters=6, metrics=metrics, seed=1)


@pytest.fixture(scope="module")
def part(joint: Joint) -> ReportPart:
    found = rater_place_part(joint)
    assert found is not None
    return found


def test_metrics_stand_by_their_place(joint: Joint, part: ReportPart) -> None:
    names = [one.metric for one in placed(joint, "alignment")]
    assert names[0] == "good_a" and set(names) == {"good_a", "poor_a", "noise_a"}
    labels = [row.label for row in part.tables[0].rows]
    assert labels == names and [cell.main for cell in part.tables[0].rows[0].cells][1] == "6"
    assert part.tables[0].rows[-1].cells[0].main == "below all"


def test_what_is_below_all_raters_is_told(part: ReportPart) -> None:
    first = part.found[0]
    assert first.startswith("As a rater of alignment: good_a is as good as the ")
    assert first.endswith(" raters [1, 1]. All 2 other metrics are below all raters.")
    rows = dict(part.frames)["metrics_as_raters"]
    assert rows.query("metric == 'noise_a' and category == ''")["below_all"].tolist() == [True]
    assert set(rows["category"]) == {"", "motion", "style"}


def test_a_category_in_which_it_is_below_all_is_named() -> None:
    """A metric that is good on the whole and below all five raters on motion."""
    whole = Placed("alignment", "judge", RaterPlace(2, 1, 3, 5, 0.6, 0.55))
    motion = Placed("alignment", "judge", RaterPlace(6, 6, 6, 5, 0.1, 0.5), "motion")
    style = Placed("alignment", "judge", RaterPlace(6, 5, 6, 5, 0.4, 0.5), "style")
    assert _sentence([whole], [motion, style]) == (
        "As a rater of alignment: judge is as good as the 2nd of 5 raters [1, 3]; not to be used "
        "for motion, where it is below all raters."
    )


def test_without_single_votes_there_are_no_raters_to_stand_among(joint: Joint) -> None:
    means = {**joint.people.export.study, "ratings": "means"}
    export = replace(joint.people.export, study=means)
    assert rater_place_part(joint._replace(people=joint.people._replace(export=export))) is None
    assert rater_place_part(fabricate_joint(raters=1)) is None
