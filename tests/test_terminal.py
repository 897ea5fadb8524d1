"""Every command writes to any terminal; what its encoding lacks is written with what it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fabricated_run import fabricate

from dreamix.core.records import read_json, write_json

DREAMIX = Path(sys.executable).with_name("dreamix")
SAID = (
    "from dreamix.core.terminal import use_any_terminal as use; use(); import sys, click;"
    "text = '\\u2212\\u2013\\u017c\\u4e2d\\u2026\\udcff'; click.echo(text); print(text);"
    "click.echo(text, err=True)"
)


def environment(encoding: str) -> dict[str, str]:
    """Return the environment of a terminal of this encoding, or of the C locale without UTF-8."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONIO"))}
    if encoding == "C":
        return clean | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return clean | {"PYTHONIOENCODING": encoding}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "bytes_"),
    [
        ("ascii", b"--z\\u4e2d...\xff"),
        ("C", b"--z\\u4e2d...\xff"),
        ("latin-1", b"--z\\u4e2d...\xff"),
        ("cp1252", b"-\x96z\\u4e2d\x85\xff"),
        ("utf-8", "\N{MINUS SIGN}\N{EN DASH}\u017c\u4e2d\u2026".encode() + b"\xff"),
    ],
)
def test_what_an_encoding_lacks_is_spelled(encoding: str, bytes_: bytes) -> None:
    """cp1252 has the dash (0x96) and the dots (0x85) by its table; a byte of a file name passes."""
    command = [sys.executable, "-c", SAID]
    done = subprocess.run(command, env=environment(encoding), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert [line.strip() for line in done.stdout.splitlines()] == [bytes_, bytes_]
    assert done.stderr.strip() == bytes_


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "C"])
def test_a_report_and_an_error_can_be_told_to_any_terminal(encoding: str, tmp_path: Path) -> None:
    """N17: a negative mean in the summary stopped the command after the page was written."""
    folder = fabricate(tmp_path / "run")
    lines = (folder / "scores.jsonl").read_text(encoding="utf-8")
    (folder / "scores.jsonl").write_text(lines.replace('"value": 0.', '"value": -0.'), "utf-8")
    info = read_json(folder / "run.json")
    assert info["suite"]["name"] == "made-up"
    write_json(folder / "run.json", info)
    for arguments, code in ((("report", folder, "--no-media", "--resamples", "100"), 0),
                            (("report", tmp_path / "\N{MINUS SIGN}nowhere"), 2)):  # fmt: skip
        command = [str(DREAMIX), *map(str, arguments)]
        done = subprocess.run(command, env=environment(encoding), capture_output=True)
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr
        (done.stdout + done.stderr).decode("latin-1" if encoding == "latin-1" else "ascii")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_help_can_be_told_to_any_terminal(encoding: str) -> None:
    for arguments in (("--help",), ("report", "--help"), ("bench", "--help"), ("nonsense\u2212",)):
        command = [str(DREAMIX), *arguments]
        done = subprocess.run(command, env=environment(encoding), capture_output=True)
        assert b"Traceback" not in done.stderr
        (done.stdout + done.stderr).decode(encoding)


@pytest.mark.slow
def test_names_that_the_locale_cannot_tell_the_file_system_are_one_line(tmp_path: Path) -> None:
    """The C locale without UTF-8 mode has ASCII names of files only: U+732B is not among them."""
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "name: s\nversion: 1\nlicence: CC0\nvideos:\n- id: v\n  path: \u732b.mp4\n  caption: c\n"
        "edits:\n- id: e\n  video: v\n  prompt: p\n  category: object\n",
        encoding="utf-8",
    )
    command = [str(DREAMIX), "bench", "check", str(suite)]
    done = subprocess.run(command, env=environment("C"), capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert r"\u732b.mp4" in done.stderr and done.stderr.endswith("set PYTHONUTF8=1\n")
