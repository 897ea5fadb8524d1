"""Which stills of a clip a judge is shown: by time, the same moments in source and edit.

The rule. Frames of source and edit are paired as for every metric (`evaluation.sample.frames`). Of
the moments of these pairs, `count` are taken, evenly spread in time, first and last included; a
clip with fewer gives all it has. Where the edit is shown alone, its own first and last frame are
the ends. A still keeps its aspect, is made smaller (never larger) until its long side is `side`,
and goes out as JPEG or PNG. Nothing is cropped or letterboxed.
"""

import base64
import hashlib
import io
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from evaluation.sample.frames import pair_frames
from evaluation.sample.views import resize_frames

RULES = 1  # goes up when a policy chooses or shrinks otherwise
MOST = 64  # stills of a clip


@dataclass(frozen=True)
class FramePolicy:
    """How many stills of a clip, how large, and how they are packed."""

    count: int = 8
    side: int = 448
    packing: Literal["jpeg", "png"] = "jpeg"
    quality: int = 95  # of JPEG

    def __post_init__(self) -> None:
        """Check it, so that nothing downstream has to."""
        if not 2 <= self.count <= MOST:
            raise UserError(f"a judge is shown 2 to {MOST} frames of a clip, not {self.count}")
        if not 32 <= self.side <= 4096:
            raise UserError(f"frames for a judge are 32 to 4096 pixels long, not {self.side}")

    def facts(self) -> dict[str, Any]:
        """Return all that it decides, for the hash of what a number means."""
        return {**asdict(self), "rules": RULES}

    def __str__(self) -> str:
        """Return it in words."""
        packed = f"JPEG {self.quality}" if self.packing == "jpeg" else "PNG"
        return f"{self.count} frames a clip, long side {self.side}, {packed}"


@dataclass(frozen=True)
class Still:
    """One frame as it is shown, with its label."""

    label: str  # "Source, 0.5 s"
    number: int  # of the frame in its clip
    pixels: np.ndarray  # uint8 RGB (height, width, 3)
    packing: Literal["jpeg", "png"] = "jpeg"
    quality: int = 95

    @cached_property
    def sha256(self) -> str:
        """Hash of size and pixels, which no encoder's version changes."""
        head = f"{self.pixels.shape[0]}x{self.pixels.shape[1]}:".encode()
        return hashlib.sha256(head + np.ascontiguousarray(self.pixels).tobytes()).hexdigest()

    @cached_property
    def address(self) -> str:
        """The file as the data address that chat routes take; made once for all questions."""
        return f"data:image/{self.packing};base64,{base64.b64encode(self.data).decode()}"

    def under(self, label: str) -> "Still":
        """Return the same still under another label; it is hashed and packed once for both."""
        held = {"sha256": self.sha256, "address": self.address}
        other = replace(self, label=label)
        vars(other).update(held)  # where cached properties are
        return other

    @property
    def data(self) -> bytes:
        """The still as a file."""
        from PIL import Image

        buffer = io.BytesIO()
        how = {"quality": self.quality, "subsampling": 0} if self.packing == "jpeg" else {}
        Image.fromarray(self.pixels).save(buffer, self.packing.upper(), **how)
        return buffer.getvalue()


class Stills(NamedTuple):
    """What is shown of a source and its edit, of the same moments."""

    source: tuple[Still, ...]
    edited: tuple[Still, ...]

    @property
    def note(self) -> str:
        """Which frames were shown, for the row."""
        told = [("source", self.source), ("edit", self.edited)]
        parts = [f"{name} {', '.join(str(s.number) for s in of)}" for name, of in told if of]
        return f"frames shown: {'; '.join(parts)}"


def stills_of_both(
    source: Video, edited: Video, policy: FramePolicy, align: str = "auto", edit: str = "Edit"
) -> Stills:
    """Return equally many stills of source and edit, of the same moments.

    align: how frames are paired. edit: what the edit's stills are called.
    """
    pairs = pair_frames(source, edited, align)
    moments = source.times[pairs.source]
    chosen = spread(moments, policy.count)
    labels = [_seconds(moments[k]) for k in chosen]
    return Stills(
        _stills(source, pairs.source[chosen], labels, "Source", policy),
        _stills(edited, pairs.edited[chosen], labels, edit, policy),
    )


def stills_of_edit(edited: Video, policy: FramePolicy) -> Stills:
    """Return stills of an edit that is shown alone, over all of its duration."""
    chosen = spread(edited.times, policy.count)
    labels = [_seconds(edited.times[k]) for k in chosen]
    return Stills((), _stills(edited, chosen, labels, "Edit", policy))


def spread(times: np.ndarray, count: int) -> np.ndarray:
    """Return the rising numbers of `count` moments, evenly spread, first and last included.

    times: seconds, rising. All of them where there are no more than `count`.
    """
    if len(times) <= count:
        return np.arange(len(times))
    wanted = np.linspace(times[0], times[-1], count)
    found: list[int] = []
    for place, moment in enumerate(wanted):
        first = found[-1] + 1 if found else 0
        last = len(times) - (count - place)  # leaves enough for those that follow
        found.append(first + int(np.abs(times[first : last + 1] - moment).argmin()))
    return np.array(found)


def _stills(
    video: Video, numbers: np.ndarray, labels: list[str], name: str, policy: FramePolicy
) -> tuple[Still, ...]:
    scale = min(1.0, policy.side / max(video.height, video.width))
    size = [max(1, round(side * scale)) for side in (video.height, video.width)]
    frames = resize_frames(video.frames[numbers], size[0], size[1])
    packed = policy.packing, policy.quality
    return tuple(
        Still(f"{name}, {label}", int(number), frame, *packed)
        for number, label, frame in zip(numbers, labels, frames, strict=True)
    )


def _seconds(moment: float) -> str:
    return f"{moment:.2f}".rstrip("0").rstrip(".") + " s"
