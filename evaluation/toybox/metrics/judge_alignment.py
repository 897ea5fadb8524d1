"""Judge alignment: does the clip show what the prompt changes?"""

from math import prod

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample
from evaluation.toybox.judge import judgement
from evaluation.toybox.metrics.asked import asked


@metric(
    "judge_alignment",
    axis="alignment",
    better="higher",
    bounds=(0, 1),
    needs=("rendered", "prompt", "caption", "judge"),
    world="toybox",
)
def judge_alignment(sample: Sample) -> float:
    """Probability, by the Toybox judge, that all that the prompt changes is as it says.

    Product over the attributes (colour, shape, motion, background, effect, style, camera) in which
    prompt and caption of the source differ; colour is not asked in pencil and sepia, which keep
    brightness alone. Does not apply where they differ in none. Source: this project.
    """
    changed = asked(sample).changed
    if not changed:
        raise DoesNotApply("the prompt changes nothing that can be seen")
    found = judgement(sample.edited)
    return prod(found.probability(*wanted) for wanted in changed.items())
