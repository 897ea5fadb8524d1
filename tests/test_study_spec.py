"""study.yaml: what is written for a run reads back, and every mistake is one clear line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_study import PLAN

from dreamix.core.errors import Mistakes, UserError
from dreamix.core.records import to_json, write_json
from evaluation.run.info import MethodInfo, RunInfo, SuiteInfo
from study_app.declaration import declared_content, declared_hash, differences
from study_app.plan import ServedClip
from study_app.spec.study import Study, read_study, study_from_text
from study_app.spec.template import TEMPLATE, new_study
from study_app.spec.texts import filled

TEXT = (
    TEMPLATE.read_text()
    .replace("$name", "trees")
    .replace("$run", "../run")
    .replace("$methods", "[dreamix, pnp]")
)


def study(**changes: str) -> Study:
    text = TEXT
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    return study_from_text(text, "study.yaml")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder as far as a study needs to know it: two methods and an anchor."""
    folder = tmp_path / "runs" / "one"
    write_json(folder / "run.json", run_of({"dreamix": False, "pnp": False, "ideal": True}))
    return folder


def run_of(methods: dict[str, bool]) -> dict[str, Any]:
    """Return what run.json says of a run without edits; methods: label -> is it an anchor?"""
    suite = SuiteInfo("s", "1", "CC0", "0" * 64)
    found = {label: MethodInfo(label, {}, anchor, (0,)) for label, anchor in methods.items()}
    return RunInfo(3, suite, (), found).to_dict()


def test_a_new_study_is_about_the_methods_of_the_run_and_reads_back(
    run: Path, tmp_path: Path
) -> None:
    new_study(run, tmp_path / "My Study!")
    found = read_study(tmp_path / "My Study!")
    assert found.methods == ("dreamix", "pnp"), "anchors are gold, not contestants"
    assert (found.name, found.design) == ("my-study", "absolute")
    assert (tmp_path / "My Study!" / found.run).resolve() == run.resolve()
    with pytest.raises(UserError, match="exists: edit it"):
        new_study(run, tmp_path / "My Study!")


def test_a_run_of_anchors_alone_has_nothing_to_rate(run: Path, tmp_path: Path) -> None:
    write_json(run / "run.json", run_of({"ideal": True}))
    with pytest.raises(UserError, match="only anchors"):
        new_study(run, tmp_path / "x")
    assert not (tmp_path / "x").exists()


