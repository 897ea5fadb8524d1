"""Frame accuracy: do the frames look more like the prompt than like the source's caption?"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "frame_acc",
    axis="alignment",
    better="higher",
    bounds=(0, 1),
    needs=("prompt", "caption", "clip"),
    responds={"shuffle": "stays"},
)
def frame_acc(sample: Sample) -> np.ndarray:
    """Share of edited frames nearer to the prompt than to the caption: f(y_t).g(p) >= f(y_t).g(q).

    f, g: unit-norm CLIP embeddings of frames and texts; y: edit; p, q: prompt and caption of the
    source. Each frame is 0 or 1. Does not apply where prompt and caption are one text. Source:
    Frame-Acc of FateZero (Qi et al. 2023) and EditBoard.
    """
    if sample.prompt == sample.caption:
        raise DoesNotApply("prompt and caption are the same text")
    frames = sample.edited.embed("clip")
    wanted = cosine(frames, sample.text("clip", sample.prompt))
    present = cosine(frames, sample.text("clip", sample.caption or ""))
    return (wanted >= present).astype(np.float64)
