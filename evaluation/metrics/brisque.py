"""BRISQUE: technical quality without a reference."""

import numpy as np

from evaluation.features.brisque import Brisque
from evaluation.metrics.base import metric
from evaluation.sample import Sample


@metric("brisque", axis="quality", better="lower", bounds=(-np.inf, np.inf), needs=("brisque",))
def brisque(sample: Sample) -> np.ndarray:
    """Technical quality of each frame without a reference, 0 good to 100 bad, not clipped.

    Mittal et al. 2012, trained on natural photographs: for drawings and renderings the level means
    little and the delta to the source is the number to read. Blur and blocks raise it, a little
    noise lowers it, and mirroring a frame moves it by 6 on average (scores of the package brisque).
    """
    model: Brisque = sample.edited.features.model("brisque")
    return model.scores(sample.edited.frames)
