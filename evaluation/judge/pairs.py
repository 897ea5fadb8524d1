"""Two edits of one source compared by a judge: in both orders, with ties.

A judge that prefers a seat prefers one edit in one order and the other edit in the other. Where it
tells of probabilities, the mean of both orders is a graded preference without that. Where the two
orders contradict each other, the verdict is a tie of its own kind, which is counted, never dropped.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from evaluation.judge.prompts import PAIR_OPTIONS, Form
from evaluation.judge.reading import Kind, ModelAnswer, choice_of, json_choice

Verdict = Literal["first", "second", "tie", "depends on order", "unknown"]


class SeatShares(NamedTuple):
    """How likely a judge prefers what it was shown as A, as B, and neither; they sum to 1."""

    a: float
    b: float
    equal: float

    @property
    def for_a(self) -> float:
        """Preference for A, a tie counted as half."""
        return self.a + self.equal / 2

    @property
    def favourite(self) -> Literal["A", "B", "C"]:
        """The likeliest answer; C, equal, where the two edits are equally likely."""
        if self.equal >= max(self.a, self.b) or self.a == self.b:
            return "C"
        return "A" if self.a > self.b else "B"


class PairAnswer(NamedTuple):
    """One order of a pair, read: the shares, or why there are none."""

    kind: Kind
    shares: SeatShares | None = None
    reason: str | None = None


class PairVerdict(NamedTuple):
    """What both orders say of two edits.

    preference: of the second edit over the first, 0 to 1, ties as half; None where an order failed.
    """

    verdict: Verdict
    preference: float | None


class OrderEffects(NamedTuple):
    """What the seats did, over pairs that were answered in both orders."""

    pairs: int
    flip_rate: float  # share of pairs in which both orders prefer the same seat
    first_share: float  # preference for the seat A, mean over both orders; .5 without a bias
    ties: float  # share of pairs that are ties in both orders
    unknown: int  # pairs of which an order failed


def pair_answer(answer: ModelAnswer, form: Form = "token") -> PairAnswer:
    """Return what a judge said of two edits in one order, or why that is no answer."""
    found = (choice_of if form == "token" else json_choice)(answer, PAIR_OPTIONS)
    if found.kind != "ok":
        return PairAnswer(found.kind, None, found.reason)
    return PairAnswer("ok", SeatShares(*(found.shares[name] for name in PAIR_OPTIONS)))


def verdict_of(forward: SeatShares | None, swapped: SeatShares | None) -> PairVerdict:
    """Return what both orders say.

    forward: with the first edit as A; swapped: with the second one as A.
    """
    if forward is None or swapped is None:
        return PairVerdict("unknown", None)
    preference = ((1 - forward.for_a) + swapped.for_a) / 2
    said = forward.favourite, swapped.favourite
    if said == ("C", "C"):
        return PairVerdict("tie", preference)
    if said in (("A", "B"), ("B", "A")):
        return PairVerdict("first" if said[0] == "A" else "second", preference)
    return PairVerdict("depends on order", preference)


def order_effects(
    answers: Sequence[tuple[SeatShares | None, SeatShares | None]],
) -> OrderEffects:
    """Return flip rate and share of the first seat, over pairs of (forward, swapped).

    Raises:
        ValueError: if no pair was answered in both orders.
    """
    whole = [(one, other) for one, other in answers if one is not None and other is not None]
    if not whole:
        raise ValueError("no pair was answered in both orders")
    said = [(one.favourite, other.favourite) for one, other in whole]
    count = len(whole)
    return OrderEffects(
        count,
        sum(pair in (("A", "A"), ("B", "B")) for pair in said) / count,
        sum(one.for_a + other.for_a for one, other in whole) / (2 * count),
        sum(pair == ("C", "C") for pair in said) / count,
        len(answers) - count,
    )
