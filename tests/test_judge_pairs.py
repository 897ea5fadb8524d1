"""Pairs in both orders: graded preferences, ties, the seats; expected values by hand."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import chat_server, is_probe, pictures_of, reply, words_of
from click.testing import CliRunner
from small_suites import put_animals

from dreamix.core.errors import UserError
from evaluation.judge.chat_answer import answer_of
from evaluation.judge.judge import JudgeSettings, ModelJudge, open_judge, spec_of
from evaluation.judge.limits import CallLimits, Spending
from evaluation.judge.pairing import JudgedPair, judged_pairs, pair_tasks
from evaluation.judge.pairs import SeatShares, order_effects, pair_answer, verdict_of
from evaluation.run.folder import RunFolder
from reports.judges.cli import judge as command
from reports.judges.pairs import pair_results

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


def order_of(body: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The pictures of both edits."""
    pictures = pictures_of(body)
    third = len(pictures) // 3
    return pictures[third : 2 * third], pictures[2 * third :]


def of_taste(body: dict[str, Any]) -> Mapping[str, Any]:
    """Prefers the edit whose pictures come later in the alphabet, in whatever seat."""
    if is_probe(body):
        return reply("Earth", {"Earth": 0.98})
    if "Edit A" not in words_of(body):
        return reply("3", {"3": 0.97})
    a, b = order_of(body)
    return reply("A" if a > b else "B", {"A": 0.9, "B": 0.1} if a > b else {"B": 0.9, "A": 0.1})


def of_the_seat(body: dict[str, Any]) -> Mapping[str, Any]:
    return reply("A", {"A": 0.8, "C": 0.2}) if "Edit A" in words_of(body) else of_taste(body)


class TestRuns:
    """All pairs of a run."""

    def judged(self, script: Any, run: RunFolder, folder: Path) -> list[JudgedPair]:
        with chat_server(script, keeps=False) as server:
            settings = JudgeSettings(limits=CallLimits(tries=1, first_wait=0.01))
            spec = spec_of(f"q=openai:{server.url}#m")
            judge: ModelJudge = open_judge(spec, folder / "q.jsonl", settings, Spending())
            return judged_pairs(judge, run, pair_tasks(run, (), ("alignment",)), "auto", 4)

    def test_a_judge_of_taste_is_of_one_mind_in_both_orders(self, tmp_path: Path) -> None:
        rows = self.judged(of_taste, RunFolder(put_animals(tmp_path)), tmp_path)
        assert [(row.edit, row.first, row.second) for row in rows] == [
            (f"{name}-1", "one", "two") for name in ("cow", "dog", "owl")
        ]
        assert {row.verdict for row in rows} <= {"first", "second"}
        for row in rows:
            right = 0.9 if row.verdict == "second" else 0.1
            assert row.preference == pytest.approx(right)
            assert {row.forward_says, row.swapped_says} == {"A", "B"}

    def test_a_judge_of_the_seat_is_found_out(self, tmp_path: Path) -> None:
        rows = self.judged(of_the_seat, RunFolder(put_animals(tmp_path)), tmp_path)
        assert {row.verdict for row in rows} == {"depends on order"}
        assert {row.preference for row in rows} == {0.5}
        assert [row.forward for row in rows] == pytest.approx([0.9] * 3)

    def test_an_order_without_an_answer_leaves_the_pair_unknown(self, tmp_path: Path) -> None:
        def half(body: dict[str, Any]) -> Mapping[str, Any]:
            a, b = order_of(body) if "Edit A" in words_of(body) else ([], [])
            return reply("Well,", {"Well": 0.9}) if a > b else of_taste(body)

        rows = self.judged(half, RunFolder(put_animals(tmp_path)), tmp_path)
        assert {row.verdict for row in rows} == {"unknown"}
        assert all("did not answer" in str(row.reason) for row in rows)
        (result,) = pair_results(rows)
        assert result.bounds == (0.0, 1.0)

    def test_results_by_hand(self) -> None:
        """Two sources, preferences for the first of (.9, .7) and (.2): mean .6, by source."""

        def row(video: str, preference: float) -> JudgedPair:
            told = "e", video, "style", "alignment", "one", "two", "second"
            return JudgedPair(*told, 1 - preference, None, None, "A", "B", None)  # type: ignore[arg-type]

        (found,) = pair_results([row("a", 0.9), row("a", 0.7), row("b", 0.2)])
        assert found.preference.mid == pytest.approx(0.6)
        # sums of deviations / 3: a (.3 + .1) / 3, b -.4 / 3; variance 2 * 2 * (.4 / 3)^2
        assert found.preference.error == pytest.approx((2 * 2 * (0.4 / 3) ** 2) ** 0.5)
        assert found.preference.freedom == 1

    def test_from_the_command_to_a_page_and_again_without_a_server(self, tmp_path: Path) -> None:
        run, out = put_animals(tmp_path), tmp_path / "pairs"
        args = [str(run), "--out", str(out), "--questions", "alignment,quality"]
        with chat_server(of_taste, keeps=False) as server:
            spec = f"q=openai:{server.url}#m"
            done = CliRunner().invoke(command, ["pairs", spec, *args], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert "Both orders prefer the same seat in 0% of pairs" in done.output
        first = (out / "tables" / "pairs_quality.md").read_bytes()
        assert "not audited" in (out / "index.html").read_text()
        done = CliRunner().invoke(command, ["pairs", "q=archive:", *args], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert (out / "tables" / "pairs_quality.md").read_bytes() == first
        assert (out / "tables" / "pairs.csv").is_file()

    def test_strange_names_are_told(self, tmp_path: Path) -> None:
        run = RunFolder(put_animals(tmp_path))
        with pytest.raises(UserError, match="no method is called three"):
            pair_tasks(run, ("one", "three"), ())
        with pytest.raises(UserError, match="no question is called beauty"):
            pair_tasks(run, (), ("beauty",))
        with pytest.raises(UserError, match="a pair needs two methods"):
            pair_tasks(run, ("one",), ())
