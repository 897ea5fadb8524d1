"""CLIP-I without order: does each frame look like some frame of the source?"""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "clip_i_set",
    axis="fidelity",
    better="higher",
    bounds=(-1, 1),
    needs=("source", "clip"),
    responds={
        "blur": "falls",
        "noise": "falls",
        "jpeg": "falls",
        "shuffle": "stays",
        "colour_shift": "falls",
    },
)
def clip_i_set(sample: Sample) -> np.ndarray:
    """Cosine of each edited frame with the most alike source frame: mean_t max_s f(y_t).f(x_s).

    f: unit-norm CLIP embeddings; x: source, y: edit, each with all its frames. Blind to order, so
    that an edit of motion keeps its score; an untouched source scores 1. Source: this project.
    """
    edited, source = sample.edited.embed("clip"), sample.source.embed("clip")
    return cosine(edited[:, None], source[None]).max(axis=1)
