"""The checks of a suite: every mistake is one problem on its own line."""

from pathlib import Path

import pytest
import yaml
from small_suite import GOOD, write

from dreamix.core import yaml_reading
from dreamix.core.seeding import rng_for
from dreamix.data.suite_check import check_suite

VIDEOS = GOOD[GOOD.index("videos:") : GOOD.index("edits:")]
EDITS = GOOD[GOOD.index("edits:") :]
BALL = "- id: ball\n"  # line 8

# what is replaced in GOOD, by what, the line of the problem, words of its message
CASES = {
    # The file as a whole.
    "empty file": (GOOD, "", 1, "the file is empty"),
    "comments only": (GOOD, "# nothing\n", 1, "the file is empty"),
    "a list": (
        GOOD,
        "- name: small\n",
        1,
        "a suite must be a mapping of keys to values, got a list",
    ),
    "two documents": ("licence: CC0", "licence: CC0\n---\na: b", 4, "not YAML"),
    "unclosed bracket": ("{colour: blue}", "{colour: blue", 19, "not YAML"),
    "tab indentation": ("  path: duck.mp4", "\tpath: duck.mp4", 6, "not YAML"),
    "colon in a prompt": ("a duck dives", "a duck: diving: deep", 13, "not YAML"),
    "control character": ("a duck dives", "a duck\x07dives", 13, "U+0007 is not allowed"),
    "alias": ("path: duck.mp4", "path: *p", 6, "the alias *p is not supported"),
    "nesting bomb": (
        "caption: a duck",
        "caption: " + "[" * 30 + "]" * 30,
        7,
        "more than 20 levels",
    ),
    # Keys.
    "missing top key": ("licence: CC0\n", "", 1, "a suite needs the key `licence`"),
    "unknown top key": ("licence:", "license:", 3, "no key `license`, did you mean licence?"),
    "missing video id": (BALL, "- path: b.mp4\n" + BALL, 8, "a video needs the key `id`"),
    "missing edit prompt": ("  prompt: a duck dives\n", "", 11, "needs `prompt` or `instruction`"),
    "unknown edit key": ("  prompt: a duck", "  promt: a duck", 13, "did you mean prompt"),
    "key twice": (
        "  caption: a duck",
        "  path: other.mp4",
        7,
        "`path` is repeated (first on line 6)",
    ),
    "a number as key": ("  caption: a duck", "  7: a duck", 7, "a key must be text, got a number"),
    "a list as key": ("  caption: a duck", "  [a]: a duck", 7, "a key must be text, got a list"),
    # Types and empty values.
    "videos is no list": (VIDEOS, "videos: duck\n", 4, "videos must be a list, got text"),
    "no videos": (VIDEOS, "videos: []\n", 4, "videos is empty"),
    "no edits": (EDITS, "edits:\n", 10, "edits is empty"),
    "video is text": (
        BALL,
        "- ball\n" + BALL,
        8,
        "a video must be a mapping of keys to values, got text",
    ),
    "prompt is a truth value": (
        "a duck dives",
        "yes",
        13,
        'got true or false, put it in quotes: "yes"',
    ),
    "prompt is a number": ("a duck dives", "12", 13, 'got a number, put it in quotes: "12"'),
    "prompt is a date": ("a duck dives", "2024-05-01", 13, "got a date"),
    "prompt is a list": ("a duck dives", "[a, duck]", 13, "prompt must be text, got a list"),
    "prompt has a tag": ("a duck dives", "!duck dives", 13, "got !duck"),
    "prompt without value": ("prompt: a duck dives", "prompt:", 13, "needs `prompt` or"),
    "empty prompt": ("a duck dives", '""', 13, "prompt is empty"),
    "blank prompt": ("a duck dives", '" \\t "', 13, "prompt is empty"),
    "escape in prompt": ("a duck dives", '"a \\e[31m duck"', 13, "control character U+001B"),
    "empty caption": ("caption: a duck", 'caption: ""', 7, "caption is empty"),
    "version is a list": ("version: 1", "version: [1]", 2, "version must be text, got a list"),
    "version without value": ("version: 1", "version:", 2, "version is empty"),
    "numeric id": (
        "id: duck_00",
        "id: 12",
        11,
        'id must be text, got a number, put it in quotes: "12"',
    ),
    "octal id": ("id: duck_00", "id: 00_01", 11, 'put it in quotes: "00_01"'),
    "unknown category": ("category: motion", "category: moton", 14, "did you mean motion?"),
    "short sha256": (
        "caption: a duck",
        "sha256: abc",
        7,
        "64 hexadecimal digits, got 'abc'",
    ),
    "sha256 with a g": ("caption: a duck", "sha256: " + "0" * 63 + "g", 7, "64 hexadecimal digits"),
    "fps is zero": ("caption: a duck", "fps: 0", 7, "fps must be a number above 0, got '0'"),
    "fps is infinite": ("caption: a duck", "fps: .inf", 7, "fps must be a number above 0"),
    "fps is true": ("caption: a duck", "fps: true", 7, "fps must be a number above 0"),
    "fps is text": (
        "caption: a duck",
        "fps: 24 Hz",
        7,
        "fps must be a number above 0, got '24 Hz'",
    ),
    "sha256 is a list": (
        "caption: a duck",
        "sha256: [abc]",
        7,
        "64 hexadecimal digits, got a list",
    ),
    # Ids.
    "duplicate video": (
        BALL,
        "- id: duck\n  path: d.mp4\n" + BALL,
        8,
        "duplicate video id 'duck' (first on line 5)",
    ),
    "duplicate edit": (
        "id: ball_00",
        "id: duck_00",
        15,
        "duplicate edit id 'duck_00' (first on line 11)",
    ),
    "ids differ by case": (
        "id: ball_00",
        "id: Duck_00",
        15,
        "differs only by case from 'duck_00' (line 11)",
    ),
    "slash in id": ("id: duck_00", "id: duck/00", 11, "unsafe id 'duck/00'"),
    "backslash in id": ("id: duck_00", "id: duck\\00", 11, "unsafe id"),
    "space in id": ("id: duck_00", "id: duck 00", 11, "unsafe id 'duck 00'"),
    "leading dot": ("id: duck_00", "id: .duck", 11, "must not start with"),
    "leading dash": ("id: duck_00", 'id: "-duck"', 11, "must not start with"),
    "two dots": ("id: duck_00", "id: duck..00", 11, "contain .."),
    "trailing dot": ("id: duck_00", "id: duck.", 11, "end with ."),
    "Windows device": ("id: duck_00", "id: CON.duck", 11, "Windows reserves"),
    "accent in id": ("id: duck_00", "id: canard_été", 11, "only letters A-Z a-z"),
    "long id": ("id: duck_00", "id: " + "d" * 101, 11, "longer than 100"),
    "unknown video": (
        "  video: duck",
        "  video: duk",
        12,
        "unknown video 'duk', did you mean duck?",
    ),
    "same wish twice": (
        "  category: motion\n",
        "  category: motion\n- id: e\n  video: duck\n  prompt: a duck   dives\n  category: style\n",
        17,
        "the same video and prompt as on line 13",
    ),
    # Paths.
    "absolute path": ("path: duck.mp4", "path: /duck.mp4", 6, "leaves the suite's folder"),
    "home path": ("path: duck.mp4", "path: ~/duck.mp4", 6, "leaves the suite's folder"),
    "drive letter": ("path: duck.mp4", "path: C:/duck.mp4", 6, "leaves the suite's folder"),
    "path above": ("path: duck.mp4", "path: ../duck.mp4", 6, "leaves the suite's folder"),
    "path above, hidden": ("duck.mp4", "clips/../../duck.mp4", 6, "leaves the suite's folder"),
    "mask above": ("caption: a duck", "mask: ../duck", 7, "mask '../duck' leaves"),
    "backslash in path": ("path: duck.mp4", "path: clips\\duck.mp4", 6, "write / between folders"),
    "NUL in path": ("path: duck.mp4", 'path: "duck\\0.mp4"', 6, "control character U+0000"),
    "line break in path": ("path: duck.mp4", 'path: "duck\\n.mp4"', 6, "line break"),
    "neither path nor recipe": ("  path: duck.mp4\n", "", 5, "a video needs `path` or `toybox`"),
    "path without value": ("path: duck.mp4", "path:", 5, "a video needs `path` or `toybox`"),
    "path and recipe": (
        "id: ball\n",
        "id: ball\n  path: b.mp4\n",
        10,
        "`path` or `toybox`, not both",
    ),
    "fps of a recipe": (
        "id: ball\n",
        "id: ball\n  fps: 8\n",
        9,
        "`fps` belongs to a video with `path`",
    ),
    # Recipes.
    "recipe is text": ("{colour: blue}", "blue", 19, "toybox must be a mapping"),
    "unknown scene field": ("{colour: blue}", "{color: blue}", 19, "did you mean colour?"),
    "unknown scene word": ("{colour: blue}", "\n    shape: ball\n    colour: bleu", 21, "'bleu'"),
    "scene word of a video": ("shape: ball", "shape: bal", 9, "'bal'"),
    "incomplete scene": ("shape: ball, ", "", 9, "a scene needs the field 'shape'"),
    "date in a recipe": ("{colour: blue}", "{colour: 2024-05-01}", 19, "'2024-05-01' (a date)"),
    "nan in a recipe": ("{colour: blue}", "{seed: .nan}", 19, "not a value that a recipe can hold"),
    "number as scene field": (
        "{colour: blue}",
        "{3: blue}",
        19,
        "a key must be text, got a number",
    ),
    "scene field twice": ("{colour: blue}", "{seed: 1, seed: 2}", 19, "the key `seed` is repeated"),
    "edit without effect": ("{colour: blue}", "{colour: red}", 19, "changes nothing"),
    "empty recipe": ("{colour: blue}", "{}", 19, "changes nothing"),
    "recipe for a file": (
        "category: motion",
        "category: motion\n  toybox: {seed: 1}",
        15,
        "no `toybox`",
    ),
}


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML, since an installation may lack the one in C."""
    if request.param == "C" and not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML was built without libyaml")
    loader = yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader
    monkeypatch.setattr(yaml_reading, "LOADER", loader)


@pytest.mark.slow
@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", CASES)
def test_one_mistake_is_one_problem_on_its_line(case: str, tmp_path: Path) -> None:
    old, new, line, words = CASES[case]
    assert GOOD.count(old) == 1
    problems = check_suite(write(tmp_path, GOOD.replace(old, new)), files=False)
    assert [problem.line for problem in problems] == [line]
    assert words in problems[0].message
    assert "\n" not in str(problems[0])


@pytest.mark.usefixtures("parser")
def test_a_good_suite_has_no_problem(tmp_path: Path) -> None:
    assert check_suite(write(tmp_path, GOOD), files=False) == []


@pytest.mark.usefixtures("parser")
def test_no_text_crashes_the_check(tmp_path: Path) -> None:
    rng = rng_for("suite fuzz")
    for _ in range(150):
        text = list(GOOD)
        for _ in range(rng.integers(1, 6)):
            start, length = rng.integers(len(text)), rng.integers(0, 4)
            text[start : start + length] = rng.choice(list("-:[]{}&*!|>'\"%@`#? \n\t\\0~"), 2)
        problems = check_suite(write(tmp_path, "".join(text)), files=False)
        assert all(1 <= problem.line <= text.count("\n") + 1 for problem in problems)
