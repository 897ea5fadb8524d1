"""What a scoring found that had nothing left to do, so that the same call need not look again.

It is kept with a digest of all it was found from: scores, clips, run.json, what was asked, and the
code. Where one of them is another, or the file is damaged, everything is looked at as if there were
none.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import read_bytes, to_json, write_json
from dreamix.core.typed import STRICT, adapter
from evaluation.run.folder import RunFolder
from evaluation.run.versions import state_of_code, versions
from evaluation.score.table import is_complete

FILE = ".settled.json"
MOST = 16 << 20  # bytes
FOUND_FROM = ("run.json", "suite.json", "scores.jsonl")


@dataclass(frozen=True)
class Settled:
    """What stands in the file: a digest, and the summary that goes with it."""

    __pydantic_config__ = STRICT
    digest: str
    counts: dict[str, int]
    reasons: dict[str, int]
    notes: dict[str, int]
    remarks: list[str]
    partial: list[str]


def digest_of(run: RunFolder, *asked: Any) -> str | None:
    """Return a digest of all that a scoring finds out from; None if scores are not in order yet.

    asked: what the call was asked for, as JSON can hold it.
    """
    if not is_complete(run.scores):
        return None
    files = [sha256_file(run.place(name)) for name in FOUND_FROM]
    rows = ((cell, run.standing.get(cell) or run.clip_row(cell)) for cell in run.cells())
    clips = [[*cell, row and [row.status, row.sha256, row.reason]] for cell, row in rows]
    told = to_json([files, clips, asked, versions(), state_of_code()])
    return hashlib.sha256(told.encode()).hexdigest()


def settled(run: RunFolder, digest: str | None) -> Settled | None:
    """Return what was found when everything was as `digest` says; None if it was not looked at."""
    known = _read(run.place(FILE)) if digest else None
    return known if known and known.digest == digest else None


def settle(run: RunFolder, found: Settled) -> None:
    """Keep what was found."""
    write_json(run.place(FILE), vars(found))


def _read(path: Path) -> Settled | None:
    if not path.exists():
        return None
    try:
        return adapter(Settled).validate_json(read_bytes(path, MOST))
    except (ValidationError, UserError):
        return None
