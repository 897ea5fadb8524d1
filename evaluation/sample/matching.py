"""The best strictly rising match of two rows of moments: the shorter is used up, nothing twice.

Taking the nearest moment for each one by itself can take one twice, and misses its neighbour. Here
the total of all differences is least among the matches that rise on both sides, which is also the
least of all one-to-one matches, since uncrossing two pairs never adds to it (Karp and Li 1975, "Two
special cases of the assignment problem", Discrete Mathematics 13).

A strictly rising choice j(i) is i + x(i) with x never falling, from 0 to the difference in length.
Only where nearest choices collide is there anything to settle. That is done by dividing at the
middle row (Hirschberg 1975, Communications of the ACM 18), so memory grows with length, not area.
"""

import numpy as np

TICKS = (
    1e6  # a second; differences are compared in whole microseconds, so containers' rounding ties
)


def rising_match(few: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Return for each moment of `few` the number of its partner in `many`: int64, rising.

    few (n,), many (m,): rising moments in seconds, n <= m. Of equally good matches: the earliest.
    """
    numbers = np.arange(len(few))
    wanted = (nearest(many, few) - numbers).clip(0, len(many) - len(few))
    # The best x lies between these two (each x moved to its bound comes nearer to what it wants).
    low = np.minimum.accumulate(wanted[::-1])[::-1].copy()
    high = np.maximum.accumulate(wanted)
    edges = np.flatnonzero(np.diff(np.r_[0, low < high, 0]))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        _settle(few[first:end], many[first:], low[first:end], high[first:end])
    return numbers + low


def nearest(times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the number of the moment of `times` nearest to each of `wanted`; ties: the earlier."""
    after = np.searchsorted(times, wanted).clip(max=len(times) - 1)
    before = (after - 1).clip(min=0)
    earlier = _apart(wanted, times[before]) <= _apart(wanted, times[after])
    return np.asarray(np.where(earlier, before, after), dtype=np.int64)


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the distance of moments in whole microseconds, as floats."""
    return np.asarray(np.rint(np.abs(first - second) * TICKS))


def _settle(few: np.ndarray, many: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Narrow the bounds of x, in place, to the one best x of every row."""
    middle, start, width = len(few) // 2, int(low[0]), int(high[-1] - low[0]) + 1
    places = np.arange(width)

    def costs(row: int) -> np.ndarray:
        found = _apart(few[row], many[row + start : row + start + width])
        found[(places + start < low[row]) | (places + start > high[row])] = np.inf
        return found

    before, after = np.zeros(width), np.zeros(width)
    for row in range(middle + 1):
        before = np.minimum.accumulate(before) + costs(row)
    for row in range(len(few) - 1, middle, -1):
        after = np.minimum.accumulate((after + costs(row))[::-1])[::-1]
    best = start + int(np.argmin(before + after))
    high[: middle + 1] = high[: middle + 1].clip(max=best)
    low[middle:] = low[middle:].clip(min=best)
    low[middle] = high[middle] = best
    if middle:
        _settle(few[:middle], many, low[:middle], high[:middle])
    if middle + 1 < len(few):
        rest = slice(middle + 1, None)
        _settle(few[rest], many[middle + 1 :], low[rest], high[rest])
