"""One look for every figure: colours that survive colour blindness and grey printing, and fonts.

Ink, muted and grid are colours of their own, so that the page can swap them in dark mode. A
character that DejaVu Sans, which comes with matplotlib, does not have is drawn in the first font
installed here that has it. One that none has is drawn as a box, and the caption of the figure says
so: `lacking` returns it.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.text import Text

from dreamix.core.fonts import NO_FONT, OWN, has, installed, own_font, place
from dreamix.core.records import write_whole
from reports.loading import Run

INK = "#1f2328"
MUTED = "#6e7781"
GRID = "#d8dee4"
ANCHOR = "#8c959f"
# Okabe & Ito (2008), Color Universal Design: black is the ink; yellow, too pale on white, is out.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", INK)
LEGEND_COLUMNS = 4
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


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out matplotlib's warnings of glyphs that no font has: a caption says it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)Glyph .* missing from", module="")
        yield


def give_fonts(drawing: Figure) -> str:
    """Give every text of a figure the fonts it needs; return the characters that none has."""
    written = [text for text in drawing.findobj(Text) if isinstance(text, Text)]
    for text in written:
        if len(names := families(text.get_text())) > 1:
            text.set_fontfamily(names)
    return "".join(dict.fromkeys(c for text in written for c in lacking(text.get_text())))


def families(text: str) -> list[str]:
    """Return the fonts in which a text can be drawn, the common one first."""
    return [OWN, *dict.fromkeys(name for c in _foreign(text) if (name := font_with(c)))]


def lacking(text: str) -> list[str]:
    """Return the characters of a text that no installed font has."""
    return [c for c in _foreign(text) if not font_with(c)]


def _foreign(text: str) -> list[str]:
    return [c for c in text if not c.isspace() and not has(own_font(), c)]


def boxes_note(characters: str) -> str:
    """Return what a caption says of characters that are drawn as boxes."""
    if not characters:
        return ""
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in characters[:5])
    more = f" and {len(characters) - 5} more" if len(characters) > 5 else ""
    return (
        f" Boxes in the figure stand for {named}{more}, which no font has where this report was "
        "made; with a Noto font of the script there, a new report shows them."
    )


@lru_cache(maxsize=4096)
def font_with(character: str) -> str | None:
    """Return the name of an installed font that has a character, preferred ones first."""
    return next((name for name, path in _fonts() if has(path, character)), None)


@lru_cache(maxsize=1)
def _fonts() -> tuple[tuple[str, str], ...]:
    """Return (name, path) of upright fonts, one a name, the best place to look first.

    matplotlib keeps a list from its first start: fonts that were installed since are added to it.
    """
    known = {one.fname for one in fontManager.ttflist}
    for font in installed():
        if font.path not in known:
            fontManager.addfont(font.path)
    named = {
        one.name: one.fname
        for one in sorted(fontManager.ttflist, key=lambda one: (one.name, one.weight != 400))[::-1]
        if one.style == "normal" and not one.name.startswith(NO_FONT)
    }
    return tuple(sorted(named.items(), key=lambda pair: (place(pair[0]), pair[0])))


class MarkerStyle(NamedTuple):
    """How one method is drawn in every figure."""

    colour: str
    marker: str
    filled: bool


def marks(run: Run) -> dict[str, MarkerStyle]:
    """Return a mark for every method: no two alike among the first 56; anchors grey and hollow."""
    grey = {
        label: MarkerStyle(ANCHOR, MARKERS[place % len(MARKERS)], False)
        for place, label in enumerate(run.anchors)
    }
    return marks_of(run.ranked) | grey


def marks_of(labels: list[str]) -> dict[str, MarkerStyle]:
    """Return a mark for every competing method, by its place."""
    return {
        label: MarkerStyle(
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


def dot(
    axes: Axes,
    x: float,
    y: float,
    mark: MarkerStyle,
    size: float = 6.5,
    *,
    inside: str = "none",
    edges: tuple[float, float] = (0.6, 1.2),
    zorder: float = 3,
) -> None:
    """Draw one mark. inside: colour of a hollow one; edges: widths if filled, and if hollow."""
    axes.plot(
        x, y, mark.marker, markersize=size, color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else inside,
        markeredgecolor=INK if mark.filled else mark.colour,
        markeredgewidth=edges[not mark.filled], zorder=zorder,
    )  # fmt: skip


def handle(label: str, mark: MarkerStyle) -> Line2D:
    """Return a method's entry in a legend."""
    return Line2D(
        [], [], linestyle="none", marker=mark.marker, markersize=6.5, color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "white",
        markeredgecolor=INK if mark.filled else mark.colour,
        markeredgewidth=0.6 if mark.filled else 1.2, label=label,
    )  # fmt: skip


def legend_below(drawing: Figure, handles: Sequence[Artist], columns: int = LEGEND_COLUMNS) -> None:
    """Name what is drawn below all panels, in so many columns at most."""
    columns = min(columns, len(handles))
    drawing.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=8)


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
