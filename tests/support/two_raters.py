"""A study with two raters in its store, and the tables of an export as rows."""

import csv
from dataclasses import replace
from pathlib import Path

from small_study import PLAN
from study_people import OWN, VARIED, add_rater, triple

from study_app.open_study import Opened

PID, SESSION, COMMENT = "5f1e0a9c7b", "sess-77aa", "=HYPERLINK(1) it was me, Ann"
PROLIFIC = {"kind: open": "kind: prolific", "completion_code: null": "completion_code: DONE1"}
WHO = {"platform": "prolific", "platform_id": PID, "session": SESSION, "comment": COMMENT}
DEVICE = {"width": 1280, "phone": False, "agent": "a browser of Ann"}
TRAP = replace(PLAN.of_kind("trap")[0], expected=triple(2, 2, 2))
KNOWN = replace(PLAN, items=tuple(TRAP if i.key == TRAP.key else i for i in PLAN.items))


def two_raters(running: Opened) -> Opened:
    """One who finished with all kinds of trials; one who gave up, to be excluded."""
    more = [
        (OWN[0], "repeat", triple(2, 5, 3)),
        (TRAP, "trap", triple(2, 2, 1)),
        (OWN[9], "rating", None),
    ]
    start = 1_000_000
    add_rater(running.database, [*VARIED, *more], start=start, minutes=9.5, device=DEVICE, **WHO)
    add_rater(running.database, VARIED[:2], number=1, screen="left", dealt=OWN[3:5])
    return running


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))
