"""A second world, registered here: what holds for any world holds for it, and none knows Toybox."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from dreamix.backends.base import is_pretrained
from dreamix.backends.names import BACKENDS, default_backend
from dreamix.core.errors import UserError
from dreamix.core.packages import Package
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.data.worlds import WORLDS, World
from dreamix.methods.animate import camera_of
from dreamix.methods.base import variants
from dreamix.single_edit import edit_of, scene_source
from evaluation.features.clip_files import split_clip
from evaluation.run.runner import run_suite
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import OWN_CLIPS, REAL_CLIP, ModelSettings, OwnClip

FRAMES, HEIGHT, WIDTH = 4, 24, 32
SUBJECT = (slice(None), slice(8, 16), slice(8, 24))  # where it is in all frames
SUITE = """\
name: tints
version: 1
licence: CC0
videos:
- id: dark
  caption: shade 40 on 90
  tint: {subject: 40, ground: 90}
edits:
- id: dark_00
  video: dark
  prompt: shade 200 on 90
  category: object
  tint: {subject: 200}
"""


class TintTruth(NamedTuple):
    """What is known of a clip in which nothing moves."""

    masks: np.ndarray
    flow_forward: np.ndarray
    flow_backward: np.ndarray
    occluded_forward: np.ndarray


class TintWorld(World):
    """Grey frames with a rectangle of another grey."""

    title = "Tint"

    def whole(self, recipe: Mapping[str, Any]) -> dict[str, Any]:
        for field, value in recipe.items():
            self.field_alone(field, value)
        if "subject" not in recipe:
            raise UserError("a tint needs the field 'subject'")
        return {"ground": 0, **recipe}

    def field_alone(self, field: str, value: object) -> None:
        if field not in ("subject", "ground"):
            raise UserError(f"a tint has no field {field!r}")
        if not isinstance(value, int) or not 0 <= value <= 255:
            raise UserError(f"a shade is 0 to 255, got {value!r}")

    def clip(self, recipe: Mapping[str, Any]) -> Video:
        whole = self.whole(recipe)
        frames = np.full((FRAMES, HEIGHT, WIDTH, 3), whole["ground"], np.uint8)
        frames[SUBJECT] = whole["subject"]
        return Video(frames, 8)

    def stills(self, recipe: Mapping[str, Any], count: int) -> Video:
        return Video(self.clip(recipe).frames[:1].repeat(count, axis=0), 1)

    def truth(self, recipe: Mapping[str, Any]) -> TintTruth:
        masks = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
        masks[SUBJECT] = True
        flow = np.zeros((FRAMES - 1, HEIGHT, WIDTH, 2), np.float32)
        return TintTruth(masks, flow, flow, np.zeros(flow.shape[:3], bool))

    def read(self, text: str) -> dict[str, Any]:
        words = text.split()
        if len(words) != 4 or words[0] != "shade" or words[2] != "on":
            raise UserError("a tint is told as: shade 40 on 90")
        return {"subject": int(words[1]), "ground": int(words[3])}

    def recipe(self, caption: str, seed: int) -> dict[str, Any]:
        return self.read(caption)

    def category(self, changes: Mapping[str, Any]) -> str:
        return "appearance" if "subject" in changes else "background"

    def camera(self, prompt: str) -> str:
        return "zoom-in"


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[TintWorld]:
    WORLDS.names()  # found before it is added to
    monkeypatch.setattr(WORLDS, "_entries", {**WORLDS._entries})
    yield WORLDS.add("tint", TintWorld())


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    (tmp_path / "suite.yaml").write_text(SUITE)
    return load_suite(tmp_path)


def test_a_suite_of_another_world_is_read_rendered_and_kept(suite: Suite) -> None:
    assert (suite.world, suite.rendered) == ("tint", True)
    assert suite.source("dark").frames[0, 12, 12].tolist() == [40, 40, 40]
    ideal, mask = suite.ideal("dark_00"), suite.subject_mask("dark")
    assert ideal is not None and ideal.frames[0, 12, 12].tolist() == [200, 200, 200]
    assert mask is not None and mask[0].sum() == 8 * 16
    kept = suite.to_dict()
    assert kept["videos"][0]["tint"] == {"subject": 40, "ground": 90}
    assert Suite.from_dict(kept) == suite


def test_mistakes_in_recipes_of_another_world_are_found_at_their_lines(tmp_path: Path) -> None:
    wrong = SUITE.replace("ground: 90", "grund: 90").replace("subject: 200", "subject: 400")
    (tmp_path / "suite.yaml").write_text(wrong)
    found = [(problem.line, str(problem)) for problem in check_suite(tmp_path)]
    assert [line for line, _ in found] == [7, 13]
    assert "a tint has no field 'grund'" in found[0][1]
    assert "a shade is 0 to 255, got 400" in found[1][1]


def test_an_edit_must_be_of_the_world_of_its_video(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(
        SUITE.replace("  tint: {subject: 200}", "  toybox: {colour: red}")
    )
    (problem,) = check_suite(tmp_path)
    assert "its video 'dark' has no `toybox`" in str(problem)


def test_a_suite_of_another_world_is_run_and_scored(suite: Suite, tmp_path: Path) -> None:
    """PSNR of two greys d apart in a share s of the pixels: 10 log10(255^2 / (s d^2)), by hand."""
    out = tmp_path / "run"
    run_suite(suite, [*variants("unedited"), *variants("ideal")], out)
    names = ["psnr", "psnr.masked", "ideal_psnr", "judge_success"]
    score_run(out, names, ModelSettings())
    rows = {(row.method, row.metric): row for row in read_scores(out / "scores.jsonl").values()}
    far = 10 * np.log10(255**2 / (160**2 * 8 * 16 / (HEIGHT * WIDTH)))
    assert rows["unedited", "psnr"].value == rows["ideal", "ideal_psnr"].value == 100
    assert rows["ideal", "psnr"].value == pytest.approx(far, abs=1e-3)
    assert rows["unedited", "ideal_psnr"].value == pytest.approx(far, abs=1e-3)
    assert rows["ideal", "psnr.masked"].value == 100  # what is to be kept is kept
    refused = rows["ideal", "judge_success"]
    assert refused.value is None
    assert refused.reason == "it knows Toybox clips only, and this clip is of Tint"


def test_prompts_are_read_by_the_world_that_can(suite: Suite) -> None:
    source = scene_source("shade 40 on 90", 0, "tint")
    edit = edit_of(source, "shade 40 on 10", None, lambda line: None)
    assert (edit.category, edit.recipe, edit.world) == ("background", {"ground": 10}, "tint")
    other = edit_of(source, "a red ball bouncing in a meadow", None, lambda line: None)
    assert (other.category, other.recipe, other.world) == ("motion", None, None)
    assert camera_of("shade 40 on 10", "asked") == "zoom-in"
    assert camera_of("a red ball bouncing in a meadow, camera panning left", "asked") == "pan-left"
    assert camera_of("a duck", "asked") == "none"


def test_a_clip_model_of_a_world_is_for_its_suites_alone(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ModelSettings().on(suite.world).clip == REAL_CLIP
    assert ModelSettings().on("toybox").clip == "toybox-clip"
    monkeypatch.setattr(OWN_CLIPS, "_entries", {**OWN_CLIPS._entries})
    OWN_CLIPS.add("tint", OwnClip("tint-clip", "Tint", tmp_path, "grey rectangles alone."))
    assert ModelSettings().on(suite.world).clip == "tint-clip"
    assert split_clip("tint-clip") == ("tint-clip", str(tmp_path))


def test_suites_of_a_world_go_by_their_names(
    suite: Suite, world: TintWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "suites", lambda: {"tints": suite.root / "suite.yaml"})
    assert load_suite(Path("tints")).name == "tints"
    with pytest.raises(UserError, match=r"\(tints, toybox, toybox-quick, .*\)"):
        load_suite(Path("no/such"))


def test_the_model_that_comes_along_is_that_of_our_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tint sorts before Toybox, and a backend of its name would not be of this toolkit."""
    assert default_backend() == "toybox"
    monkeypatch.setattr(BACKENDS, "_entries", {**BACKENDS._entries, "tint": None})
    monkeypatch.setattr(WORLDS, "_packages", {**WORLDS._packages, "tint": Package("tints", "1")})
    assert default_backend() == "toybox"
    assert not is_pretrained("tint") and is_pretrained("wan2.1-1.3b")
