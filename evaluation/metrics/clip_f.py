"""CLIP-F: do the frames of a clip look alike? Five published formulas under one name.

They disagree: on a slow drift the first is near 1 and the others fall. A frozen clip scores 1 on
all of them, so none says anything without a measure of motion beside it.
"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "clip_f",
    axis="quality",
    better="higher",
    bounds=(-1, 1),
    needs=("clip",),
    responds={"shuffle": "falls"},
)
def clip_f(sample: Sample) -> np.ndarray:
    """Cosine of neighbouring frames: mean over t of f(y_t).f(y_{t+1}).

    f: unit-norm CLIP embeddings; y: edit. Nearly blind to slow drift. Does not apply to one frame.
    Source: Tem-Con of FateZero (Qi et al. 2023); EvalCrafter.
    """
    return with_previous(embeddings(sample))


@metric(
    "clip_f.all_pairs",
    axis="quality",
    better="higher",
    bounds=(-1, 1),
    needs=("clip",),
    responds={"shuffle": "stays"},
)
def clip_f_all_pairs(sample: Sample) -> np.ndarray:
    """Cosine of all pairs of frames: mean over s != t of f(y_s).f(y_t).

    f: unit-norm CLIP embeddings; y: edit. A frame's value is its mean with all others. Does not
    apply to one frame. Source: LOVEU-TGVE 2023 (there times 100).
    """
    frames = embeddings(sample)
    alike = cosine(frames[:, None], frames[None])
    return (alike.sum(axis=1) - np.diag(alike)) / (len(frames) - 1)


@metric(
    "clip_f.vbench",
    axis="quality",
    better="higher",
    bounds=(0, 1),
    needs=("clip",),
    responds={"frame_drop": "rises"},
)
def clip_f_vbench(sample: Sample) -> np.ndarray:
    """Cosine with previous and first frame: mean of (f(y_t).f(y_{t-1}) + f(y_t).f(y_1)) / 2.

    f: unit-norm CLIP embeddings; y: edit; from the second frame on; each cosine at least 0. Does
    not apply to one frame. Source: background consistency of VBench (Huang et al. 2024), whose
    resizing without antialiasing is not repeated here.
    """
    frames = embeddings(sample)
    return (with_previous(frames).clip(0) + with_first(frames).clip(0)) / 2


@metric(
    "clip_f.first",
    axis="quality",
    better="higher",
    bounds=(-1, 1),
    needs=("clip",),
    responds={"colour_shift": "rises"},
)
def clip_f_first(sample: Sample) -> np.ndarray:
    """Cosine with the first frame: mean over t > 1 of f(y_t).f(y_1).

    f: unit-norm CLIP embeddings; y: edit. The most sensitive of the five to drift, and to wanted
    motion. Does not apply to one frame. Source: the second half of clip_f.vbench.
    """
    return with_first(embeddings(sample))


@metric(
    "clip_f.unprojected",
    axis="quality",
    better="higher",
    bounds=(0, 1),
    needs=("clip",),
    responds={"shuffle": "falls"},
)
def clip_f_unprojected(sample: Sample) -> np.ndarray:
    """Cosine of neighbouring frames before CLIP's last matrix: mean of h(y_t).h(y_{t+1}).

    h: unit-norm pooled output of the vision transformer (pooler_output in transformers), not yet in
    the space of texts; y: edit; each cosine at least 0. Does not apply to one frame, nor to models
    that pool and project in one layer. Source: V2VBench (Sun et al. 2024), there on ViT-L/14.
    """
    return with_previous(embeddings(sample, "unprojected")).clip(0)


def embeddings(sample: Sample, output: str = "projected") -> np.ndarray:
    """Return the edit's embeddings (frames, dimensions); one frame raises `DoesNotApply`."""
    frames = sample.edited.embed("clip", output)
    if len(frames) < 2:
        raise DoesNotApply("one frame has no neighbour to be compared with")
    return frames


def with_previous(frames: np.ndarray) -> np.ndarray:
    """Return the cosines of neighbours, (frames - 1,), from unit-norm rows."""
    return cosine(frames[1:], frames[:-1])


def with_first(frames: np.ndarray) -> np.ndarray:
    """Return the cosines with the first row, (frames - 1,), from unit-norm rows."""
    return cosine(frames[1:], frames[0])
