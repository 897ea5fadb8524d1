"""What leaves a clip without some of its words: then the right answer is "none of these".

An answer is int64 (attributes,): a place in `VALUES`, `NONE` (the place after the last), or
`UNSAID` where nothing is asked, because the damage leaves it open.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from dreamix.toybox.world import VALUES
from evaluation.toybox.judging.clips import FRAMES, SIZE
from evaluation.toybox.judging.damage import Dice

FIELDS = tuple(VALUES)
NONE = torch.tensor([len(words) for words in VALUES.values()])
UNSAID = -100  # what torch's cross_entropy ignores


@dataclass(frozen=True)
class Example:
    """A clip, float32 (16, 3, 48, 80) in 0..1; its answer; where the subject is, (16, 3) pixels."""

    clip: Tensor
    answer: Tensor
    track: Tensor


def broken(example: Example, other: Example, empty: Example, dice: Dice) -> Example:
    """Return the example broken in one of twelve ways.

    other: another example, for those that take two. empty: one without its subject.
    """
    way = dice.below(len(_WAYS) + 1)
    if way == len(_WAYS):
        return Example(
            empty.clip, answers(empty.answer, none=("colour", "shape", "motion")), empty.track
        )
    return _WAYS[way](example, other, dice)


def answers(answer: Tensor, none: tuple[str, ...] = (), unsaid: tuple[str, ...] = ()) -> Tensor:
    """Return the answer with some attributes set to "none of these" and others not asked for."""
    changed = answer.clone()
    for field in none:
        changed[FIELDS.index(field)] = NONE[FIELDS.index(field)]
    for field in unsaid:
        changed[FIELDS.index(field)] = UNSAID
    return changed


def noise(example: Example, other: Example, dice: Dice) -> Example:
    """Return noise of random grain around a random colour, still or changing."""
    cells = ((48, 80), (24, 40), (12, 20), (6, 10), (3, 5))[dice.below(5)]
    frames = 1 if dice.happens(0.3) else FRAMES
    grain = interpolate(dice.normal(frames, 3, *cells), SIZE, mode="bilinear")
    if dice.happens(0.2):
        grain = grain.mean(1, keepdim=True)
    middle = torch.rand(3, 1, 1, generator=dice.generator)
    clip = (middle + dice.between(0.1, 0.5) * grain).clamp(0, 1).expand(FRAMES, 3, *SIZE)
    return Example(clip, NONE, example.track)


def flat(example: Example, other: Example, dice: Dice) -> Example:
    """Return a clip of one colour, or of one that runs into another."""
    ends = torch.rand(2, 3, 1, 1, generator=dice.generator)
    if dice.happens(0.5):
        return Example(ends[0].expand(FRAMES, 3, *SIZE), NONE, example.track)
    along = torch.linspace(0, 1, SIZE[1]).expand(SIZE)
    if dice.happens(0.5):
        along = torch.linspace(0, 1, SIZE[0])[:, None].expand(SIZE)
    clip = (ends[0] + (ends[1] - ends[0]) * along).expand(FRAMES, 3, *SIZE)
    return Example(clip, NONE, example.track)


def mush(example: Example, other: Example, dice: Dice) -> Example:
    """Return a clip of which some blotches are left; its shape is gone, the rest is not asked."""
    cells = ((2, 3), (3, 5), (4, 6))[dice.below(3)]
    clip = interpolate(interpolate(example.clip, cells, mode="area"), SIZE, mode="bicubic")
    open_ = tuple(field for field in FIELDS if field != "shape")
    return Example(clip.clamp(0, 1), answers(example.answer, ("shape",), open_), example.track)


def blend(example: Example, other: Example, dice: Dice) -> Example:
    """Return two clips on top of each other."""
    clip = torch.lerp(example.clip, other.clip, dice.between(0.38, 0.62))
    return Example(clip, _both(example, other), example.track)


def splice(example: Example, other: Example, dice: Dice) -> Example:
    """Return two clips one after the other or side by side."""
    clip = example.clip.clone()
    if dice.happens(0.5):
        cut = 6 + dice.below(5)
        clip[cut:] = other.clip[cut:]
    elif dice.happens(0.5):
        clip[..., 40:] = other.clip[..., 40:]
    else:
        clip[..., 24:, :] = other.clip[..., 24:, :]
    return Example(clip, _both(example, other), example.track)


def scrambled(example: Example, other: Example, dice: Dice) -> Example:
    """Return the clip with its patches of 8 or 16 pixels in another order, in all or each frame."""
    size = 8 if dice.happens(0.5) else 16
    rows, columns = SIZE[0] // size, SIZE[1] // size
    patches = example.clip.unflatten(3, (columns, size)).unflatten(2, (rows, size))
    patches = patches.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (16, patches, 3, size, size)
    one = dice.order(rows * columns)
    again = dice.happens(0.3)
    orders = [dice.order(rows * columns) if again else one for _ in range(FRAMES)]
    patches = torch.stack([frame[order] for frame, order in zip(patches, orders, strict=True)])
    clip = patches.unflatten(1, (rows, columns)).permute(0, 3, 1, 4, 2, 5).reshape(FRAMES, 3, *SIZE)
    return Example(clip, NONE, example.track)


def shuffled(example: Example, other: Example, dice: Dice) -> Example:
    """Return the frames in random order: no motion is left, unless nothing moved."""
    motion, camera = (VALUES[f][example.answer[FIELDS.index(f)]] for f in ("motion", "camera"))
    none = (("camera",) if camera != "still" else ()) + (
        ("motion",) if motion not in ("resting", "shaking") else ()
    )
    open_ = (
        ("motion",) if motion == "shaking" or (motion == "resting" and camera != "still") else ()
    )
    clip = example.clip[dice.order(FRAMES)]
    return Example(clip, answers(example.answer, none, open_), example.track)


def frozen(example: Example, other: Example, dice: Dice) -> Example:
    """Return one frame for all: a subject in the air that does not move has no motion we know."""
    motion = VALUES["motion"][example.answer[FIELDS.index("motion")]]
    hovers = motion in ("rising", "falling", "circling", "swinging", "spinning")
    stays = motion == "resting"
    moved = () if hovers or stays else ("motion",)
    effect = VALUES["effect"][example.answer[FIELDS.index("effect")]]
    open_ = (*moved, "effect") if effect != "none" else moved
    answer = answers(example.answer, ("motion",) if hovers else (), open_)
    answer[FIELDS.index("camera")] = VALUES["camera"].index("still")
    frame = dice.below(FRAMES)
    return Example(example.clip[frame : frame + 1].expand_as(example.clip), answer, example.track)


def jitter(example: Example, other: Example, dice: Dice) -> Example:
    """Return the clip with every frame moved by up to 5 pixels: no motion, no camera."""
    moves = [(dice.below(11) - 5, dice.below(11) - 5) for _ in range(FRAMES)]
    pairs = zip(example.clip, moves, strict=True)
    clip = torch.stack([frame.roll(move, (1, 2)) for frame, move in pairs])
    return Example(clip, answers(example.answer, ("motion", "camera")), example.track)


def melted(example: Example, other: Example, dice: Dice) -> Example:
    """Return the clip with its subject pulled out of shape: by 6 pixels or more, up and down."""
    flow = dice.normal(1 if dice.happens(0.5) else FRAMES, 2, 6, 10) * dice.between(5, 9)
    flow = interpolate(flow, SIZE, mode="bicubic").expand(FRAMES, 2, *SIZE)
    down = torch.arange(SIZE[0]) + 0.5
    across = torch.arange(SIZE[1]) + 0.5
    x, y, size = example.track.float().unbind(1)
    away = (across - x[:, None])[:, None].square() + (down - y[:, None])[:, :, None].square()
    near = (2 - away.sqrt() / size[:, None, None]).clamp(0, 1)  # 1 on the subject, 0 beside it
    places = torch.stack(
        [across + flow[:, 0] * near, down[:, None] + flow[:, 1] * near], dim=-1
    )  # (16, 48, 80, 2) in pixels; grid_sample counts from -1 to 1
    places = places * torch.tensor([2 / SIZE[1], 2 / SIZE[0]]) - 1
    clip = grid_sample(example.clip, places, padding_mode="border", align_corners=False)
    return Example(clip, answers(example.answer, ("shape",), ("motion",)), example.track)


def erased(example: Example, other: Example, dice: Dice) -> Example:
    """Return the clip with a hole of noise or colour over its subject."""
    x, y, size = example.track.mean(0).tolist()
    reach = 1.3 * size + 4
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    rows, columns = slice(top, int(y + reach)), slice(left, int(x + reach))
    cover = flat if dice.happens(0.5) else noise
    clip = example.clip.clone()
    clip[..., rows, columns] = cover(example, other, dice).clip[..., rows, columns]
    answer = answers(example.answer, ("shape", "motion"), ("colour", "background"))
    return Example(clip, answer, example.track)


def _both(example: Example, other: Example) -> Tensor:
    """Return the answer for two clips in one: none where they differ, open where they agree."""
    return torch.where(example.answer == other.answer, UNSAID, NONE)


Way = Callable[[Example, Example, Dice], Example]
_WAYS: tuple[Way, ...] = (
    noise,
    flat,
    mush,
    blend,
    splice,
    scrambled,
    shuffled,
    frozen,
    jitter,
    melted,
    erased,
)
