"""Edits that are told by an instruction: in a suite, to methods and metrics, to raters."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from small_suites import columns_of, put_clip

from dreamix.core.config import NoConfig
from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.suite import Edit, Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.data.suite_entries import spell_groups
from dreamix.methods.base import METHODS, EditRequest, method
from dreamix.toybox.world import Scene
from dreamix.toybox.world.instructions import instruction
from evaluation.metrics.base import METRICS
from evaluation.run.runner import run_suite
from evaluation.score.truth import GroundTruth
from study_app.prepare.cells import request_of
from study_app.spec.study import study_from_text
from study_app.spec.template import TEMPLATE

HEAD = """\
name: ducks
version: 1
licence: CC0
categories: {local-remove: local_remove}
videos:
- id: duck
  path: duck.mp4
edits:
"""
TOLD = """\
- id: told
  video: duck
  instruction: Take the duck away.
  category: local-remove
  from: a duck
  to: an empty pond
  tags: [removal, ripples]
  questions:
  - id: q1
    question: Is there a duck?
    answer: no
    about: Execution
  - question: What is on the pond?
    answer: nothing
    options: [a duck, nothing]
"""
SHOWN = """\
- id: shown
  video: duck
  prompt: A duck made of gold.
  category: appearance
"""
SEEN = """\
- id: seen
  video: duck
  instruction: Put the hat on the duck.
  prompt: A duck with a hat.
  category: object
  references: [hats/1.png]