MISTAKES = {  # what is replaced, by what, the words; and where the line is told if elsewhere
    "unknown": ("votes: 5", "vots: 5", "size.vots: there is no such setting, did you mean votes?"),
    "few labels": (
        "Poor, Fair, Good, Excellent",
        "Poor",
        "labels must have at least 5 items",
    ),
    "no design": ("absolute\nm", "abs\nm", "design must be 'absolute' or 'pairwise', got 'abs'"),
    "answer": ("answer: 2", "answer: 3", "texts.en.quiz.1: answer 3 is not one of its 2 options"),
    "code": ("kind: open", "kind: prolific", "recruiting: prolific needs a completion_code"),
    "negative": ("seed: 0", "seed: -1", "seed must be greater than or equal to 0, got '-1'"),
    "missing": ("    title: Which edit is better?\n", "", "texts.en.title is missing"),
    "twice": ("[dreamix, pnp]", "[pnp, pnp]", "methods: one stands there twice"),
    "one axis": ("fidelity, quality]", "beauty]", "questions.1 must be 'alignment', 'fidelity' or"),
    "button": ("      next: Next", "      nxt: Next", "buttons.nxt: there is no such setting"),
    "bracket": ("size:\n", "size: [\n", "not YAML: "),
    "name": ("name: trees", "name: ../trees", "name must match pattern"),
    "empty": ("title: Which edit is better?", "title:", "texts.en.title is empty"),
    "number": ("title: Which edit is better?", "title: 7", "title must be text, got a number, put"),
    "key twice": ("seed: 0", "name: x", "the key `name` is repeated (first on line 6)"),
}
ELSEWHERE = {
    "answer": "- ask: The request is to change the colour",
    "missing": "language: English",
    "bracket": "  votes: 5",
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_that_says_where_and_what(case: str) -> None:
    old, new, told = MISTAKES[case]
    assert old in TEXT
    with pytest.raises(UserError) as error:
        study_from_text(TEXT.replace(old, new, 1), "study.yaml")
    line = line_of(TEXT, ELSEWHERE.get(case, old))
    assert str(error.value).startswith(f"study.yaml:{line}: ")
    assert told in str(error.value) and "\n" not in str(error.value)


def line_of(text: str, words: str) -> int:
    """The line on which words of a text stand, counted from 1."""
    return text[: text.index(words)].count("\n") + 1


def test_all_mistakes_of_a_study_are_told_at_once_each_on_its_line() -> None:
    """Settings that are wrong hide neither each other nor what a second language lacks."""
    english = TEXT[TEXT.index("  en:\n") :]
    german = english.replace("  en:", "  de:").replace("answer: 1", "answer: 2")
    text = TEXT.replace("votes: 5", "votes: none").replace("[dreamix, pnp]", "[pnp, pnp]")
    text = text.replace("seed: 0", "seed: 0.5") + german
    with pytest.raises(Mistakes) as error:
        study_from_text(text, "study.yaml")
    quiz = text.index("      - ask: An edit does", text.index("  de:\n"))
    assert error.value.lines == [
        f"study.yaml:{line}: {words}"
        for line, words in (
            (line_of(text, "seed: 0.5"), "seed must be a whole number, got '0.5'"),
            (line_of(text, "methods:"), "methods: one stands there twice"),
            (line_of(text, "votes: none"), "size.votes must be a whole number, got 'none'"),
            (
                line_of(text, text[quiz:]),
                "texts.de.quiz: the quiz of de has other options or answers",
            ),
        )
    ]


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b"])
def test_what_is_no_study_is_said_so(text: str) -> None:
    with pytest.raises(UserError, match="a study is a list of settings"):
        study_from_text(text, "study.yaml")


def test_a_second_language_needs_all_that_the_first_has() -> None:
    english = TEXT[TEXT.index("  en:\n") :]
    assert [*study_from_text(TEXT + english.replace("  en:", "  de:"), "x").texts] == ["en", "de"]
    other = english.replace("  en:", "  de:").replace("answer: 1", "answer: 2")
    with pytest.raises(UserError, match="the quiz of de has other options or answers"):
        study_from_text(TEXT + other, "x")


def test_all_but_five_settings_are_under_the_hash() -> None:
    """A new setting is declared unless somebody decides otherwise here."""
    apart = set(Study.model_fields) - set(declared_content(study()))
    assert apart == {"run", "recruiting", "retention_days", "version"}


def places(value: Any, *at: Any) -> Iterator[tuple[Any, ...]]:
    """Every single setting of a study, as the way to it."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        yield from (place for key, inner in items for place in places(inner, *at, key))
    else:
        yield at


def others(value: Any) -> tuple[Any, ...]:
    """Values in place of one, of which one should be allowed."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int | float):
        return (value + 1, value - 1, value / 2, value * 2)
    return (f"{value} x", "rtl", 3, ["x"], "pairwise", "motion", "instruction", "fixed")


def with_one(text: str, place: tuple[Any, ...]) -> Study | None:
    """The study of a JSON text with one setting changed; None if it cannot be another."""
    found = json.loads(text)
    inner = found
    for key in place[:-1]:
        inner = inner[key]
    before = inner[place[-1]]
    for value in others(before):
        inner[place[-1]] = value
        try:
            if value != before:
                return Study.model_validate(found)
        except ValueError:
            continue
    return None


@pytest.mark.parametrize("adaptive", ["", "adaptive: {first: 20, questions: [alignment]}\n"])
def test_every_single_setting_is_declared_but_for_what_is_said_not_to_be(adaptive: str) -> None:
    """Each leaf of study.yaml, whatever it is called, changed by itself to something allowed."""
    text = TEXT.replace("ask: false", "ask: true")
    before = study_from_text(text.replace("exclusion:\n", f"{adaptive}exclusion:\n"), "x")
    content = json.loads(json.dumps(declared_content(before)))
    free, hash_ = {"run", "recruiting", "retention_days", "version"}, declared_hash(before, PLAN)
    whole = before.model_dump(mode="json")
    text, changed, stuck = json.dumps(whole), 0, []
    for place in places(whole):
        found = with_one(text, place)
        if found is None:
            stuck.append(".".join(map(str, place)))
            continue
        changed += 1
        apart = place[0] in free or place == ("checks", "font")
        assert bool(differences(content, found)) is not apart, place
        assert (declared_hash(found, PLAN) != hash_) is not apart, place
    assert changed > 180
    only_some = (
        "questions.",
        "defects.kinds.",
        "adaptive.questions." if adaptive else "adaptive",
        "design" if adaptive else "questions.",  # pairs cannot be dealt adaptively
        "recruiting.kind",
        "texts.en.quiz",
        "texts.en.pair",
    )
    assert all(place.startswith(only_some) for place in stuck), stuck


def test_the_order_of_languages_is_declared() -> None:
    """Without a choice raters read the first one."""
    english = TEXT[TEXT.index("  en:\n") :]
    head, german = TEXT.removesuffix(english), english.replace("  en:", "  de:", 1)
    first, second = (study_from_text(head + a + b, "x") for a, b in
                     ((english, german), (german, english)))  # fmt: skip
    assert differences(json.loads(to_json(declared_content(first))), second) == [
        "the order of texts"
    ]
    assert declared_hash(first, PLAN) != declared_hash(second, PLAN)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{width} pixels wide", "{widht} pixels wide",
         "texts.en.device_narrow: {widht} is filled with nothing; {width} and {least} can stand"),
        ("{done} of {total}", "{did} of {total}", "{did} is filled with nothing"),
        ("Watched: {percent}%", "Watched: {share}%", "texts.en.notes.watched: {share}"),
        ("You will be taken back in {seconds} s.", "Back in {s} s.", "texts.en.redirect: {s}"),
    ],
)  # fmt: skip
def test_a_place_that_nothing_fills_is_named(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(UserError) as error:
        study_from_text(TEXT.replace(old, new), "study.yaml")
    assert told in str(error.value)


def test_braces_that_are_no_place_stay_as_they_are() -> None:
    """A translation may say what it likes: a page that filled it in would fail for every rater."""
    assert filled("{width} px {} { {0} {of} %s", {"width": 3}) == "3 px {} { {0} {of} %s"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("votes: 5", "votes: 6"),
        ("failed_traps: 1", "failed_traps: 2"),
        ("Primary:", "Secondary:"),
        ("[Bad, Poor, Fair, Good, Excellent]", "[Excellent, Good, Fair, Poor, Bad]"),
        ("How good does the edited clip look?", "How bad does the edited clip look?"),
        ("coverage: 0.95", "coverage: 0.5"),
        ("fastest_rate: 1.25", "fastest_rate: 2"),
        ("display_height: 360", "display_height: 240"),
        ("phones: true", "phones: false"),
        ("Watch both to", "Look at both to"),
        ('consent_version: "1"', 'consent_version: "2"'),
    ],
)
def test_what_raters_read_and_rules_use_is_under_the_hash(old: str, new: str) -> None:
    assert old in TEXT
    changed = study_from_text(TEXT.replace(old, new, 1), "x")
    assert declared_hash(changed, PLAN) != declared_hash(study(), PLAN)


