"""Whether a rater's device will do, and what is in the way if not."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from study_app.spec.study import Device as Wanted
from study_app.spec.texts import Block

Reason = Literal["slow", "plays_not", "said_not", "narrow", "phone"]
Pixels = Field(ge=0, le=100_000)


class Device(Block):
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


def in_the_way(wanted: Wanted, device: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Return why a device will not do; nothing if it will."""
    width = device.get("width")
    checks: dict[Reason, bool] = {
        "slow": device.get("arrived") is False,
        "plays_not": device.get("plays") is not True and device.get("arrived") is not False,
        "said_not": device.get("plays") is True and device.get("said") is False,
        "narrow": not isinstance(width, int) or width < width_needed(wanted, device),
        "phone": not wanted.phones and device.get("phone") is not False,
    }
    return tuple(reason for reason, found in checks.items() if found)


def width_needed(wanted: Wanted, device: Mapping[str, Any]) -> int:
    """Return how many pixels wide the window has to be: for the study, and for its clips."""
    return max(wanted.least_width, int(device.get("needs") or 0))
