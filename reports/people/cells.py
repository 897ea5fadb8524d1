"""Cells of tables about metrics and people: numbers, intervals, p-values, and none of them."""

from typing import Protocol

from reports.loading import is_number
from reports.tables import NOTHING, Cell, number


class Ends(Protocol):
    """A value with the ends of its interval."""

    @property
    def low(self) -> float:
        """Lower end, NaN without one."""

    @property
    def value(self) -> float:
        """The value, NaN without one."""

    @property
    def high(self) -> float:
        """Upper end, NaN without one."""


def ends_cell(one: Ends, digits: int = 2, best: bool = False, why: str = "") -> Cell:
    """Return the cell of a value with its interval below; why: there is none, where it is known."""
    if not is_number(one.value):
        return Cell(NOTHING, hint=why or "not defined on these edits")
    return Cell(number(one.value, digits), ends_text(one.low, one.high, digits), best=best)


def ends_text(low: float, high: float, digits: int = 2) -> str:
    """Return "[low, high]", or that there is none."""
    if not is_number(low):
        return "[no interval]"
    return f"[{number(low, digits)}, {number(high, digits)}]"


def plain_cell(value: float, digits: int = 2) -> Cell:
    """Return the cell of a number."""
    return Cell(number(value, digits) if is_number(value) else NOTHING)


def p_text(p: float) -> str:
    """Return a p-value to three decimals."""
    if not is_number(p):
        return NOTHING
    return "<0.001" if p < 0.001 else number(p, 3)
