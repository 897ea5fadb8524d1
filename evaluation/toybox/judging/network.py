"""The judge's network: convolutions in space and in time, then a vector a frame, then heads.

16x48x80 -> 16x24x40 -> 16x12x20 -> 16x6x10 -> a vector a frame -> a vector a clip
"""

import torch
from torch import Tensor, nn, relu_

from dreamix.toybox.world import VALUES

WIDTHS = (16, 48, 96)  # channels at 24x40, 12x20 and 6x10
PLACES = 16  # channels that reach the vector of a frame place by place
WIDTH = 128  # of the vector of a frame
HEADS = {field: len(words) + 1 for field, words in VALUES.items()}  # the last: none of these


class JudgeNetwork(nn.Module):
    """0.6 M parameters. Every attribute has one output more than words: "none of these"."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.stem = nn.Conv3d(3, fine, (3, 5, 5), (1, 2, 2), (1, 2, 2))
        self.middle = Block(fine, middle)
        self.coarse = Block(middle, coarse)
        self.places = nn.Conv3d(coarse, PLACES, 1)
        self.frame = nn.Linear(PLACES * 6 * 10 + 2 * coarse, WIDTH)
        self.times = nn.ModuleList(TimeBlock(dilation) for dilation in (1, 2, 4))
        self.heads = nn.Linear(2 * WIDTH, sum(HEADS.values()))

    def forward(self, clips: Tensor) -> list[Tensor]:
        """Return logits (B, words + 1) for each attribute; clips: (B, 3, 16, 48, 80) in 0..1."""
        x = (clips * 4 - 2).contiguous(memory_format=torch.channels_last_3d)
        x = self.coarse(self.middle(relu_(self.stem(x))))  # (B, 96, 16, 6, 10)
        placed = self.places(x).transpose(1, 2).flatten(2)
        pooled = [part.transpose(1, 2) for part in (x.mean((3, 4)), x.amax((3, 4)))]
        y = self.frame(torch.cat([placed, *pooled], dim=2)).transpose(1, 2)  # (B, 128, 16)
        for block in self.times:
            y = block(y)
        logits = self.heads(torch.cat([y.mean(2), y.amax(2)], dim=1)).float()
        return list(logits.split(list(HEADS.values()), dim=1))


class Block(nn.Module):
    """Halves the picture, then looks at 3x3 neighbours and at the frames before and after.

    No normalisation: on a CPU it costs more than the convolutions. What is added to `x` starts at
    a fifth instead.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.down = nn.Conv3d(before, after, (1, 3, 3), (1, 2, 2), (0, 1, 1))
        self.space = nn.Conv3d(after, after, (1, 3, 3), padding=(0, 1, 1))
        self.time = nn.Conv3d(after, after, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, after, F, h / 2, w / 2) for (B, before, F, h, w)."""
        x = relu_(self.down(x))
        x = x + relu_(self.space(x))
        return x + relu_(self.time(x))


class TimeBlock(nn.Module):
    """Mixes the vectors of frames `dilation` apart."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, WIDTH)
        self.mix = nn.Conv1d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 128, F) for the same."""
        return x + self.mix(relu_(self.norm(x)))
