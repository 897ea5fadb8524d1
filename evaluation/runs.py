"""A run folder: what it is about, and where everything in it stands."""

import importlib.metadata
import shutil
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.records import read_json, write_json, write_whole
from dreamix.core.registry import near_misses
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from evaluation.schema import Cell, ClipRow

FORMAT = 1
LIBRARIES = (
    "av",
    "numpy",
    "opencv-python-headless",
    "torch",
    "torchvision",
    "open_clip_torch",
    "lpips",
)


class RunFolder:
    """A folder that holds one comparison on one suite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scores = path / "scores.jsonl"
        self.features = path / "features"

    def check(self) -> None:
        """Raise a `UserError` if this is not a run folder that can be read."""
        self.info  # noqa: B018 - reading it checks it

    @cached_property
    def info(self) -> dict[str, Any]:
        """Contents of run.json."""
        if not (self.path / "run.json").exists():
            raise UserError(
                f"{self.path} is not a run folder: it has no run.json (see `bench run`)"
            )
        info: dict[str, Any] = read_json(self.path / "run.json")
        if info.get("format") != FORMAT:
            raise UserError(
                f"{self.path} has run format {info.get('format')}; this version reads {FORMAT}"
            )
        return info

    @cached_property
    def suite(self) -> Suite:
        """The suite as it was when the run began, with its clips in this folder."""
        return Suite.from_dict(read_json(self.path / "suite.json"), self.path / "sources")

    def save(self) -> None:
        """Write run.json anew."""
        write_json(self.path / "run.json", self.info)

    def cells(self) -> list[Cell]:
        """Return the whole grid, video by video, then by method, edit and seed."""
        edits = [edit for edit in self.suite.edits if edit.id in set(self.info["edits"])]
        found = [
            (edit.video, Cell(label, edit.id, seed))
            for edit in edits
            for label, entry in self.info["methods"].items()
            for seed in range(entry["seeds"])
        ]
        return [cell for _video, cell in sorted(found)]

    def sidecar(self, cell: Cell) -> Path:
        """Return where the facts about a clip stand."""
        return self.path / "clips" / cell.method / cell.edit / f"{cell.seed}.json"

    def clip_row(self, cell: Cell) -> ClipRow | None:
        """Return what is known of a clip; None if it has not been made."""
        path = self.sidecar(cell)
        return ClipRow(**read_json(path)) if path.exists() else None

    def clip_path(self, row: ClipRow) -> Path:
        """Return the file of a clip that was made."""
        if row.file is None:
            raise ValueError(f"{row} has no clip")
        return self.sidecar(Cell(row.method, row.edit, row.seed)).with_name(row.file)

    def source(self, video: str) -> Path:
        """Return the source clip that the run keeps."""
        found = sorted((self.path / "sources").glob(f"{glob_escape(video)}.*"))
        clips = [path for path in found if path.suffix != ".npz" and path.stem == video]
        if not clips:
            raise UserError(f"{self.path} has lost the source of {video}: run `bench run` again")
        return clips[0]

    def has_mask(self, video: str) -> bool:
        """Return True if the suite told where the subject is."""
        return self._mask_path(video).exists()

    def _mask_path(self, video: str) -> Path:
        return self.path / "sources" / f"{video}.mask.npz"

    def subject_mask(self, video: str) -> np.ndarray | None:
        """Return where the subject is, bool (frames, height, width), if the suite told."""
        if not self.has_mask(video):
            return None
        with np.load(self._mask_path(video)) as arrays:
            return (
                np.unpackbits(arrays["bits"])[: np.prod(arrays["shape"])].reshape(arrays["shape"])
                > 0
            )


def glob_escape(text: str) -> str:
    """Return `text` as a glob pattern that matches just itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def versions() -> dict[str, str]:
    """Return the versions of the code and of the libraries that decide numbers."""
    found = {"dreamix-toolkit": importlib.metadata.version("dreamix-toolkit")}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def open_run(path: Path, suite: Suite) -> RunFolder:
    """Return the run folder at `path`, begun if it is new; that of another suite is an error."""
    run = RunFolder(path)
    if (path / "run.json").exists():
        ours, theirs = run.info["suite"], suite
        if ours["sha256"] != theirs.sha256:
            raise UserError(
                f"{path} belongs to suite {ours['name']} version {ours['version']} "
                f"({ours['sha256'][:8]}), not to {suite.name} version {suite.version} "
                f"({suite.sha256[:8]}); choose another --out"
            )
        return run
    if path.exists() and any(child.name != ".lock" for child in path.iterdir()):
        raise UserError(f"{path} is not empty and not a run folder; choose another --out")
    write_json(path / "suite.json", suite.to_dict())
    run.info = {
        "format": FORMAT,
        "suite": {
            "name": suite.name,
            "version": suite.version,
            "licence": suite.licence,
            "sha256": suite.sha256,
        },
        "edits": [],
        "methods": {},
        "versions": versions(),
    }
    run.save()
    return run


def add_to_grid(run: RunFolder, edits: list[str], columns: dict[str, dict[str, Any]]) -> None:
    """Widen the grid by edits and methods; what is in it already stays.

    columns: label -> {"name", "config", "anchor", "seeds", "definition"}. A label that was used
    with another configuration is a `UserError`: its clips would be of two kinds.
    """
    known = run.info["methods"]
    for label, entry in columns.items():
        before = known.get(label)
        if before and (before["name"], before["config"]) != (entry["name"], entry["config"]):
            raise UserError(
                f"{run.path} has a method {label!r} with another configuration; "
                f"name this one differently: --methods NEWNAME={entry['name']}:..."
            )
        seeds = max(entry["seeds"], before["seeds"] if before else 0)
        known[label] = {**entry, "seeds": seeds}
    run.info["edits"] = sorted(set(run.info["edits"]) | set(edits))
    run.save()


def column(method: str, config: Any, anchor: bool, seeds: int, definition: str) -> dict[str, Any]:
    """Return what run.json holds about one method."""
    return {
        "name": method,
        "config": asdict(config),
        "config_hash": config_hash(config),
        "anchor": anchor,
        "seeds": seeds,
        "definition": definition,
    }


def keep_source(run: RunFolder, suite: Suite, video: str) -> None:
    """Copy a source clip, and its mask, into the run folder unless they are there."""
    folder = run.path / "sources"
    if not any(path.stem == video for path in folder.glob(f"{glob_escape(video)}.*")):
        mask = suite.subject_mask(video) if suite.videos[video].mask else None
        if mask is not None:
            with write_whole(folder / f"{video}.mask.npz") as file:
                np.savez(file, bits=np.packbits(mask), shape=mask.shape)
        path = suite.source_path(video)
        if path and path.is_file():
            copy_whole(path, folder / f"{video}{path.suffix}")
        else:
            write_video(folder / f"{video}.mp4", suite.source(video), lossless=True)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; the copy is whole or not there."""
    with source.open("rb") as original, write_whole(target) as file:
        shutil.copyfileobj(original, file)


def check_names(wanted: list[str], known: list[str], what: str) -> None:
    """Raise a `UserError` with near misses if a wanted name is not known."""
    for name in wanted:
        if name not in known:
            raise UserError(f"unknown {what} {name!r}{near_misses(name, known)}")


def load_source(run: RunFolder, video: str) -> Video:
    """Return the source clip that the run keeps, decoded."""
    return read_video(run.source(video))
