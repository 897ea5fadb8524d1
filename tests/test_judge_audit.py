"""Judges examined on exact truth: a scripted bias is found, an oracle passes, nothing is lost."""

import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import HALF, HANG, ChatServer, chat_server, digest_of, pictures_of, reply, words_of
from click.testing import CliRunner
from exam_oracle import Oracle, SmallToybox, answered, biased, canary, chosen
from scipy.stats import binomtest
from small_suites import bring_four, put_animals
from tiny_judges import write_qwen3_vl

from dreamix.core.errors import UserError
from dreamix.data.suite_entries import Edit
from dreamix.data.worlds import WORLDS
from dreamix.toybox.world import Scene, render
from evaluation.gold.cli import import_ratings
from evaluation.judge.audit.answers import Answers, AuditAnswer
from evaluation.judge.audit.asking import answers_of
from evaluation.judge.audit.clips import RenderedSource, VotedClip, captioned, frozen, shuffled
from evaluation.judge.audit.exam import Exam, exam_of
from evaluation.judge.audit.finding import Finding, in_gaps, share_of
from evaluation.judge.audit.footage import FootageExam
from evaluation.judge.audit.plan import AskedAs, questions
from evaluation.judge.audit.probes import findings
from evaluation.judge.audit.record import AuditRecord, abilities_of, read_audit, record_of
from evaluation.judge.audit.rules import RULES, Rule
from evaluation.judge.frames import FramePolicy, stills_of_both
from evaluation.judge.judge import JudgeSettings, ModelJudge, open_judge, spec_of
from evaluation.judge.limits import CallLimits, Spending
from evaluation.run.folder import RunFolder
from evaluation.score.judging import asks_for_motion
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from evaluation.stats.shares import paired_share_difference, wilson
from reports.judges.cli import judge as command
from reports.judges.votes import voted_clips
from reports.loading import load_run
from reports.metrics.results import elsewhere
from reports.people.export import read_export

WORLD = SmallToybox()
TEN, THREE = exam_of(WORLD, 10, 0), exam_of(WORLD, 3, 0)
SETTINGS = JudgeSettings(FramePolicy(count=4))
ON_TRUTH = [name for name in RULES if not name.startswith("voted")]
Body = Mapping[str, Any]
Script = Callable[[dict[str, Any]], Mapping[str, Any]]


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(TEN.edits, WORLD)


def opened(server: ChatServer, folder: Path, settings: JudgeSettings = SETTINGS) -> ModelJudge:
    spec = spec_of(f"q=openai:{server.url}#m")
    return open_judge(spec, folder / "q.jsonl", settings, Spending())


def examined(
    script: Script, folder: Path, exam: Exam = TEN, settings: JudgeSettings = SETTINGS
) -> dict[str, Finding]:
    """The statistics of a scripted judge, by name."""
    with chat_server(script, keeps=False) as server:
        judge = opened(server, folder, settings)
        found = answers_of(judge, exam, 8)
    return {one.name: one for one in findings(Answers(exam.edits, found), judge.frames)}


class TestOracle:
    """It answers from the exact truth that it reads off the pictures."""

    def test_every_statistic_is_what_it_has_to_be(self, oracle: Oracle, tmp_path: Path) -> None:
        found = examined(oracle, tmp_path, THREE)
        nothing = ("unedited", "no_picture", "no_picture.nothing", "polarity", "polarity.letters",
                   "order", "paraphrase", "paraphrase.verdicts", "frames", "resolution", "retest",
                   "retest.drift", "answers", "trap")  # fmt: skip
        right = {name: 1.0 for name in ON_TRUTH} | dict.fromkeys(nothing, 0.0)
        right |= {"order.first_share": 0.5, "answers.mass": 0.98}
        told = {name: found[name].value for name in ON_TRUTH}
        assert told == pytest.approx(right)
        assert "fails" not in {one.verdict for one in found.values()}

    @pytest.mark.slow
    def test_it_passes_in_everything_with_forty_sources(self, tmp_path: Path) -> None:
        exam = exam_of(WORLD, 40, 1)
        found = examined(Oracle(exam.edits, WORLD), tmp_path, exam, JudgeSettings())
        verdicts = {name: one.verdict for name, one in found.items() if name in RULES}
        assert verdicts == dict.fromkeys(ON_TRUTH, "passes")


