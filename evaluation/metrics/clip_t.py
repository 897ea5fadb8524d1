"""CLIP-T: does every frame look like the prompt?"""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "clip_t",
    axis="alignment",
    better="higher",
    bounds=(-1, 1),
    needs=(
        "prompt",
        "clip",
    ),
    responds={"blur": "falls", "noise": "falls", "shuffle": "stays"},
)
def clip_t(sample: Sample) -> np.ndarray:
    """Cosine of each edited frame with the prompt: mean over t of f(y_t).g(p).

    f, g: unit-norm CLIP embeddings of frames and texts; y: edit; p: prompt. A raw cosine, neither
    scaled by 100 nor clamped (CLIPScore of torchmetrics: 100 times it, never below 0). Source:
    LOVEU-TGVE 2023 and EditBoard, there with and without the scale.
    """
    return cosine(sample.edited.embed("clip"), sample.text("clip", sample.prompt))