def test_the_content_of_every_clip_is_under_the_hash() -> None:
    for name in ("l", "r"):
        clips = {**PLAN.clips, name: ServedClip(2.0, "1" * 64)}
        assert declared_hash(study(), replace(PLAN, clips=clips)) != declared_hash(study(), PLAN)
    items = (replace(PLAN.items[0], prompt="another request"), *PLAN.items[1:])
    assert declared_hash(study(), replace(PLAN, items=items)) != declared_hash(study(), PLAN)
    items = (replace(PLAN.items[0], expected={"quality": 1}), *PLAN.items[1:])
    assert declared_hash(study(), replace(PLAN, items=items)) != declared_hash(study(), PLAN)
    other_order = replace(PLAN, items=PLAN.items[::-1])
    assert declared_hash(study(), other_order) == declared_hash(study(), PLAN)


@pytest.mark.parametrize(
    "place", ["x" * 300, "/".join(["folder"] * 700), "a\0b", "ü" * 200, "../run/" + "y" * 256]
)
def test_a_run_at_a_place_that_no_system_has_is_one_line(place: str) -> None:
    """255 bytes a name and 4,096 a path are Linux' NAME_MAX and PATH_MAX; a zero ends a path."""
    given = yaml.safe_load(TEXT) | {"run": place}
    with pytest.raises(UserError, match=r"study\.yaml.*run") as caught:
        study_from_text(json.dumps(given), "study.yaml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
