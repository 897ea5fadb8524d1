"""How noise level s and finetuning move success, alignment and fidelity: Dreamix's four ablations.

    python benchmarks/noise_sweep.py FOLDER [--edits 2] [--levels 0.5,0.7,0.8,0.9,0.95,1]

Edits are those of development.py, `--edits` for each of eight categories. The run in FOLDER can be
stopped and gone on with. Draws FOLDER/sweep.png, writes FOLDER/sweep.csv and prints, for each
category, which level and ablation did best. The presets of Dreamix are chosen from it.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from development import METRICS, compare

from dreamix.methods.dreamix import ABLATIONS

SHOWN = {
    "toybox_success": "success",
    "judge_alignment": "judge: what was asked is there",
    "toybox_nearness": "distance to the exact edit, as a share\n"
    "of that to other scenes of its words",
}
MARKS = dict(zip(ABLATIONS, "osD^", strict=True))


def columns(levels: list[float], settings: str) -> dict[str, str]:
    """Return label -> method of every column of the run."""
    found = {}
    for ablation in ABLATIONS:
        tuned = "" if ablation == "no-finetune" else ":finetune_steps=64"
        for level in levels:
            spec = f"dreamix:ablation={ablation}:noise={level:g}{tuned}{settings}"
            found[f"{ablation}-{level:g}"] = spec
    return found


def with_settings(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the ablation and the level of each row."""
    parts = table.method.str.rpartition("-")
    return table.assign(ablation=parts[0], noise=parts[2].astype(float))


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw one panel a metric, one line an ablation: means over edits."""
    figure, panels = plt.subplots(1, len(SHOWN), figsize=(12, 3.6), sharex=True)
    means = table.groupby(["ablation", "noise"])[list(SHOWN)].mean()
    for panel, metric in zip(panels, SHOWN, strict=True):
        for ablation, mark in MARKS.items():
            line = means.loc[ablation][metric]
            panel.plot(line.index, line, marker=mark, label=ablation)
        panel.set(title=SHOWN[metric], xlabel="noise level s")
        panel.set(ylim=(-0.03, None if metric == "toybox_nearness" else 1.03))
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out, dpi=130)


def best(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for each category, the best ablation and level: by success, then alignment."""
    means = table.groupby(["category", "ablation", "noise"])[list(METRICS)].mean().reset_index()
    order = means.sort_values(["toybox_success", "judge_alignment"], ascending=False)
    return order.groupby("category").head(3).sort_values("category", kind="stable")


def main() -> None:
    """Run, score, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edits", type=int, default=2)
    parser.add_argument("--levels", default="0.5,0.7,0.8,0.9,0.95,1.0")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--backend", default="toybox")
    parser.add_argument("--settings", default="", help="such as :steps=15")
    options = parser.parse_args()
    asked = columns([float(level) for level in options.levels.split(",")], options.settings)
    found = compare(options.folder, asked, options.edits, options.backend, options.workers)
    table = with_settings(found)
    table.to_csv(options.folder / "sweep.csv", index=False)
    draw(table, options.folder / "sweep.png")
    print(table.groupby(["ablation", "noise"])[list(METRICS)].mean().round(3).to_string())
    print(best(table).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
