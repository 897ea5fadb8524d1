"""Pairs in both orders: graded preferences, ties, the seats; expected values by hand."""

import numpy as np
import pytest
from chat_server import reply

from evaluation.judge.chat_answer import answer_of
from evaluation.judge.pairs import SeatShares, order_effects, pair_answer, verdict_of

A, B, C = SeatShares(1, 0, 0), SeatShares(0, 1, 0), SeatShares(0, 0, 1)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("forward", "swapped", "verdict", "preference"),
        [
            (A, B, "first", 0.0),
            (B, A, "second", 1.0),
            (C, C, "tie", 0.5),
            (A, A, "depends on order", 0.5),  # always the first seat
            (B, B, "depends on order", 0.5),
            (A, C, "depends on order", 0.25),
            (C, A, "depends on order", 0.75),
            (None, A, "unknown", None),
            (A, None, "unknown", None),
        ],
    )
    def test_both_orders_make_it(
        self, forward: SeatShares, swapped: SeatShares, verdict: str, preference: float | None
    ) -> None:
        assert verdict_of(forward, swapped) == (verdict, preference)

    def test_probabilities_give_a_graded_preference_without_the_seat(self) -> None:
        found = verdict_of(SeatShares(0.5, 0.3, 0.2), SeatShares(0.7, 0.1, 0.2))
        # ((.3 + .1) + (.7 + .1)) / 2
        assert found == ("depends on order", pytest.approx(0.6))

    def test_two_equally_likely_edits_are_no_verdict(self) -> None:
        assert SeatShares(0.4, 0.4, 0.2).favourite == "C"

    def test_swapping_the_edits_mirrors_the_verdict(self) -> None:
        rng = np.random.default_rng(0)
        for shares in rng.dirichlet([1, 1, 1], (200, 2)):
            one, other = (SeatShares(*map(float, each)) for each in shares)
            there, back = verdict_of(one, other), verdict_of(other, one)
            assert there.preference == pytest.approx(1 - (back.preference or 0))
            mirror = {"first": "second", "second": "first"}
            assert back.verdict == mirror.get(there.verdict, there.verdict)


class TestReading:
    def test_letters_are_read_and_prose_is_not(self) -> None:
        sure = pair_answer(answer_of(reply("B", {"B": 0.7, "A": 0.2, "C": 0.1})))
        assert sure.shares == pytest.approx((0.2, 0.7, 0.1))
        prose = pair_answer(answer_of(reply("Both", {"Both": 0.9, "B": 0.1})))
        assert (prose.kind, prose.shares) == ("did not answer", None)


class TestSeats:
    def test_by_hand(self) -> None:
        answers = [(A, B), (A, A), (C, C), (B, C), (None, A)]
        found = order_effects(answers)
        # flips: 1 of 4; seat A: (1 + 0) + (1 + 1) + (.5 + .5) + (0 + .5) of 8; ties: 1 of 4
        assert found == (4, 0.25, pytest.approx(4.5 / 8), 0.25, 1)

    def test_a_judge_that_takes_the_first_flips_always(self) -> None:
        assert order_effects([(A, A)] * 3)[:3] == (3, 1.0, 1.0)

    def test_a_fair_judge_has_half_whatever_it_prefers(self) -> None:
        rng = np.random.default_rng(1)
        shares = [SeatShares(*map(float, each)) for each in rng.dirichlet([2, 1, 1], 50)]
        fair = [(one, SeatShares(one.b, one.a, one.equal)) for one in shares]
        found = order_effects(fair)
        assert (found.flip_rate, found.first_share) == (0, pytest.approx(0.5))

    def test_of_nothing_there_is_no_rate(self) -> None:
        with pytest.raises(ValueError, match="both orders"):
            order_effects([(None, A)])
