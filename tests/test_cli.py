"""The console program as a user meets it: exit codes, one clear line for a mistake."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from console import Program, program

from dreamix.core.media import write_video
from dreamix.core.places import why_refused
from dreamix.core.video import Video
from evaluation.cli import spell_seconds

DREAMIX = Path(sys.executable).with_name("dreamix")


@pytest.fixture
def dreamix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return program(monkeypatch, capsys)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    frames = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    write_video(folder / "cat.mp4", Video(frames, 3))
    document = {
        "name": "one",
        "version": 1,
        "licence": "none",
        "videos": [{"id": "cat", "path": "cat.mp4", "caption": "a cat"}],
        "edits": [{"id": "cat_0", "video": "cat", "prompt": "a dog", "category": "object"}],
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return folder


def is_one_line(err: str) -> bool:
    return err.startswith("dreamix: ") and err.count("\n") == 1


@pytest.mark.slow
def test_from_a_suite_to_a_page_in_one_command(
    dreamix: Program, suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    arguments = ["--methods", "unedited,frozen-frame", "--metrics", "psnr,flicker"]
    code, text, _ = dreamix("bench", "compare", suite, "--out", out, *arguments, "--workers", 1)
    assert code == 0
    assert "2 ok clips" in text
    assert "4 scores computed; now 4 ok" in text
    assert text.splitlines()[-1] == f"report page: {out / 'report' / 'index.html'}"
    assert "frozen-frame" in (out / "report" / "index.html").read_text()


def test_a_failure_makes_the_exit_code_1_and_says_why(
    dreamix: Program, suite: Path, tmp_path: Path
) -> None:
    (tmp_path / "outs" / "mine").mkdir(parents=True)
    run = ["bench", "run", suite, "--methods", f"external:{tmp_path}/outs/*"]
    code, text, _ = dreamix(*run, "--out", tmp_path / "run", "--workers", 1)
    assert code == 1
    assert "1 failed clips" in text
    assert "failed: 1 x no file" in text
    code, text, _ = dreamix("bench", "score", tmp_path / "run", "--metrics", "psnr")
    assert code == 1
    assert "now 1 failed" in text


RUN = "bench run {suite} --out {tmp}/new --methods "
SCORE = "bench score {run} --metrics "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (RUN + "uneditd", "did you mean unedited"),
        (RUN + "unedited --edits dog*", "no edit matches"),
        (RUN + "unedited --edits ,", "--edits names no edit"),
        (RUN + "unedited,unedited", "two methods are called"),
        ("bench run {tmp}/none --out {tmp}/new --methods unedited", "none"),
        ("bench score {tmp} --metrics psnr", "is not a run folder"),
        (SCORE + "pnsr", "did you mean psnr"),
        (SCORE + "motion_mag --flow rift", "raft"),
        ("report {tmp}", "run folder"),
        ("report {run}", "score"),
        ("weights get clop", "did you mean clip"),
        ("toybox render a-red-bal --out {tmp}/a.mp4", "bal"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    dreamix: Program, suite: Path, tmp_path: Path, words: str, said: str
) -> None:
    dreamix("bench", "run", suite, "--methods", "unedited", "--out", tmp_path / "run")
    places = {"suite": suite, "tmp": tmp_path, "run": tmp_path / "run"}
    code, _, err = dreamix(*(word.format(**places) for word in words.split()))
    assert code == 2
    assert is_one_line(err)
    assert said in err


def test_a_metric_without_weights_is_listed_and_fails_if_it_was_asked_for(
    dreamix: Program, suite: Path, tmp_path: Path
) -> None:
    dreamix("bench", "run", suite, "--methods", "unedited", "--out", tmp_path / "run")
    score = ["bench", "score", tmp_path / "run", "--metrics", "clip_t,psnr", "--workers", 1]
    code, text, _ = dreamix(*score, "--clip", "ViT-B-33:openai")
    assert code == 1
    assert "not run: clip_t: open_clip has no model 'ViT-B-33', did you mean ViT-B-32" in text
    assert "now 1 ok" in text


def test_every_problem_of_a_suite_is_listed(dreamix: Program, suite: Path) -> None:
    document = yaml.safe_load((suite / "suite.yaml").read_text())
    document["edits"][0].update(video="dog", prompt="", category="moton")
    (suite / "suite.yaml").write_text(yaml.safe_dump(document))
    code, text, err = dreamix("bench", "check", suite)
    assert code == 2
    assert len(text.splitlines()) == 3
    assert all("suite.yaml:" in line for line in text.splitlines())
    assert err == "3 problems\n"


def test_an_empty_suite_is_a_problem(dreamix: Program, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(
        "name: empty\nversion: 1\nlicence: none\nvideos: []\nedits: []\n"
    )
    code, _, err = dreamix(
        "bench", "run", tmp_path, "--methods", "unedited", "--out", tmp_path / "r"
    )
    assert code == 2
    assert is_one_line(err)


@pytest.fixture(params=["size=200k", "ro"])
def bad_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A file system with no room, or one that cannot be written."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small file system")
    yield place, "No space left" if "size" in request.param else "Read-only"
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_without_room_or_leave_is_one_line_and_nothing_is_lost(
    dreamix: Program, suite: Path, bad_disk: tuple[Path, str]
) -> None:
    place, reason = bad_disk
    if reason == "No space left":
        (place / "ballast").write_bytes(bytes(185_000))
    code, _, err = dreamix(
        "bench", "run", suite, "--methods", "unedited", "--out", place / "run", "--workers", 1
    )
    assert code == 2
    assert is_one_line(err)
    assert reason in err
    assert not list(place.rglob("*.tmp"))


def heed_ctrl_c() -> None:
    """Undo what a shell does to jobs in the background: it has them ignore the signal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(tmp_path: Path, root: Path) -> None:
    """The whole process group gets the signal, as from a terminal; no worker writes a traceback."""
    command = [str(DREAMIX), "bench", "run", str(root / "datasets" / "toybox"), "--workers", "2"]
    command += ["--methods", "ideal", "--out", str(tmp_path / "run")]
    process = subprocess.Popen(
        command,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    while not list((tmp_path / "run" / "clips").glob("*/*/*.json")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "dreamix: stopped; the same command goes on where it was"


LONG = "n" * 300  # a name of more bytes than NAME_MAX of Linux, 255


@pytest.mark.parametrize(
    "command",
    [
        "report {place}/LONG",
        "bench check {place}/LONG",
        "bench score {place}/LONG",
        "bench merge {place}/LONG {place}/other",
        "study status {place}/LONG",
        "study analyze {place}/LONG",
        "study new {place} --out {place}/LONG",
    ],
)
def test_a_place_that_the_system_refuses_is_one_line(
    dreamix: Program, tmp_path: Path, command: str
) -> None:
    """The words are the system's own: os.strerror of ENAMETOOLONG."""
    words = command.format(place=tmp_path).replace("LONG", LONG).split()
    code, out, err = dreamix(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("dreamix: cannot use '") and len(err) < 400
    assert os.strerror(errno.ENAMETOOLONG) in err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_mistake_of_the_users_keeps_its_traceback() -> None:
    """A file that is not there where we thought it was is a defect of ours."""
    assert why_refused(FileNotFoundError(errno.ENOENT, "no", "x")) is None
    assert why_refused(OSError(errno.EACCES, "no name with it")) is None
    assert why_refused(PermissionError(errno.EACCES, "Permission denied", b"a\nb")) == (
        "cannot use 'a\\nb': Permission denied; mend that or name another"
    )


def test_stages_that_took_no_time_are_told_together() -> None:
    assert spell_seconds({"decode": 3.24, "psnr": 0.2, "clip": 26.7, "ssim": 0.05}) == (
        "clip 26.7, decode 3.2, 2 others 0.2"
    )
    assert spell_seconds({"psnr": 0.4}) == "1 other 0.4"
