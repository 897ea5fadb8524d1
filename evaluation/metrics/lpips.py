"""LPIPS between an edit and its source: over whole frames, and where the edit should do nothing."""

import numpy as np

from evaluation.features.perceptual import distance_maps, distances
from evaluation.metrics.base import metric
from evaluation.metrics.masking import masked_means
from evaluation.sample import Sample
from evaluation.sample.corruptions import CORRUPTIONS


@metric(
    "lpips",
    axis="fidelity",
    better="lower",
    bounds=(0, np.inf),
    needs=("source", "lpips"),
    not_for=("motion", "camera", "subject"),
    responds=dict.fromkeys(CORRUPTIONS, "rises"),
)
def lpips(sample: Sample) -> np.ndarray:
    """Perceptual distance of each frame to the source's: LPIPS v0.1 on AlexNet (Zhang et al. 2018).

    0 = the same frame; unrelated clips are near 0.8. Frames are taken at the source's size.
    """
    return distances(sample.pair.source, sample.pair.edited)


@metric(
    "lpips.masked",
    axis="fidelity",
    better="lower",
    bounds=(0, np.inf),
    needs=("source", "keep", "lpips"),
    not_for=("motion", "camera", "subject"),
    responds=dict.fromkeys(CORRUPTIONS, "rises"),
)
def lpips_masked(sample: Sample) -> np.ndarray:
    """Mean of the LPIPS map over the pixels that the edit should leave alone, and only those.

    The deepest layer sees 163 pixels at once, so what happens beside the mask is felt in it.
    Frames whose mask is empty are left out.
    """
    maps = distance_maps(sample.pair.source, sample.pair.edited)
    return masked_means(maps, sample.paired_keep)
