"""From the answers to a checklist to three rates: strict, loose and chance-corrected.

Of a question with m options, asked in several forms, an answer is how likely each option is.

strict     1 if the right option is the favourite in every form, else 0.
loose      1 if the right option is ahead once the forms are averaged, else 0; where it shares the
           lead with others, its part of 1. A preference for a word or a letter averages out.
corrected  (p - c) / (1 - c), where p is the mean probability of the right option over the forms
           and c = 1/m: 1 for what is always right and sure of it, exactly 0 for a fixed preference
           for a word or a letter, below 0 for what is wrong more often than by chance.

A rate is the mean over the questions. Strict is never above loose.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

EVEN = 1e-9  # by which probabilities may differ and be the same
DIGITS = 9  # of a rate: what is behind is rounding


class Answered(NamedTuple):
    """A question, with how likely each option was in each form; None for a form without answer."""

    right: int
    options: int  # how many
    forms: tuple[tuple[float, ...] | None, ...]

    @property
    def is_whole(self) -> bool:
        """True if every form was answered."""
        return all(form is not None for form in self.forms)


def strict(question: Answered) -> float:
    """Return 1 if the right option is the favourite in every form, else 0."""
    shares = _shares(question)
    others = np.delete(shares, question.right, axis=1)
    return float((shares[:, question.right] > others.max(axis=1) + EVEN).all())


def loose(question: Answered) -> float:
    """Return 1 if the right option is ahead in the mean of the forms, its part of a tie, else 0."""
    mean = _shares(question).mean(axis=0)
    ahead = mean >= mean.max() - EVEN
    return float(ahead[question.right] / ahead.sum())


def corrected(question: Answered) -> float:
    """Return the chance-corrected mean probability of the right option."""
    chance = 1 / question.options
    mean = float(_shares(question)[:, question.right].mean())
    return (mean - chance) / (1 - chance)


RATES: dict[str, Callable[[Answered], float]] = {
    "strict": strict,
    "loose": loose,
    "corrected": corrected,
}
BOUNDS = {"strict": (0.0, 1.0), "loose": (0.0, 1.0), "corrected": (-1.0, 1.0)}


def rate(name: str, checklist: Sequence[Answered]) -> float:
    """Return a rate of a checklist of which every form was answered."""
    found = float(np.mean([RATES[name](question) for question in checklist]))
    return round(found, DIGITS) + 0.0  # of -0.0, 0.0


def rate_bounds(name: str, checklist: Sequence[Answered]) -> tuple[float, float]:
    """Return the least and most a rate could be, whatever the missing answers were."""
    worst = rate(name, [_filled(question, _worst(question)) for question in checklist])
    return worst, rate(name, [_filled(question, question.right) for question in checklist])


def wrong_ones(checklist: Sequence[Answered]) -> Iterator[int]:
    """Yield the numbers of the questions that were not answered right in every form."""
    for number, question in enumerate(checklist):
        if question.is_whole and not strict(question):
            yield number


def _shares(question: Answered) -> np.ndarray:
    """Return the shares of a whole question, (forms, options)."""
    return np.array(question.forms, dtype=np.float64)


def _filled(question: Answered, option: int) -> Answered:
    """Return the question, every form without an answer given one that is sure of an option."""
    sure = tuple(float(k == option) for k in range(question.options))
    return question._replace(forms=tuple(sure if one is None else one for one in question.forms))


def _worst(question: Answered) -> int:
    """Return the wrong option that would cost most: the one that is nearest to the right one."""
    given = [one for one in question.forms if one is not None]
    sums = np.sum(given, axis=0) if given else np.zeros(question.options)
    sums[question.right] = -1
    return int(np.argmax(sums))
