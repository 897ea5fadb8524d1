"""Whether a clip was watched, and whether a rater's device can show one.

The player notes every stretch of the clip that it played without a break: from, to, at which rate,
and whether the page could be seen. Watched is the union of the stretches at a normal rate that
could be seen. The server works it out; what a page claims beyond that counts for nothing.

Each clip of a trial counts by itself: on a small screen they are seen one after the other.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from study_app.spec.study import DeviceRules as Wanted
from study_app.spec.study import PlaybackRules
from study_app.spec.texts import StrictModel

Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Place = Annotated[int, Field(ge=0, le=7)]  # of a clip in a trial, in the order they are shown


_NOTHING = 1e-6  # seconds: sums of times are rounded, and what is whole is whole
UnfitReason = Literal["slow", "plays_not", "said_not", "narrow", "phone"]
Pixels = Field(ge=0, le=100_000)


class Stretch(StrictModel):
    """A part of a clip that was played without a break."""

    start: Seconds
    end: Seconds
    rate: Annotated[float, Field(gt=0, le=16, allow_inf_nan=False)] = 1.0
    seen: bool = True  # the tab was in front, and at least one clip on the screen
    away: Annotated[tuple[Place, ...], Field(max_length=8)] = ()  # clips that were not
    took: Seconds  # of wall time


class Ledger(StrictModel):
    """All that the player has to tell of one trial."""

    stretches: Annotated[tuple[Stretch, ...], Field(max_length=500)]
    plays: Count = 0
    seeks: Count = 0
    stalls: Count = 0
    hidden_ms: Count = 0
    width: Count = 0  # of the clip on the screen, in pixels of the page


def share_watched(ledger: Ledger, durations: Sequence[float], rule: PlaybackRules) -> float:
    """Return the share that was watched of the clip of which least was, 0 to 1.

    durations: of all clips of the trial, which begin together, in seconds, in the order they are
    shown. Each counts by its own length, and while it was on the screen itself: to have seen the
    short one says nothing of the long one, nor the other way round.
    """
    shares = [coverage(ledger, seconds, rule, place) for place, seconds in enumerate(durations)]
    return min(shares)


def coverage(ledger: Ledger, duration: float, rule: PlaybackRules, place: int = 0) -> float:
    """Return the share that was watched of the clip at a place, of `duration` seconds, 0 to 1.

    A stretch that took less time than its length at the fastest rate allowed is a forgery or a
    fault, and does not count.
    """
    spans = sorted(
        (stretch.start, min(stretch.end, duration))
        for stretch in ledger.stretches
        if stretch.seen and place not in stretch.away
        if stretch.rate <= rule.fastest_rate and _is_plausible(stretch, rule)
    )
    watched = reached = 0.0
    for start, end in spans:
        watched += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return watched / duration if watched < duration - _NOTHING else 1.0


def fits_time_shown(ledger: Ledger, shown: int) -> bool:
    """Return False if more time was spent playing than a trial is shown for, in milliseconds.

    The time of the page and of the server may go a little differently.
    """
    spent = 1000 * sum(stretch.took for stretch in ledger.stretches)
    return spent <= 1.02 * shown + 250


def _is_plausible(stretch: Stretch, rule: PlaybackRules) -> bool:
    return stretch.took * rule.fastest_rate >= (stretch.end - stretch.start) - 0.1


class DeviceReport(StrictModel):
    """What the page measured of a device, and what the rater says of the playback."""

    plays: bool
    arrived: bool = True  # the clip, when the rater said how it plays
    said: bool = True  # the rater says that it plays
    width: int = Pixels  # of the window
    needs: int = Field(default=0, ge=0, le=100_000)  # so wide is a clip of the least height
    height: int = Field(default=0, ge=0, le=100_000)
    ratio: float = Field(default=1, ge=0, le=16, allow_inf_nan=False)  # pixels of the screen to one
    phone: bool
    why: str = Field(default="", max_length=200)  # it does not play


def unfit_reasons(wanted: Wanted, device: Mapping[str, Any]) -> tuple[UnfitReason, ...]:
    """Return why a device will not do; nothing if it will."""
    width = device.get("width")
    checks: dict[UnfitReason, bool] = {
        "slow": device.get("arrived") is False,
        "plays_not": device.get("plays") is not True and device.get("arrived") is not False,
        "said_not": device.get("plays") is True and device.get("said") is False,
        "narrow": not isinstance(width, int) or width < required_width(wanted, device),
        "phone": not wanted.phones and device.get("phone") is not False,
    }
    return tuple(reason for reason, found in checks.items() if found)


def required_width(wanted: Wanted, device: Mapping[str, Any]) -> int:
    """Return how many pixels wide the window has to be: for the study, and for its clips."""
    return max(wanted.least_width, int(device.get("needs") or 0))
