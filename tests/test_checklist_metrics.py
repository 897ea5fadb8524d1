"""Checklists as metrics of a run: Toybox's own questions, those of suites, costs and failures."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmark_files import SAMPLES
from chat_server import (
    MODEL,
    ChatServer,
    chat_server,
    error,
    is_probe,
    pictures_of,
    reply,
)
from checklist_oracle import asked_of, letters_of, truth_teller, unseeing
from console import Program, program
from small_suites import bring, put_clip, small_suite

from dreamix.core.errors import UserError
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite import Suite, load_suite
from dreamix.suite_formats.base import FORMATS
from dreamix.suite_formats.importing import ImportChoices, import_suite
from dreamix.suite_formats.outputs import outputs_of, write_outputs
from dreamix.toybox.world import Scene
from evaluation.judge.audit.finding import Finding
from evaluation.judge.audit.record import record_of
from evaluation.judge.frames import FramePolicy
from evaluation.judge.judge import JudgeSettings, open_judge, spec_of
from evaluation.judge.limits import CallLimits, JudgeBudget, Spending
from evaluation.judge.showing import Showing
from evaluation.run.folder import RunFolder
from evaluation.schema import ScoreRow
from evaluation.score.scoring import Summary, score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from reports.loading import load_run

RATES = ("strict", "loose", "corrected")
METRICS = [f"q.checklist_{name}" for name in RATES]
FRAMES = FramePolicy(count=3, packing="png")
CANARY = 6
# One field, three fields, motion: of toybox-quick.
EDITS = (
    "blue-ball-falling-room_02",
    "blue-ball-falling-room_04",
    "brown-box-resting-space_00",
)
console = pytest.fixture(program)


@pytest.fixture(scope="module")
def suite() -> Suite:
    whole = load_suite(Path("toybox-quick"))
    return replace(whole, edits=tuple(whole.edit(name) for name in EDITS))


@pytest.fixture(scope="module")
def made(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("listed") / "run"
    bring(suite, out, "unedited", "ideal")
    return out


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture(scope="module")
def scenes(made: Path) -> dict[str, Scene]:
    """What each clip shows, by its first picture."""
    run = RunFolder(made)
    showing, found = Showing(run, FRAMES, "auto"), {}
    for cell in run.cells():
        clip, edit = run.clip_row(cell), run.suite.edit(cell.edit)
        assert clip is not None
        recipe = run.suite.videos[edit.video].recipe
        shown = run.suite.ideal_recipe(edit) if cell.method == "ideal" else recipe
        assert shown is not None
        picture = showing.stills(clip, False).edited[0].address
        found[picture] = Scene.from_dict(shown)
    return found


def judged(run: Path, server: ChatServer, spec: str | None = None, **how: Any) -> Summary:
    limits = CallLimits(seconds=5, first_wait=0.001, **how.pop("limits", {}))
    how = {"asks": ("checklist",), "frames": FRAMES, **how}
    settings = JudgeSettings(limits=limits, **how)
    spec = spec or f"q=openai:{server.url}#{MODEL}"
    return score_run(run, [], ModelSettings(), judges=[spec], judging=settings)


def rows(run: Path) -> dict[tuple[str, str, str], ScoreRow]:
    found = read_scores(run / "scores.jsonl").values()
    return {(row.method, row.edit, row.metric.partition("_")[2]): row for row in found}


def values(run: Path, method: str, edit: str) -> list[float | None]:
    return [rows(run)[method, edit, rate].value for rate in RATES]


def questions(server: ChatServer) -> list[dict[str, Any]]:
    return [body for body in server.bodies if asked_of(body)]


class TestToybox:
    @pytest.mark.parametrize("masked", [False, True])
    def test_an_oracle_is_right_on_exact_edits_and_as_derived_on_the_source(
        self, run: Path, scenes: Mapping[str, Scene], masked: bool
    ) -> None:
        """On the source, 4 questions about what stays are right; of each field two yes-no questions
        and a choice are wrong: -1, -1 and -1/3 where corrected."""
        with chat_server(truth_teller(scenes, masked=masked)) as server:
            done = judged(run, server)
        assert done.counts == {"ok": 18}
        for edit, fields in zip(EDITS, (1, 3, 1), strict=True):
            assert values(run, "ideal", edit) == [1, 1, 1]
            count = 4 + 3 * fields
            share, corrected = 4 / count, (4 - fields * (2 + 1 / 3)) / count
            expected = [share, share, corrected]
            assert values(run, "unedited", edit) == pytest.approx(expected)
        row = rows(run)["unedited", EDITS[0], "strict"]
        wrong = "7 questions in 16 forms, not right in all: is-colour, not-colour, which-colour"
        assert str(row.note).startswith(wrong)
        assert rows(run)["ideal", EDITS[1], "strict"].note == (
            "13 questions in 32 forms, all right; frames shown: edit 0, 7, 15"
        )

    @pytest.mark.parametrize(
        ("yes_no", "letter"),
        [("Yes", "B"), ("No", "A"), ({"Yes": 0.7, "No": 0.3}, {"A": 0.4, "B": 0.3, "C": 0.3})],
    )
    def test_a_judge_that_does_not_look_has_exactly_nothing(
        self, run: Path, yes_no: Any, letter: Any
    ) -> None:
        def canary_too(body: dict[str, Any]) -> dict[str, Any]:
            return script(body) if asked_of(body) or is_probe(body) else reply("3", {"3": 1.0})

        script = unseeing(yes_no, letter)
        with chat_server(canary_too) as server:
            judged(run, server)
        for (_, edit, rate), row in rows(run).items():
            fields = 3 if edit == EDITS[1] else 1
            # Every yes-no question is half right, and a choice of four options a quarter.
            loose = ((4 + 2 * fields) / 2 + fields / 4) / (4 + 3 * fields)
            expected = {"strict": 0, "corrected": 0, "loose": pytest.approx(loose)}[rate]
            assert row.value == expected

    def test_a_report_knows_what_the_numbers_are(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        with chat_server(truth_teller(scenes)) as server:
            judged(run, server)
        metrics = load_run(run).metrics
        assert {metrics[name].axis for name in METRICS} == {"alignment"}
        assert [metrics[name].ends for name in METRICS] == [(0, 1), (0, 1), (-1, 1)]
        told = f"{MODEL} as a judge, probabilities of answers, 3 frames a clip; not audited"
        assert metrics[METRICS[0]].elsewhere == told


class TestCost:
    # By hand: three edits with 2 x 6 + 4, 2 x 10 + 3 x 4 and 2 x 6 + 4 forms, of two methods.
    FORMS = 2 * (16 + 32 + 16)
    # "Is the main object blue?", "Is the main object a ball?": on one source for two edits.
    TWICE = 2 * 2

    def test_the_rates_share_their_answers_and_the_budget_counts_each_form_once(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        most = 1 + CANARY + self.FORMS
        with chat_server(truth_teller(scenes)) as server:
            with pytest.raises(UserError, match=f"up to {most} requests are needed"):
                judged(run, server, budget=JudgeBudget(most - 1))
            judged(run, server, budget=JudgeBudget(most))
            assert len(questions(server)) == self.FORMS - self.TWICE
            assert server.requests == most - self.TWICE
            assert judged(run, server).computed == 0
            before = (run / "scores.jsonl").read_bytes()
            (run / "scores.jsonl").unlink()
            judged(run, server, "q=archive:")
            assert (run / "scores.jsonl").read_bytes() == before
            assert server.requests == most - self.TWICE

    def test_what_a_budget_left_open_is_asked_later_and_nothing_is_paid_twice(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        with chat_server(truth_teller(scenes)) as server:
            judged(run, server, asks=("scales",))
            sent = server.requests
            server.faults = [
                error(503, "busy")
            ] * 20  # three of the canary get no answer in 6 tries
            done = judged(run, server, budget=JudgeBudget(CANARY + self.FORMS))
            assert done.reasons["the budget of 134 requests is spent"] >= 3
            assert judged(run, server).counts == {"ok": 18}
            answered = (CANARY - 3) + CANARY + self.FORMS - self.TWICE
            assert server.requests - sent == answered + 20

    def test_scales_are_asked_by_default_and_both_where_both_are_named(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        with chat_server(truth_teller(scenes)) as server:
            judged(run, server, asks=JudgeSettings().asks)
            assert not questions(server) and len(rows(run)) > 0
            done = judged(run, server, asks=("scales", "checklist"))
        assert done.computed == 3 * 2 * 3
        assert sum(done.counts.values()) == (4 + 3) * 6


class TestFailures:
    def test_a_form_without_answer_fails_its_checklist_and_says_its_bounds(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        """One of the two forms of one question is refused, on the exact edit and the source."""
        oracle = truth_teller(scenes)

        def shy(body: dict[str, Any]) -> dict[str, Any]:
            refuses = asked_of(body) == "Is the main object white?" and _is_turned(body)
            return dict(reply("", {"I": 1.0}, refusal="No.") if refuses else oracle(body))

        with chat_server(shy) as server:
            done = judged(run, server)
            asked = server.requests
            judged(run, server)
            assert server.requests == asked, "it is not paid again"
        assert done.counts == {"ok": 12, "failed": 6}
        assert done.reasons == {"a question of the checklist: the judge refused": 6}
        row = rows(run)["ideal", EDITS[0], "strict"]
        assert str(row.note).startswith(
            "1 of 16 forms without an answer, of is-colour: refused: No.; "
            "the rate is 0.857 to 1.000"
        )
        low = rows(run)["unedited", EDITS[0], "strict"]
        assert "the rate is 0.571 to 0.571" in str(low.note), "the other form is wrong as it is"

    def test_a_form_that_cannot_be_asked_is_tried_once_for_all_rates(
        self, run: Path, scenes: Mapping[str, Scene]
    ) -> None:
        with chat_server(truth_teller(scenes)) as server:
            judged(run, server, asks=("scales",))
            server.faults = [error(400, "too long")] * (CANARY + 1)
            done = judged(run, server)
            assert done.counts == {"failed": 3, "ok": 15}
            assert list(done.reasons) == ["HTTP 400: too long"]
            assert judged(run, server).counts == {"ok": 18}, "another scoring asks again"

    def test_edits_without_questions_do_not_apply(self, tmp_path: Path) -> None:
        plain = small_suite(tmp_path, ("e-1", "e-2"))
        first = replace(plain.edits[0], questions=(EditQuestion("Is it a duck?", True),))
        stated = replace(plain, edits=(first, plain.edits[1]))
        assert stated.sha256 != plain.sha256, "what a suite states is its own"
        for edit in plain.edit_ids:
            put_clip(tmp_path / "o" / "ours" / f"{edit}.mp4")
        for name, one in (("plain", plain), ("stated", stated)):
            bring(one, tmp_path / name, f"external:{tmp_path}/o/*")
        with chat_server(unseeing("Yes", "A")) as server:
            with pytest.raises(UserError, match="no edit of this suite has questions"):
                judged(tmp_path / "plain", server)
            assert judged(tmp_path / "stated", server).counts == {"ok": 3, "n/a": 3}
        found = rows(tmp_path / "stated")
        assert found["ours", "e-2", "loose"].reason == "the edit has no checklist"


def _is_turned(body: dict[str, Any]) -> bool:
    return "the right answer to this question" in str(body["messages"])


COVE = SAMPLES["covebench"].text.replace('"type": "Single-TF"', '"type": "Dual-TF"')


class TestAudited:
    """What an audit found decides to which edits a checklist applies."""

    def test_where_motion_is_not_seen_checklists_of_motion_do_not_apply(
        self, run: Path, scenes: Mapping[str, Scene], tmp_path: Path
    ) -> None:
        """Of the three edits the last one alone asks for a motion."""
        with chat_server(truth_teller(scenes)) as server:
            spec = spec_of(f"q=openai:{server.url}#{MODEL}")
            how = JudgeSettings(frames=FRAMES)
            identity = open_judge(spec, tmp_path / "q.jsonl", how, Spending()).identity
            counts = {}
            for probe in ("frozen", "polarity", "trap"):
                found = Finding(probe, 0.4, 0.3, 0.5, 40, "fails")
                record = record_of(
                    found=[found], by_category={}, identity=identity, model=MODEL, form="token",
                    frames={}, world="toybox", seed=0, sources=40, questions=100,
                )  # fmt: skip
                counts[probe] = judged(run, server, audits=(record,)).counts
                if probe == "frozen":
                    reasons = {key[1]: row.reason for key, row in rows(run).items()}
                    seen = "not judged: does not see motion"
                    assert reasons == {EDITS[0]: None, EDITS[1]: None, EDITS[2]: seen}
        assert counts == {
            "frozen": {"ok": 12, "n/a": 6},
            "polarity": {"n/a": 18},
            "trap": {"ok": 18},
        }


class TestImported:
    """From the files of FiVE and CoVEBench to the questions that a judge is sent."""

    @pytest.fixture
    def server(self) -> Iterator[ChatServer]:
        with chat_server(_right) as found:
            yield found

    def brought(self, name: str, folder: Path, text: str | None = None) -> Path:
        sample = SAMPLES[name]
        path = sample.write(folder / "bench", text)
        methods = {"ours": sample.write_outputs(folder / "outputs" / "ours")}
        choices = ImportChoices(fps=8.0 if sample.frames else None)
        found = import_suite(
            FORMATS.get(name), path, folder / "suite", choices,
            lambda listed: outputs_of(listed, methods, partial=False),
        )  # fmt: skip
        write_outputs(folder / "suite", found.outputs)
        bring(found.suite, folder / "run", f"external:{folder / 'suite' / 'outputs.csv'}")
        return folder / "run"

    def test_five(self, tmp_path: Path, server: ChatServer) -> None:
        run = self.brought("five", tmp_path)
        told: list[str] = []
        judged(run, server, asks=("scales",), tell=told.append)
        assert told[1] == "1 edits state questions; --judge-asks scales,checklist asks them"
        done = judged(run, server)
        assert done.counts == {"ok": 3, "n/a": 3}
        asked = [(asked_of(b), len(pictures_of(b)), letters_of(b)) for b in questions(server)]
        assert [one[0] for one in asked] == [
            *["Is the kite red in the image?"] * 2,
            *["Is the kite blue in the image?"] * 2,
            *["What colour is the kite?"] * 2,
        ]
        assert {one[1] for one in asked} == {3}, "the edit alone"
        assert [sorted(one[2].items()) for one in asked[4:]] in (
            [[("A", "red"), ("B", "blue")], [("A", "blue"), ("B", "red")]],
            [[("A", "blue"), ("B", "red")], [("A", "red"), ("B", "blue")]],
        )
        edit = next(edit for _, edit, _ in rows(run) if edit.startswith("0042_kite_edit3_FiVE_0"))
        # Always Yes and the letter A: nothing.
        assert values(run, "ours", edit) == [0, 0.5, 0]

    def test_covebench(self, tmp_path: Path, server: ChatServer) -> None:
        run = self.brought("covebench", tmp_path, COVE)
        assert judged(run, server).counts == {"ok": 3, "n/a": 3}
        seen = {asked_of(body): len(pictures_of(body)) for body in questions(server)}
        assert seen == {
            "Which colour is the kite in Video B?": 3,
            "Does the kite keep its shape?": 6,  # of both clips
        }
        suite = RunFolder(run).suite
        assert [one.sees for one in suite.edits[0].questions] == [None, "both"]
        write = FORMATS.get("covebench").write
        assert write is not None and '"Dual-TF"' in write(suite)


def _right(body: dict[str, Any]) -> dict[str, Any]:
    if is_probe(body) or asked_of(body):
        return dict(unseeing("Yes", "A")(body))
    return reply("3", {"3": 1.0})


def test_the_command_asks_what_it_is_told_to(
    run: Path, scenes: Mapping[str, Scene], console: Program
) -> None:
    with chat_server(truth_teller(scenes)) as server:
        words = ["bench", "score", run, "--judge", f"q=openai:{server.url}#{MODEL}"]
        how = ["--judge-frames", "3", "--judge-png"]
        code, _, err = console(*words, *how, "--judge-asks", "checklists")
        assert code == 2 and "judges are asked scales and checklist" in err
        code, out, _ = console(*words, *how, "--judge-asks", "checklist")
    assert code == 0 and "18 ok" in out
    assert re.search(rf"up to {1 + CANARY + TestCost.FORMS} requests", out)
