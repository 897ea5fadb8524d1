"""The forest plot of all differences between methods."""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.loading import is_number
from reports.people.cells import p_text
from reports.people.gaps import SUCCESS, Gap, Gaps
from reports.style import COLOURS, INK, MUTED, SETTINGS, clean, figure

LONG = 26  # characters of two names, beyond which they stand on two lines


def gaps_figure(gaps: Gaps, alpha: float) -> Figure:
    """Return one panel a question, and one for success: a line a pair, first method less second.

    Filled where Holm's adjusted p is below alpha, else hollow; that p stands at the right.
    """
    shown = {topic: several for topic, several in gaps.items() if several}
    names = [_name(one) for one in next(iter(shown.values()))]
    two_lines = any("\n" in name for name in names)
    with mpl.rc_context(SETTINGS):
        width = 1.0 + 0.075 * _widest(names) + 1.55 * len(shown)
        drawing = figure(width, 0.95 + (0.42 if two_lines else 0.3) * len(names))
        grid = drawing.subplots(1, len(shown), squeeze=False, sharey=True)
        limit = max((_reach(one) for topic in shown if topic != SUCCESS for one in shown[topic]),
                    default=1.0)  # fmt: skip
        for axes, (topic, several) in zip(grid[0], shown.items(), strict=True):
            _panel(axes, topic, several, alpha, limit)
        grid[0, 0].set_yticks(range(len(names)), names)
        grid[0, 0].set_ylim(len(names) - 0.4, -0.6)
    return drawing


def _panel(axes: Axes, topic: str, several: list[Gap], alpha: float, limit: float) -> None:
    times = 100 if topic == SUCCESS else 1
    axes.axvline(0, color=INK, linewidth=1, zorder=1.2)
    for place, one in enumerate(several):
        _line(axes, place, one, times, alpha)
        p = p_text(one.p_holm) if is_number(one.p_holm) else "no test"
        axes.text(
            1.02, place, p, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5,
            color=INK if one.sign(alpha) else MUTED, weight="bold" if one.sign(alpha) else "normal",
        )  # fmt: skip
    reach = 1.12 * (max(map(_reach, several)) * times if topic == SUCCESS else limit)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, symmetric=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: _tick(value)))
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(topic.capitalize())
    axes.annotate(
        "p", (1.02, 1), xycoords="axes fraction", xytext=(0, 2), textcoords="offset points",
        fontsize=7.5, color=MUTED, style="italic",
    )  # fmt: skip
    axes.set_xlabel("% of edits" if topic == SUCCESS else "points", color=INK)
    clean(axes, "x")


def _line(axes: Axes, place: int, one: Gap, times: int, alpha: float) -> None:
    """Draw one difference with its interval; one that is not known draws nothing."""
    if not is_number(one.mid):
        return
    shown = one.sign(alpha) != 0
    if is_number(one.low):
        ends = [times * one.low, times * one.high]
        axes.plot(ends, [place, place], color=COLOURS[0], linewidth=2.0 if shown else 1.2, zorder=2)
    axes.plot(
        times * one.mid, place, "o", markersize=6.5, color=COLOURS[0], zorder=3,
        markerfacecolor=COLOURS[0] if shown else "white", markeredgewidth=1.3,
    )  # fmt: skip


def _tick(value: float) -> str:
    """Return a number as short as it is, with a real minus sign."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _reach(one: Gap) -> float:
    """Return how far from zero a difference and its interval go."""
    ends = [abs(end) for end in (one.low, one.mid, one.high) if is_number(end)]
    return max([*ends, 0.05])


def _name(one: Gap) -> str:
    """Return what a line is of: first method less the second."""
    gap = "\n" if len(one.a) + len(one.b) > LONG else " "
    return f"{one.a}{gap}\N{MINUS SIGN} {one.b}"


def _widest(names: list[str]) -> int:
    return max(len(line) for name in names for line in name.split("\n"))
