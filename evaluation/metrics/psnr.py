"""Peak signal-to-noise ratio between an edit and its source, whole and masked."""

import cv2
import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.masking import kept_frames
from evaluation.sample import Sample
from evaluation.sample.corruptions import CORRUPTIONS

CAP = 100.0  # dB; equal frames have no finite value, and one grey level in a megapixel is 113 dB


def decibels(first: np.ndarray, second: np.ndarray, keep: np.ndarray | None = None) -> float:
    """Return the PSNR of two uint8 RGB frames over `keep`, bool (height, width), or all pixels.

    10 log10(255^2 / MSE), MSE = sum M e / (3 sum M), and at most `CAP`.
    """
    mask = None if keep is None else keep.astype(np.uint8)
    pixels = first.shape[0] * first.shape[1] if keep is None else np.count_nonzero(keep)
    mse = cv2.norm(first, second, cv2.NORM_L2SQR, mask) / (3 * pixels)
    return CAP if mse == 0 else min(CAP, float(10 * np.log10(255**2 / mse)))


@metric(
    "psnr",
    axis="fidelity",
    better="higher",
    bounds=(0, CAP),
    needs=("source",),
    not_for=("motion", "camera", "style", "subject"),
    responds=dict.fromkeys(CORRUPTIONS, "falls"),
)
def psnr(sample: Sample) -> np.ndarray:
    """PSNR of each frame to the source's in dB, over RGB at the source's size; equal frames: 100.

    The score is the mean of the frames' decibels, not the decibels of the mean error.
    """
    pairs = zip(sample.pair.source.frames, sample.pair.edited.frames, strict=True)
    return np.array([decibels(source, edited) for source, edited in pairs])


@metric(
    "psnr.masked",
    axis="fidelity",
    better="higher",
    bounds=(0, CAP),
    needs=("source", "keep"),
    not_for=("motion", "camera", "style", "subject"),
    responds=dict.fromkeys(CORRUPTIONS, "falls"),
)
def psnr_masked(sample: Sample) -> np.ndarray:
    """PSNR in dB over the pixels that the edit should leave alone, and only those.

    Frames whose mask is empty are left out.
    """
    keep, source, edited = sample.paired_keep, sample.pair.source.frames, sample.pair.edited.frames
    return np.array([decibels(source[i], edited[i], keep[i]) for i in kept_frames(keep)])
