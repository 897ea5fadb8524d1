"""Whether the report page of a run is of what the run holds now, so that it need not be made anew.

`bench compare` leaves the stamp beside the page it had made; every other report takes it away.
"""

import hashlib
from pathlib import Path

from dreamix.core.media import sha256_file
from dreamix.core.records import to_json, write_whole
from evaluation.run.versions import state_of_code, versions

STAMP = ".made-of"
MADE_OF = ("run.json", "suite.json", "scores.jsonl", ".clips.json")


def is_current(run: Path) -> bool:
    """Return True if RUN/report is the page of what the run holds, made by this toolkit."""
    stamp = run / "report" / STAMP
    there = stamp.is_file() and (run / "report" / "index.html").is_file()
    return there and stamp.read_text() == _made_of(run)


def leave_stamp(run: Path) -> None:
    """Note that RUN/report is the page of what the run holds."""
    with write_whole(run / "report" / STAMP) as file:
        file.write(_made_of(run).encode())


def forget_stamp(report: Path) -> None:
    """Let the page in that folder be one that nothing is known of."""
    (report / STAMP).unlink(missing_ok=True)


def _made_of(run: Path) -> str:
    files = {name: sha256_file(run / name) for name in MADE_OF if (run / name).is_file()}
    return hashlib.sha256(to_json([files, versions(), state_of_code()]).encode()).hexdigest()
