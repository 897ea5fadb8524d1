"""Distance to the exact edit, where the suite can render it: gain in LPIPS, and PSNR."""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.features.perceptual import distances
from evaluation.metrics.base import metric
from evaluation.metrics.psnr import CAP, decibels
from evaluation.sample import Sample, pair_views
from evaluation.sample.corruptions import CORRUPTIONS

UNCHANGED = 1e-3  # LPIPS; an ideal edit nearer to the source than this asks for nothing visible


@metric(
    "ideal_gain",
    axis="alignment",
    better="higher",
    bounds=(-np.inf, 1),
    needs=("source", "ideal", "lpips"),
    responds=dict.fromkeys(CORRUPTIONS, "falls"),
)
def ideal_gain(sample: Sample) -> np.ndarray:
    """How much of the way from the source to the exact edit was gone, by LPIPS.

    1 - d(edit, ideal) / d(source, ideal), with the mean over frames below: 1 for the exact edit, 0
    for the untouched source, negative for one that went away from the goal.
    """
    ideal, edited, _ = sample.ideal_pair
    start = pair_views(ideal, sample.source, sample.policy)
    way = distances(start.source, start.edited).mean()
    if way < UNCHANGED:
        raise DoesNotApply(f"source and ideal edit look the same (LPIPS {way:.1g})")
    return 1 - distances(ideal, edited) / way


@metric(
    "ideal_psnr",
    axis="alignment",
    better="higher",
    bounds=(0, CAP),
    needs=("ideal",),
    responds=dict.fromkeys(CORRUPTIONS, "falls"),
)
def ideal_psnr(sample: Sample) -> np.ndarray:
    """PSNR of each frame to the exact edit's in dB; equal frames: 100."""
    ideal, edited, _ = sample.ideal_pair
    pairs = zip(ideal.frames, edited.frames, strict=True)
    return np.array([decibels(wanted, found) for wanted, found in pairs])
