"""Judge fidelity: does the clip still show what the prompt does not change?"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample
from evaluation.toybox.judge import judgement
from evaluation.toybox.metrics.asked import asked


@metric(
    "judge_fidelity",
    axis="fidelity",
    better="higher",
    bounds=(0, 1),
    needs=("rendered", "prompt", "caption", "judge"),
    world="toybox",
)
def judge_fidelity(sample: Sample) -> float:
    """Mean probability, by the Toybox judge, that what the prompt leaves alone is as it was.

    Over the attributes in which prompt and caption of the source agree (not the colour in pencil
    and sepia). It knows seven words, not the source itself: a clip made from the prompt alone, at
    another place and of another size, can score 1. Does not apply where the prompt changes all.
    Source: this project.
    """
    kept = asked(sample).kept
    if not kept:
        raise DoesNotApply("the prompt changes every attribute")
    found = judgement(sample.edited)
    return float(np.mean([found.probability(*wanted) for wanted in kept.items()]))
