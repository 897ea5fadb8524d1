"""Suites of tiny clips and outputs for them, quick to write."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import yaml

from dreamix.core.media import write_image, write_video
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import ExpansionContext, Variant, variants
from evaluation.run.folder import RunFolder
from evaluation.run.runner import run_suite

FOUR = ("e-1", "e-2", "e-3", "e-4")


def noise(seed: int, frames: int = 3, size: int = 16) -> Video:
    """A clip that is another for every seed."""
    shape = (frames, size, size, 3)
    return Video(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), 4)


@lru_cache
def clip_bytes(seed: int) -> bytes:
    """The MP4 of `noise(seed)`."""
    with TemporaryDirectory() as folder:
        write_video(Path(folder) / "a.mp4", noise(seed), lossless=True)
        return (Path(folder) / "a.mp4").read_bytes()


def put_clip(path: Path, seed: int = 0) -> Path:
    """Write an MP4, whatever its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(clip_bytes(seed))
    return path


def put_frames(folder: Path, seed: int = 0) -> Path:
    """Write a folder of frames."""
    for number, frame in enumerate(noise(seed).frames):
        write_image(folder / f"{number:05}.png", frame)
    return folder


def small_suite(folder: Path, edits: tuple[str, ...], source: str = "duck.mp4") -> Suite:
    """One video `duck` with these edits."""
    if not (folder / source).exists():
        put_clip(folder / source, 1000)
    document = {
        "name": "ducks",
        "version": 1,
        "licence": "none",
        "videos": [{"id": "duck", "path": source, "caption": "a duck"}],
        "edits": [
            {"id": one, "video": "duck", "prompt": f"a duck, {one}", "category": "style"}
            for one in edits
        ],
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return load_suite(folder)


def bring_four(folder: Path) -> Path:
    """The run of one method with an output for FOUR, and a lost one for a fifth edit."""
    suite = small_suite(folder, (*FOUR, "e-5"))
    for number, edit in enumerate(FOUR):
        put_clip(folder / "o" / "ours" / f"{edit}.mp4", number)
    bring(suite, folder / "run", f"external:{folder}/o/*")
    return folder / "run"


def columns_of(suite: Suite, *specs: str) -> tuple[list[Variant], list[str]]:
    """The columns of some specs on a suite, and what was said of them."""
    said: list[str] = []
    asked = ExpansionContext(suite.edit_ids, said.append)
    return [one for spec in specs for one in variants(spec, None, asked)], said


def bring(suite: Suite, out: Path, *specs: str, **options: object) -> RunFolder:
    """The run of some specs on a suite."""
    return run_suite(suite, columns_of(suite, *specs)[0], out, **options)  # type: ignore[arg-type]


def seeds_brought(run: RunFolder, label: str, edit: str) -> dict[int, bytes]:
    """The clips of a cell that were made, by seed."""
    rows = {c.seed: run.clip_row(c) for c in run.cells() if (c.method, c.edit) == (label, edit)}
    made = {seed: row for seed, row in rows.items() if row and row.status == "ok"}
    return {seed: run.clip_path(row).read_bytes() for seed, row in made.items()}


def put_animals(folder: Path) -> Path:
    """Three sources of noise with an edit each, and clips of two methods for them."""
    names = ("cow", "dog", "owl")
    for number, name in enumerate(names):
        put_clip(folder / f"{name}.mp4", 100 + number)
        for place, method in enumerate(("one", "two")):
            put_clip(folder / "out" / method / f"{name}-1.mp4", 10 * number + place)
    document = {
        "name": "animals", "version": 1, "licence": "none",
        "videos": [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in names],
        "edits": [{"id": f"{n}-1", "video": n, "prompt": f"a red {n}", "category": "style"}
                  for n in names],
    }  # fmt: skip
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    columns = variants(f"external:{folder}/out/*", None, ExpansionContext(frozenset()))
    run_suite(load_suite(folder), columns, folder / "run")
    return folder / "run"
