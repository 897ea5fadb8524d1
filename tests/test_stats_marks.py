"""Overlap of marks: by hand, against counting points, and with clips of which nothing is marked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats.agreement import (
    TIME,
    TIME_AND_PLACE,
    Viewings,
    mark_agreement,
    overlap,
    timeline,
    volume,
)
from evaluation.stats.resampling import Resampling

GRID = 12  # edges of random boxes lie on it, so that counting its cells is exact


def boxes(*given: tuple[tuple[float, float], ...]) -> np.ndarray:
    return np.array(given, float).reshape(-1, 3, 2)


def span(start: float, end: float) -> np.ndarray:
    return boxes(((start, end), (0, 1), (0, 1)))


NONE = boxes()


def counted(found: np.ndarray) -> np.ndarray:
    """Which cells of a grid of 12 x 12 x 12 lie in a box."""
    middle = (np.arange(GRID) + 0.5) / GRID
    inside = np.zeros((GRID,) * 3, bool)
    for box in found:
        along = [(lo <= middle) & (middle <= hi) for lo, hi in box]
        inside |= along[0][:, None, None] & along[1][None, :, None] & along[2][None, None, :]
    return inside


EDGE = st.tuples(st.integers(0, GRID), st.integers(0, GRID)).map(sorted)
BOXES = st.lists(st.tuples(EDGE, EDGE, EDGE), max_size=5).map(
    lambda found: np.array(found, float).reshape(-1, 3, 2) / GRID
)


class TestOverlap:
    @pytest.mark.parametrize(
        ("a", "b", "wanted"),
        [
            (span(0, 0.5), span(0.25, 0.75), 1 / 3),  # .25 of .75
            (span(0, 0.5), span(0.5, 1), 0.0),
            (span(0, 0.5), NONE, 0.0),
            (np.concatenate([span(0, 0.5), span(0.25, 0.75)]), span(0, 0.75), 1.0),  # twice is once
            (span(0.2, 0.4), span(0.2, 0.4), 1.0),
        ],
    )
    def test_in_time_by_hand(self, a: np.ndarray, b: np.ndarray, wanted: float) -> None:
        assert overlap(a, b, TIME) == pytest.approx(wanted)
        assert overlap(b, a, TIME) == pytest.approx(wanted)

    def test_place_counts_where_it_is_asked_for(self) -> None:
        """Both 0 to .5 s; left half and upper half share a quarter of three quarters."""
        left, upper = boxes(((0, 0.5), (0, 0.5), (0, 1))), boxes(((0, 0.5), (0, 1), (0, 0.5)))
        assert overlap(left, upper, TIME) == 1
        assert overlap(left, upper, TIME_AND_PLACE) == pytest.approx(1 / 3)

    def test_nothing_and_nothing_has_none(self) -> None:
        assert np.isnan(overlap(NONE, NONE))
        assert np.isnan(overlap(span(0.3, 0.3), NONE)), "a moment without length covers nothing"

    @pytest.mark.slow
    @given(BOXES, BOXES)
    @settings(max_examples=150, deadline=None)
    def test_counting_the_cells_of_a_grid_gives_the_same(
        self, a: np.ndarray, b: np.ndarray
    ) -> None:
        mine, theirs = counted(a), counted(b)
        assert volume(a) == pytest.approx(mine.mean(), abs=1e-12)
        either = (mine | theirs).sum()
        wanted = (mine & theirs).sum() / either if either else np.nan
        assert overlap(a, b) == pytest.approx(wanted, nan_ok=True, abs=1e-9)


def viewings(*rows: tuple[int, int, np.ndarray]) -> Viewings:
    """Rater, item and boxes; each item is of a source of its own."""
    rater, item = (np.array([row[k] for row in rows]) for k in (0, 1))
    return Viewings(rater, item, item, [row[2] for row in rows])


class TestAgreement:
    def test_a_clip_counts_by_the_mean_of_its_pairs(self) -> None:
        """Clip 0: 1/3, 0, 0 (one marked nothing); clip 1: 1; clip 2: nobody marked."""
        found = mark_agreement(
            viewings(
                (0, 0, span(0, 0.5)),
                (1, 0, span(0.25, 0.75)),
                (2, 0, NONE),
                (0, 1, span(0.1, 0.2)),
                (1, 1, span(0.1, 0.2)),
                (0, 2, NONE),
                (1, 2, NONE),
            ),
            TIME,
            Resampling(np.random.default_rng(0)),
        )
        assert found.overlap.mid == pytest.approx((1 / 9 + 1) / 2)
        assert (found.pairs, found.clips) == (4, 2)
        assert found.overlap.low <= found.overlap.mid <= found.overlap.high

    def test_chance_is_of_other_raters_on_other_clips(self) -> None:
        """Pairs: 0 on clip 0 with 1 on clip 1 (0), 1 on clip 0 with 0 on clip 1 (1/3)."""
        rows = (0, 0, span(0, 0.5)), (1, 0, span(0.5, 1)), (0, 1, span(0.25, 0.75))
        found = mark_agreement(
            viewings(*rows, (1, 1, span(0.9, 1))), TIME, Resampling(np.random.default_rng(0))
        )
        assert found.chance == pytest.approx((0 + 1 / 3) / 2)

    def test_without_marks_there_is_no_number(self) -> None:
        rows = ((0, 0, NONE), (1, 0, NONE))
        found = mark_agreement(viewings(*rows), TIME, Resampling(np.random.default_rng(0)))
        assert np.isnan(found.overlap.mid) and np.isnan(found.chance) and found.pairs == 0

    def test_neither_order_nor_names_matter(self) -> None:
        rng = np.random.default_rng(1)
        ends = np.sort(rng.random((12, 2)), axis=1)
        rows = [(k % 3, k // 3, span(*ends[k])) for k in range(12)]
        one = mark_agreement(viewings(*rows), TIME, Resampling(np.random.default_rng(2)))
        turned = [(7 - rater, item, box) for rater, item, box in rows[::-1]]
        other = mark_agreement(viewings(*turned), TIME, Resampling(np.random.default_rng(2)))
        assert one.overlap == pytest.approx(other.overlap)
        assert one.chance == pytest.approx(other.chance)


@pytest.mark.slow
def test_of_many_viewings_chance_is_a_sample_that_no_order_changes() -> None:
    """300 viewings have 44,850 pairs; all mark one half or the other, so chance is about 1/2."""
    rng = np.random.default_rng(3)
    rows = [
        (k % 10, k // 10, span(0, 0.5) if rng.random() < 0.5 else span(0.5, 1)) for k in range(300)
    ]
    one = mark_agreement(viewings(*rows), TIME, Resampling(np.random.default_rng(4), 10))
    other = mark_agreement(viewings(*rows[::-1]), TIME, Resampling(np.random.default_rng(4), 10))
    assert one.chance == other.chance == pytest.approx(0.5, abs=0.05)


@pytest.mark.slow
def test_a_timeline_is_the_share_that_marked_each_moment() -> None:
    """Four moments at 1/8, 3/8, 5/8, 7/8; the first rater marked the first half twice."""
    first = np.concatenate([span(0, 0.5), span(0, 0.4)])
    assert timeline([first, span(0.3, 0.7), NONE, NONE], 4).tolist() == [0.25, 0.5, 0.25, 0]
