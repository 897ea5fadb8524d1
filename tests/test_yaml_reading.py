"""The YAML loader: values are PyYAML's, every value knows its line, mistakes come all at once."""

import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dreamix.core import yaml_reading
from dreamix.core.errors import Mistakes, UserError
from dreamix.core.seeding import rng_for
from dreamix.core.yaml_reading import Limits, Place, parse_document, parse_yaml
from dreamix.core.yaml_typed import Findings, refuse
from study_app.spec.template import TEMPLATE


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers of PyYAML, since an installation may lack the one in C."""
    if request.param == "C" and not hasattr(yaml, "CSafeLoader"):
        pytest.skip("this PyYAML was built without libyaml")
    loader = yaml.CSafeLoader if request.param == "C" else yaml.SafeLoader
    monkeypatch.setattr(yaml_reading, "LOADER", loader)


def read(text: str, **limits: Any) -> yaml_reading.Document:
    return parse_document(text.encode(), "x.yaml", Limits(**limits))


# ---- values --------------------------------------------------------------------------------------

PIECES = (
    *("a: 1", "b: [x, yes, ~, 1.5, .inf, 0x1F, 1_000, 1:30]", "- c", "- {d: e, f: [1, 2]}"),
    *("'q': \"w\\ne\"", "g: >\n    folded\n    text\n", "h: |\n    kept\n    text\n"),
    *("i:", "  j: k", "l: &l {m: 1}", "n: *l", "o: {<<: *l, p: 2}", "q: &q [1]", "r: *q", "# t"),
    *("s: 2024-05-01", "u: !!str 5", "v: !!int '7'", "? w\n: x"),
    "y: {<<: [{z: 1, a: 2}, {z: 3, b: 4}], c: 5}",
)


def test_values_are_those_of_pyyaml() -> None:
    """Of 150 texts made of pieces those that both read are read the same; most are no YAML."""
    rng = rng_for("yaml pieces")
    same = 0
    for _ in range(150):
        chosen = rng.choice(len(PIECES), rng.integers(1, 6), replace=False)
        text = "\n".join(PIECES[k] for k in chosen) + "\n"
        document = read(text)
        try:
            expected = yaml.safe_load(text)
        except yaml.YAMLError:
            assert document.problems, text
            continue
        if document.problems:
            assert any("stands" in p.message or "repeated" in p.message for p in document.problems)
            continue
        assert repr(document.value) == repr(expected), text  # NaN is NaN, 1 is not 1.0
        same += 1
    assert same > 40


@pytest.mark.parametrize("name", ["toybox", "davis"])
def test_suites_that_come_along_are_read_as_pyyaml_does(name: str, root: Path) -> None:
    text = (root / "datasets" / name / "suite.yaml").read_text()
    assert read(text).value == yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def test_a_study_is_read_as_pyyaml_does() -> None:
    text = TEMPLATE.read_text()
    assert read(text).value == yaml.safe_load(text)


def test_numbers_and_dates_stay_as_written_where_that_is_asked() -> None:
    text = "version: 1.10\nsha256: 0012\nother: 1.10\ninner: {version: 2024-05-01}\n"
    document = parse_document(text.encode(), "x", Limits(), ("version", "sha256"))
    expected = {"version": "1.10", "sha256": "0012", "other": 1.1}
    assert document.value == expected | {"inner": {"version": "2024-05-01"}}


# ---- lines ---------------------------------------------------------------------------------------

LINED = """\
name: a
list:
- x: 1
  y:
    - deep
