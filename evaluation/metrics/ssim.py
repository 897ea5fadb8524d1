"""Structural similarity between an edit and its source, whole and masked (Wang et al. 2004)."""

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.metrics.masking import masked_means
from evaluation.sample import Sample
from evaluation.sample.corruptions import CORRUPTIONS

REACH = 5  # pixels from the centre of the 11x11 window to its edge
RESPONDS = {**dict.fromkeys(CORRUPTIONS, "falls"), "colour_shift": "stays"}  # luma hardly moves
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim_map(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the SSIM of two uint8 RGB frames (h, w, 3) at each window: float32 (h - 10, w - 10).

    Luma in 0..255, Gaussian window of 11x11 pixels and deviation 1.5, only windows that lie wholly
    in the frame, no downsampling: eq. 13 of the paper.
    """
    # Centred on 128, squares keep three more bits in single precision; (co)variances do not notice.
    x, y = (cv2.cvtColor(f, cv2.COLOR_RGB2GRAY).astype(np.float32) - 128 for f in (first, second))
    mean_x, mean_y = _blur(x), _blur(y)
    covariance = _blur(x * y) - mean_x * mean_y
    # Only the sum of the variances is needed, so the two squares share a pass. The squares of means
    # are added first: of equal frames numerator and denominator then are equal to the last bit.
    variances = _blur(x * x + y * y) - (mean_x * mean_x + mean_y * mean_y)
    mean_x, mean_y = mean_x + 128, mean_y + 128
    similar = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    whole = similar / ((mean_x * mean_x + mean_y * mean_y + C1) * (variances + C2))
    return np.asarray(whole.clip(-1, 1))  # elsewhere single precision may round past the bounds


def _blur(image: np.ndarray) -> np.ndarray:
    kernel = cv2.getGaussianKernel(2 * REACH + 1, 1.5, cv2.CV_32F)
    return cv2.sepFilter2D(image, -1, kernel, kernel)[REACH:-REACH, REACH:-REACH]


def _maps(sample: Sample) -> np.ndarray:
    """Return the SSIM maps of all pairs of frames: float32 (pairs, h - 10, w - 10)."""
    source, edited = sample.pair.source.frames, sample.pair.edited.frames
    if min(source.shape[1:3]) <= 2 * REACH:
        size = f"{source.shape[1]}x{source.shape[2]}"
        raise DoesNotApply(f"frames of {size} pixels are smaller than SSIM's window of 11x11")
    return np.stack([ssim_map(a, b) for a, b in zip(source, edited, strict=True)])


@metric(
    "ssim",
    axis="fidelity",
    better="higher",
    bounds=(-1, 1),
    needs=("source",),
    not_for=("motion", "camera", "style", "subject"),
    responds=RESPONDS,
    version=2,
)
def ssim(sample: Sample) -> np.ndarray:
    """Structural similarity of each frame's luma to the source's; 1 = the same (Wang et al. 2004).

    Gaussian window of 11x11, K1 = 0.01, K2 = 0.03, at the source's size.
    """
    return _maps(sample).mean((1, 2), dtype=np.float64)


@metric(
    "ssim.masked",
    axis="fidelity",
    better="higher",
    bounds=(-1, 1),
    needs=("source", "keep"),
    not_for=("motion", "camera", "style", "subject"),
    responds=RESPONDS,
    version=2,
)
def ssim_masked(sample: Sample) -> np.ndarray:
    """Mean of the SSIM map over windows centred on pixels that the edit should leave alone.

    A window reaches 5 pixels past its centre, so a rim of that width around the edited part counts
    with it. Frames whose mask is empty are left out, and so is a border of 5 pixels.
    """
    return masked_means(_maps(sample), sample.paired_keep[:, REACH:-REACH, REACH:-REACH])
