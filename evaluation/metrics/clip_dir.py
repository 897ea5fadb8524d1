"""CLIP directional similarity: did the frames change the way the words did?"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample

SMALLEST = 1e-3  # shortest difference of two unit vectors that still has a direction


@metric(
    "clip_dir",
    axis="alignment",
    better="higher",
    bounds=(-1, 1),
    needs=("source", "prompt", "caption", "clip"),
    responds={"shuffle": "falls", "colour_shift": "falls"},
)
def clip_dir(sample: Sample) -> np.ndarray:
    """Cosine between change of frame and change of text: mean of cos(f(y_t) - f(x_t), g(p) - g(q)).

    f, g: unit-norm CLIP embeddings of frames and texts; x, y: source and edit, frames paired; p, q:
    prompt and caption of the source. Frames whose change is shorter than 0.001 have no direction
    and are left out; it does not apply if they are over half of the clip, or if the prompt says
    what the caption says. Source: StyleGAN-NADA (Gal et al. 2021);
    InstructPix2Pix (Brooks et al. 2023).
    """
    caption = sample.text("clip", sample.caption or "")
    words = sample.text("clip", sample.prompt) - caption
    length = np.linalg.norm(words)
    if length < SMALLEST:
        raise DoesNotApply("prompt and caption mean the same to CLIP, so there is no direction")
    change = sample.pair.edited.embed("clip") - sample.pair.source.embed("clip")
    lengths = np.linalg.norm(change, axis=1)
    moved = lengths >= SMALLEST
    if moved.mean() < 0.5:
        still = int((~moved).sum())
        raise DoesNotApply(f"{still} of {len(moved)} frames are to CLIP as they were in the source")
    return cosine(change[moved] / lengths[moved, None], words / length)
