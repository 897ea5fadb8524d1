"""The checks of a suite as a whole: its bytes, all problems at once, links and damaged clips."""

import hashlib
import shutil
from pathlib import Path

import pytest
from small_suite import GOOD, write

from dreamix.core.errors import Problem, UserError
from dreamix.data.suite import load_suite
from dreamix.data.suite_check import check_suite


def test_bytes_that_are_not_utf8_are_found_on_their_line(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(GOOD.replace("a duck dives", "un canard \u00e0 l'eau").encode("latin-1"))
    assert check_suite(path) == [
        Problem(str(path), 13, "not UTF-8 (byte 0xe0): save the file as UTF-8")
    ]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_suite(path, files=False).name == "small"


MANY_PROBLEMS = """\
name: broken
version: 1
licence: CC0
videos:
- id: a
  path: missing.mp4
- id: a
  path: ../outside.mp4
- id: b
  path: real.mp4
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  colour: red
- id: c/d
  toybox: {colour: red, shape: ball, motion: resting, background: nowhere}
edits:
- id: a_00
  video: z
  prompt: ""
  category: motoin
- id: a_00
  video: b
  prompt: no
  category: style
"""


def test_twelve_different_problems_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(b"abc")
    path = write(tmp_path, MANY_PROBLEMS)
    problems = check_suite(path)
    # SHA-256 of "abc": FIPS 180-2, appendix B.1.
    expected = {
        6: "no such file or folder: missing.mp4",
        7: "duplicate video id 'a' (first on line 5)",
        8: "path '../outside.mp4' leaves the suite's folder",
        11: "wrong sha256 of real.mp4: expected 000000000000..., found ba7816bf8f01...",
        12: "a video has no key `colour`",
        13: "unsafe id 'c/d'",
        14: "'nowhere'",
        17: "unknown video 'z'",
        18: "prompt is empty",
        19: "unknown category 'motoin', did you mean motion?",
        20: "duplicate edit id 'a_00' (first on line 16)",
        22: "prompt must be text, got true or false",
    }
    assert [problem.line for problem in problems] == list(expected)
    for problem, words in zip(problems, expected.values(), strict=True):
        assert words in problem.message
        assert str(problem).startswith(f"{path}:{problem.line}: ")
    with pytest.raises(UserError) as caught:
        load_suite(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:6: videos.a.path: no such file") and "\n" not in message
    assert "(and 11 more)" in message and "`dreamix bench check" in message


def test_a_link_that_leaves_the_folder_is_a_problem(tmp_path: Path) -> None:
    inside, outside = tmp_path / "suite", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    (outside / "duck.mp4").write_bytes(b"abc")
    (inside / "duck.mp4").symlink_to(outside / "duck.mp4")
    (problem,) = check_suite(write(inside, GOOD))
    assert (problem.line, "through a symbolic link" in problem.message) == (6, True)
    (inside / "duck.mp4").unlink()
    (inside / "duck.mp4").symlink_to("duck.mp4")
    (problem,) = check_suite(inside)
    assert (problem.line, "cannot be followed" in problem.message) == (6, True)


def test_a_damaged_copy_of_a_real_clip_is_found(shared_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(shared_dir / "realset" / "sources", folder / "sources")
    damaged = folder / "sources" / "raindrops.mp4"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.chmod(0o644)
    damaged.write_bytes(content)
    suite = shared_dir / "realset" / "suite.yaml"
    (problem,) = check_suite(suite, folder)
    assert problem.line == suite.read_text().splitlines().index("  path: sources/raindrops.mp4") + 2
    assert f"found {hashlib.sha256(content).hexdigest()[:12]}..." in problem.message
