"""Which frame of an edit is compared with which frame of its source.

Methods return other frame counts, rates and sizes than they were given, and rate tags are often
wrong. The rule is part of what a score means:

- `auto`   clips of one frame count by number, whatever their rates say; others as `pts` (default)
- `pts`    frames shown at the nearest moments in seconds, over the duration both clips have
- `span`   the same with both clips scaled to one duration, for outputs whose rate tag is wrong
- `index`  first with first, second with second, as far as both go

By time, the frames of the clip that has fewer there are matched so that the differences in time are
least in total; frames rise on both sides and none is used twice (`evaluation.sample.matching`).
"""

from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.video import Video
from evaluation.sample.matching import rising_match

POLICIES = ("auto", "pts", "span", "index")
RULES = 2  # goes up when a policy pairs otherwise; part of the definition of every score
SLACK = 1e-6  # seconds by which containers round the end of a clip
NUMBER, TIME, SPAN = "number", "time", "span"


class Pairing(NamedTuple):
    """Frame numbers that belong together, and how much of the two clips they cover."""

    source: np.ndarray  # int (pairs,), rising
    edited: np.ndarray  # int (pairs,), rising
    seconds: float  # duration that was compared, in seconds of the source
    share: float  # that duration as a share of the longer clip, 0 to 1
    covers: float  # the share of the source that the edit is an edit of, 0 to 1
    by: str  # NUMBER, TIME or SPAN


def pair_frames(source: Video, edited: Video, policy: str = "auto") -> Pairing:
    """Return the pairs of frames of `source` and `edited` under `policy`."""
    check_policy(policy)
    if policy == "index" or (policy == "auto" and len(source) == len(edited)):
        return _by_number(source, edited)
    return _by_span(source, edited) if policy == "span" else _by_time(source, edited)


def check_policy(policy: str) -> None:
    """Raise a `UserError` for a policy that is not there."""
    if policy not in POLICIES:
        hint = near_misses(policy, list(POLICIES))
        raise UserError(f"unknown frame policy {policy!r}{hint} (known: {', '.join(POLICIES)})")


def _by_number(source: Video, edited: Video) -> Pairing:
    both = np.arange(min(len(source), len(edited)))
    covers = _shown(source, len(both))
    share = len(both) / max(len(source), len(edited))
    return Pairing(both, both, covers * source.duration, share, covers, NUMBER)


def _by_time(source: Video, edited: Video) -> Pairing:
    common = min(source.duration, edited.duration)
    ours, theirs = (video.times[: _begun(video, common)] for video in (source, edited))
    share = common / max(source.duration, edited.duration)
    covers = _reach(source, edited, common / source.duration)
    return Pairing(*_matched(ours, theirs), common, share, covers, TIME)


def _by_span(source: Video, edited: Video) -> Pairing:
    pairs = _matched(source.times, edited.times * (source.duration / edited.duration))
    return Pairing(*pairs, source.duration, 1.0, _reach(source, edited, 1.0), SPAN)


def _matched(source: np.ndarray, edited: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of source and edit that belong together; all of the fewer are used."""
    if len(source) <= len(edited):
        return np.arange(len(source)), rising_match(source, edited)
    return rising_match(edited, source), np.arange(len(edited))


def _begun(video: Video, seconds: float) -> int:
    """Return how many frames are on before `seconds` have passed; the first always is."""
    return max(1, int(np.searchsorted(video.times, seconds - SLACK)))


def _shown(video: Video, frames: int) -> float:
    """Return the share of a clip's duration that its first `frames` take."""
    return 1.0 if frames >= len(video) else float(video.times[frames]) / video.duration


def _reach(source: Video, edited: Video, share: float) -> float:
    """Return the share of the source that an edit is of which lasts as long as that `share` of it.

    A still has no duration of its own: a frame covers one frame, whatever rate it is tagged with,
    and any clip covers a source of one frame.
    """
    if len(source) == 1:
        return 1.0
    return _shown(source, 1) if len(edited) == 1 else share
