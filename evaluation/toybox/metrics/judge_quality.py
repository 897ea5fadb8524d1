"""Judge quality: does the clip show anything the judge has a word for?"""

import numpy as np

from dreamix.toybox.world import VALUES
from evaluation.metrics.base import metric
from evaluation.sample import Sample
from evaluation.toybox.judge import NOTHING, judgement


@metric(
    "judge_quality",
    axis="quality",
    better="higher",
    bounds=(0, 1),
    needs=("rendered", "judge"),
    world="toybox",
)
def judge_quality(sample: Sample) -> float:
    """Probability, by the Toybox judge, that an attribute of the clip has a word at all, mean of 7.

    1 - mean of P("none of these"): near 0 for noise and flat colour, near 1 for a clip in which
    subject, motion, place, air, style and camera can all be told, whichever they are. Blur, noise
    and blocks hardly move it: the judge has learned to see through them. Source: this project.
    """
    found = judgement(sample.edited)
    return 1 - float(np.mean([found.probability(field, NOTHING) for field in VALUES]))
