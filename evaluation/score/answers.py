"""What is said to a program that scores clips, and what it may answer: JSON, a line each."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.names import one_line, shown
from dreamix.core.records import to_json
from dreamix.data.worlds import WORLDS
from evaluation.run.folder import RunFolder
from evaluation.schema import LARGEST_SCORE, Cell, ClipRow, Status
from evaluation.score.command import FACTS, SelfDescription
from evaluation.score.measuring import ROUNDING

MOST_TEXT = 500  # letters of a reason
ANSWERS = ("value", "error", "skip")


class Requests:
    """Makes the lines that ask for scores of clips of a run."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._sources: dict[str, str] = {}

    def line(self, cell: Cell, clip: ClipRow) -> bytes:
        """Return the line that asks about a clip.

        Raises:
            UserError: if the run has lost a file.
        """
        edit = self._run.suite.edit(cell.edit)
        video = self._run.suite.videos[edit.video]
        hidden = {"id", "video", "origin", *WORLDS.names()}
        texts = {name: value for name, value in edit.to_dict().items() if name not in hidden}
        told = {
            **({"caption": video.caption} if video.caption is not None else {}),
            **texts,
            **cell._asdict(),
            "id": id_of(cell),
            "video": edit.video,
            "source": self._source(edit.video),
            "edited": _absolute(self._run.clip_path(clip)),
        }
        return to_json(told).encode() + b"\n"

    def _source(self, video: str) -> str:
        if video not in self._sources:
            self._sources[video] = _absolute(self._run.source(video))
        return self._sources[video]


class ProgramAnswer(NamedTuple):
    """One line of a program, understood."""

    id: str | None  # None: it says something of the metric only
    facts: dict[str, Any]
    found: dict[str, Any]  # fields of a row: status, and value or reason


def id_of(cell: Cell) -> str:
    """Return what a clip is called between us and a program: no name holds a slash."""
    return f"{cell.method}/{cell.edit}/{cell.seed}"


def understood(line: bytes) -> ProgramAnswer | None:
    """Return what a line says; None if it is no answer, such as what a library prints."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    facts = {name: held[name] for name in FACTS if held.get(name) is not None}
    name = held.get("id")
    if not isinstance(name, str):
        return ProgramAnswer(None, facts, {}) if facts and name is None else None
    return ProgramAnswer(name, facts, _found(held))


def checked(found: dict[str, Any], said: SelfDescription) -> dict[str, Any]:
    """Return the fields of a row; a value outside the bounds that were declared is a failure."""
    value = found.get("value")
    if value is None:
        return found
    inside = min(max(value, said.bounds[0]), said.bounds[1])
    if abs(value - inside) <= ROUNDING:
        return found | {"value": inside}
    low, high = said.bounds
    return _row("failed", f"answered {value:g}, outside its bounds {low:g} to {high:g}")


def _absolute(path: Path) -> str:
    return str(path.absolute())


def _found(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return status and value or reason of one answer."""
    given = [name for name in ANSWERS if held.get(name) is not None]
    if len(given) != 1:
        what = " and ".join(given) if given else "neither value nor error"
        return _row("failed", f"answered with {what}")
    told = held[given[0]]
    if given[0] == "value":
        return _number(told)
    text = told if isinstance(told, str) else to_text(told)
    return _row("failed" if given[0] == "error" else "n/a", text or "no reason given")


def _number(told: object) -> dict[str, Any]:
    if isinstance(told, int | float) and not isinstance(told, bool):
        try:
            value = float(told)
        except OverflowError:
            value = math.inf
        if abs(value) <= LARGEST_SCORE:
            return {"status": "ok", "value": value}
        if math.isfinite(value):
            return _row("failed", f"answered {value:g}, which is beyond {LARGEST_SCORE:g}")
    return _row("failed", f"answered {shown(told)}, which is no finite number")


def to_text(value: object) -> str:
    """Return any JSON as text."""
    return json.dumps(value)


def _row(status: Status, reason: str) -> dict[str, Any]:
    text = " ".join(one_line(reason).split())
    return {"status": status, "reason": text[:MOST_TEXT] or "no reason given"}
