"""Methods whose edits are files made elsewhere: where those are, and whether they are the same.

run.json keeps a relative place relative to the run folder, so a project can be copied or moved with
its runs; an absolute place stays absolute, and `beside` says where it is seen from the run folder.
A file that stands where it stood and has changed is brought in anew. A place other than that of the
first call must hold the same bytes, for a name means one thing in a run.
"""

import os
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamix.core.config import config_from_dict
from dreamix.core.errors import UserError
from dreamix.methods.base import METHODS
from evaluation.run import identity
from evaluation.run.folder import RunFolder
from evaluation.run.grid import is_brought
from evaluation.run.info import MethodInfo
from evaluation.schema import Cell, ClipRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def kept_config(config: "DataclassInstance", out: Path) -> dict[str, Any]:
    """Return a configuration as run.json holds it; config: with paths as the user gave them."""
    told = asdict(config)
    for name in _places(config):
        if not os.path.isabs(os.path.expanduser(told[name])):
            told[name] = _seen_from(out, told[name])
    return told


def beside(config: "DataclassInstance", out: Path) -> dict[str, str]:
    """Return where the places of a configuration are, seen from the run folder."""
    return {name: _seen_from(out, getattr(config, name)) for name in _places(config)}


def opened_config(kind: type, entry: MethodInfo, out: Path, owner: str) -> Any:
    """Return the configuration of a method in the run at `out`, with absolute paths."""
    config: Any = config_from_dict(kind, entry.config, owner)
    root = os.path.realpath(out)
    rooted = {
        name: Path(os.path.normpath(os.path.join(root, getattr(config, name)))).as_posix()
        for name in _places(config)
        if not os.path.isabs(os.path.expanduser(getattr(config, name)))
    }
    return replace(config, **rooted) if rooted else config


def _places(config: "DataclassInstance") -> list[str]:
    return [one.name for one in fields(config) if one.metadata.get("place")]


def _seen_from(out: Path, place: str) -> str:
    full = os.path.abspath(os.path.expanduser(place))
    return Path(os.path.relpath(full, os.path.realpath(out))).as_posix()


def moved_entry(entry: MethodInfo, old: Path, new: Path) -> MethodInfo:
    """Return what the run at `new` holds about a method of the one at `old`: the same places."""
    if entry.beside is None:
        return entry
    root = os.path.realpath(old)
    moved = {name: _seen_from(new, os.path.join(root, at)) for name, at in entry.beside.items()}
    kept = {name: at for name, at in moved.items() if not os.path.isabs(entry.config[name])}
    return replace(entry, config={**entry.config, **kept}, beside=moved)


def config_of(run: RunFolder, label: str) -> Any:
    """Return the configuration of a method of a run, with absolute paths."""
    entry = run.info.methods[label]
    return opened_config(METHODS.get(entry.name).config, entry, run.path, label)


def is_unchanged(run: RunFolder, cell: Cell, row: ClipRow, config: object) -> bool:
    """Return False if the file that a clip was brought in from has changed since.

    One that is gone is as good as unchanged: the clip is here. What had to be read is noted, so
    that the next call need not. config: that of the method, if it is at hand.
    """
    if row.origin is None:
        return True
    path = _file_now(run, cell, row.origin, config)
    if path is None:
        return True
    try:
        if identity.state_of(path)["state"] in (row.origin.get("state"), run.rows.seen(cell)):
            return True
        now = identity.renewed(row.origin, path, run.clip_path(row))
    except FileNotFoundError:
        return True
    except UserError:  # it cannot be read any more: that is said when it is brought in anew
        return False
    if now is None:
        return False
    run.rows.note(cell, now["state"])
    return True


def _file_now(run: RunFolder, cell: Cell, known: identity.Origin, config: object) -> Path | None:
    """Return where the file of a clip would be today; None if nothing is there."""
    entry = run.info.methods[cell.method]
    brings = METHODS.get(entry.name).brings if is_brought(entry) else None
    if brings is None:  # the file of a source, which `RunFolder.keep_source` watches too
        return Path(known["path"])
    try:
        place = config or config_of(run, cell.method)
        return brings(place, run.suite, cell.edit, cell.seed)
    except UserError:
        return None


def check_places(run: RunFolder, entries: dict[str, MethodInfo]) -> None:
    """Raise a `UserError` if a method that is here is asked for from a place with other contents.

    entries: what run.json is to hold about the methods of this call.
    """
    for label, entry in entries.items():
        before = run.info.methods.get(label)
        if before is None or not is_brought(entry) or _same_place(run, before, entry):
            continue
        kind = METHODS.get(entry.name).config
        config = opened_config(kind, entry, run.path, label)
        for edit in run.info.edits:
            for seed in before.seeds:
                _check_cell(run, Cell(label, edit, seed), config)


def _same_place(run: RunFolder, before: MethodInfo, entry: MethodInfo) -> bool:
    def stands(one: MethodInfo) -> Any:
        return opened_config(METHODS.get(one.name).config, one, run.path, "")

    if before.name != entry.name:
        return True  # another method: said elsewhere
    names = [one.config.get("method") for one in (before, entry)]
    if before.beside == entry.beside and names[0] == names[1]:
        return True
    return bool(stands(before) == stands(entry))


def _check_cell(run: RunFolder, cell: Cell, config: "DataclassInstance") -> None:
    row = run.clip_row(cell)
    if row is None or row.status != "ok" or not run.has_clip(row):
        return
    if not is_unchanged(run, cell, row, config):
        was = (row.origin or {}).get("path")
        raise UserError(
            f"{run.path} has a method {cell.method!r} with another configuration: its output for "
            f"{cell.edit} came from {was}, and {spell_config(config)} has other contents; name "
            f"this one differently: --methods NEWNAME=external:..."
        )


def spell_config(config: "DataclassInstance") -> str:
    """Return where a configuration leads to."""
    return " and ".join(str(getattr(config, name)) for name in _places(config))
