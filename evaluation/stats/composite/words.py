"""What a composite is worth, in a sentence that is worked out from its numbers."""

import numpy as np

from dreamix.core.wording import plural
from evaluation.stats.composite.gains import Gain, verdict
from evaluation.stats.composite.learning import Learned

UNITS = {"item": "within an edit", "edits": "within a method", "global": "over all edits"}

VERDICTS = {
    "better": "the composite is better",
    "worse": "the composite is worse",
    "not shown to be better": "the composite is not shown to be better",
    "not comparable": "the two cannot be compared",
}
MANY = 5  # names in a sentence


def sentence(learned: Learned, axis: str, *, simulated: bool = False) -> str:
    """Return how the composite of an axis compares with single metrics, by the headline statistic.

    simulated: the votes are those of simulated raters; the sentence then begins with that.
    """
    gain, hindsight = learned.gains[0], learned.hindsight[0]
    who = "simulated raters" if simulated else "people"
    videos = plural(learned.sources, "source video")
    said = (
        f"On held-out videos, the composite follows {who} on {axis} with r = "
        f"{number(gain.composite)} ({UNITS[gain.statistic.level]}, {videos}); {_rival(gain)}: "
        f"{VERDICTS[verdict(gain, hindsight)]}. {_in_hindsight(hindsight)}"
    )
    return f"SIMULATED: {said}" if simulated else said


def rivals(gain: Gain) -> str:
    """Return the name of the single metric, and of those that are as good."""
    names = (gain.rival, *gain.even)
    if len(names) > MANY:
        return f"{gain.rival} and {len(gain.even)} that are as good"
    return f"{', '.join(names[:-1])} and {names[-1]}" if gain.even else gain.rival


def number(value: float) -> str:
    """Return a correlation with two decimals, "undefined" if there is none."""
    text = f"{value:.2f}" if np.isfinite(value) else "undefined"
    return text.removeprefix("-") if text == "-0.00" else text


def p_value(p: float) -> str:
    """Return "p = 0.041", "p < 0.001" or "p undefined"."""
    if not np.isfinite(p):
        return "p undefined"
    if p < 0.001:
        return "p < 0.001"
    return "p = 1" if p > 0.9995 else f"p = {p:.3f}"


def _rival(gain: Gain) -> str:
    if not gain.folds:
        return "no single metric has a value"
    what, reach = ("metrics", "reach") if gain.even else ("metric", "reaches")
    return (
        f"the best single {what}, {rivals(gain)}, {reach} {number(gain.single)}; "
        f"{_difference(gain)}"
    )


def _in_hindsight(gain: Gain) -> str:
    return (
        f"Compared with the best in hindsight, {rivals(gain)} with {number(gain.single)}, "
        f"it gains {number(gain.delta)} [{number(gain.low)}, {number(gain.high)}]."
    )


def _difference(gain: Gain) -> str:
    ends = f"[{number(gain.low)}, {number(gain.high)}]"
    return f"the difference is {number(gain.delta)} {ends}, {p_value(gain.p)}"
