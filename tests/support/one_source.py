"""A suite of one source and one edit beside the outputs of several methods, run and scored."""

from pathlib import Path

import numpy as np
from PIL import Image

from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite
from evaluation.schema import ScoreRow
from evaluation.score.scoring import Summary, score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings


def moving(count: int, height: int = 24, width: int = 32) -> np.ndarray:
    """Return frames of noise that slides: uint8 (count, height, width, 3); no two are alike."""
    wide = np.random.default_rng(0).integers(0, 256, (height, width + 3 * count, 3), np.uint8)
    return np.stack([wide[:, 3 * t : 3 * t + width] for t in range(count)])


def pictures(folder: Path, frames: np.ndarray, name: str = "{:03d}.png") -> Path:
    """Write frames as PNGs, each under its number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder


def write_suite(folder: Path, sources: dict[str, str], top: str = "") -> None:
    """Write suite.yaml: sources by id with their path; each has one edit, ID_00."""
    lines = ["name: case", "version: 1", "licence: CC0", *filter(None, [top]), "videos:"]
    for name, path in sources.items():
        lines += [f"- id: {name}", f"  path: {path}", "  caption: a duck"]
    lines.append("edits:")
    for name in sources:
        lines += [f"- id: {name}_00", f"  video: {name}", f"  prompt: a red {name}"]
        lines.append("  category: object")
    (folder / "suite.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make(folder: Path, *specs: str) -> Path:
    """Run the suite in `folder`, by default on all methods in outputs; return the run folder."""
    specs = specs or (f"external:{folder}/outputs/*",)
    columns = [column for spec in specs for column in variants(spec)]
    run_suite(load_suite(folder), columns, folder / "run")
    return folder / "run"


def outputs_beside(folder: Path, source: Video, outputs: dict[str, Video]) -> Path:
    """Write a source `duck` and the output of each method; return the folder."""
    write_video(folder / "duck.mp4", source, lossless=True)
    for label, video in outputs.items():
        write_video(folder / "outputs" / label / "duck_00.mp4", video, lossless=True)
    write_suite(folder, {"duck": "duck.mp4"})
    return folder


def scored(run: Path, *metrics: str, policy: str = "auto") -> tuple[dict[str, ScoreRow], Summary]:
    """Score a run; return the rows of the first metric by method, and what the call says."""
    done = score_run(run, [*metrics], ModelSettings(), policy=policy)
    rows = read_scores(run / "scores.jsonl").values()
    return {row.method: row for row in rows if row.metric == metrics[0]}, done
