"""The figure of `stats_coverage.py`: what tests and intervals promise, and what they do."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from study_results import Share

from reports.figures.style import ANCHOR, COLOURS, INK, MUTED, SETTINGS, clean, figure

OURS = {
    "false alarms": ("difference, t", "P(B > A)", "9 tests, Holm", "difference of success"),
    "coverage": ("MOS, t", "MOS, bootstrap", "difference, t", "P(B > A)", "success of items",
                 "success of votes", "difference of success", "alpha, these raters"),
}  # fmt: skip
USUAL = {
    "false alarms": ("pooled votes, t", "pooled votes, Mann-Whitney", "pairs of votes, Wilcoxon",
                     "by rater only, t", "by source only, t", "9 tests, pooled t, Holm"),
    "coverage": ("MOS, pooled votes, 1.96 s / sqrt N", "MOS, by rater only, t",
                 "MOS, by source only, t"),
}  # fmt: skip
BANDS = {"false alarms": (3.5, 6.5), "coverage": (93, 97)}
MARKERS = ("o", "s", "^")
Shares = Mapping[str, Mapping[str, Share]]  # by design and line


def draw(alarms: Shares, held: Shares, file: Path) -> None:
    """Write the figure: ours and the usual ones, a mark for each design, the promise as a band."""
    with mpl.rc_context(SETTINGS):
        drawing = figure(9.6, 4.1)
        left, right = drawing.subplots(1, 2)
        _panel(left, alarms, "false alarms")
        left.set_title("Two equal methods called different, % (promised: 5)")
        left.set_xscale("log")
        left.set_xlim(left=0.5)
        left.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
        left.minorticks_off()
        _panel(right, held, "coverage")
        right.set_title("Truth inside the interval, % (promised: 95)")
        keys = [
            mpl.lines.Line2D([], [], marker=m, color=INK, linestyle="", markerfacecolor="white")
            for m in MARKERS
        ]
        drawing.legend(keys, list(alarms), loc="outside lower center", ncols=3, fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file, dpi=150, facecolor="white", metadata={"Software": None})


def _panel(axes: Axes, shares: Shares, kind: str) -> None:
    lines = [*OURS[kind], *USUAL[kind]]
    axes.axvspan(*BANDS[kind], color=COLOURS[2], alpha=0.22, linewidth=0)
    for k, by_line in enumerate(shares.values()):
        for place, name in enumerate(lines):
            if name in by_line:
                _mark(axes, by_line[name], place + 0.2 * (k - 1), MARKERS[k], name in OURS[kind])
    axes.axhline(len(OURS[kind]) - 0.5, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(lines)), [_named(name) for name in lines])
    for text, name in zip(axes.get_yticklabels(), lines, strict=True):
        text.set_color(INK if name in OURS[kind] else MUTED)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    clean(axes, "x")


def _mark(axes: Axes, share: Share, place: float, marker: str, ours: bool) -> None:
    """Draw one share with two Monte Carlo errors; ours are filled."""
    colour, mid, half = (COLOURS[0] if ours else COLOURS[1]), 100 * share.value, 200 * share.error
    axes.plot([max(mid - half, 0.5), mid + half], [place, place], color=ANCHOR, linewidth=1)
    fill = colour if ours else "white"
    axes.plot(max(mid, 0.5), place, marker, color=colour, markerfacecolor=fill, markersize=5)


def _named(name: str) -> str:
    return {
        "P(B > A)": "P(B > A) + P(tie) / 2",
        "9 tests, Holm": "any of 9, Holm",
        "9 tests, pooled t, Holm": "any of 9, pooled t, Holm",
        "alpha, these raters": "Krippendorff's alpha",
        "MOS, pooled votes, 1.96 s / sqrt N": "MOS, 1.96 s / √N of votes",
    }.get(name, name)
