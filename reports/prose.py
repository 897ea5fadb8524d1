"""Numbers in sentences: three significant digits at most; tables and CSV files have more."""

import math

from evaluation.stats.intervals import Interval
from reports.loading import is_number
from reports.tables import interval_text, number


def prose_digits(digits: int, *values: float) -> int:
    """Return decimals for a sentence: `digits`, but three significant digits of the largest."""
    size = max((abs(value) for value in values if is_number(value)), default=0.0)
    return min(digits, 2 - math.floor(math.log10(size))) if size else digits


def said(value: float, digits: int) -> str:
    """Return a number for a sentence; fewer than no decimals round to tens or hundreds."""
    return number(round(value, digits), max(digits, 0))


def said_interval(interval: Interval, digits: int) -> str:
    """Return "0.31 [0.23, 0.41]" for a sentence, of three significant digits at most."""
    digits = prose_digits(digits, *interval)
    mid = said(interval.mid, visible(interval.mid, digits))
    if not is_number(interval.low):
        return f"{mid} {interval_text(interval, digits)}"
    return f"{mid} [{said(interval.low, digits)}, {said(interval.high, digits)}]"


def visible(value: float, digits: int) -> int:
    """Return as many decimals as show that the value is not zero, at least `digits`."""
    while value and digits < 15 and round(value, digits) == 0:
        digits += 1
    return digits
