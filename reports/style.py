"""One look for every figure: colours that survive colour blindness and grey printing.

Ink, muted and grid are colours of their own, so that the page can swap them in dark mode.
"""

import io
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.records import write_whole
from reports.glyphs import quiet
from reports.loading import Run

INK = "#1f2328"
MUTED = "#6e7781"
GRID = "#d8dee4"
ANCHOR = "#8c959f"
# Okabe & Ito (2008), Color Universal Design: black is the ink; yellow, too pale on white, is out.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
SETTINGS: dict[Any, Any] = {
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs everywhere
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "hatch.linewidth": 0.6,
    "hatch.color": GRID,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
}


class Mark(NamedTuple):
    """How one method is drawn in every figure."""

    colour: str
    marker: str
    filled: bool


def marks(run: Run) -> dict[str, Mark]:
    """Return a mark for every method: no two alike among the first 56; anchors grey and hollow."""
    anchors = [label for label, method in run.methods.items() if method.anchor]
    grey = {
        label: Mark(ANCHOR, MARKERS[place % len(MARKERS)], False)
        for place, label in enumerate(anchors)
    }
    return marks_of(run.ranked) | grey


def marks_of(labels: list[str]) -> dict[str, Mark]:
    """Return a mark for every competing method, by its place."""
    return {
        label: Mark(
            COLOURS[place % len(COLOURS)],
            MARKERS[(place % len(COLOURS) + place // len(COLOURS)) % len(MARKERS)],
            True,
        )
        for place, label in enumerate(labels)
    }


def figure(width: float, height: float) -> Figure:
    """Return an empty figure of this many inches; call it inside `mpl.rc_context(SETTINGS)`."""
    return Figure(figsize=(width, height), layout="constrained")


def clean(axes: Axes, grid: str) -> None:
    """Keep the grid of one axis ("x", "y", "both") only."""
    axes.grid(False)
    axes.grid(True, axis=grid)  # type: ignore[arg-type]


def label_panels(grid: np.ndarray, used: int, across: str, upwards: str) -> None:
    """Name the axes of a grid of panels that share them, at its edges; the last ones may be unused.

    grid: Axes (rows, columns), of which the first `used` are drawn on.
    """
    for axes in grid.flat[used:]:
        axes.set_axis_off()
    for column in grid.T:
        last = [axes for axes in column if axes.axison][-1]
        last.set_xlabel(across, color=INK)
        last.tick_params(labelbottom=True)
    for axes in grid[:, 0]:
        axes.set_ylabel(upwards, color=INK)


def save(drawing: Figure, folder: Path, name: str) -> str:
    """Write NAME.svg, .png and .pdf, the same bytes every time; return the SVG for the page."""
    dates: dict[str, dict[Any, None]] = {
        "svg": {"Date": None},
        "png": {},
        "pdf": {"CreationDate": None, "ModDate": None},
    }
    text = ""
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": name}), quiet():
        for kind, metadata in dates.items():
            buffer = io.BytesIO()
            paper: dict[str, Any] = (
                {"transparent": True} if kind == "svg" else {"facecolor": "white"}
            )
            drawing.savefig(buffer, format=kind, metadata=metadata, dpi=160, **paper)
            with write_whole(folder / f"{name}.{kind}") as file:
                file.write(buffer.getvalue())
            text = buffer.getvalue().decode() if kind == "svg" else text
    return text[text.index("<svg") :]
