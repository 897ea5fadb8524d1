"""A run folder: what it is about, and where everything in it stands."""

import importlib.metadata
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.records import read_json, write_json, write_whole
from dreamix.data.suite import Suite
from evaluation.schema import FORMAT, Cell, ClipRow, check_format

LIBRARIES = (
    "av",
    "numpy",
    "opencv-python-headless",
    "torch",
    "torchvision",
    "open_clip_torch",
    "lpips",
    "diffusers",
    "transformers",
)


class RunFolder:
    """A folder that holds one comparison on one suite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scores = path / "scores.jsonl"
        self.features = path / "features"
        self.finetuned = path / "finetuned"

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
        check_format(self.path, info)
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

    def has_clip(self, row: ClipRow) -> bool:
        """Return True if the clip of the row is there, as long as it was when it was made."""
        clip = self.clip_path(row)
        return clip.exists() and clip.stat().st_size == row.size

    def needs_backend(self, label: str) -> bool:
        """Return True if the clips of that column are made with a model."""
        return self.info["methods"][label].get("backend") is not None

    def source(self, video: str) -> Path:
        """Return the source clip that the run keeps."""
        kept = self.kept_source(video)
        path = self.path / "sources" / str(kept.get("file"))
        if not path.is_file():
            raise UserError(f"{self.path} has lost the source of {video}: run `bench run` again")
        return path

    def kept_source(self, video: str) -> dict[str, Any]:
        """Return what is known of the kept source: file, and where it came from; {} if not kept."""
        path = self.path / "sources" / f"{video}.json"
        return read_json(path) if path.exists() else {}

    def has_mask(self, video: str) -> bool:
        """Return True if the suite told where the subject is."""
        return self._mask_path(video).exists()

    def _mask_path(self, video: str) -> Path:
        return self.path / "sources" / "masks" / f"{video}.npz"

    def subject_mask(self, video: str) -> np.ndarray | None:
        """Return where the subject is, bool (frames, height, width), if the suite told."""
        if not self.has_mask(video):
            return None
        with np.load(self._mask_path(video)) as arrays:
            shape = tuple(arrays["shape"])
            return np.unpackbits(arrays["bits"], count=int(np.prod(shape))).reshape(shape) > 0

    def keep_source(self, suite: Suite, video: str) -> None:
        """Copy a source clip, and its mask, into the run folder unless they are there.

        A source that has changed since is a `UserError`: the clips here were made from the old one.
        """
        folder, path = self.path / "sources", suite.source_path(video)
        came_from = origin(path) if path else None
        kept = self.kept_source(video)
        if kept and (folder / kept["file"]).is_file():
            if kept["origin"] != came_from and None not in (kept["origin"], came_from):
                raise UserError(
                    f"{path} has changed since {self.path} was begun: choose another --out"
                )
            return
        if suite.videos[video].mask and (mask := suite.subject_mask(video)) is not None:
            with write_whole(self._mask_path(video)) as file:
                np.savez(file, bits=np.packbits(mask), shape=mask.shape)
        name = f"{video}{path.suffix or '.clip'}" if path and path.is_file() else f"{video}.mp4"
        if path and path.is_file():
            copy_whole(path, folder / name)
        else:
            write_video(folder / name, suite.source(video), lossless=True)
        write_json(folder / f"{video}.json", {"file": name, "origin": came_from})


def origin(path: Path) -> dict[str, Any]:
    """Return where a file or a folder of frames is and what tells that it has changed."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    states = [file.stat() for file in files]
    return {
        "path": str(path.resolve()),
        "files": len(files),
        "size": sum(state.st_size for state in states),
        "mtime_ns": max((state.st_mtime_ns for state in states), default=0),
    }


def versions() -> dict[str, str]:
    """Return the versions of the code and of the libraries that decide numbers."""
    found = {"dreamix-toolkit": importlib.metadata.version("dreamix-toolkit")}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def spell_differences(these: dict[str, str], wanted: dict[str, str]) -> str:
    """Return "torch 2.6 (not 2.7)" for every version that is not as wanted, "" if all are."""
    other = [name for name in wanted if these.get(name) != wanted[name]]
    return ", ".join(f"{name} {these.get(name)} (not {wanted[name]})" for name in other)


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
    if path.exists() and any(_is_foreign(child) for child in path.iterdir()):
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


def _is_foreign(path: Path) -> bool:
    """Return False for what a kill leaves that came before run.json was written."""
    return not path.name.startswith(".") and path.name != "suite.json"


def add_to_grid(run: RunFolder, edits: list[str], columns: dict[str, dict[str, Any]]) -> None:
    """Widen the grid by edits and methods; what is in it already stays.

    columns: label -> what `column` returns. A label that was used with another configuration or
    another model is a `UserError`: its clips would be of two kinds.
    """
    known = run.info["methods"]
    for label, entry in columns.items():
        before = known.get(label)
        if before and (other := difference(before, entry)):
            raise UserError(
                f"{run.path} has a method {label!r} with {other}; "
                f"name this one differently: --methods NEWNAME={entry['name']}:..."
            )
        seeds = max(entry["seeds"], before["seeds"] if before else 0)
        place = before.get("place", 0) if before else len(known)  # reports keep the order asked for
        known[label] = {**entry, "seeds": seeds, "place": place}
    run.info["edits"] = sorted(set(run.info["edits"]) | set(edits))
    run.info["format"] = FORMAT
    run.save()


def difference(before: dict[str, Any], entry: dict[str, Any]) -> str | None:
    """Return in which way two columns of one label differ, None if their clips are of one kind."""
    if any(before[key] != entry[key] for key in ("name", "config_hash")):
        return "another configuration"
    ours, theirs = before.get("backend"), entry["backend"]
    if (ours or {}).get("identity") != (theirs or {}).get("identity"):
        return f"another model ({spell_backend(ours)}, now {spell_backend(theirs)})"
    return None


def spell_backend(backend: dict[str, str] | None) -> str:
    """Return a backend of run.json in words."""
    return f"{backend['name']} {backend['identity'][:12]}" if backend else "none"


def column(
    method: str,
    config: Any,
    *,
    anchor: bool,
    seeds: int,
    definition: str,
    backend: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return what run.json holds about one method; backend: its "name" and "identity"."""
    return {
        "name": method,
        "config": asdict(config),
        "config_hash": config_hash(config),
        "anchor": anchor,
        "seeds": seeds,
        "definition": definition,
        "backend": backend,
    }


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; the copy is whole or not there."""
    try:
        data = source.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {source}: {error.strerror}") from None
    with write_whole(target) as file:
        file.write(data)
