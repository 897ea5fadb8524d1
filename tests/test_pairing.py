"""Pairing of frames: rising on both sides, nothing twice, the least total difference in time.

Expected pairs are derived by hand in the docstrings, or found by SciPy's solver of the assignment
problem and by trying every rising choice.
"""

import math
import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from evaluation.sample.frames import POLICIES, pair_frames
from evaluation.sample.matching import nearest, rising_match

PIXELS = np.zeros((1, 1, 1, 3), np.uint8)


def clip(count: int, fps: float, times: "np.ndarray | None" = None) -> Video:
    return Video(PIXELS.repeat(count, axis=0), fps, times)  # type: ignore[arg-type]


VARIABLE = np.concatenate([np.arange(25) / 30, 25 / 30 + np.arange(15) / 15])  # case N4
steps = st.lists(st.integers(1, 400), min_size=0, max_size=12)
clips = st.builds(
    lambda gaps, fps: clip(len(gaps) + 1, fps, np.cumsum([0, *gaps]) / 1000),
    steps,
    st.sampled_from([6.0, 8.0, 23.976, 24.0, 25.0, 29.97, 30.0]),
)
moments = st.lists(st.integers(0, 3000), min_size=1, max_size=7, unique=True).map(
    lambda found: np.sort(np.array(found)) / 1000
)


@settings(max_examples=150, deadline=None)
@given(clips, clips, st.sampled_from(POLICIES))
def test_pairs_rise_on_both_sides_and_no_frame_is_used_twice(
    source: Video, edited: Video, policy: str
) -> None:
    found = pair_frames(source, edited, policy)
    assert len(found.source) == len(found.edited) > 0
    assert (np.diff(found.source) > 0).all() and (np.diff(found.edited) > 0).all()
    assert found.source[0] >= 0 and found.source[-1] < len(source)
    assert found.edited[0] >= 0 and found.edited[-1] < len(edited)
    assert 0 < found.covers <= 1 and 0 < found.share <= 1


@settings(max_examples=100, deadline=None)
@given(clips, clips)
def test_clips_of_one_frame_count_pair_by_number_whatever_their_times(a: Video, b: Video) -> None:
    count = min(len(a), len(b))
    first, second = (clip(count, v.fps, v.times[:count]) for v in (a, b))
    for policy in ("auto", "span", "index"):
        found = pair_frames(first, second, policy)
        np.testing.assert_array_equal(found.source, np.arange(count))
        np.testing.assert_array_equal(found.edited, np.arange(count))
        assert found.covers == 1


@settings(max_examples=100, deadline=None)
@given(clips, clips, st.sampled_from(["auto", "pts", "index"]))
def test_source_and_edit_can_change_places(a: Video, b: Video, policy: str) -> None:
    """Not `span`, which counts in seconds of the source."""
    one, other = pair_frames(a, b, policy), pair_frames(b, a, policy)
    np.testing.assert_array_equal(one.source, other.edited)
    np.testing.assert_array_equal(one.edited, other.source)


@settings(max_examples=200, deadline=None)
@given(moments, moments)
def test_no_choice_of_partners_has_a_smaller_total_difference(a: np.ndarray, b: np.ndarray) -> None:
    """Tried: every rising choice (brute force), and SciPy's assignment, which may cross."""
    few, many = sorted((a, b), key=len)
    chosen = rising_match(few, many)
    total = np.abs(few - many[chosen]).sum()
    choices = combinations(range(len(many)), len(few))
    assert total == pytest.approx(min(np.abs(few - many[list(c)]).sum() for c in choices))
    apart = np.abs(few[:, None] - many[None])
    assert total == pytest.approx(apart[linear_sum_assignment(apart)].sum())


@settings(max_examples=100, deadline=None)
@given(moments, moments)
def test_where_nearest_frames_do_not_collide_they_are_the_partners(
    a: np.ndarray, b: np.ndarray
) -> None:
    few, many = sorted((a, b), key=len)
    alone = nearest(many, few)
    if (np.diff(alone) > 0).all():
        np.testing.assert_array_equal(rising_match(few, many), alone)


def test_of_two_frames_equally_near_the_earlier_is_taken() -> None:
    """By hand: 0.5 is as far from 0 as from 1; two moments beside three of the same distance."""
    assert rising_match(np.array([0.5]), np.array([0.0, 1.0])).tolist() == [0]
    assert nearest(np.array([0.0, 1.0]), np.array([0.5, 0.6, 9])).tolist() == [0, 1, 1]
    assert rising_match(np.array([0.5, 1.5]), np.array([0.0, 1.0, 2.0])).tolist() == [0, 1]


RATES = [(24, 25), (25, 24), (8, 25 / 3), (30, 100 / 3), (16, 15), (24, 8), (24, 10), (24, 30)]
RATES += [(30, 30000 / 1001), (24, 24000 / 1001), (8, 12.5), (10, 100 / 11)]


