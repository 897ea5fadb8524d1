"""What a clip may suffer and still be read: small, blurred, noisy, coded, tinted, short.

A clip here is float32 (16, 3, 48, 80), 0..1.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from evaluation.toybox.judging.clips import FRAMES, SIZE


class Dice:
    """Draws of one generator, in the words the damages use."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def below(self, count: int) -> int:
        """Return a whole number from 0 to `count` - 1."""
        return int(torch.randint(count, (), generator=self.generator))

    def between(self, low: float, high: float) -> float:
        """Return a number from `low` to `high`, all equally likely."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def happens(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.between(0, 1) < probability

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(shape, generator=self.generator)

    def order(self, count: int) -> Tensor:
        """Return the numbers below `count` in random order."""
        return torch.randperm(count, generator=self.generator)


def damaged(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip with none to all of the damages, in this order; one in five stays clean."""
    if dice.happens(0.2):
        return clip
    for probability, damage in _DAMAGES:
        if dice.happens(probability):
            clip = damage(clip, dice)
    return clip.clamp(0, 1)


def enlarged(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip as a model of 24x40 pixels shows it, enlarged."""
    small = interpolate(clip, (24, 40), mode="area")
    return interpolate(small, SIZE, mode="bicubic" if dice.happens(0.3) else "bilinear")


def blurred(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip under a Gaussian of 0.3 to 1.6 pixels, that is up to 3.2 at 96x160."""
    return gaussian(clip, dice.between(0.3, 1.6))


def gaussian(clip: Tensor, sigma: float) -> Tensor:
    """Return the clip under a Gaussian of deviation `sigma` pixels, the border repeated."""
    across, down = (_spread(size, sigma) for size in clip.shape[:1:-1])
    return down @ clip @ across.T


def _spread(size: int, sigma: float) -> Tensor:
    """Return the matrix (size, size) that blurs a line; what falls off an end counts at the end."""
    reach = int(np.ceil(3 * sigma))
    steps = torch.arange(-reach, reach + 1)
    taps = torch.exp(-steps.square() / (2 * sigma**2))
    places = (torch.arange(size)[:, None] + steps).clamp(0, size - 1)
    matrix = torch.zeros(size, size)
    return matrix.scatter_add_(1, places, (taps / taps.sum()).expand(size, -1))


def noisy(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip with pixel noise of deviation up to 0.1, that is 0.2 at 96x160."""
    return clip + dice.between(0, 0.1) * dice.normal(*clip.shape)


def blotched(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip with smooth blotches that change from frame to frame, as half-made clips."""
    cells = (24, 40) if dice.happens(0.5) else (6, 10)
    return clip + dice.between(0, 0.08) * interpolate(
        dice.normal(FRAMES, 3, *cells), SIZE, mode="bilinear"
    )


def coded(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip with its frames saved as JPEG of quality 5 to 60 at 96x160."""
    setting = [cv2.IMWRITE_JPEG_QUALITY, 5 + dice.below(56)]
    pixels = (clip.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
    frames = []
    for frame in pixels:
        large = cv2.resize(frame, (2 * SIZE[1], 2 * SIZE[0]), interpolation=cv2.INTER_LINEAR)
        decoded = cv2.imdecode(cv2.imencode(".jpg", large, setting)[1], cv2.IMREAD_COLOR)
        frames.append(cv2.resize(decoded, SIZE[::-1], interpolation=cv2.INTER_AREA))
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255


def tinted(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip brighter or darker, warmer or cooler, harder or softer, each by a little."""
    gain = 1 + 0.06 * dice.normal(3).clamp(-2, 2) + dice.between(-0.12, 0.12)
    lift = 0.025 * dice.normal(3).clamp(-2, 2)
    return clip * gain.view(3, 1, 1) + lift.view(3, 1, 1)


def retimed(clip: Tensor, dice: Dice) -> Tensor:
    """Return the clip cut short and its last frame held, or at half its rate."""
    numbers = torch.arange(FRAMES)
    if dice.happens(0.5):
        return clip[numbers.clamp(max=7 + dice.below(8))]
    return clip[numbers // 2 * 2]


Damage = Callable[[Tensor, Dice], Tensor]
_DAMAGES: tuple[tuple[float, Damage], ...] = (
    (0.12, retimed),
    (0.40, enlarged),
    (0.25, blurred),
    (0.40, tinted),
    (0.20, blotched),
    (0.30, noisy),
    (0.12, coded),
)
