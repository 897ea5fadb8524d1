"""Draws how far each metric moves under known damage: docs/images/ladder.png and ladder.csv.

    python benchmarks/corruption_ladder.py [SUITE_OF_REAL_CLIPS] [--clip MODEL:PATH]

Clips: eight Toybox scenes and, if a suite of footage is given, every third of its videos. Metrics
whose weights are absent are left out. Each cell of the figure is one metric under one damage:
the mean over clips at strengths 0 (left) to 5 (right), Toybox solid, footage dashed, each scaled to
the range of its row; an arrow says what the metric declares.
"""

import argparse
import csv
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from dreamix.core.threads import one_thread
from dreamix.data.suite import load_suite
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample.corruptions import CORRUPTIONS
from evaluation.score.ladder import STEPS, Ladder, Subject, climb, footage_subjects
from evaluation.score.plan import choose_metrics
from evaluation.settings import ModelSettings
from evaluation.toybox.subjects import toybox_subjects

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
SIGNS = {"rises": "↑", "falls": "↓", "stays": "="}


def main() -> None:
    """Climb, write the table, draw the figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("footage", type=Path, nargs="?")
    parser.add_argument("--clip", default=ModelSettings.clip)
    options = parser.parse_args()
    one_thread()
    subjects = {"toybox": toybox_subjects(load_suite(ROOT / "datasets" / "toybox"))}
    if options.footage:
        subjects["footage"] = footage_subjects(load_suite(options.footage))
    ladders = {kind: climb_those(kind, clips, options.clip) for kind, clips in subjects.items()}
    names = sorted({name for ladder in ladders.values() for name, _damage in ladder})
    write_table(ladders)
    draw(names, ladders)


def climb_those(kind: str, clips: list[Subject], clip: str) -> Ladder:
    """Return the ladder of the metrics that are meant for this kind of clip and can run on it."""
    settings = ModelSettings(clip=clip).on(kind if kind == "toybox" else None)
    names = choose_metrics(METRICS.names(), settings, "auto").definitions
    others = "rendered" if kind == "footage" else "footage"
    meant = [name for name in names if others not in METRICS.get(name).needs]
    return climb(meant, clips, Features(settings))


def write_table(ladders: dict[str, Ladder]) -> None:
    """Write every mean as a row of ladder.csv."""
    with (OUT / "ladder.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["clips", "metric", "damage", *(f"strength {step}" for step in STEPS)])
        for kind, ladder in ladders.items():
            for (metric, damage), values in ladder.items():
                table.writerow([kind, metric, damage, *(f"{mean:.5g}" for mean in means(values))])


def means(values: np.ndarray) -> np.ndarray:
    """Return the mean over clips that have all steps; NaN where none has."""
    whole = values[~np.isnan(values).any(axis=1)]
    return whole.mean(axis=0) if len(whole) else np.full(values.shape[1], np.nan)


def draw(names: list[str], ladders: dict[str, Ladder]) -> None:
    """Draw a small curve for every metric and damage."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shown = [name for name in names if not all_empty(name, ladders)]
    size = (1.25 * len(CORRUPTIONS) + 2.2, 0.42 * len(shown) + 0.6)
    figure, axes = plt.subplots(len(shown), len(CORRUPTIONS), figsize=size, squeeze=False)
    for row, name in zip(axes, shown, strict=True):
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        for axis, damage in zip(row, CORRUPTIONS, strict=True):
            draw_cell(axis, name, damage, ladders)
    for axis, damage in zip(axes[0], CORRUPTIONS, strict=True):
        axis.set_title(damage.replace("_", " "), fontsize=9)
    figure.subplots_adjust(0.24, 0.01, 0.995, 0.965, wspace=0.06, hspace=0.15)
    figure.savefig(OUT / "ladder.png", dpi=110)


def all_empty(name: str, ladders: dict[str, Ladder]) -> bool:
    """Return True if the metric has no value on any clip."""
    rows = [v for ladder in ladders.values() for (n, _), v in ladder.items() if n == name]
    return all(np.isnan(means(values)).all() for values in rows)


def draw_cell(axis: Axes, name: str, damage: str, ladders: dict[str, Ladder]) -> None:
    """Draw one metric under one damage; the scale is the metric's whole range under all damage."""
    for (kind, ladder), style in zip(ladders.items(), ("-", (0, (2, 1))), strict=False):
        row = [means(values) for (n, _), values in ladder.items() if n == name]
        if row and not np.isnan(row).all():
            low, high = np.nanmin(row), np.nanmax(row)
            scaled = (means(ladder[name, damage]) - low) / max(high - low, 1e-12)
            colour = {"toybox": "#0072B2", "footage": "#D55E00"}[kind]
            axis.plot(STEPS, scaled, color=colour, linestyle=style, linewidth=1.4)
    sign = SIGNS.get(METRICS.get(name).responds.get(damage, ""), "")
    axis.text(
        0.5, 0.5, sign, transform=axis.transAxes, fontsize=13, alpha=0.35, ha="center", va="center"
    )
    axis.set(xticks=[], yticks=[], ylim=(-0.1, 1.1))
    axis.spines[:].set_color("#cccccc")


if __name__ == "__main__":
    main()
