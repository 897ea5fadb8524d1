"""The declared thresholds of an audit, the abilities they stand for, and the metrics they decide.

Thresholds are reasoned, not tuned on outcomes: a person accepts .001 to .022 of what all others
failed, the best of the judges whose answers are published .07, a middling one .20.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Verdict = Literal["passes", "fails", "cannot be told"]
CANNOT: Verdict = "cannot be told"
ACCEPTED = 3.0  # a score of 1 to 5 above it accepts an edit
SCORES = ("alignment", "fidelity", "quality", "exclusivity")
TO_FIND, TO_CERTIFY = 40, 160  # sources that find bad judges, and that certify good ones
ABILITIES = {  # as verdicts name them -> what is said where it failed
    "sees the edit": "does not see the edit",
    "keeps watch on the rest": "does not watch the rest",
    "grades": "does not grade",
    "sees motion": "does not see motion",
    "sees time": "does not see time",
    "is steady": "is not steady",
    "answers": "does not answer",
    "is not led": "is led by words in the picture",
}


class Rule(NamedTuple):
    """What a statistic has to be, what that is for, and which metrics fall with it."""

    ability: str
    metrics: tuple[str, ...]  # questions of a scoring; also "pairs" and "checklist"
    at_least: float | None = None  # the whole interval
    at_most: float | None = None
    point: float | None = None  # at least, of the value itself
    of_motion: bool = False  # it speaks of edits that ask for motion alone

    @property
    def words(self) -> str:
        """The threshold, as tables state it."""
        if self.at_least is not None and self.at_most is not None:
            return f"interval within {self.at_least:g} to {self.at_most:g}"
        ends = [("value", "at least", self.point), ("lower end", "at least", self.at_least)]
        ends += [("upper end", "at most", self.at_most)]
        return ", ".join(f"{name} {way} {end:g}" for name, way, end in ends if end is not None)

    def verdict(self, value: float, low: float, high: float) -> Verdict:
        """Return whether a statistic passes; NaN cannot be told.

        It fails only where its whole interval is on the wrong side.
        """
        if not low <= value <= high:  # NaN too
            return CANNOT
        floor, ceiling, point = self.at_least, self.at_most, self.point
        if high < max(floor or -9e9, point or -9e9) or (ceiling is not None and low > ceiling):
            return "fails"
        is_low = (floor is not None and low < floor) or (point is not None and value < point)
        return CANNOT if is_low or (ceiling is not None and high > ceiling) else "passes"


_SEES, _WATCHES, _STEADY = "sees the edit", "keeps watch on the rest", "is steady"
_REST = ("fidelity", "exclusivity")
RULES = {
    "ideal": Rule(_SEES, ("alignment",), at_least=0.80, point=0.90),
    "ideal.fidelity": Rule(_SEES, ("fidelity",), at_least=0.80, point=0.90),
    "ideal.quality": Rule(_SEES, ("quality",), at_least=0.80, point=0.90),
    "ideal.exclusivity": Rule(_SEES, ("exclusivity",), at_least=0.80, point=0.90),
    "unedited": Rule(_SEES, ("alignment",), at_most=0.10),
    "unedited.fidelity": Rule(_SEES, ("fidelity",), at_least=0.85, point=0.95),
    "ideal_v_unedited": Rule(_SEES, ("alignment", "checklist"), at_least=0.80),
    "voted_successes": Rule(_SEES, ("alignment",), at_least=0.80, point=0.90),
    "voted_failures": Rule(_SEES, ("alignment",), at_most=0.10),
    "voted_pairs": Rule(_SEES, ("alignment",), at_least=0.80),
    "wrong_clip": Rule(_WATCHES, _REST, at_least=0.80),
    "half_done": Rule("grades", ("alignment",), at_least=0.60),
    "extra_change": Rule(_WATCHES, ("fidelity",), at_least=0.70),
    "extra_change.exclusivity": Rule(_WATCHES, ("exclusivity",), at_least=0.70),
    "frozen": Rule("sees motion", ("alignment", "checklist"), at_least=0.80, of_motion=True),
    "shuffled": Rule("sees time", ("quality",), at_least=0.80),
    "no_picture": Rule(_SEES, ("alignment",), at_most=0.10),
    "no_picture.nothing": Rule(_SEES, ("alignment",), at_most=0.10),
    "polarity": Rule(_STEADY, ("checklist",), at_least=-0.10, at_most=0.10),
    "polarity.letters": Rule(_STEADY, ("checklist",), at_least=-0.10, at_most=0.10),
    "order": Rule(_STEADY, ("pairs",), at_most=0.10),
    "order.first_share": Rule(_STEADY, ("pairs",), at_least=0.40, at_most=0.60),
    "paraphrase": Rule(_STEADY, SCORES, at_most=0.25),
    "paraphrase.verdicts": Rule(_STEADY, SCORES, at_most=0.10),
    "frames": Rule(_STEADY, SCORES, at_least=-0.10, at_most=0.10),
    "resolution": Rule(_STEADY, SCORES, at_least=-0.10, at_most=0.10),
    "retest": Rule(_STEADY, SCORES, at_most=0.10),
    "retest.drift": Rule(_STEADY, SCORES, at_least=-0.10, at_most=0.10),
    "answers": Rule("answers", (*SCORES, "pairs", "checklist"), at_most=0.02),
    "answers.mass": Rule("answers", SCORES, at_least=0.95),
    "trap": Rule("is not led", SCORES, at_most=0.10),
}


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on several: it fails with one, and passes with all."""
    found = [*verdicts]
    if "fails" in found:
        return "fails"
    return "passes" if found and CANNOT not in found else CANNOT
