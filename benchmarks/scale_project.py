"""A project of many edits with outputs of three methods, all scored: for `scale.py`.

Clips are real and tiny (3 frames of 32x32), each with bytes of its own. They are brought in by the
toolkit itself, only without waiting for the disk; their scores are drawn, not computed.
"""

import json
import os
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import ExpansionContext, variants
from evaluation.run.folder import RunFolder
from evaluation.run.runner import run_suite
from evaluation.schema import ScoreRow
from evaluation.score.plan import choose_metrics
from evaluation.score.scoring import score_run
from evaluation.score.table import write_scores
from evaluation.settings import ModelSettings

METHODS = ("ours", "tokenflow", "pix2video")
EDITS_A_VIDEO = 10
MEASURES = (
    "brisque", "flicker", "lpips", "motion_fidelity", "motion_mag", "motion_ratio", "psnr",
    "sharpness", "ssim", "warp_error.self_flow",
)  # fmt: skip
CATEGORIES = ("motion", "object", "appearance", "background", "style")


def tiny_clip() -> bytes:
    """Return an MP4 of 3 frames."""
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mp4"
        write_video(path, Video(frames, 8))
        return path.read_bytes()


def numbered(clip: bytes, number: int) -> bytes:
    """Return an MP4 with a box at its end that no player reads: other bytes, the same frames."""
    return clip + (16).to_bytes(4) + b"free" + number.to_bytes(8)


def put(path: Path, data: bytes) -> None:
    """Write a file in a folder that may be new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_project(folder: Path, edits: int) -> None:
    """Write suite.yaml, sources/ and outputs/METHOD/EDIT.mp4."""
    clip, lines = tiny_clip(), ["name: scale", "version: 1", "licence: CC0", "videos:"]
    for video in range(edits // EDITS_A_VIDEO):
        put(folder / f"sources/v{video:03}.mp4", numbered(clip, video))
        lines.append(f"- {{id: v{video:03}, path: sources/v{video:03}.mp4, caption: A scene.}}")
    lines.append("edits:")
    for number in range(edits):
        video, nth = divmod(number, EDITS_A_VIDEO)
        name, category = f"v{video:03}_{nth:02}", CATEGORIES[nth % len(CATEGORIES)]
        told = f"id: {name}, video: v{video:03}, prompt: Scene {number}., category: {category}"
        lines.append(f"- {{{told}}}")
        for place, method in enumerate(METHODS, 1):
            unique = numbered(clip, place * 10**6 + number)
            put(folder / f"outputs/{method}/{name}.mp4", unique)
    put(folder / "suite.yaml", ("\n".join(lines) + "\n").encode())


def write_run(folder: Path) -> RunFolder:
    """Bring the outputs into the run folder `run`, and return it."""
    suite, wait = load_suite(folder), os.fsync
    os.fsync = lambda _: None
    try:
        spec = f"external:{folder}/outputs/*"
        return run_suite(
            suite, variants(spec, None, ExpansionContext(suite.edit_ids)), folder / "run"
        )
    finally:
        os.fsync = wait


def draw_scores(run: RunFolder) -> None:
    """Write scores of ten metrics for every clip, as if they had been computed."""
    settings, names = ModelSettings(), list(MEASURES)
    policy = signature(score_run).parameters["policy"].default
    choice = choose_metrics(names, settings, policy)
    rng, rows = np.random.default_rng(1), {}
    for cell in run.cells():
        clip, edit = run.clip_row(cell), run.suite.edit(cell.edit)
        for name, definition in choice.definitions.items():
            row = ScoreRow(
                *cell, name, "ok", video=edit.video, category=edit.category,
                definition=definition, clip=clip.sha256 if clip else None,
                value=round(float(rng.normal(METHODS.index(cell.method), 2.0)), 6),
            )  # fmt: skip
            rows[row.key] = row
    write_scores(run.scores, rows)
    score_run(run.path, names, settings, policy=policy)  # computes none, notes what they are


def build(folder: Path, edits: int) -> Path:
    """Return the folder of a project of so many edits, its run made and scored."""
    write_project(folder, edits)
    draw_scores(write_run(folder))
    return folder


if __name__ == "__main__":
    import sys

    print(json.dumps({"folder": str(build(Path(sys.argv[1]).resolve(), int(sys.argv[2])))}))
