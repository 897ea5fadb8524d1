"""BRISQUE: technical quality without a reference."""

import numpy as np

from evaluation.features.brisque import Brisque
from evaluation.metrics.base import metric
from evaluation.sample import Sample


@metric(
    "brisque",
    axis="quality",
    better="lower",
    bounds=(-np.inf, np.inf),
    needs=("brisque",),
    responds={"blur": "rises", "jpeg": "rises", "shuffle": "stays"},
)
def brisque(sample: Sample) -> np.ndarray:
    """Technical quality of each frame without a reference, 0 good to 100 bad, not clipped.

    Mittal et al. 2012, trained on natural photographs: read the delta to the source. Blur and
    blocks raise it on real clips, but a little noise lowers it, mirroring a frame moves it by 6 on
    average, and on rendered clips it does not even follow blur. The numbers of package brisque.
    """
    model: Brisque = sample.edited.features.model("brisque")
    return model.scores(sample.edited.frames)
