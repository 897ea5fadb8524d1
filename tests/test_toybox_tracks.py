"""The two other suites of Toybox: as written, checked, and true."""

from pathlib import Path

import numpy as np
import pytest

from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.methods.base import variants
from dreamix.toybox.world import Scene, parse_caption, render
from dreamix.toybox.world.stills import still_scenes
from dreamix.toybox.world.tracks import track_yaml
from evaluation.run.runner import run_suite
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings

TRACKS = ("animate", "subject")


@pytest.fixture(scope="module", params=TRACKS)
def suite(request: pytest.FixtureRequest, root: Path) -> Suite:
    return load_suite(root / "datasets" / "toybox" / f"{request.param}.yaml")


@pytest.mark.parametrize("name", TRACKS)
def test_the_file_is_what_the_generator_writes(name: str, root: Path) -> None:
    file = root / "datasets" / "toybox" / f"{name}.yaml"
    assert file.read_text() == track_yaml(name)
    assert check_suite(file) == []


def test_no_two_edits_ask_for_the_same(suite: Suite) -> None:
    prompts = [edit.prompt for edit in suite.edits]
    assert len(set(prompts)) == len(prompts)
    for edit in suite.edits:
        before = parse_caption(str(suite.videos[edit.video].caption))
        assert before["motion"] == "resting" and before["camera"] == "still"
        assert parse_caption(edit.prompt) != before


def test_a_still_is_the_first_moment_of_its_truth(root: Path) -> None:
    """24 stills with every motion, every camera twice; the exact clip begins with the picture."""
    suite = load_suite(root / "datasets" / "toybox" / "animate.yaml")
    assert (len(suite.videos), len(suite.edits)) == (24, 24)
    words = [parse_caption(edit.prompt) for edit in suite.edits]
    assert len({said["motion"] for said in words}) == 12
    for edit in suite.edits[::5]:
        ideal, still = suite.ideal(edit.id), suite.source(edit.video)
        assert ideal is not None
        assert len(still) == 16 and still.duration == ideal.duration == 2
        assert (still.frames == still.frames[0]).all()
        assert np.array_equal(still.frames[0], ideal.frames[0])
        assert np.array_equal(
            ideal.frames, render(Scene.from_dict(suite.videos[edit.video].recipe or {})).frames
        )


def test_a_subject_is_asked_for_where_no_still_shows_it(root: Path) -> None:
    suite = load_suite(root / "datasets" / "toybox" / "subject.yaml")
    assert (len(suite.videos), len(suite.edits)) == (8, 16)
    for edit in suite.edits:
        scene = Scene.from_dict(suite.videos[edit.video].recipe or {})
        said = parse_caption(edit.prompt)
        assert (said["colour"], said["shape"]) == (scene.colour, scene.shape)
        assert said["background"] not in {one.background for one in still_scenes(scene, 4)}
        assert suite.ideal(edit.id) is None
        assert len(suite.source(edit.video)) == 4


@pytest.mark.slow
def test_metrics_that_have_no_meaning_do_not_apply_and_the_others_do(
    root: Path, tmp_path: Path
) -> None:
    """The exact clip is at distance 0 from the truth. Several stills have no frame that an edit's
    could be held against, and no exact clip."""
    names = ["ideal_psnr", "toybox_nearness", "psnr", "warp_error.true_flow", "motion_mag"]
    names.append("motion_fidelity")
    found = {}
    for track, method in (("animate", "ideal"), ("subject", "frozen-frame")):
        suite = load_suite(root / "datasets" / "toybox" / f"{track}.yaml")
        out = tmp_path / track
        run_suite(suite, variants(method), out, edits=[suite.edits[0].id])
        score_run(out, names, ModelSettings())
        rows = read_scores(out / "scores.jsonl").values()
        found[track] = {row.metric: (row.status, row.value) for row in rows}
    assert found["animate"]["ideal_psnr"] == ("ok", 100)
    assert found["animate"]["toybox_nearness"] == ("ok", 0)
    assert found["animate"]["warp_error.true_flow"][0] == "n/a"
    assert found["animate"]["motion_fidelity"][0] == "n/a", "a still has no motion to keep"
    assert {name: found["subject"][name][0] for name in names} == {
        "ideal_psnr": "n/a", "toybox_nearness": "n/a", "psnr": "n/a",
        "warp_error.true_flow": "n/a", "motion_mag": "ok", "motion_fidelity": "n/a",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stills", "says"),
    [
        ("0", "stills must be a whole number from 1 to 12"),
        ("2.5", "stills must be a whole number"),
    ],
)
def test_a_wrong_number_of_stills_is_said(
    stills: str, says: str, root: Path, tmp_path: Path
) -> None:
    text = (root / "datasets" / "toybox" / "animate.yaml").read_text()
    (tmp_path / "suite.yaml").write_text(text.replace("stills: 1", f"stills: {stills}", 1))
    assert says in str(check_suite(tmp_path)[0])


def test_stills_are_of_rendered_scenes(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(
        "name: x\nversion: 1\nlicence: none\nvideos:\n- id: a\n  path: a.mp4\n  stills: 2\n"
        "edits:\n- id: a_0\n  video: a\n  prompt: p\n  category: subject\n"
    )
    problems = [str(p) for p in check_suite(tmp_path, files=False)]
    assert any("`stills` belongs to a video with `toybox`" in text for text in problems)
