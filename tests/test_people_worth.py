"""What a lead in a metric is worth, as a page says it."""

import numpy as np
import pytest
from fabricated_joint import fabricate_joint

from evaluation.stats.meta import Worth
from reports.parts import ReportPart
from reports.people.joint import Joint
from reports.people.worth import Valued, valued, worth_part


@pytest.fixture(scope="module")
def joint() -> Joint:
    return fabricate_joint(sources=24, raters=5, seed=1)


@pytest.fixture(scope="module")
def part(joint: Joint) -> ReportPart:
    found = worth_part(joint)
    assert found is not None
    return found


def test_metrics_meant_for_a_question_stand_by_how_far_people_follow_them(joint: Joint) -> None:
    assert [one.metric for one in valued(joint, "alignment")] == ["good_a", "poor_a"]
    assert [one.metric for one in valued(joint, "fidelity")] == ["good_f"]
    good, poor = valued(joint, "alignment")
    assert good.worth.probability(good.worth.deviation)[0] > 0.75
    assert poor.worth.probability(poor.worth.deviation)[1] < 0.68


def test_the_page_says_what_a_usual_lead_is_worth_on_every_question(part: ReportPart) -> None:
    assert [text.partition(":")[0] for text in part.found] == [
        "Worth of good_a on alignment", "Worth of good_f on fidelity", "Worth of good_q on quality",
    ]  # fmt: skip
    assert "from a lead of" in part.found[0] and "at least 60% prefer it" in part.found[0]
    rows = dict(part.frames)["difference_worth"]
    whole = rows[rows["category"] == ""]
    assert list(whole["metric"]) == ["good_a", "poor_a", "good_f", "good_q"]
    assert (whole["pairs"] == 3 * 48).all() and (whole["sources"] == 24).all()


def test_categories_stand_beside_where_they_have_enough_sources(part: ReportPart) -> None:
    assert [row.label for row in part.folded[0].rows][:2] == [
        "alignment, good_a: motion", "alignment, good_a: style",
    ]  # fmt: skip
    few = worth_part(fabricate_joint(sources=9, raters=3))
    assert few is not None and not few.folded


def test_a_lead_that_there_was_not_is_no_promise() -> None:
    """60% need a lead of log(1.5) / slope: 0.81 at a slope of one half, 4.05 at its low end."""
    one = Worth(0.5, 0.1, 0.9, 1.0, 10, 10, (), 4.0)
    assert one.difference(0.6)[2] == pytest.approx(4.0547, abs=1e-4)
    assert Valued("q", "m", one).worth_reporting == np.inf
    assert Valued("q", "m", one._replace(most=5.0)).worth_reporting == pytest.approx(
        4.0547, abs=1e-4
    )


def test_one_method_has_no_leads() -> None:
    assert worth_part(fabricate_joint(methods=1)) is None
