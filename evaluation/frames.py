"""Which frame of an edit is compared with which frame of its source.

Methods return other frame counts, rates and sizes than they were given. Frames are therefore paired
by the moment they are shown, never by their number alone, and the rule is part of what a score
means:

- `pts`    pair frames shown nearest in seconds, over the duration both clips have (default)
- `span`   the same with both clips scaled to one duration, for outputs whose rate tag is wrong
- `index`  first with first, second with second, as far as both go

The timeline is that of the clip with fewer frames, so no frame of it is used twice.
"""

from typing import NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.video import Video

POLICIES = ("pts", "span", "index")


class Pairing(NamedTuple):
    """Frame numbers that belong together, and how much of the two clips they cover."""

    source: np.ndarray  # int (pairs,)
    edited: np.ndarray  # int (pairs,)
    seconds: float  # duration that both clips have, in seconds of the source
    share: float  # that duration as a share of the longer clip, 0 to 1


def pair_frames(source: Video, edited: Video, policy: str = "pts") -> Pairing:
    """Return the pairs of frames of `source` and `edited` under `policy`."""
    if policy not in POLICIES:
        hint = near_misses(policy, list(POLICIES))
        raise UserError(f"unknown frame policy {policy!r}{hint} (known: {', '.join(POLICIES)})")
    if policy == "index":
        return _by_index(source, edited)
    stretch = source.duration / edited.duration if policy == "span" else 1.0
    return _by_time(source, edited, stretch)


def _by_index(source: Video, edited: Video) -> Pairing:
    count = np.arange(min(len(source), len(edited)))
    return Pairing(
        count, count, len(count) / source.fps, len(count) / max(len(source), len(edited))
    )


def _by_time(source: Video, edited: Video, stretch: float) -> Pairing:
    """Pair by time; the edit's clock runs `stretch` times as slow."""
    edited_times, edited_duration = edited.times * stretch, edited.duration * stretch
    common = min(source.duration, edited_duration)
    in_source = np.flatnonzero(source.times < common - 1e-6)
    in_edited = np.flatnonzero(edited_times < common - 1e-6)
    if len(in_source) <= len(in_edited):
        chosen = nearest(edited_times[in_edited], source.times[in_source])
        pairs = in_source, in_edited[chosen]
    else:
        chosen = nearest(source.times[in_source], edited_times[in_edited])
        pairs = in_source[chosen], in_edited
    return Pairing(*pairs, common, common / max(source.duration, edited_duration))


def nearest(times: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the number of the frame shown nearest to each wanted moment; ties: the earlier.

    times: rising (n,); wanted: (m,); seconds. A microsecond of slack keeps container rounding out.
    """
    return np.abs(times[None, :] - wanted[:, None]).round(6).argmin(axis=1)
