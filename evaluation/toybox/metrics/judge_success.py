"""Judge success: is the clip, word by word, what was asked for?"""

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.sample import Sample
from evaluation.toybox.judge import judgement
from evaluation.toybox.metrics.asked import asked


@metric(
    "judge_success",
    axis="alignment",
    better="higher",
    bounds=(0, 1),
    needs=("rendered", "prompt", "caption", "judge"),
    world="toybox",
)
def judge_success(sample: Sample) -> float:
    """1 if the Toybox judge reads the whole prompt from the clip, else 0.

    Success: for each of the seven attributes the likeliest answer is the word of the prompt, those
    it changes and those it keeps; "none of these" is never the word. Colour is not asked in pencil
    and sepia. The mean over edits is the rate of success. What no word tells (place, size, light)
    does not count: see psnr.masked and ideal_gain. Does not apply where the prompt changes nothing.
    Source: this project.
    """
    changed, kept = asked(sample)
    if not changed:
        raise DoesNotApply("the prompt changes nothing that can be seen")
    found = judgement(sample.edited)
    return float(all(found.answer(field) == word for field, word in {**changed, **kept}.items()))
