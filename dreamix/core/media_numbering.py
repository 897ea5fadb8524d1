"""The order of numbered frames: by counting numbers, or by moments in seconds."""

import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from dreamix.core.errors import UserError

_COUNT = re.compile(r"\d+")
_MOMENT = re.compile(r"\d+(?:\.\d+)?")


def in_order(files: list[Path]) -> list[Path]:
    """Return frames in the order of the last number in their names, which rises evenly.

    Names end in a count (frame2 comes before frame10) or in a moment, as in t0.25.png, whose steps
    may differ by what its last digit rounds off. A gap is a `UserError`. Names without numbers are
    in the order of the alphabet.
    """
    files = sorted(files, key=lambda file: natural(file.name))
    counts = _numbers(_COUNT, files)
    if counts is None or not (gaps := _gaps(counts)):
        return files
    moments = _numbers(_MOMENT, files)
    assert moments is not None, "a count is a moment"
    timed = [file for _, file in sorted(zip(moments, files, strict=True))]
    late = _gaps(sorted(moments), slack=_last_digit(moments))
    if not late:
        return timed
    if len(late) < len(gaps) or sorted(set(counts)) != counts:
        files, counts, gaps = timed, sorted(moments), late
    before, after = files[gaps[0]], files[gaps[0] + 1]
    steps = [later - earlier for earlier, later in pairwise(counts)]
    raise UserError(
        f"a frame seems to be missing between {before} and {after.name}: the number rises by "
        f"{steps[gaps[0]]} there and by {steps[0]} before; number the frames evenly"
    )


def natural(name: str) -> list[str | int]:
    """Return the name as texts and numbers by turns, so that numbers compare as numbers."""
    parts = re.split(r"(\d+)", name)  # every second one is a number
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def _numbers(pattern: re.Pattern[str], files: list[Path]) -> list[Decimal] | None:
    """Return the last number in each name, None if a name has none."""
    found = [pattern.findall(file.stem) for file in files]
    return [Decimal(numbers[-1]) for numbers in found] if all(found) else None


def _last_digit(moments: list[Decimal]) -> Decimal:
    """Return one in the last digit that is written of moments; 0 of whole numbers."""
    exponent = min(int(moment.as_tuple().exponent) for moment in moments)
    return Decimal(1).scaleb(exponent) if exponent < 0 else Decimal(0)


def _gaps(numbers: list[Decimal], slack: Decimal = Decimal(0)) -> list[int]:
    """Return the places before the steps that are not as the first one.

    slack: by how much steps may differ, unless they are so short that a gap would look the same.
    """
    steps = [after - before for before, after in pairwise(numbers)]
    most = slack if steps and min(steps) > slack else Decimal(0)
    return [place for place, step in enumerate(steps) if abs(step - steps[0]) > most]
