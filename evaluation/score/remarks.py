"""What a reader must know of how a clip was read: pairing of frames, shape and guessed colours.

A remark is one line, "what there is: what was done with it". The first part has the numbers of the
clip; the second is one of few, by which remarks of many clips are gathered into one line.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from dreamix.core.media import Guess
from dreamix.core.video import Video
from evaluation.sample.frames import NUMBER, SPAN, TIME, Pairing
from evaluation.schema import Cell, ScoreRow

ALIKE = 0.01  # rates, durations and shapes that differ by less are told apart by rounding only
DONE = {
    NUMBER: "paired by number",
    TIME: "paired by time",
    SPAN: "paired by their share of the clip",
}
DOUBTFUL = "paired by time, as the rate tags say (otherwise --align index, or span)"
SOURCE = "source "  # remarks on the source begin so: they are one for all methods


class Look(NamedTuple):
    """A clip, and the guess that its colours rest on, if any."""

    video: Video
    guess: Guess | None


def remarks_on(source: Look, edited: Look, pairing: Pairing) -> list[str]:
    """Return the remarks on an edit beside its source, none in the plain case."""
    found = [
        _on_frames(source.video, edited.video, pairing),
        _on_shape(source.video, edited.video),
        *_on_colours(source.guess, edited.guess),
    ]
    return [remark for remark in found if remark]


def _on_frames(source: Video, edited: Video, pairing: Pairing) -> str | None:
    """Return how frames were paired, unless counts and moments are the same."""
    counts, seconds = (len(edited), len(source)), (edited.duration, source.duration)
    one_length = _alike(*seconds)
    if len(source) == 1 or (counts[0] == counts[1] and one_length and _in_step(source, edited)):
        return None
    done = DONE[pairing.by]
    if counts[0] == counts[1]:
        frames = f"{counts[0]} frames each"
        times = "shown at other moments" if one_length else _versus(*seconds)
    else:
        frames = f"{counts[0]} frame{'s' * (counts[0] > 1)} against {counts[1]}"
        times = f"{_seconds(seconds[1])} each" if one_length else _versus(*seconds)
        if pairing.by == TIME and not one_length and not _alike(edited.fps, source.fps):
            done = DOUBTFUL
    return f"{frames}, {times}: {done}"


def _alike(first: float, second: float) -> bool:
    return abs(first - second) <= ALIKE * max(first, second)


def _in_step(source: Video, edited: Video) -> bool:
    """Return True if equally many frames are shown within half a frame of each other."""
    apart = float(np.abs(source.times - edited.times).max())
    return apart <= max(0.5 / source.fps, ALIKE * source.duration)


def _versus(edited: float, source: float) -> str:
    return f"{_seconds(edited)} against {_seconds(source)}"


def _seconds(value: float) -> str:
    return f"{value:.3g} s"


def _on_shape(source: Video, edited: Video) -> str | None:
    """Return that the edit was stretched, unless rounding to whole pixels explains its shape."""
    widest, narrowest = (
        (edited.width + step) / max(edited.height - step, 1) for step in (0.5, -0.5)
    )
    aspect = source.width / source.height
    if narrowest <= aspect <= widest or _alike(aspect, edited.width / edited.height):
        return None
    sizes = f"{edited.width}x{edited.height} pixels against {source.width}x{source.height}"
    return f"{sizes}: stretched to the source's shape"


def _on_colours(source: Guess | None, edited: Guess | None) -> list[str]:
    """Return guesses that matter: of clips above SD size, and where two clips got two guesses."""
    two = source is not None and edited is not None and source.colour != edited.colour
    return [
        f"{whose}{guess.width}x{guess.height} without a colour tag: read as {_spelt(guess.colour)} "
        f"by its size (otherwise colour=bt601 or bt709 of {where})"
        for whose, guess, where in (
            (SOURCE + "of ", source, "the suite"),
            ("", edited, "the method or the suite"),
        )
        if guess and (guess.high_definition or two)
    ]


def _spelt(colour: str) -> str:
    return {"bt601": "BT.601", "bt709": "BT.709"}[colour]


def gathered(rows: Iterable[ScoreRow]) -> list[str]:
    """Return the remarks of many clips, one line for each method and thing done.

    "ours, 500 clips such as duck_00: 48 frames each, 6 s against 2 s: paired by number"
    """
    clips: dict[tuple[str, str], dict[tuple[str, ...], str]] = {}
    for row in sorted(rows, key=lambda row: row.key):
        for remark in row.remarks or ():
            who, clip = _owner(row, remark)
            of_kind = clips.setdefault((who, kind_of(remark)), {})
            of_kind.setdefault(clip, remark)
    return [_line(who, found) for (who, _), found in clips.items()]


def kind_of(remark: str) -> str:
    """Return the part of a remark that has no numbers: whose clip it is on and what was done."""
    whose = SOURCE if remark.startswith(SOURCE) else ""
    return whose + remark.partition(": ")[2]


def _owner(row: ScoreRow, remark: str) -> tuple[str, tuple[str, ...]]:
    """Return whose clip a remark is on, and which."""
    if remark.startswith(SOURCE):
        return "sources", (row.video,)
    return row.method, (row.edit, str(row.seed))


def _line(who: str, found: dict[tuple[str, ...], str]) -> str:
    (first, *_), remark = next(iter(found.items()))
    if len(found) == 1:
        return f"{who}, {first}: {remark}"
    such = "" if len(set(found.values())) == 1 else f" such as {first}"
    return f"{who}, {len(found)} {'videos' if who == 'sources' else 'clips'}{such}: {remark}"


def partial(rows: Iterable[ScoreRow], least: float) -> list[str]:
    """Return one line for each method whose clips cover less than `least` of their sources."""
    covers: dict[str, dict[Cell, float]] = {}
    for row in rows:
        if row.covers is not None:
            covers.setdefault(row.method, {})[row.cell] = row.covers
    lines = []
    for method, found in sorted(covers.items()):
        short = sorted((share, cell) for cell, share in found.items() if share < least)
        if short:
            share, cell = short[0]
            count = f"{len(short)} of {len(found)} clips"
            lines.append(
                f"{method}, {count} cover less than {least:.0%} of their source "
                f"(the least {share:.0%}: {cell.edit})"
            )
    return lines