- &b {z: 1}
- *b
"""


@pytest.mark.parametrize(
    ("place", "line", "key_line"),
    [
        ((), 1, 1),
        (("name",), 1, 1),
        (("list",), 3, 2),
        (("list", 0), 3, 3),
        (("list", 0, "y"), 5, 4),
        (("list", 0, "y", 0), 5, 5),
        (("list", 1, "z"), 6, 6),
        (("list", 2, "z"), 6, 6),  # of the value that an alias stands for
        (("list", 0, "missing"), 3, 3),  # what is around it
        (("list", 9), 3, 3),
        (("nowhere", "at", 0), 1, 1),
    ],
)
def test_every_value_and_key_knows_its_line(place: Place, line: int, key_line: int) -> None:
    """Counted in LINED by hand."""
    document = read(LINED)
    assert (document.line(place), document.line(place, key=True)) == (line, key_line)


# ---- mistakes of YAML ----------------------------------------------------------------------------

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
)
CHAIN = "\n".join(["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)])
STOPS = {
    "two documents": ("a: 1\n---\nb: 2\n", 2, "found another document"),
    "tab": ("a:\n\tb: 1\n", 2, "not YAML"),
    "unclosed": ("a: [1, 2\n\n", 1, "not YAML"),
    "control character": ("a: 1\nb: x\x07\n", 2, "U+0007"),
    "lone half of a letter": ("a: 1\nb: \ud800\n", 2, "not UTF-8"),
    "unknown alias": ("a: 1\nb: *c\n", 2, "alias *c"),
    "a value in itself": ("a: &a\n- *a\n", 2, "alias *a"),
    "nesting bomb": ("a: " + "[" * 20_000, 1, "nest"),
    "aliases that nest": (CHAIN, 40, "nested more than 40 levels"),
    "billion laughs": (BOMB, 6, "values, aliases unfolded"),
    "key twice": ("a: 1\nb: 2\na: 3\n", 3, "the key `a` is repeated (first on line 1)"),
    "number as key": ("a: 1\n2: b\n", 2, 'a key must be text, got a number, put it in quotes: "2"'),
    "truth as key": ("a: 1\nno: b\n", 2, "got true or false, put it in quotes"),
    "list as key": ("? [a]\n: b\n", 1, "a key must be text, got a list"),
    "key without a name": ("? \n: b\n", 1, "a key must be text, got nothing"),
    "number without end": ("a: 1\nb: " + "1" * 5000, 2, "more than 100 digits"),
    "tag of a mapping": ("a: 1\nb: !!python/object:os.x {c: d}\n", 2, "is not supported here"),
    "set": ("a: !!set {b}\n", 1, "is not supported here"),
    "merge of text": ("a: 1\n<<: b\n", 2, "`<<` takes mappings"),
    "merge of a list of text": ("a: 1\n<<: [b]\n", 2, "`<<` takes mappings"),
}


@pytest.mark.parametrize("case", STOPS)
def test_what_is_not_to_be_read_is_one_line_with_its_line(case: str) -> None:
    text, line, words = STOPS[case]
    data = text.encode(errors="surrogatepass")
    (problem, *more) = parse_document(data, "x.yaml", Limits()).problems
    assert (problem.line, more) == (line, []), problem
    assert words in problem.message and "\n" not in str(problem) and len(str(problem)) < 300
    with pytest.raises(UserError, match=r"^x\.yaml:"):
        parse_yaml(text, "x.yaml")


def test_aliases_and_merges_are_refused_where_limits_say_so() -> None:
    (problem,) = read("a: &a 1\nb: *a\n", aliases=False).problems
    assert (problem.line, "alias *a is not supported" in problem.message) == (2, True)
    (problem,) = read("a: 1\n<<: {b: 2}\n", aliases=False).problems
    assert (problem.line, "`<<` is not supported" in problem.message) == (2, True)


def test_a_file_has_as_many_values_and_levels_as_it_may_and_no_more() -> None:
    """[[1, 2], 3] are 5 values in 2 levels."""
    assert read("[[1, 2], 3]", values=5, levels=2).value == [[1, 2], 3]
    assert "more than 4 values" in read("[[1, 2], 3]", values=4).problems[0].message
    assert "more than 1 levels" in read("[[1, 2], 3]", levels=1).problems[0].message


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n", "---\n"])
def test_an_empty_file_says_nothing(text: str) -> None:
    assert read(text).value is None and read(text).problems == []


def test_a_byte_order_mark_is_no_text() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1", "x", Limits()).value == {"a": 1}


# ---- forms ---------------------------------------------------------------------------------------


def _even(value: int) -> int:
    if value % 2:
        raise ValueError(" must be even")
    return value


def _no_cats(names: list[str]) -> list[str]:
    refuse(((k,), f"{name} is a cat") for k, name in enumerate(names) if name == "cat")
    return names


@dataclass(frozen=True)
class Room:
    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"noun": "a room"})
    id: str
    height: Annotated[int, AfterValidator(_even)] = 2
    beds: Annotated[list[int], Field(min_length=1)] | None = None


class House(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rooms: list[Room]
    pets: Annotated[list[str], AfterValidator(_no_cats)] = []
    size: Annotated[float, Field(gt=0)] = 1
    light: dict[str, bool] = {}
    door: str | None = None


def found(text: str) -> list[str]:
    findings = Findings(read(text))
    house = findings.read_as(House)
    assert (house is None) == bool(findings.problems)
    return [str(problem) for problem in findings.problems]


def test_a_form_without_a_mistake_is_what_the_file_says() -> None:
    house = Findings(read("rooms:\n- {id: a, beds: [1]}\nsize: 2\ndoor:\n")).read_as(House)
    assert house == House(rooms=[Room("a", beds=[1])], size=2.0)


def test_all_mistakes_of_a_form_come_at_once_in_the_order_of_the_lines() -> None:
    text = """\