@pytest.mark.parametrize(("rate", "other"), RATES)
def test_the_same_frames_at_another_rate_pair_one_to_one(rate: float, other: float) -> None:
    """Case N2 (numbers.md): for 8 to 120 frames, frame k belongs to frame k (own calculation)."""
    for count in range(8, 121):
        found = pair_frames(clip(count, rate), clip(count, other))
        assert found.source.tolist() == found.edited.tolist() == list(range(count))
        assert found.covers == 1
        by_time = pair_frames(clip(count, rate), clip(count, other), "pts")  # never a crash
        assert (np.diff(by_time.source) > 0).all() and (np.diff(by_time.edited) > 0).all()


def test_a_clip_of_variable_rate_pairs_with_its_frames_one_to_one() -> None:
    """Case N4 (numbers.md): 40 frames, 25 at 30 fps and 15 at 15 fps; the same 40 at 22 fps."""
    source = clip(40, 30, VARIABLE)
    for policy in ("auto", "span", "index"):
        found = pair_frames(source, clip(40, 22), policy)
        assert found.source.tolist() == found.edited.tolist() == list(range(40))


def test_half_the_frames_at_half_the_rate_are_every_second_frame() -> None:
    """By hand: frame k at 12 fps is shown when frame 2 k at 24 fps is."""
    found = pair_frames(clip(48, 24), clip(24, 12))
    assert found.source.tolist() == list(range(0, 48, 2))
    assert found.edited.tolist() == list(range(24))
    assert found.covers == found.share == 1


def test_twice_the_frames_at_twice_the_rate_leave_every_second_one_out() -> None:
    found = pair_frames(clip(12, 12), clip(24, 24))
    assert found.edited.tolist() == list(range(0, 24, 2)) and found.covers == 1


def test_a_rate_made_one_higher_by_resampling_skips_the_frame_that_was_put_in() -> None:
    """2 s at 24 and 25 fps: k / 24 is nearest to frame 25 k / 24, rounded; halves go down."""
    found = pair_frames(clip(48, 24), clip(50, 25))
    assert found.edited.tolist() == [math.ceil(25 * k / 24 - 0.5) for k in range(48)]
    assert found.covers == 1


def test_an_ntsc_clip_with_a_frame_more_pairs_the_first_ones() -> None:
    """60 frames at 29.97 beside 61 at 30: times drift by 2 ms in all, so number k is nearest."""
    found = pair_frames(clip(61, 30), clip(60, 30000 / 1001))
    assert found.source.tolist() == found.edited.tolist() == list(range(60))
    assert found.covers == pytest.approx(60 * 1.001 / 61)


@pytest.mark.parametrize(
    ("edited", "policy", "covers"),
    [
        (clip(1, 8), "auto", 1 / 8),  # the first frame only (case N5)
        (clip(1, 1), "auto", 1 / 8),  # whatever its tag says
        (clip(1, 24), "span", 1 / 8),
        (clip(4, 8), "auto", 4 / 8),
        (clip(5, 8), "auto", 5 / 8),  # 5 of 8 PNGs, at the source's rate
        (clip(5, 8), "index", 5 / 8),
        (clip(4, 4), "auto", 1.0),  # the same second, fewer frames
        (clip(8, 24), "auto", 1.0),  # as many frames, a wrong rate
        (clip(8, 24), "pts", 1 / 3),  # unless the rate is to be believed
        (clip(4, 8), "span", 1.0),  # and `span` says that it is not
        (clip(16, 8), "auto", 1.0),
    ],
)
def test_what_a_clip_covers_of_eight_frames_in_a_second(
    edited: Video, policy: str, covers: float
) -> None:
    """By hand, from the seconds or the frames that both have."""
    assert pair_frames(clip(8, 8), edited, policy).covers == pytest.approx(covers)


def test_a_still_source_is_covered_by_any_clip() -> None:
    for policy in POLICIES:
        assert pair_frames(clip(1, 8), clip(16, 24), policy).covers == 1


def test_the_frames_of_a_prefix_cover_the_time_they_are_shown() -> None:
    """25 of 40 frames of variable rate end at 25/30 s of 55/30 s (the last lasts 1/30 s)."""
    found = pair_frames(clip(40, 30, VARIABLE), clip(25, 30, VARIABLE[:25]))
    assert found.source.tolist() == list(range(25))
    duration = VARIABLE[-1] + 1 / 30
    assert found.covers == pytest.approx(25 / 30 / duration)


def test_an_unknown_policy_is_named_with_near_ones() -> None:
    with pytest.raises(UserError, match=r"unknown frame policy 'spam'.*span"):
        pair_frames(clip(2, 8), clip(2, 8), "spam")


def test_long_clips_take_memory_in_proportion() -> None:
    """1,000 moments at once beside 2,000 apart: all want number 800, and get the 1,000 around it.

    A matrix of their differences would take 16 MB.
    """
    few, many = 40 + np.arange(1000) / 1e8, np.arange(2000) / 20
    tracemalloc.start()
    chosen = rising_match(few, many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert chosen.tolist() == list(range(chosen[0], chosen[0] + 1000)) and chosen[0] in (300, 301)
    assert peak < 1e6