"""


@pytest.fixture(scope="module")
def ducks(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("ducks")
    put_clip(folder / "duck.mp4")
    (folder / "suite.yaml").write_text(HEAD + TOLD + SHOWN + SEEN)
    return load_suite(folder)


def test_an_instruction_its_phrases_tags_and_questions_are_read_and_kept(ducks: Suite) -> None:
    told = ducks.edit("told")
    assert (told.prompt, told.instruction) == (None, "Take the duck away.")
    assert (told.from_phrase, told.to_phrase) == ("a duck", "an empty pond")
    assert (told.tags, told.category) == (("removal", "ripples"), "local-remove")
    assert told.questions == (
        EditQuestion("Is there a duck?", False, (), "q1", "Execution"),
        EditQuestion("What is on the pond?", "nothing", ("a duck", "nothing")),
    )
    snapshot = json.loads(json.dumps(ducks.to_dict()))
    assert Suite.from_dict(snapshot) == ducks
    rows = yaml.safe_load(TOLD)
    assert [snapshot["edits"][0]] == rows, "a snapshot uses the keys of suite.yaml"


def test_mistakes_of_all_new_keys_are_told_at_once_each_on_its_line(tmp_path: Path) -> None:
    broken = {  # what is replaced, by what, the line, the words
        "category: local-remove": ("category: local-remov", 12, "did you mean local-remove"),
        "to: an empty pond": ("to: 7", 14, "must be text, got a number"),
        "[removal, ripples]": ("[removal, Two Words]", 15, "small letters, digits"),
        "answer: no\n": ("answer: maybe\n", 17, "must have yes or no"),
        "answer: nothing": ("answer: a goose", 21, "none of its `options`"),
        "[hats/1.png]": ("[../hats/1.png]", 33, "leaves the suite's folder"),
    }
    text = HEAD + TOLD + SHOWN + SEEN
    for old, (new, _, _) in broken.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    text = text.replace("  prompt: A duck made of gold.\n", "")
    (tmp_path / "suite.yaml").write_text(text)
    found = {p.line: p.message for p in check_suite(tmp_path, files=False)}
    expected = {line - (line > 30): words for _, line, words in broken.values()}
    expected[24] = "an edit needs `prompt` or `instruction`"
    assert found.keys() == expected.keys()
    for line, words in expected.items():
        assert words in found[line]


def test_tags_and_own_categories_are_counted_unknown_ones_apart(ducks: Suite) -> None:
    assert spell_groups(ducks.edits) == [
        "categories of its own: local-remove 1",
        "tags: removal 1",
        "other tags: ripples 1",
    ]
    assert spell_groups(load_suite(Path("toybox-quick")).edits) == []


def test_an_instruction_counts_in_the_identity_of_a_suite_and_an_origin_does_not(
    tmp_path: Path,
) -> None:
    def identity(edits: str) -> str:
        (tmp_path / "suite.yaml").write_text(HEAD + edits)
        return load_suite(tmp_path, files=False).sha256

    before = identity(TOLD)
    assert identity(TOLD.replace("Take the", "Remove the")) != before
    assert identity(TOLD.replace("  from", "  origin: {id: 7, file: a.json}\n  from")) == before


# The identities are those of the suites before they had instructions: no run loses its clips.
IDENTITIES = {
    "toybox": "2333cdbc280a76c18938a4562c5dd2582ac11b5113a8b4effc731e1847415f3f",
    "animate": "2a24af199998c71a269e18de7131ddb3b179e5694194616fcdb1a111e5ee2f50",
    "subject": "66f9f27a93736558f994249f78c7bc1cb6846b1447a8476e91c12d619f61b319",
}


def test_suites_of_toybox_have_instructions_and_their_old_identity() -> None:
    suites = {name: load_suite(Path(name)) for name in IDENTITIES}
    assert {name: suite.sha256 for name, suite in suites.items()} == IDENTITIES
    edits = [edit for suite in suites.values() for edit in suite.edits]
    assert all(edit.instruction for edit in edits)
    assert len({(edit.video, edit.instruction) for edit in edits}) == len(edits)
    assert "instruction" not in suites["toybox"].to_dict()["edits"][0], "it follows from the texts"
    words = "\n".join(str(edit.instruction) for edit in edits)
    kept = hashlib.sha256(words.encode()).hexdigest()[:12]
    assert kept == "b7aa01fb2a5d", "runs are of these words: they stay as they are"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "make the orange ball red"),
        ({"shape": "star"}, "turn the orange ball into a star"),
        ({"shape": "star", "colour": "red"}, "replace the orange ball with a red star"),
        ({"motion": "sliding left"}, "let the orange ball slide left"),
        ({"colour": "red", "motion": "rising"}, "make the orange ball red and let it rise"),
        ({"background": "sunset"}, "show the orange ball at sunset"),
        ({"effect": "fog"}, "replace the rain with thick fog"),
        ({"effect": "none"}, "take the rain away"),
        ({"style": "pencil"}, "show all of it in pencil sketch style"),
        ({"camera": "zooming in"}, "zoom the camera in"),
        (
            {"shape": "box", "background": "room", "style": "neon"},
            "turn the orange ball into a box, show it in a room and show all of it in neon style",
        ),
    ],
)
def test_an_instruction_tells_what_differs_and_nothing_else(
    changes: dict[str, str], words: str
) -> None:
    """Expected words are written by hand."""
    before = Scene("orange", "ball", "falling", "beach", effect="rain")
    assert instruction(before, Scene.from_dict({**before.to_dict(), **changes})) == words


def told(request: EditRequest, model: object, config: NoConfig) -> Video:
    """Returns the source, and has read the instruction."""
    assert request.instruction
    return request.source


def test_a_method_does_not_apply_where_what_it_reads_is_missing(
    ducks: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    METHODS.names()  # found before it is added to
    monkeypatch.setattr(METHODS, "_entries", {**METHODS._entries})
    method("told", reads={"instruction"}, seeded=False)(told)
    run = run_suite(ducks, columns_of(ducks, "told", "unedited")[0], tmp_path / "run")
    rows = {cell: run.clip_row(cell) for cell in run.cells()}
    of_told = {
        c.edit: (r.status, r.reason or "") for c, r in rows.items() if r and c.method == "told"
    }
    assert of_told["told"] == ("ok", "")
    assert of_told["shown"] == ("n/a", "edit shown has no instruction, which this method reads")
    assert of_told["seen"][0] == "n/a" and "refers to hats/1.png" in of_told["seen"][1]
    assert {r.status for c, r in rows.items() if r and c.method == "unedited"} == {"ok"}


def test_a_model_has_to_understand_the_words_that_a_method_gives_it() -> None:
    assert "description" in METHODS.get("sdedit").needs
    assert METHODS.get("external").reads == frozenset()


def test_a_metric_does_not_apply_without_the_words_it_needs(ducks: Suite) -> None:
    known = GroundTruth.__new__(GroundTruth)
    known.entry, known.world = ducks.videos["duck"], None
    known.__dict__["_has_mask"] = False

    def why(edit: str, metric: str) -> str | None:
        return known.obstacle(METRICS.get(metric), ducks.edit(edit))

    assert why("told", "clip_t") == "the edit has an instruction, and no prompt"
    assert why("shown", "clip_t") is None
    assert why("shown", "clip_dir") == "the suite gives no caption of the source"
    assert why("told", "psnr") is None


def test_raters_read_what_the_study_declares_or_the_only_text_there_is(ducks: Suite) -> None:
    text = TEMPLATE.read_text().replace("$name", "s").replace("$run", "r")
    text = text.replace("$methods", "[a]")
    by_prompt = study_from_text(text, "study.yaml")
    by_order = study_from_text(
        text.replace("request: prompt", "request: instruction"), "study.yaml"
    )
    both, order, prompt = (ducks.edit(name) for name in ("seen", "told", "shown"))
    assert request_of(by_prompt, both) == "A duck with a hat."
    assert request_of(by_order, both) == "Put the hat on the duck."
    for study in (by_prompt, by_order):
        assert request_of(study, order) == "Take the duck away."
        assert request_of(study, prompt) == "A duck made of gold."


def test_edit_says_which_words_a_method_wants() -> None:
    from dreamix.single_edit import check_words

    sdedit = METHODS.get("sdedit")
    check_words(sdedit, prompt="a duck", instruction=None)
    with pytest.raises(UserError, match="sdedit reads the prompt of an edit: give --prompt"):
        check_words(sdedit, prompt=None, instruction="go")
    with pytest.raises(UserError, match="say what is asked"):
        check_words(METHODS.get("unedited"), prompt=None, instruction=None)


def test_the_request_of_an_edit_is_never_empty() -> None:
    assert Edit("e", "v", None, "style", instruction="go").request == "go"
    assert Edit("e", "v", "p", "style", instruction="go").request == "p"