rooms:
- id: hall
  heigt: 4
- height: 3
- id: 5
  beds: []
- no room
pets: [dog, cat, cat]
size: yes
lihgt: {}
door: 7
"""
    assert found(text) == [
        "x.yaml:3: rooms.hall.heigt: a room has no key `heigt`, did you mean height? "
        "(known: id, height, beds)",
        "x.yaml:4: rooms.1: a room needs the key `id`",
        "x.yaml:4: rooms.1.height must be even, got '3'",
        'x.yaml:5: rooms.2.id must be text, got a number, put it in quotes: "5"',
        "x.yaml:6: rooms.2.beds is empty: at least one is needed",
        "x.yaml:7: rooms.3: a room must be a mapping of keys to values, got text",
        "x.yaml:8: pets.1: cat is a cat",
        "x.yaml:8: pets.2: cat is a cat",
        "x.yaml:10: lihgt: there is no such setting, did you mean light? "
        "(known: rooms, pets, size, light, door)",
        'x.yaml:11: door must be text, got a number, put it in quotes: "7"',
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("size: 0", "size must be greater than 0, got '0'"),
        ("size: wide", "size must be a number, got 'wide'"),
        ("size: [1]", "size must be a number, got a list"),
        ("size:", "size is empty"),
        ("pets: dog", "pets must be a list, got text"),
        ("light: {hall: maybe}", "light.hall must be true or false, got 'maybe'"),
        ("light: on", "light must be a mapping of keys to values, got true or false"),
        ("door: 2024-05-01", 'door must be text, got a date, put it in quotes: "2024-05-01"'),
        ("door: 2024-99-99", 'door must be text, got a date, put it in quotes: "2024-99-99"'),
        ("door: !wood oak", "door must be text, got !wood"),
        ("door: !!binary YQ==", "door must be text, got tag:yaml.org,2002:binary"),
        ("door: {a: b}", "door must be text, got a mapping"),
        ("'\\e[31m': 1", "there is no such setting"),
        (f"{'k' * 300}: 1", "there is no such setting"),
    ],
)
def test_what_a_value_must_be_is_said_with_what_it_is(line: str, told: str) -> None:
    (problem,) = found(f"rooms: []\n{line}\n")
    assert problem.startswith("x.yaml:2: ") and told in problem and problem.isprintable()


def test_a_slip_of_the_pen_is_one_mistake_and_a_missing_key_another() -> None:
    assert [line.split(": ", 1)[1] for line in found("romos: []\n")] == [
        "romos: there is no such setting, did you mean rooms? "
        "(known: rooms, pets, size, light, door)"
    ]
    assert found("size: 2\n") == ["x.yaml:1: rooms is missing"]


# ---- errors --------------------------------------------------------------------------------------


def mistakes(count: int) -> Mistakes:
    text = "rooms: []\n" + "".join(f"q{k}: 1\n" for k in range(count))
    findings = Findings(read(text))
    findings.read_as(House)
    return Mistakes(findings.problems)


def test_mistakes_are_one_line_for_some_and_all_lines_for_others() -> None:
    error = mistakes(3)
    assert str(error).endswith("(and 2 more)") and "\n" not in str(error)
    assert len(error.lines) == 3 and error.lines[2].startswith("x.yaml:4: q2: ")
    assert mistakes(1).lines == [str(mistakes(1))] == UserError(str(mistakes(1))).lines


def test_a_file_full_of_mistakes_fills_no_terminal() -> None:
    lines = mistakes(500).lines
    assert len(lines) == 51 and lines[-1] == "and 450 more"


ENDLESS = ("".join(f"q{k}: 1\n" for k in range(30_000)), f"rooms: [{'{}, ' * 30_000}]")


@pytest.mark.slow
@pytest.mark.parametrize("text", ENDLESS, ids=["unknown", "missing"])
def test_mistakes_without_end_are_told_in_time(text: str) -> None:
    """Minutes would mean that each is held against all others; it takes two seconds."""
    began = time.process_time()
    assert len(found(text)) >= 30_000
    assert time.process_time() - began < 15


def test_mistakes_pass_from_one_process_to_another() -> None:
    assert pickle.loads(pickle.dumps(mistakes(2))).lines == mistakes(2).lines
