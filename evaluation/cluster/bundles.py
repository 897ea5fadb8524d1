"""Clips as bytes, for machines that see no common folder: packed here, written whole there."""

from pathlib import Path
from typing import NamedTuple

from dreamix.core.records import write_whole
from evaluation.run.folder import RunFolder
from evaluation.run.info import read_clip_row
from evaluation.schema import Cell

Bundle = dict[str, bytes]  # name -> contents


class MadeCell(NamedTuple):
    """What a cell left in a run folder: its sidecar, and its clip if there is one."""

    sidecar: bytes
    clip: tuple[str, bytes] | None  # name, contents


def pack(path: Path) -> Bundle:
    """Return a file, or the files of a folder of frames, by name."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files if file.is_file()}


def unpack(bundle: Bundle, folder: Path, *, one_file: bool) -> Path:
    """Write a bundle into `folder`; return that, or the file in it if it was packed from one."""
    for name, data in bundle.items():
        _write(folder / name, data)
    return folder / next(iter(bundle)) if one_file else folder


def take_cell(run: RunFolder, cell: Cell) -> MadeCell:
    """Return what a cell left in `run`, and remove it there."""
    sidecar = run.sidecar(cell)
    row = read_clip_row(sidecar, cell)
    clip = run.clip_path(row) if row.file else None
    made = MadeCell(sidecar.read_bytes(), (clip.name, clip.read_bytes()) if clip else None)
    for path in filter(None, (sidecar, clip)):
        path.unlink()
    return made


def put_cell(run: RunFolder, cell: Cell, made: MadeCell) -> None:
    """Write a cell's clip, then its sidecar, each whole or not at all."""
    sidecar = run.sidecar(cell)
    if made.clip:
        name, data = made.clip
        _write(sidecar.with_name(name), data)
    _write(sidecar, made.sidecar)


def _write(path: Path, data: bytes) -> None:
    with write_whole(path) as file:
        file.write(data)
