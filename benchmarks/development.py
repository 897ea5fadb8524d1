"""Scenes for choosing settings: neither in the benchmark nor in the training data.

Held-out Toybox scenes with nothing in the air, no style and a still camera; one word is changed in
each, two in "multiple". `compare` makes and scores a run on them that can be stopped and gone on.
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from dreamix.core.seeding import rng_for
from dreamix.toybox.training.clips import random_scene
from dreamix.toybox.world import VALUES, Scene, caption
from dreamix.toybox.world.benchmark import reads_badly

DREAMIX = Path(sys.executable).with_name("dreamix")
PLAIN = {"effect": "none", "style": "none", "camera": "still"}
FIELDS = {
    "motion": ("motion",),
    "object": ("shape",),
    "appearance": ("colour",),
    "background": ("background",),
    "style": ("style",),
    "effect": ("effect",),
    "camera": ("camera",),
    "multiple": ("colour", "motion"),
}
METRICS = (
    "toybox_success",
    "judge_success",
    "judge_alignment",
    "judge_fidelity",
    "toybox_nearness",
)


def compare(
    folder: Path, columns: dict[str, str], count: int, backend: str, workers: int
) -> pd.DataFrame:
    """Return the scores of columns {label: method and settings} on `count` edits a category.

    One row a column and edit: method, category and the values of `METRICS`.
    """
    suite, run = folder / "suite.yaml", folder / "run"
    write_suite(suite, count)
    methods = ",".join(f"{label}={spec}" for label, spec in columns.items())
    make = [DREAMIX, "bench", "run", suite, "--methods", methods, "--backend", backend]
    subprocess.run([*make, "--workers", str(workers), "--out", run], check=True)
    score = [DREAMIX, "bench", "score", run, "--metrics", ",".join(METRICS)]
    subprocess.run([*score, "--workers", str(workers)], check=True)
    scores = pd.read_parquet(run / "scores.parquet")
    index = ["method", "edit", "category"]
    wide = scores.pivot_table(index=index, columns="metric", values="value").reset_index()
    return wide[wide.method.isin(columns)]


def write_suite(path: Path, count: int) -> None:
    """Write a suite of `count` edits a category, each of a held-out scene of its own."""
    videos, edits = [], []
    for category in FIELDS:
        for number in range(count):
            scene, changes = _edit(category, number)
            name = f"{category}-{number}"
            prompt = caption(Scene.from_dict({**scene.to_dict(), **changes}))
            videos.append({"id": name, "caption": caption(scene), "toybox": scene.to_dict()})
            edit = {"id": f"{name}-edit", "video": name, "prompt": prompt}
            edits.append(edit | {"category": category, "toybox": changes})
    suite = {"name": "toybox-development", "version": 1, "licence": "Apache-2.0"}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(suite | {"videos": videos, "edits": edits}, sort_keys=False))


def _edit(category: str, number: int) -> tuple[Scene, dict[str, str]]:
    """Return a plain held-out scene, and other words for the fields of the category."""
    rng = rng_for("sweep", category, number)
    scene = random_scene("sweep", category, number, test=True)
    plain = {**scene.to_dict(), **PLAIN}
    changes: dict[str, str] = {}
    for field in FIELDS[category]:
        words = [word for word in VALUES[field] if word not in (plain[field], "none")]
        words = [word for word in words if not reads_badly({**plain, **changes, field: word})]
        changes[field] = words[rng.integers(len(words))]
    return Scene.from_dict(plain), changes
