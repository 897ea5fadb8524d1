"""Metrics that are programs: what is answered is kept, what is not has a reason."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from console import Program, program
from small_suites import FOUR, bring_four, put_clip, small_suite

from dreamix.core.errors import UserError
from dreamix.core.media import read_clip
from evaluation.options import metric_specs
from evaluation.run.folder import RunFolder
from evaluation.schema import ClipRow, ScoreRow
from evaluation.score import decoding
from evaluation.score import program as program_of_users
from evaluation.score.command import Command, SelfDescription, TimeLimits
from evaluation.score.ledger import Ask, ScoreLedger
from evaluation.score.scoring import Summary, score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from reports.loading import load_run

GOOD = """
print('{"version": "1", "direction": "lower", "axis": "quality", "bounds": [0, 10]}', flush=True)
for line in sys.stdin:
    clip = json.loads(line)
    tell(id=clip["id"], value=int(clip["edit"][-1]))
"""
START = """
import json, os, signal, sys, time

def tell(**answer):
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that will not end are ended sooner than people's."""
    monkeypatch.setattr(program_of_users, "GRACE", 0.2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bring_four(tmp_path_factory.mktemp("programs"))


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def written(folder: Path, body: str, name: str = "program.py") -> str:
    """The `--metrics` of a program; every call of it leaves a line in `starts`."""
    start = f"{START}open({str(folder / 'starts')!r}, 'a').write('x')\n"
    (folder / name).write_text(start + textwrap.dedent(body))
    return f"cmd:mine={sys.executable} -S -E {folder / name}"


def scored(
    run: Path, spec: str, *names: str, limits: TimeLimits | None = None, workers: int = 1
) -> Summary:
    limits = limits or TimeLimits(20, 20)
    return score_run(
        run, [*names], ModelSettings(), commands=[spec], limits=limits, workers=workers
    )


def rows(run: Path) -> dict[str, ScoreRow]:
    found = read_scores(run / "scores.jsonl").values()
    return {row.edit: row for row in found if row.metric == "mine"}


def values(run: Path) -> dict[str, float | None]:
    return {edit: row.value for edit, row in rows(run).items()}


def reasons(run: Path) -> dict[str, str]:
    return {edit: str(row.reason) for edit, row in rows(run).items() if row.status == "failed"}


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text()) if (folder / "starts").exists() else 0


ALL = {"e-1": 1.0, "e-2": 2.0, "e-3": 3.0, "e-4": 4.0, "e-5": None}


