"""How noise level s and finetuning move success, alignment and fidelity: Dreamix's four ablations.

    python benchmarks/noise_sweep.py RUN [--edits 3] [--levels 0.3,0.5,0.7,0.8,0.9,1] [--workers 2]

Edits are of scenes that are neither in the benchmark nor in the training data: `--edits` for each
of five categories, one word changed in each. The run folder RUN can be stopped and gone on with.
Draws RUN/sweep.png and writes RUN/sweep.csv: the mean over edits, by the Toybox judge.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml

from dreamix.core.seeding import rng_for
from dreamix.data.toybox import VALUES, Scene, caption
from dreamix.data.toybox.benchmark import reads_badly
from dreamix.methods.dreamix import ABLATIONS
from dreamix.training.clips import random_scene

DREAMIX = Path(sys.executable).with_name("dreamix")
CATEGORIES = {
    "motion": "motion",
    "object": "shape",
    "appearance": "colour",
    "background": "background",
    "style": "style",
}
METRICS = ("judge_success", "judge_alignment", "judge_fidelity")


def development_suite(path: Path, count: int) -> None:
    """Write a suite of `count` edits a category, each of a held-out scene of its own."""
    videos, edits = [], []
    for category, field in CATEGORIES.items():
        for i in range(count):
            scene, changed = _edit(category, field, i)
            name = f"{category}-{i}"
            videos.append({"id": name, "caption": caption(scene), "toybox": scene.to_dict()})
            edit = {"id": f"{name}-edit", "video": name, "prompt": caption(changed)}
            edits.append(edit | {"category": category, "toybox": {field: getattr(changed, field)}})
    suite = {"name": "toybox-development", "version": 1, "licence": "Apache-2.0"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(suite | {"videos": videos, "edits": edits}, sort_keys=False))


def _edit(category: str, field: str, number: int) -> tuple[Scene, Scene]:
    """Return a plain held-out scene, and the same with another word for `field`."""
    rng = rng_for("sweep", category, number)
    scene = random_scene("sweep", category, number, test=True)
    plain = {**scene.to_dict(), "effect": "none", "style": "none", "camera": "still"}
    words = [word for word in VALUES[field] if word not in (plain[field], "none")]
    words = [word for word in words if not reads_badly({**plain, field: word})]
    changed = {**plain, field: words[rng.integers(len(words))]}
    return Scene.from_dict(plain), Scene.from_dict(changed)


def columns(levels: list[float], settings: str) -> dict[str, tuple[str, float, str]]:
    """Return label -> (ablation, level, spec) of every column of the run."""
    found = {}
    for ablation in ABLATIONS:
        for level in levels:
            label = f"{ablation}-{level:g}"
            tuned = "" if ablation == "no-finetune" else ":finetune_steps=64"
            spec = f"{label}=dreamix:ablation={ablation}:noise={level:g}{tuned}{settings}"
            found[label] = (ablation, level, spec)
    return found


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw one panel a metric, one line an ablation."""
    figure, panels = plt.subplots(1, len(METRICS), figsize=(12, 3.6), sharex=True)
    for panel, metric in zip(np.atleast_1d(panels), METRICS, strict=True):
        for ablation in ABLATIONS:
            rows = table[table.ablation == ablation].sort_values("noise")
            panel.plot(rows.noise, rows[metric], marker="o", label=ablation)
        panel.set(title=metric, xlabel="noise level s", ylim=(-0.03, 1.03))
        panel.grid(alpha=0.3)
    np.atleast_1d(panels)[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out, dpi=130)


def main() -> None:
    """Run, score, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--edits", type=int, default=3)
    parser.add_argument("--levels", default="0.3,0.5,0.7,0.8,0.9,1.0")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--backend", default="toybox")
    parser.add_argument("--settings", default="", help="such as :steps=15")
    options = parser.parse_args()
    suite, run = options.run / "suite.yaml", options.run / "run"
    development_suite(suite, options.edits)
    asked = columns([float(level) for level in options.levels.split(",")], options.settings)
    methods = ",".join(spec for _, _, spec in asked.values())
    make = [DREAMIX, "bench", "run", suite, "--methods", methods, "--backend", options.backend]
    subprocess.run([*make, "--workers", options.workers, "--out", run], check=True)
    score = [DREAMIX, "bench", "score", run, "--metrics", ",".join(METRICS)]
    subprocess.run([*score, "--workers", options.workers], check=True)
    scores = pd.read_parquet(run / "scores.parquet")
    wide = scores.pivot_table(index="method", columns="metric", values="value")[list(METRICS)]
    wide["ablation"] = [asked[label][0] for label in wide.index]
    wide["noise"] = [asked[label][1] for label in wide.index]
    wide.sort_values(["ablation", "noise"]).to_csv(options.run / "sweep.csv")
    draw(wide, options.run / "sweep.png")
    print(wide.to_string())


if __name__ == "__main__":
    main()
