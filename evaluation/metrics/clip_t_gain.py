"""CLIP-T gain: how much closer to the prompt than the source was?"""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "clip_t_gain",
    axis="alignment",
    better="higher",
    bounds=(-2, 2),
    needs=("source", "prompt", "clip"),
    responds={"blur": "falls", "noise": "falls", "shuffle": "stays"},
)
def clip_t_gain(sample: Sample) -> np.ndarray:
    """What the edit added to CLIP-T: clip_t of the edit minus clip_t of the source.

    Per frame of the edit: f(y_t).g(p) - mean over s of f(x_s).g(p); f, g: unit-norm CLIP embeddings
    of frames and texts; x: source; y: edit; p: prompt. An untouched source scores 0, however well
    it fits the prompt already. Source: this project.
    """
    prompt = sample.text("clip", sample.prompt)
    before = cosine(sample.source.embed("clip"), prompt).mean()
    return cosine(sample.edited.embed("clip"), prompt) - before