class TestAnswers:
    @pytest.mark.parametrize("workers", [1, 2])
    def test_every_clip_gets_its_answer_and_the_metric_what_was_said(
        self, run: Path, tmp_path: Path, workers: int
    ) -> None:
        done = scored(run, written(tmp_path, GOOD), "flicker", workers=workers)
        assert values(run) == ALL
        assert done.counts == {"ok": 8, "failed": 2}
        row = rows(run)["e-1"]
        assert (row.covers, row.clip) == (1.0, RunFolder(run).clip_row(row.cell).sha256)  # type: ignore[union-attr]
        facts = RunFolder(run).info.metrics["mine"]
        assert (facts.better, facts.axis, facts.ends) == ("lower", "quality", (0.0, 10.0))
        assert facts.command is not None and facts.command.version == "1"
        assert {row.definition for row in rows(run).values()} == {facts.definition_id}
        assert load_run(run).metrics["mine"].elsewhere == "program.py, version 1"

    def test_a_request_has_texts_and_files_that_are_there(self, run: Path, tmp_path: Path) -> None:
        body = f"""
        for line in sys.stdin:
            clip = json.loads(line)
            open({str(tmp_path / "asked")!r}, "a").write(line)
            there = os.path.getsize(clip["source"]) > 0 and os.path.getsize(clip["edited"]) > 0
            tell(id=clip["id"], value=int(there))
        """
        scored(run, written(tmp_path, body))
        asked = [json.loads(line) for line in (tmp_path / "asked").read_text().splitlines()]
        paths = [asked[0].pop("source"), asked[0].pop("edited")]
        assert asked[0] == {
            "id": "ours/e-1/0", "edit": "e-1", "method": "ours", "seed": 0, "video": "duck",
            "prompt": "a duck, e-1", "caption": "a duck", "category": "style",
        }  # fmt: skip
        assert all(os.path.isabs(path) for path in paths)
        assert values(run)["e-4"] == 1.0

    def test_a_clip_that_was_read_before_is_not_decoded_again(
        self, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its file is still looked at: one that has changed is not asked about."""
        score_run(run, ["flicker"], ModelSettings())
        put_clip(run / "clips" / "ours" / "e-3" / "0.mp4", 99)
        read: list[Path] = []

        def counted(path: Path, *more: object) -> object:
            read.append(path)
            return read_clip(path, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(decoding, "read_clip", counted)
        scored(run, written(tmp_path, GOOD))
        assert {path.name for path in read} == {"duck.mp4"}
        assert values(run) == ALL | {"e-3": None}
        assert "has changed since it was made" in reasons(run)["e-3"]
        assert rows(run)["e-1"].covers == 1.0

    def test_the_same_call_again_does_not_start_it(self, run: Path, tmp_path: Path) -> None:
        spec = written(tmp_path, GOOD)
        scored(run, spec)
        before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
        assert scored(run, spec).computed == 0
        assert starts(tmp_path) == 1
        assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before

    def test_another_script_or_version_is_another_number(self, run: Path, tmp_path: Path) -> None:
        scored(run, written(tmp_path, GOOD))
        known = RunFolder(run).info.metrics["mine"].definition_id
        scored(run, written(tmp_path, GOOD.replace("[-1]", "[-1]) + int(1")))
        changed = RunFolder(run).info.metrics["mine"].definition_id
        assert values(run)["e-1"] == 2.0 and changed != known

    def test_a_script_that_no_longer_works_costs_no_score(self, run: Path, tmp_path: Path) -> None:
        """Neither by dying at once, nor by dying at the first clip; a repaired one replaces all."""
        scored(run, written(tmp_path, GOOD))
        known = [rows(run)[edit] for edit in FOUR]
        for broken in (
            "raise ImportError('torch')",
            GOOD.replace("    tell", "    sys.exit(9); tell"),
        ):
            with pytest.raises(
                UserError, match=r"mine: .* the scores of that are kept: .* (1|9)\b"
            ):
                scored(run, written(tmp_path, broken))
            assert [rows(run)[edit] for edit in FOUR] == known
            assert RunFolder(run).info.metrics["mine"].definition_id == known[0].definition
        scored(run, written(tmp_path, GOOD.replace("[-1]", "[-1]) + int(1")))
        assert values(run)["e-1"] == 2.0

    def test_a_version_heard_on_the_way_renews_what_was_there(
        self, run: Path, tmp_path: Path
    ) -> None:
        """The file is the same, so only the program can tell; one clip lacks its score."""
        body = GOOD.replace('"version": "1"', "@").replace(
            "'{@", f'\'{{"version": "\' + open({str(tmp_path / "v")!r}).read() + \'"'
        )
        (tmp_path / "v").write_text("1")
        spec = written(tmp_path, body)
        scored(run, spec)
        (tmp_path / "v").write_text("2")
        kept = [
            line
            for line in (run / "scores.jsonl").read_text().splitlines()
            if '"edit": "e-2"' not in line
        ]
        (run / "scores.jsonl").write_text("\n".join(kept) + "\n")
        scored(run, spec)
        facts = RunFolder(run).info.metrics["mine"]
        assert facts.command is not None and facts.command.version == "2"
        assert {row.definition for row in rows(run).values()} == {facts.definition_id}
        assert values(run) == ALL

    def test_what_is_no_number_is_a_reason(self) -> None:
        """Every line as a program might write it; bounds 0 to 10."""
        found = {line: answered(line) for line in ODD}
        assert {line: (row.status, row.reason) for line, row in found.items()} == ODD
        assert all(row.value is None for row in found.values())


def test_what_a_program_says_of_its_metric_holds_for_all_answers() -> None:
    """Until the first of them more may be said; after it, the same again and nothing else."""
    ledger = ScoreLedger(Command("mine", "program", ("program",), {}), SelfDescription())
    blanks = [ScoreRow("ours", f"e-{k}", 0, "mine", "failed", "v", "style", "id") for k in (1, 2)]
    ledger.add(Ask(row, ClipRow("ours", row.edit, 0, "ok")) for row in blanks)
    assert ledger.take(b'{"version": 3}') == []
    (row,) = ledger.take(b'{"id": "ours/e-1/0", "value": 1, "direction": "lower"}')
    assert (ledger.said.version, ledger.said.better) == ("3", "lower")
    assert row.definition == ledger.definition
    assert ledger.take(b'{"version": "3", "direction": "lower"}') == [] and not ledger.hopeless
    assert ledger.take(b'{"id": "ours/e-2/0", "value": 1, "version": "4"}') == []
    assert ledger.hopeless == "the program says one thing of its metric now and another before"


ODD = {
    '"value": NaN': ("failed", "answered nan, which is no finite number"),
    '"value": -Infinity': ("failed", "answered -inf, which is no finite number"),
    '"value": true': ("failed", "answered True, which is no finite number"),
    '"value": "0.5"': ("failed", "answered '0.5', which is no finite number"),
    f'"value": 1{"0" * 400}': ("failed", f"answered 1{'0' * 59}..., which is no finite number"),
    '"value": 12': ("failed", "answered 12, outside its bounds 0 to 10"),
    '"error": "no face\\n found"': ("failed", "no face found"),
    '"skip": "no person in it"': ("n/a", "no person in it"),
    '"value": null': ("failed", "answered with neither value nor error"),
    '"value": 1, "error": "?"': ("failed", "answered with value and error"),
}


def answered(line: str) -> ScoreRow:
    """The row that an answer comes to."""
    ledger = ScoreLedger(Command("mine", "program", ("program",), {}), SelfDescription())
    blank = ScoreRow("ours", "e-1", 0, "mine", "failed", "duck", "style", "id")
    ledger.add([Ask(blank, ClipRow("ours", "e-1", 0, "ok"))])
    assert ledger.take(b'{"bounds": [0, 10]}') == []
    (row,) = ledger.take(f'{{"id": "ours/e-1/0", {line}}}'.encode())
    return row


def test_what_is_quoted_of_a_banner_is_cut_between_letters() -> None:
    ledger = ScoreLedger(Command("mine", "program", ("program",), {}), SelfDescription())
    assert ledger.take(("\u2588" * 200).encode()) == []
    assert "\u2588" * 20 in ledger.noise and "\ufffd" not in ledger.noise


class TestFaults:
    def test_one_that_dies_costs_the_clip_it_was_at(self, run: Path, tmp_path: Path) -> None:
        body = GOOD.replace(
            "    tell(",
            "    if clip['edit'] == 'e-2':\n"
            "        print('out of memory', file=sys.stderr, flush=True)\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "    tell(",
        )
        scored(run, written(tmp_path, body))
        assert values(run) == ALL | {"e-2": None}
        assert reasons(run)["e-2"] == ("the program was ended by signal 9 (SIGKILL): out of memory")
        assert starts(tmp_path) == 2

    def test_several_bad_clips_in_a_row_cost_themselves_alone(
        self, run: Path, tmp_path: Path
    ) -> None:
        """And are asked last the next time, so that they never stand before the others."""
        asked = tmp_path / "asked"
        body = GOOD.replace(
            "    tell(",
            f"    open({str(asked)!r}, 'a').write(clip['edit'] + ' ')\n"
            "    if clip['edit'] < 'e-4': sys.exit(1)\n"
            "    tell(",
        )
        spec = written(tmp_path, body)
        scored(run, spec)
        assert values(run) == dict.fromkeys(ALL) | {"e-4": 4.0}
        lines = (run / "scores.jsonl").read_text().splitlines()
        (run / "scores.jsonl").write_text("\n".join(x for x in lines if '"e-4"' not in x) + "\n")
        asked.unlink()
        scored(run, spec)
        assert asked.read_text().startswith("e-4 e-1 ")
        assert values(run)["e-4"] == 4.0

    def test_one_that_hangs_is_ended_with_what_it_started(self, run: Path, tmp_path: Path) -> None:
        body = GOOD.replace(
            "    tell(",
            "    if clip['edit'] == 'e-3':\n"
            "        import subprocess\n"
            f"        other = subprocess.Popen(['sleep', '1000'])\n"
            f"        open({str(tmp_path / 'pid')!r}, 'w').write(str(other.pid))\n"
            "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "        time.sleep(1000)\n"
            "    tell(",
        )
        scored(run, written(tmp_path, body), limits=TimeLimits(20, 1.5))
        assert values(run) == ALL | {"e-3": None}
        assert reasons(run)["e-3"] == "no answer within 1.5 s (--cmd-clip)"
        assert is_gone(int((tmp_path / "pid").read_text()))

    @pytest.mark.parametrize(
        ("body", "reason", "most"),
        [
            ("sys.exit(3)", "the program ended with exit code 3", 2),
            ("raise ImportError('no module named vbench')", "no module named vbench", 2),
            ("time.sleep(1000)", "no answer within 0.4 s of its start (--cmd-start)", 1),
            ("pass", "the program ended without an answer for this clip", 2),
            ("os.close(1); time.sleep(1000)", "the program closed its output", 2),
            ("print('{' * 100_000)", "of its output could not be used, such as '{{{{", 2),
            ("sys.stdin.read(); print('Loading weights\\n' * 5)", "5 lines of its output could", 1),
            ("while True: sys.stdout.write('x' * 65536)", "(--cmd-start)", 1),
            ("print('{\"direction\": \"up\"}'); sys.stdin.read()", "its direction is 'up'", 1),
            ("print('{\"bounds\": [1, 0]}'); sys.stdin.read()", "its bounds are [1, 0]", 1),
        ],
    )  # fmt: skip
    def test_one_that_never_answers_is_not_asked_for_ever(
        self, run: Path, tmp_path: Path, body: str, reason: str, most: int
    ) -> None:
        limit = 0.4 if "--cmd-start" in reason else 60
        scored(run, written(tmp_path, body), limits=TimeLimits(limit, limit))
        assert set(reasons(run)) == set(ALL)
        for edit in FOUR:
            assert reason in reasons(run)[edit]
        assert starts(tmp_path) <= most
        assert "no clip" in reasons(run)["e-5"]

    def test_half_the_answers_are_kept(self, run: Path, tmp_path: Path) -> None:
        body = GOOD.replace("    tell(", "    if int(clip['edit'][-1]) % 2: tell(")
        scored(run, written(tmp_path, body))
        assert values(run) == ALL | {"e-2": None, "e-4": None}
        assert reasons(run)["e-2"] == "the program ended without an answer for this clip"

    def test_wrong_and_double_ids(self, run: Path, tmp_path: Path) -> None:
        body = GOOD + (
            "    if clip['edit'] == 'e-1': tell(id='ours/e-1/0', value=1)\n"  # the same again
            "    if clip['edit'] == 'e-2': tell(id='ours/e-2/0', value=7)\n"
            "    if clip['edit'] == 'e-3': tell(id='theirs/e-3/0', value=7)\n"
        )
        done = scored(run, written(tmp_path, body))
        assert values(run) == ALL | {"e-2": None}
        assert reasons(run)["e-2"] == "answered twice: 2, then 7"
        assert any("an answer for 'theirs/e-3/0'" in note for note in done.notes)

    def test_answers_in_any_order_after_the_last_line(self, run: Path, tmp_path: Path) -> None:
        """A program may read everything first, work in batches, and leave the last line open."""
        body = """
        clips = [json.loads(line) for line in sys.stdin]
        lines = [json.dumps({"id": c["id"], "value": int(c["edit"][-1])}) for c in clips]
        sys.stdout.write("\\n".join(reversed(lines)))
        """
        scored(run, written(tmp_path, body))
        assert values(run) == ALL

    def test_a_clip_that_has_changed_is_not_asked_about(self, run: Path, tmp_path: Path) -> None:
        put_clip(run / "clips" / "ours" / "e-1" / "0.mp4", 99)
        scored(run, written(tmp_path, GOOD))
        assert "has changed since it was made" in reasons(run)["e-1"]
        assert values(run) | {"e-1": 1.0} == ALL

    def test_another_python(self, run: Path, tmp_path: Path) -> None:
        other = next((p for p in ("/usr/bin/python3", "/usr/bin/env") if os.path.exists(p)), None)
        if other is None:
            pytest.skip("no other Python on this machine")
        spec = written(tmp_path, GOOD).replace(
            sys.executable, other + " python3" * ("env" in other)
        )
        scored(run, spec)
        assert values(run) == ALL


class TestResuming:
    def test_what_failed_is_asked_again_and_nothing_else(self, run: Path, tmp_path: Path) -> None:
        asked = tmp_path / "asked"
        body = GOOD.replace(
            "    tell(",
            f"    open({str(asked)!r}, 'a').write(clip['edit'] + ' ')\n"
            f"    if clip['edit'] == 'e-3' and not os.path.exists({str(tmp_path / 'ok')!r}):\n"
            "        sys.exit(1)\n"
            "    tell(",
        )
        spec = written(tmp_path, body)
        scored(run, spec)
        assert asked.read_text() == "e-1 e-2 e-3 e-4 "
        (tmp_path / "ok").write_text("")
        done = scored(run, spec)
        assert asked.read_text() == "e-1 e-2 e-3 e-4 e-3 " and done.computed == 1
        assert values(run) == ALL

    def test_killed_after_two_answers_it_computes_the_other_two(
        self, run: Path, tmp_path: Path
    ) -> None:
        """Killed outright: what was answered is on disk, and the program ends with its input."""
        asked = tmp_path / "asked"
        body = GOOD.replace(
            "    tell(",
            f"    open({str(asked)!r}, 'a').write(clip['edit'] + ' ')\n"
            f"    if clip['edit'] == 'e-3' and not os.path.exists({str(tmp_path / 'ok')!r}):\n"
            "        caller = os.getppid()\n"
            "        while os.getppid() == caller: time.sleep(0.05)\n"
            "        sys.exit()\n"
            "    tell(",
        )
        spec = written(tmp_path, body)
        with called(run, spec) as process:
            wait_for(lambda: "e-2" in rows(run))
            process.kill()
        assert values(run) | {"e-5": None} == {"e-1": 1.0, "e-2": 2.0, "e-5": None}
        (tmp_path / "ok").write_text("")
        scored(run, spec)
        assert values(run) == ALL
        assert asked.read_text() in ("e-1 e-2 e-3 e-4 ", "e-1 e-2 e-3 e-3 e-4 ")

    def test_ctrl_c_ends_the_program_and_its_group(self, run: Path, tmp_path: Path) -> None:
        body = f"""
        import subprocess
        other = subprocess.Popen(["sleep", "1000"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{other.pid}}")
        time.sleep(1000)
        """
        with called(run, written(tmp_path, body)) as process:
            wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 130 and "stopped; the same command goes on" in said
        assert all(is_gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def called(run: Path, spec: str) -> "subprocess.Popen[str]":
    # A shell in the background ignores the interrupt, and so would what it starts.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from dreamix.cli import main; main()"
    )
    start = [sys.executable, "-c", code, "bench", "score"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*start, str(run), "--metrics", spec], text=True, **pipes)


def wait_for(what: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """True once a process is no more than an entry that waits for its parent."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


class TestWhoSays:
    """A command runs because it was typed: what stands in somebody's folder never does."""

    def test_a_command_in_a_run_folder_is_not_run(
        self, run: Path, tmp_path: Path, dreamix: Program
    ) -> None:
        scored(run, written(tmp_path, GOOD))
        mark = tmp_path / "hole"
        text = (run / "run.json").read_text()
        held = json.loads(text)
        held["metrics"]["mine"]["command"]["text"] = f"touch {mark}"
        (run / "run.json").write_text(json.dumps(held))
        (run / "scores.jsonl").write_text("")
        dreamix("bench", "score", run, "--metrics", "flicker")
        dreamix("report", run, "--no-media")
        for name in ("mine", "cmd:mine", "cmd:mine="):
            code, _, err = dreamix("bench", "score", run, "--metrics", name)
            assert code == 2 and "cmd:mine='COMMAND'" in err
        assert starts(tmp_path) == 1 and not mark.exists()

    def test_a_suite_cannot_name_one(self, tmp_path: Path) -> None:
        small_suite(tmp_path, FOUR)
        text = (tmp_path / "suite.yaml").read_text()
        (tmp_path / "suite.yaml").write_text(f"{text}metrics: ['cmd:x=touch hole']\n")
        with pytest.raises(UserError, match="metrics"):
            small_suite_of(tmp_path)

    @pytest.mark.parametrize(
        ("spec", "why"),
        [
            ("cmd:psnr=true", "psnr is another metric"),
            ("cmd:PSNR=true", "psnr is another metric"),
            ("cmd:fidelity=true", "fidelity means something here"),
            ("cmd:composite.x=true", "means something here"),
            ("cmd:a/b=true", "cannot name a metric: it holds /"),
            ("cmd:=true", "cannot name a metric: it is empty"),
            ("cmd:x=no-such-program --a", "there is no program 'no-such-program'"),
            ("cmd:x=true 'open", "no closing quotation"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_a_metric_is_one_line(self, run: Path, spec: str, why: str) -> None:
        with pytest.raises(UserError, match=why):
            scored(run, spec)


def small_suite_of(folder: Path) -> object:
    from dreamix.data.suite import load_suite

    return load_suite(folder)


def test_a_command_may_hold_commas() -> None:
    assert metric_specs(("clip_t,flicker", "psnr, cmd:a=b --c d,e", "cmd:f=g,cmd:h")) == (
        ["clip_t", "flicker", "psnr"],
        ["cmd:a=b --c d,e", "cmd:f=g,cmd:h"],
    )


def test_the_program_of_the_page_runs(run: Path, tmp_path: Path, root: Path) -> None:
    """It says how many bytes an edit has for each of its source's: by their sizes on disk."""
    page = (root / "docs" / "scores.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "weight.py").write_text(code)
    scored(run, f"cmd:mine={sys.executable} {tmp_path}/weight.py")
    sizes = [
        path.stat().st_size for path in (run / "clips/ours/e-1/0.mp4", run / "sources/duck.mp4")
    ]
    assert values(run)["e-1"] == pytest.approx(sizes[0] / sizes[1])
    assert len(code.strip().splitlines()) <= 10


@pytest.fixture
def dreamix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return program(monkeypatch, capsys)
