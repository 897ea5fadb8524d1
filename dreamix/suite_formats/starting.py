"""A suite of a folder of clips and a spreadsheet of what is asked of them."""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.litter import is_litter
from dreamix.core.media_images import SUFFIXES as PICTURES
from dreamix.core.records import write_whole
from dreamix.core.spreadsheet import harmless
from dreamix.core.wording import listed
from dreamix.data.suite_form import control_character, why_outside
from dreamix.suite_formats.base import FORMATS
from dreamix.suite_formats.importing import ImportChoices, ImportedSuite, import_suite
from dreamix.suite_formats.outputs import SUFFIXES
from dreamix.suite_formats.plain_csv import COLUMNS


def write_requests(folder: Path, table: Path) -> int:
    """Return how many clips there are, each with an empty row in the table that was written.

    Raises:
        UserError: if there is none.
    """
    clips = [path.relative_to(folder).as_posix() for path in _clips(folder)]
    if not clips:
        raise UserError(f"{folder} has no clips ({', '.join(SUFFIXES)}, or folders of frames)")
    if odd := [clip for clip in clips if control_character(clip) or why_outside(clip)]:
        names = listed([ascii(clip) for clip in odd])
        raise UserError(f"{folder} has clips that no suite can name, {names}: rename them")
    held = io.StringIO()
    lines = csv.writer(held)
    columns = [name for name in COLUMNS if name != "id"]
    lines.writerow(columns)
    lines.writerows([harmless(clip), *[""] * (len(columns) - 1)] for clip in clips)
    with write_whole(table) as file:
        file.write(held.getvalue().encode("utf-8-sig"))  # or spreadsheets misread accents
    return len(clips)


def _clips(folder: Path) -> Iterator[Path]:
    """Yield the clips and the folders of frames, in the order of their names."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        names = sorted(name for name in files if not is_litter(name))
        pictures = [name for name in names if Path(name).suffix.lower() in PICTURES]
        if pictures and len(pictures) == len(names) and Path(place) != folder:
            yield Path(place)
        yield from (Path(place, name) for name in names if Path(name).suffix.lower() in SUFFIXES)


def init_suite(folder: Path, table: Path, told: Mapping[str, Any]) -> ImportedSuite:
    """Return the suite of a table, written beside the clips; rows that ask for nothing are refused.

    Raises:
        UserError: with every mistake and its line.
    """
    name = told.get("name") or folder.resolve().name
    wanted = ImportChoices(**{**told, "name": name}, media_root=folder)
    return import_suite(FORMATS.get("csv"), table, folder, wanted)
