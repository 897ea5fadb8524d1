"""study.yaml: what is written for a run reads back, and every mistake is one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamix.core.errors import UserError
from dreamix.core.records import write_json
from evaluation.run_info import MethodInfo, RunInfo, SuiteInfo
from study_app.spec.reading import analysis_hash, read_study, study_from_text
from study_app.spec.study import Study
from study_app.spec.template import TEMPLATE, new_study

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


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("votes: 5", "vots: 5", "size.vots: there is no such setting, did you mean votes?"),
        ("Poor, Fair, Good, Excellent", "Poor", "labels: should have at least 5 items, not 2"),
        ("design: absolute", "design: abs", "design: input should be 'absolute' or 'pairwise'"),
        ("answer: 2", "answer: 3", "texts.en.quiz.1: answer 3 is not one of its 2 options"),
        ("kind: open", "kind: prolific", "recruiting: prolific needs a completion_code"),
        ("seed: 0", "seed: -1", "seed: input should be greater than or equal to 0"),
        ("    title: Which edit is better?\n", "", "texts.en.title: is missing"),
        ("[dreamix, pnp]", "[pnp, pnp]", "methods: one stands there twice"),
        ("alignment, fidelity, quality]", "beauty]", "questions.0: input should be 'alignment'"),
        ("      next: Next", "      nxt: Next", "buttons.nxt: there is no such setting"),
        ("size:\n", "size: [\n", "study.yaml, line 20: did not find expected"),
        ("name: trees", "name: ../trees", "name: string should match"),
    ],
)
def test_a_mistake_is_one_line_that_says_where_and_what(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(UserError) as error:
        study_from_text(TEXT.replace(old, new, 1), "study.yaml")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


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


def test_the_hash_of_the_plan_changes_with_the_plan_and_not_with_the_words() -> None:
    """What was declared: rules, size, questions. What a rater reads may be mended."""
    plan = analysis_hash(study())
    assert plan == analysis_hash(study(Welcome="Hello"))
    for old, new in (("votes: 5", "votes: 6"), ("failed_traps: 1", "failed_traps: 2")):
        assert plan != analysis_hash(study_from_text(TEXT.replace(old, new), "x"))
    assert plan != analysis_hash(study_from_text(TEXT.replace("Primary:", "Secondary:"), "x"))


@pytest.mark.parametrize(
    "place", ["x" * 300, "/".join(["folder"] * 700), "a\0b", "ü" * 200, "../run/" + "y" * 256]
)
def test_a_run_at_a_place_that_no_system_has_is_one_line(place: str) -> None:
    """255 bytes a name and 4,096 a path are Linux' NAME_MAX and PATH_MAX; a zero ends a path."""
    given = yaml.safe_load(TEXT) | {"run": place}
    with pytest.raises(UserError, match=r"study\.yaml.*run") as caught:
        study_from_text(json.dumps(given), "study.yaml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