def score_in(true: dict[str, Any]) -> str:
    return str(true["choices"][0]["message"]["content"])


def always_yes(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    said = score_in(true)
    if said.isdigit():
        return answered(5)
    if "A for yes" in words_of(body) or "A for no" in words_of(body):
        return chosen("A" if "A for yes" in words_of(body) else "B")
    return chosen("Yes") if said in ("Yes", "No") else true


def always_b(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    return chosen("B") if score_in(true) in "ABC" else true


def first_shown(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    return chosen("A") if "Edit A" in words_of(body) else true


def blind(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    """It answers from the words alone: the last line of a request with its change."""
    said = score_in(true)
    drawn = random.Random(words_of(body).split("\n")[-3])
    return answered(drawn.choice((2, 4))) if said.isdigit() else chosen(drawn.choice((said, "C")))


def verbose(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    return reply(f"Let me think. I would say {score_in(true)}.", {"Let": 0.9, "I": 0.05})


def led(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    """It does what a caption in the picture says: the band is all that differs from the source."""
    pictures = pictures_of(body)
    half = len(pictures) // 2
    said = score_in(true)
    is_captioned = said == "1" and "How far" in words_of(body) and half
    is_source = pictures[:half] == pictures[half:]
    return answered(5) if is_captioned and not is_source and "grey" not in said else true


def no_motion(body: Body, true: dict[str, Any]) -> dict[str, Any]:
    """It looks at the first still alone, of source and edit."""
    pictures = pictures_of(body)
    half = len(pictures) // 2
    is_alignment = "How far" in words_of(body)
    return answered(4) if is_alignment and half and pictures[0] != pictures[half] else true


def test_a_yes_sayer_is_found_at_every_source(oracle: Oracle, tmp_path: Path) -> None:
    found = examined(biased(oracle, always_yes), tmp_path, exam_of(WORLD, 4, 0))
    assert [found[name].value for name in ("unedited", "no_picture", "ideal_v_unedited")] == [
        1, 1, 0.5
    ]  # fmt: skip
    assert found["unedited"].verdict == "fails"


@pytest.mark.slow
class TestBiases:
    """A judge with one bias: the probes of that tell how large it is, the others stand."""

    @pytest.mark.parametrize(
        ("bias", "values"),
        [
            (
                always_yes,
                {"unedited": 1, "ideal": 1, "ideal_v_unedited": 0.5, "wrong_clip": 0.5,
                 "half_done": 0, "frozen": 0.5, "shuffled": 0.5, "no_picture": 1, "polarity": 1,
                 "polarity.letters": 0, "order": 0, "trap": 0},
            ),
            (
                always_b,
                {"order": 1, "order.first_share": 0, "polarity.letters": -1, "polarity": 0,
                 "ideal": 1, "unedited": 0},
            ),
            (first_shown, {"order": 1, "order.first_share": 1, "polarity.letters": 0, "ideal": 1}),
        ],
    )  # fmt: skip
    def test_it_is_found_at_its_size(
        self, bias: Any, values: dict[str, float], oracle: Oracle, tmp_path: Path
    ) -> None:
        found = examined(biased(oracle, bias), tmp_path)
        for name, value in values.items():
            one = found[name]
            assert one.value == pytest.approx(value, abs=0.03), name
            assert one.low - 0.03 <= value <= one.high + 0.03, name

    def test_a_blind_judge_sees_no_difference(self, oracle: Oracle, tmp_path: Path) -> None:
        found = examined(biased(oracle, blind), tmp_path)
        ties = ("ideal_v_unedited", "wrong_clip", "extra_change", "frozen", "shuffled")
        assert {found[name].value for name in ties} == {0.5}
        assert found["no_picture.nothing"].value == found["ideal"].value

    def test_a_judge_of_first_stills_does_not_see_motion(
        self, oracle: Oracle, tmp_path: Path
    ) -> None:
        found = examined(biased(oracle, no_motion), tmp_path)
        assert found["frozen"].value == 0.5
        assert found["shuffled"].value == 1

    def test_prose_is_no_score(self, oracle: Oracle, tmp_path: Path) -> None:
        found = examined(biased(oracle, verbose), tmp_path)
        assert (found["answers"].value, found["answers"].verdict) == (1.0, "fails")
        assert np.isnan(found["ideal"].value)
        assert found["ideal"].verdict == "cannot be told"

    def test_one_that_accepts_a_fifth_of_untouched_clips(
        self, oracle: Oracle, tmp_path: Path
    ) -> None:
        def lenient(body: Body, true: dict[str, Any]) -> dict[str, Any]:
            is_one = score_in(true) == "1" and random.Random(digest_of(body)).random() < 0.2
            return answered(4) if is_one else true

        found = examined(biased(oracle, lenient), tmp_path)["unedited"]
        assert found.low <= 0.2 <= found.high

    def test_one_that_obeys_a_caption(self, oracle: Oracle, tmp_path: Path) -> None:
        found = examined(biased(oracle, led), tmp_path)
        assert found["trap"].value == 1
        assert found["trap"].verdict == "fails"
        assert found["unedited"].value == 0

    def test_one_that_refuses_a_third(self, oracle: Oracle, tmp_path: Path) -> None:
        def refusing(body: Body, true: dict[str, Any]) -> dict[str, Any]:
            refuses = random.Random(digest_of(body)).random() < 1 / 3
            return reply("I'm sorry, I cannot", refusal="I can't help") if refuses else true

        found = examined(biased(oracle, refusing), tmp_path)
        assert found["answers"].low <= 1 / 3 <= found["answers"].high
        assert found["answers"].verdict == "fails"
        assert found["ideal"].verdict == "cannot be told"  # whatever the others are

    def test_one_that_drifts_while_it_is_asked(self, oracle: Oracle, tmp_path: Path) -> None:
        """All that is asked again, at the end, comes out a point lower or higher."""
        seen: dict[str, int] = {}

        def drifting(body: Body, true: dict[str, Any]) -> dict[str, Any]:
            number = seen[digest_of(body)] = seen.get(digest_of(body), 0) + 1
            said = score_in(true)
            return answered(int(said) - number + 1) if said == "5" else true

        found = examined(biased(oracle, drifting), tmp_path)
        # exact edits fall by 2 from first to last time, sources stay: mean 1, and the gap is 4
        assert found["retest.drift"].value == pytest.approx(-1 / 4, abs=0.02)
        assert found["retest"].value == pytest.approx(0.5 / 4, abs=0.02)  # SD of 5, 4, 3, and 0
        assert found["retest.identical"].value == 0.5

    @pytest.mark.parametrize("fault", [HANG, HALF])
    def test_one_that_is_silent_or_garbled_gets_no_number(
        self, fault: Any, oracle: Oracle, tmp_path: Path
    ) -> None:
        limits = CallLimits(tries=1, seconds=0.2, first_wait=0.01, together=8)
        exam = exam_of(WORLD, 2, 0)
        with chat_server(oracle, keeps=False) as server:
            judge = opened(server, tmp_path, JudgeSettings(SETTINGS.frames, limits))
            server.faults = [fault] * 10_000
            found = answers_of(judge, exam, 8)
        assert {one.status for one in found.values()} == {"no answer"}
        assert server.requests < 60  # where nobody answers, few are asked
        answers = {one.name: one for one in findings(Answers(exam.edits, found), judge.frames)}
        assert answers["answers"].value == 1


class TestAsking:
    @pytest.mark.slow
    def test_a_kill_costs_no_answer_twice(self, oracle: Oracle, tmp_path: Path) -> None:
        class Killed(BaseException):
            pass

        def kill(done: int, total: int) -> None:
            if done > 60:
                raise Killed

        exam = exam_of(WORLD, 3, 0)
        with chat_server(oracle) as server:
            with pytest.raises(Killed):
                answers_of(opened(server, tmp_path), exam, 4, kill)
            answers_of(opened(server, tmp_path), exam, 4)
            asked = [digest_of(body) for body in server.bodies if "square" not in words_of(body)]
        again = [digest for digest in asked if asked.count(digest) > 3]
        assert not again  # three times is what a retest asks
        with chat_server(oracle) as server:  # what stands in the archive is not asked
            answers_of(opened(server, tmp_path), exam, 4)
        assert server.requests == 0

    def test_answers_do_not_depend_on_how_many_are_asked_at_once(
        self, oracle: Oracle, tmp_path: Path
    ) -> None:
        exam = exam_of(WORLD, 1, 0)
        found = []
        for together in (1, 7):
            with chat_server(oracle, keeps=False) as server:
                found.append(answers_of(opened(server, tmp_path / str(together)), exam, together))
        assert found[0] == found[1]

    def test_more_sources_begin_with_the_same(self) -> None:
        assert [*exam_of(WORLD, 20, 5).edits[:7]] == [*exam_of(WORLD, 7, 5).edits]

    def test_a_spent_budget_says_how_to_go_on(self, oracle: Oracle, tmp_path: Path) -> None:
        from evaluation.judge.limits import JudgeBudget

        with chat_server(oracle, keeps=False) as server:
            spec = spec_of(f"q=openai:{server.url}#m")
            spending = Spending(JudgeBudget(requests=40))
            judge = open_judge(spec, tmp_path / "q.jsonl", SETTINGS, spending)
            with pytest.raises(UserError, match="answers are kept, and the same command goes on"):
                answers_of(judge, exam_of(WORLD, 2, 0), 2)


class TestShown:
    """The questions carry the pictures that their names say."""

    def test_exact_edit_and_source_are_the_scenes(self) -> None:
        edit = TEN.edits[0]
        policy = FramePolicy(packing="png")
        named = {
            one.name: one
            for one in questions(
                RenderedSource(WORLD, edit), AskedAs("token", policy), is_steady=True
            )
        }
        scenes = {
            name: render(Scene.from_dict(recipe))
            for name, recipe in (("source", edit.source), ("exact", edit.exact),
                                 ("extra", edit.extra), ("other", edit.other))
        }  # fmt: skip
        for name, clip in scenes.items():
            right = stills_of_both(scenes["source"], clip, policy)
            shown = [part for part in named[f"{name}/fidelity"].parts if not isinstance(part, str)]
            assert [still.sha256 for still in shown] == [
                still.sha256 for still in (*right.source, *right.edited)
            ]
            assert [still.label for still in shown] == [
                still.label for still in (*right.source, *right.edited)
            ]

    def test_what_stands_in_the_place_of_the_edit(self) -> None:
        clip = WORLD.clip(TEN.edits[0].exact)
        assert (frozen(clip).frames == clip.frames[0]).all()
        disorder = shuffled(clip, "a").frames
        assert sorted(map(bytes, disorder)) == sorted(map(bytes, clip.frames))
        assert not (disorder == clip.frames).all()
        top = clip.height - clip.height // 9
        assert (captioned(clip).frames[:, :top] == clip.frames[:, :top]).all()
        assert (
            captioned(WORLDS.get("toybox").detailed(TEN.edits[0].exact)).frames[:, -48:].max() > 250
        )

    def test_every_edit_can_be_seen_and_every_miss_is_one(self) -> None:
        toybox = WORLDS.get("toybox")
        for number in range(300):
            edit = toybox.audit_edit(number, 7)
            (field,) = [n for n in edit.exact if edit.exact[n] != edit.source[n]]
            more = {n for n in edit.extra if edit.extra[n] != edit.exact[n]}
            both = {n for n in edit.both if edit.both[n] != edit.source[n]}
            assert len(more) == 1
            assert field not in more
            assert len(both) == 2
            assert field in both
            assert edit.other[field] == edit.exact[field]
            others = {"colour", "shape", "motion", "background", "seed"} - {field}
            assert not [n for n in others if edit.other[n] == edit.source[n]]
            assert len(set(edit.wordings)) == 3
            assert edit.exact["motion"] not in ("resting", "shaking")

    def test_two_in_five_ask_for_a_motion(self) -> None:
        categories = [edit.category for edit in exam_of(WORLD, 40, 0).edits]
        assert categories.count("motion") == 16
        assert categories.count("camera") == 4


class TestStatistics:
    @pytest.mark.parametrize(("successes", "n"), [(0, 40), (2, 80), (39, 40), (7, 20)])
    def test_wilson_is_that_of_scipy(self, successes: int, n: int) -> None:
        values = np.array([1.0] * successes + [0.0] * (n - successes))
        right = binomtest(successes, n).proportion_ci(method="wilson")
        assert wilson(values)[1:] == pytest.approx((right.low, right.high))

    @pytest.mark.parametrize(
        ("counts", "low", "high"),
        [  # Newcombe (1998), table II, method 10
            ((36, 12, 2, 0), 0.0569, 0.3404),
            ((36, 14, 0, 0), 0.1528, 0.4167),
        ],
    )
    def test_differences_of_shares_are_newcombes(
        self, counts: tuple[int, ...], low: float, high: float
    ) -> None:
        first = np.repeat([1.0, 1.0, 0.0, 0.0], counts)
        second = np.repeat([1.0, 0.0, 1.0, 0.0], counts)
        found = paired_share_difference(first, second)
        assert found[1:] == pytest.approx((low, high), abs=1e-4)

    def test_how_many_sources_certify(self) -> None:
        """Upper ends of 0 in 40, 2 in 80, 5 in 120, 11 in 200 are .10 at most; of one more not."""
        rule = RULES["unedited"]
        for failures, n in ((0, 40), (2, 80), (5, 120), (11, 200)):
            for more, verdict in ((0, "passes"), (1, "cannot be told")):
                values = np.array([1.0] * (failures + more) + [0.0] * (n - failures - more))
                assert rule.verdict(*wilson(values)) == verdict

    def test_verdicts(self) -> None:
        rule = Rule("answers", (), at_least=0.8, point=0.9)
        assert rule.verdict(0.95, 0.85, 0.99) == "passes"
        assert rule.verdict(0.85, 0.81, 0.95) == "cannot be told"  # the value is too low
        assert rule.verdict(0.95, 0.7, 0.99) == "cannot be told"
        assert rule.verdict(0.5, 0.4, 0.89) == "fails"
        assert rule.verdict(float("nan"), float("nan"), float("nan")) == "cannot be told"

    def test_a_verdict_holds_however_missing_answers_would_have_been(self) -> None:
        good = np.array([1.0] * 60)
        assert share_of("ideal", good).verdict == "passes"
        few = np.concatenate([good, np.full(2, np.nan)])
        assert share_of("ideal", few).verdict == "passes"
        many = np.concatenate([good, np.full(30, np.nan)])
        assert share_of("ideal", many).verdict == "cannot be told"
        assert share_of("ideal", many).value == 1

    def test_without_a_gap_there_is_no_yardstick(self) -> None:
        table = {
            (edit.id, f"{shown}/alignment"): AuditAnswer("ok", 3.0)
            for edit in TEN.edits
            for shown in ("exact", "source")
        }
        found = in_gaps("retest", Answers(TEN.edits, table), np.zeros(len(TEN.edits)))
        assert np.isnan(found.value)
        assert found.verdict == "cannot be told"


def made_record(**values: tuple[float, float, float]) -> AuditRecord:
    """A record in which all is well but for some probes."""
    found = []
    for name, rule in RULES.items():
        good = 0.0 if rule.at_most is not None and rule.at_most < 0.5 else 1.0
        good = 0.5 if name == "order.first_share" else good
        value = values.get(name, (good, good, good))
        found.append(Finding(name, *value, 40, rule.verdict(*value)))
    return record_of(
        found=found, by_category={}, identity="abc", model="m", form="token", frames={},
        world="toybox", seed=0, sources=40, questions=100,
    )  # fmt: skip


class TestRecord:
    def test_it_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        record = made_record(frozen=(0.4, 0.2, 0.6))
        record.save(tmp_path)
        assert read_audit(tmp_path) == record
        held = json.loads((tmp_path / "audit.json").read_text())
        assert held["probes"]["frozen"]["verdict"] == "fails"
        assert {"value", "low", "high", "verdict"} <= set(held["probes"]["ideal"])

    def test_a_metric_falls_with_its_ability_alone(self) -> None:
        record = made_record(frozen=(0.4, 0.2, 0.6), order=(0.5, 0.4, 0.6))
        assert record.abilities["sees motion"] == "fails"
        assert record.abilities["sees the edit"] == "passes"
        reason = "not judged: does not see motion"
        assert record.why_not("alignment", "motion", is_motion=True) == reason
        assert record.why_not("alignment", "style", is_motion=False) is None
        assert record.why_not("fidelity", "motion", is_motion=True) is None
        assert record.why_not("pairs", "style", is_motion=False) == "not judged: is not steady"

    def test_the_line_of_tables_names_what_failed(self) -> None:
        line = made_record(trap=(0.9, 0.8, 0.95)).line
        assert line.startswith("audit abc on 40 toybox sources; passes: sees the edit")
        assert line.endswith("fails: is not led")

    def test_the_line_is_the_same_when_it_was_read(self, tmp_path: Path) -> None:
        record = made_record(trap=(0.9, 0.8, 0.95), order=(0.5, 0.4, 0.6))
        record.save(tmp_path)
        assert read_audit(tmp_path).line == record.line
        assert read_audit(tmp_path).line.endswith("fails: is steady, is not led")

    def test_a_damaged_record_is_told_in_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "audit.json"
        path.write_text('{"identity": "a"}')
        with pytest.raises(UserError, match=r"audit\.json: .*missing"):
            read_audit(path)

    def test_every_rule_stands_for_an_ability(self) -> None:
        record = made_record()
        assert abilities_of(record.probes) == dict.fromkeys(record.abilities, "passes")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bring_four(tmp_path_factory.mktemp("audited"))


class TestScoring:
    """What an audit found decides which metrics of a judge apply."""

    def scored(self, run: Path, server: ChatServer, *audits: AuditRecord) -> dict[str, Any]:
        settings = JudgeSettings(limits=CallLimits(seconds=5, first_wait=0.001), audits=audits)
        spec = f"q=openai:{server.url}#m"
        score_run(run, [], ModelSettings(), judges=[spec], judging=settings)
        return {
            f"{row.edit} {row.metric}": row
            for row in read_scores(run / "scores.jsonl").values()
            if row.edit == "e-1"
        }

    def test_metrics_of_a_failed_ability_do_not_apply(self, made: Path, tmp_path: Path) -> None:
        run = Path(shutil.copytree(made, tmp_path / "run"))
        with chat_server() as server:
            identity = opened(server, tmp_path, JudgeSettings()).identity
            self.scored(run, server)
            asked = server.requests
            record = made_record(unedited=(0.4, 0.3, 0.5), frozen=(0.3, 0.2, 0.4))
            found = self.scored(run, server, replace(record, identity=identity))
            assert server.requests == asked  # all of it is in the archive
        told = {name: (row.status, row.reason) for name, row in found.items()}
        assert told["e-1 q.alignment"] == ("n/a", "not judged: does not see the edit")
        assert {told[f"e-1 q.{name}"][0] for name in ("fidelity", "quality", "exclusivity")} == {
            "ok"
        }
        judge = RunFolder(run).info.metrics["q.fidelity"].judge
        assert judge is not None
        assert "fails: sees the edit, sees motion" in judge.said
        (line,) = elsewhere(load_run(run), ["q.fidelity", "q.quality"])
        assert line.startswith("Computed elsewhere: q.fidelity, q.quality (m as a judge")
        assert f"audit {identity} on 40 toybox sources" in line

    def test_tables_say_so_of_a_judge_that_was_not_audited(
        self, made: Path, tmp_path: Path
    ) -> None:
        run = Path(shutil.copytree(made, tmp_path / "run"))
        with chat_server() as server:
            self.scored(run, server)
        assert "; not audited)" in elsewhere(load_run(run), ["q.fidelity"])[0]

    def test_the_audit_of_another_judge_is_refused(self, made: Path, tmp_path: Path) -> None:
        run = Path(shutil.copytree(made, tmp_path / "run"))
        with chat_server() as server:
            other = opened(server, tmp_path, JudgeSettings(FramePolicy(count=5))).identity
            record = replace(made_record(), identity=other, frames={"count": 5})
            with pytest.raises(UserError, match="is an audit of m with 5 frames, and of none of m"):
                self.scored(run, server, record)

    @pytest.mark.parametrize(
        ("edit", "world", "is_motion"),
        [
            ({"category": "motion"}, None, True),
            ({"category": "style"}, None, False),
            ({"category": "style", "tags": ["camera"]}, None, True),
            ({"category": "multiple", "recipe": {"motion": "falling"}}, "toybox", True),
            ({"category": "multiple", "recipe": {"colour": "red"}}, "toybox", False),
        ],
    )
    def test_which_edits_ask_for_motion(
        self, edit: dict[str, Any], world: str | None, is_motion: bool
    ) -> None:
        asked = Edit.from_dict({"id": "a", "video": "v", "prompt": "p", **edit})
        assert asks_for_motion(asked, world) is is_motion


class TestFootage:
    """Real clips: the source stands for itself, and what raters agreed on for the rest."""

    def test_the_source_and_agreed_clips_are_asked_about(self, tmp_path: Path) -> None:
        run = RunFolder(put_animals(tmp_path))
        voted = {
            "cow": [VotedClip("cow-1", "one", 0, True, "a red cow", ""),
                    VotedClip("cow-1", "two", 0, False, "a red cow", "")],
            "owl": [VotedClip("owl-1", "two", 0, True, "a red owl", "")],
        }  # fmt: skip
        exam = FootageExam(run, 10, 0, voted)

        def script(body: dict[str, Any]) -> Mapping[str, Any]:
            """Accepts what differs from its source, and nothing else."""
            if (known := canary(body)) is not None:
                return known
            words, pictures = words_of(body), pictures_of(body)
            half = len(pictures) // 2
            if "one word" in words or "one letter" in words:
                return chosen("No" if "one word" in words else "C")
            is_same = pictures[:half] == pictures[half:]
            return answered((1 if is_same else 5) if "How far" in words else (5 if is_same else 2))

        with chat_server(script, keeps=False) as server:
            judge = opened(server, tmp_path)
            answers = Answers(exam.edits, answers_of(judge, exam, 4))
        found = {one.name: one for one in exam.findings(answers, judge.frames)}
        values = {name: one.value for name, one in found.items()}
        assert {edit.id for edit in exam.edits} == {"cow", "dog", "owl"}
        assert values["unedited"] == 0
        assert values["unedited.fidelity"] == values["wrong_clip"] == 1
        assert values["polarity"] == pytest.approx(0.02 / 0.98 - 1, abs=0.03)
        assert (found["voted_successes"].value, found["voted_successes"].sources) == (1, 2)
        assert (found["voted_failures"].value, found["voted_failures"].sources) == (1, 1)
        assert (found["voted_pairs"].value, found["voted_pairs"].sources) == (0.5, 1)

    def test_agreed_clips_are_those_of_three_raters_of_one_mind(self, tmp_path: Path) -> None:
        run = RunFolder(put_animals(tmp_path))
        votes = {("cow-1", "one"): (5, 4, 4), ("cow-1", "two"): (1, 2, 2),
                 ("dog-1", "one"): (5, 5, 3), ("dog-1", "two"): (1, 1), ("owl-1", "x"): (5, 5, 5),
                 ("owl-1", "two"): (1, 1, 1)}  # fmt: skip
        lines = ["rater,edit,method,question,value"]
        lines += [
            f"r{number},{edit},{method},alignment,{value}"
            for (edit, method), values in votes.items()
            for number, value in enumerate(values)
        ]
        (tmp_path / "votes.csv").write_text("\n".join(lines) + "\n")
        args = ["import", "csv", str(tmp_path / "votes.csv"), "--scale", "1:5"]
        done = CliRunner().invoke(import_ratings, [*args[1:], "--out", str(tmp_path / "export")])
        assert done.exit_code == 0, (done.output, done.exception)
        found = voted_clips(read_export(tmp_path / "export"), run)
        told = {(c.edit, c.method): c.is_success for clips in found.values() for c in clips}
        assert told == {("cow-1", "one"): True, ("cow-1", "two"): False, ("owl-1", "two"): False}

    def test_votes_without_a_run_are_refused(self, tmp_path: Path) -> None:
        args = ["audit", "q=openai:http://x/v1#m", "--votes", str(tmp_path), "--out", "a"]
        done = CliRunner().invoke(command, args)
        assert str(done.exception) == "--votes are of clips of a run: name that with --run"


@pytest.mark.slow
def test_a_model_in_a_folder_is_audited_too(tmp_path: Path) -> None:
    """Random weights answer nothing: every probe says so, and none has a value."""
    spec = spec_of(f"q=local:{write_qwen3_vl(tmp_path / 'tiny')}")
    settings = JudgeSettings(FramePolicy(count=2, side=64))
    judge = open_judge(spec, tmp_path / "q.jsonl", settings, Spending())
    exam = exam_of(WORLD, 2, 0)
    answers = Answers(exam.edits, answers_of(judge, exam, 2))
    found = {one.name: one for one in findings(answers, judge.frames)}
    assert (found["answers"].value, found["answers"].verdict) == (1.0, "fails")
    assert found["answers.mass"].value < 0.1
    assert np.isnan(found["ideal"].value)
    assert {one.status for one in answers.table.values()} == {"did not answer"}


class TestCommand:
    @pytest.mark.slow
    def test_from_a_server_to_a_page_and_again_without_one(
        self, oracle: Oracle, tmp_path: Path
    ) -> None:
        out, run = tmp_path / "audit", CliRunner()
        args = ["--sources", "2", "--out", str(out), "--judge-frames", "4"]
        full = Oracle(exam_of(WORLDS.get("toybox"), 2, 0).edits, WORLDS.get("toybox"))  # type: ignore[arg-type]
        with chat_server(full, keeps=False) as server:
            judge = f"q=openai:{server.url}#m"
            done = run.invoke(command, ["audit", judge, *args], catch_exceptions=False)
            assert done.exit_code == 0, done.output
        assert "40 sources find bad judges, about 160 can certify good ones" in done.output
        first = (out / "audit.json").read_bytes()
        page = (out / "index.html").read_text()
        for words in ("Verdict by ability", "sees motion", "to pass here is necessary"):
            assert words in page
        (out / "audit.json").unlink()
        done = run.invoke(command, ["audit", "q=archive:", *args], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        assert (out / "audit.json").read_bytes() == first

    def test_too_dear_is_refused_before_anything_is_asked(
        self, oracle: Oracle, tmp_path: Path
    ) -> None:
        with chat_server(oracle, keeps=False) as server:
            args = [f"q=openai:{server.url}#m", "--sources", "2", "--out", str(tmp_path / "a")]
            done = CliRunner().invoke(command, ["audit", *args, "--budget", "50"])
        assert isinstance(done.exception, UserError)
        assert "allow more, or take fewer --sources" in str(done.exception)
        assert (
            "up to 1" in done.output and "what was asked before is not asked again" in done.output
        )
        assert server.requests <= 1  # the probe of how it answers
