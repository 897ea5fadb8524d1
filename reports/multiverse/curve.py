"""The specification curve of two methods: estimates in order, and below each the choices made.

Source: Simonsohn, Simmons & Nelson, Specification curve analysis, Nature Human Behaviour 4 (2020).
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.style import COLOURS, GRID, INK, MUTED, SETTINGS, figure, handle
from reports.figures.style import MarkerStyle as Mark
from reports.multiverse.universes import Universe, UniverseVerdict, Verdict, levels_of

MARKS: dict[Verdict, Mark] = {
    "first": Mark(COLOURS[0], "o", True),
    "second": Mark(COLOURS[1], "s", True),
    "not told apart": Mark(MUTED, "D", False),
}
ROW = 0.15  # inches
CURVE = 2.0
MANY = 60  # universes, from which on marks shrink


def curve(held: list[tuple[Universe, UniverseVerdict]], first: str, second: str) -> Figure:
    """Return the figure of a pair; held: its universes, at least one."""
    every = levels_of([universe for universe, _ in held])
    rows = {c: of for c, of in every.items() if len(of) > 1 or c == "protocol"}
    ordered = sorted(held, key=lambda pair: pair[1].effect.mid)
    heights = [CURVE, *(ROW * len(levels) + 0.08 for levels in rows.values())]
    with mpl.rc_context({**SETTINGS, "text.parse_math": False}):  # names of others
        drawing = figure(7.2, sum(heights) + 0.75)
        panels = drawing.subplots(
            len(heights), 1, height_ratios=heights, sharex=True, squeeze=False
        )
        size = 4.6 if len(held) <= MANY else max(1.6, 4.6 * MANY / len(held))
        _estimates(panels[0, 0], [one for _, one in ordered], size)
        panels[0, 0].set_ylabel("lead, standard deviations\nof an edit's score", fontsize=8)
        for axes, (choice, levels) in zip(panels[1:, 0], rows.items(), strict=True):
            _choices(axes, choice, levels, ordered, size)
        panels[-1, 0].set_xlim(-0.7, len(held) - 0.3)
        names = {"first": f"{first} better", "second": f"{second} better",
                 "not told apart": "not told apart"}  # fmt: skip
        seen = {one.verdict for _, one in held}
        handles = [handle(names[v], mark) for v, mark in MARKS.items() if v in seen]
        drawing.legend(handles=handles, loc="outside upper left", ncols=3, fontsize=8)
    return drawing


def _estimates(axes: Axes, ordered: list[UniverseVerdict], size: float) -> None:
    axes.axhline(0, color=INK, linewidth=0.8)
    effects = np.array([one.effect[:3] for one in ordered])
    for verdict, mark in MARKS.items():
        here = np.array([k for k, one in enumerate(ordered) if one.verdict == verdict], int)
        low, mid, high = effects[here].T
        axes.vlines(here, low, high, color=mark.colour, linewidth=0.9, alpha=0.55)
        _marks(axes, here, mid, mark, size)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.grid(axis="x", visible=False)


def _marks(axes: Axes, x: np.ndarray, y: np.ndarray, mark: Mark, size: float) -> None:
    """Draw many marks of one kind."""
    axes.plot(
        x, y, mark.marker, color=mark.colour, markersize=size, markeredgewidth=0.7,
        markerfacecolor=mark.colour if mark.filled else "white",
    )  # fmt: skip


def _choices(
    axes: Axes,
    choice: str,
    levels: list[str],
    ordered: list[tuple[Universe, UniverseVerdict]],
    size: float,
) -> None:
    """Draw a mark in the row of the level that each universe has."""
    rows = np.array([levels.index(universe.choices[choice]) for universe, _ in ordered])
    for verdict, mark in MARKS.items():
        here = np.array([k for k, (_, one) in enumerate(ordered) if one.verdict == verdict], int)
        _marks(axes, here, rows[here], mark, 0.75 * size)
    axes.set_yticks(range(len(levels)), [_short(level) for level in levels], fontsize=7)
    axes.set_ylim(len(levels) - 0.4, -0.6)
    axes.set_title(choice, fontsize=7.5, color=MUTED, pad=2)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.grid(axis="x", visible=False)
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    for side in ("bottom", "left"):
        axes.spines[side].set_visible(False)


def _short(level: str) -> str:
    return level if len(level) <= 26 else f"{level[:25]}\N{HORIZONTAL ELLIPSIS}"
