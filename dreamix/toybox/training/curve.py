"""The log of a training as a picture: loss and probes against hours."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from dreamix.core.errors import UserError

_CLOCK = ("update", "minutes")
_LINES = ("-", "--", ":")

Columns = dict[str, list[float]]  # NaN where a row has no value


def curve(log: Path) -> np.ndarray:
    """Return a picture of the log, uint8 (height, width, 3).

    The loss stands above the probes; probes named NAME@CONDITION share a panel with those of the
    same condition.

    Raises:
        UserError: if the log is missing or has no rows.
    """
    columns = read_log(log)
    hours = [minutes / 60 for minutes in columns["minutes"]]
    panels = _panels(columns)
    figure = Figure(figsize=(8, 1 + 2.4 * len(panels)), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for axes, (title, names) in zip(
        figure.subplots(len(panels), sharex=True, squeeze=False).flat, panels.items(), strict=True
    ):
        _draw(axes, title, hours, {name: columns[name] for name in names})
    axes.set_xlabel("hours of training")
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])


def read_log(log: Path) -> Columns:
    """Return the columns of a training's log.csv."""
    if not log.exists():
        raise UserError(f"there is no log at {log}; train first")
    with log.open(newline="") as file:
        reader = csv.DictReader(file, restval="nan")
        rows = list(reader)
    if not rows:
        raise UserError(f"{log} has no rows yet; train longer")
    return {name: [float(row[name] or "nan") for row in rows] for name in reader.fieldnames or ()}


def _panels(columns: Columns) -> dict[str, list[str]]:
    """Return the columns of each panel, the loss first."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    found["loss"] = []
    for name in columns:
        if name not in _CLOCK:
            _, at, condition = name.partition("@")
            found["loss" if "loss" in name else at + condition or "probes"].append(name)
    return {title: names for title, names in found.items() if names}


def _draw(axes: Axes, title: str, hours: list[float], columns: Columns) -> None:
    colours = colormaps["tab10"].colors  # type: ignore[attr-defined]
    for i, (name, values) in enumerate(columns.items()):
        style = _LINES[i // len(colours) % len(_LINES)]
        axes.plot(hours, values, style, color=colours[i % len(colours)], label=name, linewidth=1.3)
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(True, linewidth=0.4)
    axes.legend(
        fontsize=7, ncols=1 + (len(columns) > 8), loc="center left", bbox_to_anchor=(1, 0.5)
    )
