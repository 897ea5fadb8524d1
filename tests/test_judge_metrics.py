"""Judges as metrics of a run: rows, replay, budget, kills, and the model behind a name."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import (
    MODEL,
    ChatServer,
    chat_server,
    digest_of,
    error,
    graded,
    is_probe,
    reply,
    words_of,
)
from console import Program, program
from small_suites import FOUR, bring_four

from dreamix.core.errors import UserError
from evaluation.judge.archive import Archive
from evaluation.judge.canary import canary_requests, canary_verdict
from evaluation.judge.chat_answer import answer_of
from evaluation.judge.frames import FramePolicy
from evaluation.judge.judge import JudgeSettings, spec_of
from evaluation.judge.limits import CallLimits, JudgeBudget, Price
from evaluation.judge.prompts import QUESTIONS
from evaluation.schema import ScoreRow
from evaluation.score.scoring import Summary, score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from reports.loading import load_run

METRICS = [f"q.{name}" for name in QUESTIONS]
KEY = "sk-made-up-0123456789"
ASKED = len(FOUR) * len(METRICS)
CANARY = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bring_four(tmp_path_factory.mktemp("judged"))


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


console = pytest.fixture(program)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def judged(run: Path, spec: str, *, workers: int = 1, **how: Any) -> Summary:
    limits = CallLimits(seconds=5, first_wait=0.001, **how.pop("limits", {}))
    settings = JudgeSettings(limits=limits, **how)
    return score_run(run, [], ModelSettings(), judges=[spec], judging=settings, workers=workers)


def named(server: ChatServer, model: str = MODEL) -> str:
    return f"q=openai:{server.url}#{model}"


def rows(run: Path) -> dict[tuple[str, str], ScoreRow]:
    found = read_scores(run / "scores.jsonl").values()
    return {(row.edit, row.metric): row for row in found}


def archived(run: Path, kind: str = "judgement") -> list[dict[str, Any]]:
    lines = (run / "judgements" / "q.jsonl").read_text().splitlines()
    return [held for line in lines if (held := json.loads(line))["kind"] == kind]


class TestRows:
    def test_every_clip_has_a_row_of_every_question_with_the_answer_it_got(
        self, run: Path, server: ChatServer
    ) -> None:
        done = judged(run, named(server))
        assert done.counts == {"ok": ASKED, "failed": 4}
        found = rows(run)
        assert {name for _, name in found} == set(METRICS)
        given = sorted(_expected(body) for body in _questions(server.bodies))
        assert sorted(row.value for row in found.values() if row.value) == pytest.approx(given)
        row = found["e-1", "q.alignment"]
        assert (row.pairs, row.note) == (3, "frames shown: source 0, 1, 2; edit 0, 1, 2")
        assert found["e-1", "q.quality"].note == "frames shown: edit 0, 1, 2"
        assert str(found["e-5", "q.alignment"].reason).startswith("no clip: ")

    def test_a_report_knows_what_the_numbers_are(self, run: Path, server: ChatServer) -> None:
        judged(run, named(server))
        metrics = load_run(run).metrics
        axes = {name: metrics[name].axis for name in METRICS}
        assert axes == {
            "q.alignment": "alignment", "q.fidelity": "fidelity", "q.quality": "quality",
            "q.exclusivity": "fidelity",
        }  # fmt: skip
        one = metrics["q.alignment"]
        assert (one.better, one.ends) == ("higher", (1.0, 5.0))
        assert one.elsewhere == f"{MODEL} as a judge, expected score, 8 frames a clip; not audited"

    def test_without_probabilities_it_is_asked_for_json(self, run: Path) -> None:
        def plain(body: dict[str, Any]) -> Any:
            return reply('{"score": 4}' if "JSON" in words_of(body) else "Earth")

        with chat_server(plain) as server:
            done = judged(run, named(server))
        assert done.counts["ok"] == ASKED
        assert {row.value for row in rows(run).values() if row.status == "ok"} == {4.0}

    def test_a_server_that_knows_no_probabilities_says_so_once(self, run: Path) -> None:
        with chat_server(lambda _: reply('{"score": 2}')) as server:
            server.faults = [error(400, "logprobs are not supported")] * 2
            done = judged(run, named(server))
        assert done.counts["ok"] == ASKED

    def test_a_scale_that_is_forced_is_not_taken_for_probabilities(self, run: Path) -> None:
        def masked(body: dict[str, Any]) -> Any:
            return reply("3", {"3": 0.6, "4": 0.4}) if "logprobs" in body else reply("3")

        with chat_server(masked) as server:
            done = judged(run, named(server))
        assert done.counts == {"failed": ASKED + 4}  # "3" is not JSON of the form

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (reply("", {"I": 1.0}, refusal="I will not."), "the judge refused"),
            (reply("", {"I": 1.0}, finish="content_filter"), "moderated by the judge's server"),
            (reply("It", {"It": 0.9, "3": 0.1}), "the judge did not answer with a score"),
            (reply("There are 3 people"), "the judge's server gave no probabilities"),
        ],
    )
    def test_what_is_no_score_is_a_row_with_its_text_and_is_not_paid_again(
        self, run: Path, answer: Any, reason: str
    ) -> None:
        with chat_server(lambda body: graded(body) if is_probe(body) else answer) as server:
            done = judged(run, named(server))
            asked = len(_questions(server.bodies))
            assert done.reasons[reason] == ASKED
            judged(run, named(server))
            assert len(_questions(server.bodies)) == asked == ASKED
        message = answer["choices"][0]["message"]
        words = message["refusal"] or message["content"]
        assert words in str(rows(run)["e-1", "q.fidelity"].note)

    def test_another_model_frame_policy_or_wording_is_another_number(
        self, run: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = []
        judged(run, named(server))
        found.append(rows(run)["e-1", "q.quality"].definition)
        judged(run, named(server, "other"))
        found.append(rows(run)["e-1", "q.quality"].definition)
        judged(run, named(server), frames=FramePolicy(count=2))
        found.append(rows(run)["e-1", "q.quality"].definition)
        worded = QUESTIONS["quality"]._replace(text="How nice?")
        monkeypatch.setitem(QUESTIONS, "quality", worded)
        judged(run, named(server))
        found.append(rows(run)["e-1", "q.quality"].definition)
        assert len(set(found)) == 4

    def test_order_and_number_of_workers_change_nothing(self, made: Path, tmp_path: Path) -> None:
        """Answers that come in any order, one at a time or eight."""
        found = []
        for together in (1, 8):
            run = Path(shutil.copytree(made, tmp_path / str(together)))
            rng = random.Random(together)

            def slow(body: dict[str, Any], rng: random.Random = rng) -> Any:
                time.sleep(rng.uniform(0, 0.02))
                return graded(body)

            with chat_server(slow) as server:
                judged(run, named(server), limits={"together": together}, workers=together)
                assert server.most_together <= together
            found.append((run / "scores.jsonl").read_bytes())
        assert found[0] == found[1]

    def test_a_server_that_breaks_down_costs_no_earlier_score(
        self, run: Path, server: ChatServer
    ) -> None:
        judged(run, named(server))
        before = {key: row for key, row in rows(run).items() if row.status == "ok"}
        server.script = lambda body: graded(body) if is_probe(body) else {"error": "broken"}
        with pytest.raises(UserError, match="the scores of that are kept"):
            judged(run, named(server, "other"), limits={"tries": 1})
        assert {key: row for key, row in rows(run).items() if row.status == "ok"} == before


class TestCost:
    def test_what_was_judged_is_not_asked_again(self, run: Path, server: ChatServer) -> None:
        judged(run, named(server))
        assert len(server.bodies) == 1 + CANARY + ASKED
        done = judged(run, named(server))
        assert (done.computed, len(server.bodies)) == (0, 1 + CANARY + ASKED)

    def test_lost_scores_come_back_from_the_archive_without_a_server(
        self, run: Path, server: ChatServer
    ) -> None:
        judged(run, named(server))
        before, asked = (run / "scores.jsonl").read_bytes(), len(server.bodies)
        for spec in (named(server), "q=archive:", f"q=openai:http://127.0.0.1:9/v1#{MODEL}"):
            (run / "scores.jsonl").unlink()
            judged(run, spec)
            assert (run / "scores.jsonl").read_bytes() == before
        assert len(server.bodies) == asked

    def test_an_archive_without_the_answer_gives_a_reason(
        self, run: Path, server: ChatServer
    ) -> None:
        judged(run, named(server))
        lines = (run / "judgements" / "q.jsonl").read_text().splitlines(keepends=True)
        (run / "judgements" / "q.jsonl").write_text("".join(lines[:-1]))
        (run / "scores.jsonl").unlink()
        done = judged(run, "q=archive:")
        assert done.reasons["the archive has no answer to this question"] == 1

    def test_the_cost_is_said_first_and_refused_where_it_is_too_high(
        self, run: Path, server: ChatServer
    ) -> None:
        said: list[str] = []
        most = 1 + CANARY + ASKED
        how = {"tell": said.append, "price": Price(1000, 0)}
        with pytest.raises(UserError, match=f"up to {most} requests are needed"):
            judged(run, named(server), budget=JudgeBudget(most - 1), **how)
        with pytest.raises(UserError, match="tokens are needed"):
            judged(run, named(server), budget=JudgeBudget(tokens=1000), **how)
        assert len(server.bodies) == 1  # the probe
        assert f"up to {most} requests" in said[0] and "in the money of --price" in said[0]
        assert judged(run, named(server), budget=JudgeBudget(most)).counts["ok"] == ASKED

    def test_where_faults_use_the_budget_up_the_rest_has_that_reason(
        self, run: Path, server: ChatServer
    ) -> None:
        with pytest.raises(UserError):
            judged(run, named(server), budget=JudgeBudget(1))
        server.faults = [error(503, "busy")] * 5
        done = judged(run, named(server), budget=JudgeBudget(CANARY + ASKED))
        assert done.reasons["the budget of 22 requests is spent"] == 5
        assert judged(run, named(server)).counts["ok"] == ASKED  # asks for those alone

    def test_a_key_that_is_wrong_ends_it_at_once(self, run: Path, server: ChatServer) -> None:
        server.faults = [error(401, "who are you?")]
        with pytest.raises(UserError, match=r"--judge q: HTTP 401: who are you\?"):
            judged(run, named(server))
        with pytest.raises(UserError):
            judged(run, named(server), budget=JudgeBudget(1))  # is told how it answers
        server.faults = [error(429, "pay first", "insufficient_quota")]
        done = judged(run, named(server))
        assert done.reasons["HTTP 429: pay first"] == ASKED
        assert len(server.bodies) == 3


class TestCanary:
    def test_another_model_behind_the_name_raises_an_alarm(
        self, run: Path, server: ChatServer
    ) -> None:
        quiet = judged(run, named(server), frames=FramePolicy(count=2))
        assert not any("ALARM" in note for note in quiet.notes)
        server.script = lambda body: reply("5", {"5": 1.0}, model="successor")
        done = judged(run, named(server))
        (alarm,) = [note for note in done.notes if "ALARM" in note]
        assert "made-up-vlm, now successor" in alarm
        assert len(archived(run, "canary")) == 2 * CANARY

    @pytest.mark.parametrize(("shift", "alarmed"), [(0.2, False), (0.9, True)])
    def test_small_differences_are_none(self, tmp_path: Path, shift: float, alarmed: bool) -> None:
        archive = Archive(tmp_path / "a.jsonl")
        for session, share in (("one", 0.0), ("two", shift)):
            for request in canary_requests(MODEL, "token", 20):
                chances = {"3": 1 - share, "4": share} if share else {"3": 1.0}
                answer = answer_of(reply("3", chances))
                archive.ask(request, lambda _, answer=answer: answer, "canary", session)
        verdict = canary_verdict(archive.of_kind("canary"), "two", "token")
        assert (verdict.shift, verdict.is_alarm) == (pytest.approx(shift), alarmed)


class TestNames:
    @pytest.mark.parametrize(
        "text",
        [
            "q", "q=", "q=openai:", "q=openai:http://x/v1", "q=openai:#m", "q=gemini:x#m",
            "../q=openai:http://x/v1#m", "a.b=openai:http://x/v1#m", "q=local:", "=local:x",
            "q=archive:elsewhere",
        ],
    )  # fmt: skip
    def test_what_is_no_judge_is_refused(self, text: str) -> None:
        with pytest.raises(UserError, match="--judge"):
            spec_of(text)

    def test_an_archive_of_nothing_is_refused(self, run: Path) -> None:
        with pytest.raises(UserError, match="holds no judgements"):
            judged(run, "q=archive:")

    def test_a_name_that_is_taken_is_refused(self, run: Path, server: ChatServer) -> None:
        with pytest.raises(UserError, match="same name"):
            score_run(run, [], ModelSettings(), judges=[named(server)] * 2)


class TestCommand:
    def test_bench_score_asks_and_names_the_judge_again_where_it_is_meant(
        self, run: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch, console: Program
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        server.faults = [error(503, f"busy, {KEY}")]
        code, out, err = console("bench", "score", run, "--judge", named(server))
        assert code == 1, out  # the clip that was lost
        assert "up to 24 requests" in out and f"{ASKED} ok" in out
        assert KEY in str(server.keys[0]) and KEY not in out + err
        code, out, err = console("bench", "score", run, "--metrics", "q.alignment")
        assert code == 2 and "--judge q=openai:URL#MODEL" in err
        held = [path for path in run.rglob("*") if path.is_file()]
        assert not [path for path in held if KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_pay_for_no_answer_twice(run: Path) -> None:
    """Killed at any instant after its first request: what reached the archive is not sent again."""
    rng, kills, starts, resumed = random.Random(0), 0, 0, 0
    with chat_server(_signed, 0.1) as server:
        words = ["bench", "score", str(run), "--judge", named(server), "--judge-together", "2"]
        start = [sys.executable, "-c", "from dreamix.cli import main; main()", *words]
        while kills < 20:
            starts += 1
            assert starts < 60
            known, sent = _kept(run), len(server.bodies)
            kills += _killed(start, server, rng.uniform(0, 1.2))
            again = {digest_of(body) for body in _questions(server.bodies[sent:])}
            assert not again & set(known)  # none is paid twice
            assert set(known) <= set(_kept(run))  # none is lost
            resumed += bool(known)
            if len(_kept(run)) == ASKED:  # begin anew, with another archive
                shutil.rmtree(run / "judgements")
                (run / "scores.jsonl").unlink(missing_ok=True)
        done = subprocess.run(start, capture_output=True, text=True, check=False)
    assert f"{ASKED} ok" in done.stdout, done
    assert len(_kept(run)) == len(set(_kept(run))) == ASKED
    assert resumed >= 5


def _signed(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that says which question it answers."""
    return {**graded(body), "system_fingerprint": digest_of(body)}


def _killed(start: list[str], server: ChatServer, seconds: float) -> bool:
    """Start, and kill that long after a first request; return False if it had ended."""
    sent, until = len(server.bodies), time.monotonic() + 30
    process = subprocess.Popen(start, stdout=-3, stderr=-3)
    while len(server.bodies) == sent and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def _questions(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [body for body in bodies if not is_probe(body) and not _is_canary(body)]


def _is_canary(body: dict[str, Any]) -> bool:
    pictures = [part for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    return "image/png" in str(pictures)


def _expected(body: dict[str, Any]) -> float:
    """The expectation of what `graded` answers."""
    first = int(digest_of(body)[:8], 16) % 5
    return 0.75 * (first + 1) + 0.25 * ((first + 1) % 5 + 1)


def _kept(run: Path) -> list[str]:
    """Which questions the archive has an answer to, by the signature in the answer."""
    path = run / "judgements" / "q.jsonl"
    whole = path.read_bytes().rpartition(b"\n")[0].splitlines() if path.exists() else []
    held = [json.loads(line) for line in whole]
    return [str(one["fingerprint"]) for one in held if one["kind"] == "judgement"]
