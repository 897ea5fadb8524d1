"""JSON that knows its lines: the same values as Python's, and every mistake where it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamix.core.json_reading import parse_json_document
from dreamix.core.yaml_reading import Document, Limits

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | FINITE | st.text()
VALUES = st.recursive(
    SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=20
)


def read(text: str, limits: Limits = Limits()) -> Document:  # noqa: B008 - a named tuple
    return parse_json_document(text.encode(errors="surrogatepass"), "a.json", limits)


@given(VALUES, st.sampled_from([None, 0, 2]), st.booleans())
def test_values_are_those_that_python_reads(value: object, indent: int | None, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    document = read(text)
    assert document.problems == []
    assert document.value == json.loads(text)
    assert document.root is not None


def test_every_value_knows_its_line() -> None:
    document = read('[\n {"a": 1,\n  "b":\n   "x"},\n [true, null]]')
    assert document.line((0,)) == 2
    assert document.line((0, "b")) == 4 and document.line((0, "b"), key=True) == 3
    assert document.line((1, 1)) == 5
    assert document.line((0, "missing")) == 2, "of what is around it"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[1,\n2", 2, "a comma or ] is expected"),
        ('{"a": 1,\n}', 1, "a comma before }"),
        ("{\n a: 1}", 2, "a key in double quotes"),
        ('{"a"\n 1}', 2, "a colon is expected"),
        ("[\nNaN]", 2, "a value is expected"),
        ("[01]", 1, "a comma or ]"),
        ('"a\nb"', 1, "Invalid control character"),
        ("{}\n{}", 2, "behind its end"),
        ("", 1, "a value is expected"),
        ("[" * 50, 1, "nested more than 40 levels"),
        ("1" * 200, 1, "more than 100 digits"),
    ],
)
def test_what_is_no_json_is_told_at_its_line(text: str, line: int, words: str) -> None:
    document = read(text)
    assert document.root is None and document.value is None
    (problem,) = document.problems
    assert problem.line == line and words in problem.message


def test_a_repeated_key_is_a_problem_and_the_first_value_counts() -> None:
    document = read('{"a": 1,\n "a": 2}')
    assert document.value == {"a": 1}
    assert [(p.line, p.message) for p in document.problems] == [
        (2, "the key `a` is repeated (first on line 1)")
    ]


def test_bytes_that_are_no_text_and_too_many_values_end_the_reading() -> None:
    (problem,) = parse_json_document(b'["a",\n"\xff"]', "a.json", Limits()).problems
    assert problem.line == 2 and "not UTF-8" in problem.message
    (problem,) = read("[1, 2, 3]", Limits(values=3)).problems
    assert "more than 3 values" in problem.message
