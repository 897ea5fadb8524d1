"""Whether a clip was watched: the ledger that the player keeps, and what it amounts to.

The player notes every stretch of the clip that it played without a break: from, to, at which rate,
and whether the page could be seen. Watched is the union of the stretches at a normal rate that
could be seen. The server works it out; what a page claims beyond that counts for nothing.

Each clip of a trial counts by itself: on a small screen they are seen one after the other.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from study_app.spec.study import Playback
from study_app.spec.texts import Block

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Place = Annotated[int, Field(ge=0, le=7)]  # of a clip in a trial, in the order they are shown


_NOTHING = 1e-6  # seconds: sums of times are rounded, and what is whole is whole


class Stretch(Block):
    """A part of a clip that was played without a break."""

    start: Seconds
    end: Seconds
    rate: Annotated[float, Field(gt=0, le=16, allow_inf_nan=False)] = 1.0
    seen: bool = True  # the tab was in front, and at least one clip on the screen
    away: Annotated[tuple[Place, ...], Field(max_length=8)] = ()  # clips that were not
    took: Seconds  # of wall time


class Ledger(Block):
    """All that the player has to tell of one trial."""

    stretches: Annotated[tuple[Stretch, ...], Field(max_length=500)]
    plays: Count = 0
    seeks: Count = 0
    stalls: Count = 0
    hidden_ms: Count = 0
    width: Count = 0  # of the clip on the screen, in pixels of the page


def watched(ledger: Ledger, durations: Sequence[float], rule: Playback) -> float:
    """Return the share that was watched of the clip of which least was, 0 to 1.

    durations: of all clips of the trial, which begin together, in seconds, in the order they are
    shown. Each counts by its own length, and while it was on the screen itself: to have seen the
    short one says nothing of the long one, nor the other way round.
    """
    shares = [coverage(ledger, seconds, rule, place) for place, seconds in enumerate(durations)]
    return min(shares)


def coverage(ledger: Ledger, duration: float, rule: Playback, place: int = 0) -> float:
    """Return the share that was watched of the clip at a place, of `duration` seconds, 0 to 1.

    A stretch that took less time than its length at the fastest rate allowed is a forgery or a
    fault, and does not count.
    """
    spans = sorted(
        (stretch.start, min(stretch.end, duration))
        for stretch in ledger.stretches
        if stretch.seen and place not in stretch.away
        if stretch.rate <= rule.fastest_rate and _could_be(stretch, rule)
    )
    watched = reached = 0.0
    for start, end in spans:
        watched += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return watched / duration if watched < duration - _NOTHING else 1.0


def could_be_since(ledger: Ledger, shown: int) -> bool:
    """Return False if more time was spent playing than a trial is shown for, in milliseconds.

    The time of the page and of the server may go a little differently.
    """
    spent = 1000 * sum(stretch.took for stretch in ledger.stretches)
    return spent <= 1.02 * shown + 250


def _could_be(stretch: Stretch, rule: Playback) -> bool:
    return stretch.took * rule.fastest_rate >= (stretch.end - stretch.start) - 0.1
