"""Accuracy of Text-to-Video against hours of training, from the snapshots that training keeps.

    python benchmarks/accuracy_curve.py CURVE.csv [--folder checkpoints/base] [--every 2000]

One row a snapshot; those that are there already are not made again. Draws CURVE.png beside it.
Words that are told count alone: "none" and "still" are right too often by chance. The prompts are
the first of those of toybox_accuracy.py.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from toybox_accuracy import Settings, accuracy, all_generated

from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.world import VALUES


def row(snapshot: Path, count: int, workers: int) -> dict[str, float]:
    """Return the accuracy of each attribute, of prompts that tell it."""
    scenes = list(test_scenes(count))
    clips = all_generated(Settings(snapshot=snapshot), scenes, workers)
    return {field: told for field, (_, told) in accuracy(clips, scenes).items()}


def hours(folder: Path, update: int) -> float:
    """Return the hours of training at an update: between two rows of the log, on the line."""
    log = pd.read_csv(folder / "log.csv")
    return float(np.interp(update, log["update"], log.minutes)) / 60


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw a line an attribute."""
    figure, panel = plt.subplots(figsize=(7, 4))
    marks = dict(zip(VALUES, "osD^vPX", strict=True))
    for field in VALUES:
        panel.plot(table.hours, table[field], marker=marks[field], label=field)
    panel.set(xlabel="hours of training on one core", ylabel="prompts judged right", ylim=(0, 1.02))
    panel.grid(alpha=0.3)
    panel.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(out, dpi=130)


def main() -> None:
    """Add what is missing, print and draw all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("checkpoints/base"))
    parser.add_argument("--every", type=int, default=2000)
    parser.add_argument("--count", type=int, default=96)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    rows = pd.read_csv(options.out).to_dict("records") if options.out.exists() else []
    for snapshot in sorted(options.folder.glob("snapshot-*.safetensors")):
        update = int(snapshot.stem.partition("-")[2])
        if update % options.every or update in {found["update"] for found in rows}:
            continue
        time = round(hours(options.folder, update), 2)
        found = row(snapshot, options.count, options.workers)
        rows.append({"update": update, "hours": time, **found})
        table = pd.DataFrame(rows).sort_values("update").round(3)
        table.to_csv(options.out, index=False)
        print(table.tail(1).to_string(index=False), flush=True)
        draw(table, options.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
