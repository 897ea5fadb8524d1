"""Motion fidelity: do pixels go the same way in the edit as in the source?"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample

LEAST_STEP = 0.002  # of the diagonal; a pixel that goes less far between two frames stands still


def flow_agreement(source: np.ndarray, edited: np.ndarray) -> float:
    """Return how well two flows (pairs, height, width, 2) agree in direction, -1 to 1.

    With S and E the pixels that move in the source and in the edit, and c the cosine of their two
    flow vectors where both move and 0 elsewhere: (mean of c over S + mean of c over E) / 2. Both
    ways, so that neither motion that was lost nor motion that was added goes unseen; a side in
    which nothing moves counts 0. Raises `DoesNotApply` if nothing moves in either.
    """
    least = (LEAST_STEP * np.hypot(*source.shape[1:3])) ** 2
    sums = [_cosines(a, b, least) for a, b in zip(source, edited, strict=True)]
    total, *counts = np.sum(sums, axis=0)
    if not any(counts):
        raise DoesNotApply("nothing moves in the source or the edit")
    return float(sum(total / count for count in counts if count) / 2)


def _cosines(source: np.ndarray, edited: np.ndarray, least: float) -> tuple[float, int, int]:
    """Return the sum of cosines where both flows (h, w, 2) move, and how many pixels of each do."""
    dot, in_source, in_edited = (
        np.einsum("hwc,hwc->hw", a, b, dtype=np.float64)
        for a, b in ((source, edited), (source, source), (edited, edited))
    )
    both = (in_source > least) & (in_edited > least)
    cosines = dot[both] / np.sqrt(in_source[both] * in_edited[both])
    count_source, count_edited = (int((a > least).sum()) for a in (in_source, in_edited))
    return float(cosines.sum()), count_source, count_edited


@metric(
    "motion_fidelity",
    axis="fidelity",
    better="higher",
    bounds=(-1, 1),
    needs=("source", "flow", "moving"),
    not_for=("motion", "camera", "subject"),
    responds={"blur": "falls", "noise": "falls", "jpeg": "falls", "frame_drop": "falls"},
)
def motion_fidelity(sample: Sample) -> float:
    """Agreement of the directions of optical flow in edit and source; 1 = the same motion.

    Mean cosine over the pixels that move in the source and over those that move in the edit, halved
    and added; a pixel that moves in one alone scores 0. After DMT's motion fidelity, by dense flow
    in place of tracks; blind to speed.
    """
    return flow_agreement(sample.pair.source.flow.forward, sample.pair.edited.flow.forward)
