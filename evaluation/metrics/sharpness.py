"""Sharpness: energy of the gradient against contrast."""

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample


@metric(
    "sharpness",
    axis="quality",
    better="neither",
    bounds=(0, np.inf),
    needs=(),
    responds={
        "blur": "falls",
        "noise": "rises",
        "jpeg": "falls",
        "frame_drop": "stays",
        "shuffle": "stays",
    },
)
def sharpness(sample: Sample) -> np.ndarray:
    """Mean squared Sobel gradient of each frame's luma over its variance, in 1 / pixels^2.

    Tenengrad (Krotkov 1988; Pertuz et al. 2013), made blind to contrast and brightness by the
    variance. Blur lowers it; noise raises it as detail does, so it describes and does not judge:
    read the delta to the source.
    """
    return np.array([_sharpness(frame, i) for i, frame in enumerate(sample.edited.frames)])


def _sharpness(frame: np.ndarray, number: int) -> float:
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    deviation = float(cv2.meanStdDev(luma)[1][0, 0])
    if deviation == 0:
        raise DoesNotApply(f"frame {number} is flat: it has nothing to be sharp")
    # Sobel's weights add up to 8: an eighth of it is grey levels per pixel.
    gradients = (cv2.Sobel(luma, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    energy = sum(cv2.norm(gradient, cv2.NORM_L2SQR) for gradient in gradients)
    return energy / luma.size / deviation**2
