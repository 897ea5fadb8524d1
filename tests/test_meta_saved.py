"""`dreamix meta saved`: what a metric would have saved of votes."""

import numpy as np
import pytest
from fabricated_joint import fabricate_joint

from dreamix.core.errors import UserError
from reports.meta.saved import saved, saved_lines
from reports.people.joint import Joint


@pytest.fixture(scope="module")
def joint() -> Joint:
    """Sixty edits, all rated; `good_a` follows alignment with little noise, `poor_a` with much."""
    return fabricate_joint(sources=30, raters=4, seed=2)


def test_a_row_for_every_pair_and_size_with_the_truth_of_all_edits(joint: Joint) -> None:
    found = saved(joint, "good_a", "alignment", (10, 20), draws=60)
    assert [(one.a, one.b, one.labelled) for one in found[:2]] == [
        ("method-0", "method-1", 10), ("method-0", "method-1", 20),
    ]  # fmt: skip
    assert len(found) == 6
    votes = joint.votes["alignment"].mean(axis=2)
    assert found[0].truth == pytest.approx(votes[0].mean() - votes[1].mean())
    gap = joint.metrics[joint.names.index("good_a")]
    r = np.corrcoef(votes[0] - votes[1], gap[0] - gap[1])[0, 1]
    assert found[0].r == pytest.approx(r)


@pytest.mark.slow
def test_a_good_metric_saves_and_a_poor_one_does_not(joint: Joint) -> None:
    good, poor = (
        saved(joint, name, "alignment", (20,), draws=150) for name in ("good_a", "poor_a")
    )
    assert min(one.gain for one in good) > 1.5 > 1.25 > max(one.gain for one in poor)
    assert max(one.ratio for one in good) < 0.85 and max(one.ratio for one in poor) <= 1
    for one in good:
        expected = 1 / (1 - one.r**2 * 40 / 60)  # 20 of 60 edits: section 1 of the module's source
        assert one.gain == pytest.approx(expected, rel=0.35)


def test_the_same_seed_gives_the_same_rows_and_another_other_ones(joint: Joint) -> None:
    first, same, other = (
        saved(joint, "good_a", "alignment", (10,), draws=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first == same != other
    alone = saved(joint, "good_a", "alignment", (20, 10), draws=50, seed=1)
    assert [one for one in alone if one.labelled == 10] == first


def test_too_few_edits_is_one_line_that_says_how_many_there_are(joint: Joint) -> None:
    with pytest.raises(
        UserError, match=r"on 125 edits, the most is 60: name fewer with --labelled"
    ):
        saved(joint, "good_a", "alignment", (100,))
    assert {one.labelled for one in saved(joint, "good_a", "alignment", (10, 100), draws=50)} == {
        10
    }


def test_the_lines_say_the_median_and_the_ends(joint: Joint) -> None:
    found = saved(joint, "good_a", "alignment", (10,), draws=50)
    head, line = saved_lines("good_a", found)
    assert head == "alignment: good_a beside votes, 3 pairs of methods"
    gains = sorted(one.gain for one in found)
    assert line.startswith(
        f"  10 rated edits: worth {gains[1]:.2f} ({gains[0]:.2f} to {gains[2]:.2f}) times as many"
    )


def test_success_rates_are_a_question_of_their_own() -> None:
    joint = fabricate_joint(sources=30, raters=6, seed=5)
    found = saved(joint, "good_a", "success", (15,), draws=40)
    ratings = joint.people.kept.ratings
    one = found[0]
    rates = {}
    for k, name in enumerate(joint.systems):
        good = [
            all(joint.votes[q][k, e, r] > ratings.threshold for q in joint.votes)
            for e in range(len(joint.edits))
            for r in range(joint.votes["alignment"].shape[2])
        ]
        rates[name] = np.mean(good)
    assert one.question == "success"
    assert one.truth == pytest.approx(rates[one.a] - rates[one.b])
