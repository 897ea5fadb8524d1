"""CLIP-I: does each frame still look like the source's frame?"""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample
from evaluation.sample.corruptions import CORRUPTIONS


@metric(
    "clip_i",
    axis="fidelity",
    better="higher",
    bounds=(-1, 1),
    needs=("source", "clip"),
    not_for=("motion", "subject"),
    responds=dict.fromkeys(CORRUPTIONS, "falls"),
)
def clip_i(sample: Sample) -> np.ndarray:
    """Cosine of each edited frame with its source frame: mean over t of f(x_t).f(y_t).

    f: unit-norm CLIP embeddings; x, y: source and edit, frames paired. An untouched source scores
    1. Misleads for edits of motion, whose frames are meant to part from the source's; use
    clip_i_set there. Source: CLIP-I of DreamBooth (Ruiz et al. 2023), frame by frame.
    """
    return cosine(sample.pair.source.embed("clip"), sample.pair.edited.embed("clip"))
