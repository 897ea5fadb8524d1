"""Metrics and votes as arrays of the same items: signs, gaps, and which metrics stand aside."""

from dataclasses import replace

import numpy as np
import pytest
from fabricated_joint import METRICS, Meant, fabricate_joint

from dreamix.core.errors import UserError
from reports.people.joint import join


def test_a_metric_where_lower_is_better_is_turned_round() -> None:
    joint = fabricate_joint()
    rows = joint.run.scores.set_index(["metric", "method", "edit"])["value"]
    at = joint.names.index("good_f")
    assert joint.metrics[at, 1, 2] == -rows["good_f", "method-1", joint.edits[2]]


def test_metrics_that_only_describe_or_were_learned_from_ratings_are_named_and_left_out() -> None:
    learned = {
        "composite.quality": Meant("quality", "quality"),
        "size": Meant("quality", "quality", better="neither"),
    }
    joint = fabricate_joint(metrics={**METRICS, **learned})
    assert joint.names == tuple(METRICS)
    assert "learned from ratings" in joint.left_out["composite.quality"]
    assert "only describes" in joint.left_out["size"]


def test_mean_votes_are_means_over_who_voted() -> None:
    joint = fabricate_joint(both=False)
    votes = joint.votes["quality"]
    assert np.isnan(votes).any()
    expected = np.nanmean(votes[1, 3])
    assert joint.mean_votes("quality")[1, 3] == pytest.approx(expected, abs=1e-12)


def test_a_study_of_other_methods_is_one_line() -> None:
    joint = fabricate_joint()
    others = replace(joint.run, methods={})
    with pytest.raises(UserError, match="rated none of the edits of"):
        join(others, joint.people)
