"""Outputs of methods in a benchmark's own layout: a table that `external:outputs.csv` reads."""

import csv
import glob
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from dreamix.core.errors import Mistakes, Problem, UserError
from dreamix.core.litter import is_litter
from dreamix.core.names import shown, why_not_plain
from dreamix.core.records import write_whole
from dreamix.data.suite_form import why_outside
from dreamix.suite_formats.draft import At, EditDraft, unicode_forms

SUFFIXES = (".mp4", ".webm", ".gif", ".mov", ".mkv", ".m4v")
OUTPUTS_FILE = "outputs.csv"
Rows = Mapping[str, tuple[At, EditDraft]]  # edit -> its row


def method_folders(places: Iterable[str]) -> dict[str, Path]:
    """Return the folder of each method: of NAME=FOLDER, or of a pattern such as outputs/*.

    Raises:
        UserError: if there is no folder, or two are called alike, and for names that no method has.
    """
    found: dict[str, Path] = {}
    folded: dict[str, str] = {}
    for place in places:
        name, _, folder = place.rpartition("=")
        given = [folder] if name else sorted(glob.glob(os.path.expanduser(place)))
        folders = [
            Path(one) for one in given if os.path.isdir(one) and not is_litter(Path(one).name)
        ]
        if not folders:
            raise UserError(f"--outputs {place}: there is no such folder")
        for one in folders:
            label = name or one.resolve().name
            if why := why_not_plain(label):
                raise UserError(f"--outputs: a method cannot be called {shown(label)}: {why}")
            if (other := folded.setdefault(label.casefold(), label)) != label:
                raise UserError(f"--outputs: {other} and {label} differ only by case")
            if found.setdefault(label, one) is not one:
                raise UserError(f"--outputs: {found[label]} and {one} would both be {label!r}")
    return found


def outputs_of(rows: Rows, folders: Mapping[str, Path], *, partial: bool) -> list[tuple[str, ...]]:
    """Return method, edit and path of every output.

    partial: outputs may be missing; each is a failure of its method, with its reason, in a run.

    Raises:
        UserError: with all that is missing, stands twice or cannot be told apart.
    """
    problems = [*_alike(rows)] if folders else []
    found: list[tuple[str, ...]] = []
    told = {edit: row for edit, row in rows.items() if row[1].output is not None}
    for edit, (at, asked) in told.items():
        for method, folder in folders.items():
            fits = _fits(folder, str(asked.output))
            if len(fits) > 1:
                names = " and ".join(str(path) for path in fits[:2])
                problems.append(at.wrong(f"{method} has two outputs for {edit}: {names}"))
            elif fits:
                found.append((method, edit, str(fits[0])))
            elif not partial:
                place = shown(str(folder / str(asked.output)), 200)
                why = f"{method} has no output for {edit}: no {place} (.mp4, ..., frames)"
                problems.append(at.wrong(why))
    if problems:
        raise Mistakes(sorted(problems, key=lambda one: (one.file, one.line)))
    return found


def _alike(rows: Rows) -> Iterable[Problem]:
    """Yield the edits whose outputs the benchmark's layout does not tell apart."""
    by_place: dict[str | None, list[tuple[At, str]]] = defaultdict(list)
    for edit, (at, asked) in rows.items():
        by_place[asked.output].append((at, edit))
    for place, several in by_place.items():
        if place is None or why_outside(place):
            yield from (at.wrong(f"{edit} has no place for outputs") for at, edit in several)
        for at, edit in several[1:]:
            first = several[0][1]
            yield at.wrong(f"outputs for {edit} and {first} would both be called {place}")


def _fits(folder: Path, place: str) -> list[Path]:
    """Return the clips and folders of frames that are an output: there should be one."""
    for whole in (folder / form for form in unicode_forms(place)):
        clips = [whole.with_name(whole.name + suffix) for suffix in SUFFIXES]
        fits = [path for path in clips if path.is_file()] + ([whole] if whole.is_dir() else [])
        if fits:
            return fits
    return []


def write_outputs(out: Path, found: Iterable[tuple[str, ...]]) -> Path:
    """Return the table that was written to a folder; its paths are relative to that."""
    held = io.StringIO()
    lines = csv.writer(held)
    lines.writerow(("method", "edit", "path"))
    for method, edit, path in found:
        lines.writerow((method, edit, Path(os.path.relpath(path, out)).as_posix()))
    with write_whole(out / OUTPUTS_FILE) as file:
        file.write(held.getvalue().encode())
    return out / OUTPUTS_FILE
