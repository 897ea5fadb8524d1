"""Measures the Toybox judge on held-out renders: accuracy, calibration, confusions, broken clips.

    python benchmarks/judge_accuracy.py [--scenes 400] [--footage SUITE_OF_REAL_CLIPS]

Prints Markdown. None of the scenes' combinations of colour, shape, motion and place was trained on.
Colour is asked where it can be seen: not in pencil and sepia. Damage is that of
`evaluation.sample.corruptions`, not that of the training.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dreamix.core.seeding import rng_for
from dreamix.core.threads import one_thread
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.toybox.training.clips import test_scenes
from dreamix.toybox.world import VALUES, Scene, render, render_base
from dreamix.toybox.world.renderer import render_empty
from evaluation.sample.corruptions import CORRUPTIONS
from evaluation.settings import ModelSettings
from evaluation.toybox.judge import NOTHING, Judge, Judgement, visible

Clips = list[Video]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--footage", type=Path)
    options = parser.parse_args()
    model = Judge(ModelSettings())
    one_thread()
    scenes = list(test_scenes(options.scenes))
    clean = [render(scene) for scene in scenes]
    readable = {name: [change(clip) for clip in clean] for name, change in READABLE.items()}
    readable["24x40, as the base model gives it"] = [Video(render_base(s), 8) for s in scenes]
    found = {name: model.judge(clips) for name, clips in readable.items()}
    print(accuracy_table(found, scenes))
    print(f"\nWrong words, undamaged:\n\n{confusions(found['undamaged'], scenes)}\n")
    broken = {name: change(clean) for name, change in BROKEN.items()}
    broken["subject left out"] = [render_empty(scene) for scene in scenes]
    if options.footage:
        suite = load_suite(options.footage)
        broken["real footage"] = [suite.source(video) for video in suite.videos]
    print(broken_table({name: model.judge(clips) for name, clips in broken.items()}))


def accuracy_table(found: dict[str, list[Judgement]], scenes: list[Scene]) -> str:
    """Return a row per damage: share of right words per attribute, and calibration error."""
    lines = [
        f"| damage | {' | '.join(VALUES)} | calibration error |",
        "|---" * (len(VALUES) + 2) + "|",
    ]
    for name, judgements in found.items():
        shares = [np.mean(rights(judgements, scenes, field)) for field in VALUES]
        cells = [f"{100 * share:.1f}" for share in shares]
        lines.append(f"| {name} | {' | '.join(cells)} | {calibration(judgements, scenes):.3f} |")
    return "\n".join(lines)


def rights(judgements: list[Judgement], scenes: list[Scene], field: str) -> list[bool]:
    """Return for each scene that shows the attribute whether the answer is its word."""
    pairs = zip(judgements, scenes, strict=True)
    return [j.answer(field) == getattr(s, field) for j, s in pairs if shows(s, field)]


def shows(scene: Scene, field: str) -> bool:
    """Return whether an attribute can be seen in a scene."""
    return field in visible({each: getattr(scene, each) for each in VALUES})


def calibration(judgements: list[Judgement], scenes: list[Scene]) -> float:
    """Return the expected calibration error over all attributes, ten equal bins of confidence."""
    pairs = [(f, j) for f in VALUES for j, s in zip(judgements, scenes, strict=True) if shows(s, f)]
    sure = np.array([judged.probabilities[field].max() for field, judged in pairs])
    right = np.array([r for f in VALUES for r in rights(judgements, scenes, f)])
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [abs(sure[bins == b].sum() - right[bins == b].sum()) for b in range(10)]
    return float(sum(gaps) / len(sure))


def confusions(judgements: list[Judgement], scenes: list[Scene]) -> str:
    """Return each confusion of two words with its count."""
    pairs = zip(judgements, scenes, strict=True)
    wrong = Counter(
        f"{field}: {getattr(scene, field)} read as {judged.answer(field)}"
        for judged, scene in pairs
        for field in VALUES
        if shows(scene, field) and judged.answer(field) != getattr(scene, field)
    )
    return "\n".join(f"- {what}: {count}" for what, count in wrong.most_common()) or "none"


def broken_table(found: dict[str, list[Judgement]]) -> str:
    """Return a row per way to break a clip: percent "none of these", percent sure of a word."""
    lines = [f"| broken by | {' | '.join(VALUES)} | likeliest word above 0.9 |"]
    lines.append("|---" * (len(VALUES) + 2) + "|")
    for name, judgements in found.items():
        cells = [np.mean([j.answer(f) == NOTHING for j in judgements]) for f in VALUES]
        sure = np.mean([j.probabilities[f][:-1].max() > 0.9 for j in judgements for f in VALUES])
        texts = [f"{100 * cell:.0f}" for cell in cells]
        lines.append(f"| {name} | {' | '.join(texts)} | {100 * sure:.0f} |")
    return "\n".join(lines)


def corrupted(name: str, strength: int) -> Callable[[Video], Video]:
    """Return a damage of `evaluation.sample.corruptions` at one strength."""
    return lambda clip: CORRUPTIONS[name](clip, strength)


def enlarged(clip: Video) -> Video:
    """Return the clip reduced to 24x40 and enlarged bilinearly to 96x160."""
    import cv2

    small = [cv2.resize(frame, (40, 24), interpolation=cv2.INTER_AREA) for frame in clip.frames]
    return Video(np.stack([cv2.resize(frame, (160, 96)) for frame in small]), clip.fps)


def each(change: Callable[[Video, np.random.Generator], np.ndarray]) -> Callable[[Clips], Clips]:
    """Return a change of all clips, each with its own generator."""
    return lambda clips: [
        Video(change(clip, rng_for("judge-accuracy", i)), clip.fps) for i, clip in enumerate(clips)
    ]


def blended(clips: Clips) -> Clips:
    """Return the mean of each clip and the next."""
    pairs = zip(clips, clips[1:] + clips[:1], strict=True)
    return [Video(((a.frames.astype(int) + b.frames) // 2).astype(np.uint8), 8) for a, b in pairs]


def scrambled(clip: Video, rng: np.random.Generator) -> np.ndarray:
    """Return the clip with its 60 patches of 16x16 in another order."""
    patches = clip.frames.reshape(16, 6, 16, 10, 16, 3).transpose(1, 3, 0, 2, 4, 5)
    patches = rng.permutation(patches.reshape(60, 16, 16, 16, 3)).reshape(6, 10, 16, 16, 16, 3)
    return patches.transpose(2, 0, 3, 1, 4, 5).reshape(16, 96, 160, 3)


def colours(clip: Video, rng: np.random.Generator) -> np.ndarray:
    """Return a clip of one colour."""
    return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), clip.frames.shape)


def grain(clip: Video, rng: np.random.Generator) -> np.ndarray:
    """Return independent noise in every pixel."""
    return rng.integers(0, 256, clip.frames.shape, dtype=np.uint8)


def shuffled(clip: Video, rng: np.random.Generator) -> np.ndarray:
    """Return the frames in random order."""
    return rng.permutation(clip.frames)


def upside_down(clip: Video, rng: np.random.Generator) -> np.ndarray:
    """Return the clip upside down and as a negative: nothing of the kind was trained on."""
    return 255 - clip.frames[:, ::-1]


READABLE: dict[str, Callable[[Video], Video]] = {
    "undamaged": lambda clip: clip,
    "blur, strength 3 of 5": corrupted("blur", 3),
    "blur, strength 5": corrupted("blur", 5),
    "noise, strength 3": corrupted("noise", 3),
    "noise, strength 5": corrupted("noise", 5),
    "JPEG, quality 18": corrupted("jpeg", 3),
    "JPEG, quality 5": corrupted("jpeg", 5),
    "colour shift, strength 1": corrupted("colour_shift", 1),
    "frames dropped, strength 1": corrupted("frame_drop", 1),
    "24x40 enlarged to 96x160": enlarged,
    "first 8 frames": lambda clip: Video(clip.frames[:8], clip.fps),
    "every second frame": lambda clip: Video(clip.frames[::2], clip.fps / 2),
}
BROKEN: dict[str, Callable[[Clips], Clips]] = {
    "noise": each(grain),
    "flat colour": each(colours),
    "two clips blended": blended,
    "patches scrambled": each(scrambled),
    "frames shuffled": each(shuffled),
    "upside-down negative": each(upside_down),
}


if __name__ == "__main__":
    main()
