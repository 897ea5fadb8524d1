"""The figure of raters: bias against inconsistency, with those whom rules flag."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports.people.rater_numbers import Screened
from reports.style import COLOURS, INK, MUTED, SETTINGS, clean, figure


class Look(NamedTuple):
    """How raters of one kind are drawn."""

    label: str
    marker: str
    colour: str
    face: str


PLAIN = Look("counts, no flag", "o", COLOURS[0], "none")
UNLIKE = Look("counts, flag of P.913 only", "o", COLOURS[0], COLOURS[0])
FLAGGED = Look("counts, flag of BT.500 or straight line", "s", COLOURS[1], COLOURS[1])
EXCLUDED = Look("excluded", "x", INK, INK)
LOOKS = (PLAIN, UNLIKE, FLAGGED, EXCLUDED)


def raters_figure(found: list[Screened], excluded: np.ndarray) -> Figure:
    """Return a panel a question: each rater's bias across, inconsistency up.

    excluded: bool (raters,). No rater is named.
    """
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.8 + 2.45 * max(len(found), 2), 3.1)
        grid = drawing.subplots(1, len(found), squeeze=False, sharex=True, sharey=True)
        for axes, one in zip(grid[0], found, strict=True):
            _panel(axes, one, excluded)
        grid[0, 0].set_ylabel("inconsistency, points", color=INK)
        reach = max(float(np.nanmax(np.abs(one.bias), initial=0.5)) for one in found) * 1.1
        grid[0, 0].set_xlim(-reach, reach)
        grid[0, 0].margins(y=0.12)
        if grid[0, 0].get_ylim()[0] < 0:  # nobody is less than steady
            grid[0, 0].set_ylim(-0.03, max(grid[0, 0].get_ylim()[1], 0.5))
        keys = [_key(look) for look in LOOKS]
        columns = len(keys) if len(found) > 2 else 2
        drawing.legend(handles=keys, loc="outside lower center", ncols=columns, fontsize=8)
    return drawing


def _panel(axes: Axes, one: Screened, excluded: np.ndarray) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1.2)
    known = one.inconsistency[np.isfinite(one.inconsistency)]
    if len(known):
        axes.axhline(float(np.median(known)), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)),
                     zorder=1.2)  # fmt: skip
    for look, keep in zip(LOOKS, _kinds(one, excluded), strict=True):
        axes.plot(
            one.bias[keep], one.inconsistency[keep], look.marker, linestyle="none",
            color=look.colour, markerfacecolor=look.face, markersize=5.2, markeredgewidth=1.2,
            alpha=0.9, zorder=3,
        )  # fmt: skip
    axes.set_title(one.question.capitalize())
    axes.set_xlabel("bias, points", color=INK)
    clean(axes, "both")


def _kinds(one: Screened, excluded: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return who is drawn in each of LOOKS, bool (raters,)."""
    rules = one.flags["BT.500"] | one.flags["straight line"]
    unlike = one.flags["P.913"] & ~rules
    return (~excluded & ~rules & ~unlike, ~excluded & unlike, ~excluded & rules, excluded)


def _key(look: Look) -> Line2D:
    return Line2D([], [], linestyle="none", marker=look.marker, color=look.colour,
                  markerfacecolor=look.face, markersize=5.2, markeredgewidth=1.2,
                  label=look.label)  # fmt: skip
