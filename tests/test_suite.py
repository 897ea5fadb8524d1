"""Suites: what was loaded is what was written, and its hash and snapshot say so."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_suite import GOOD, write

from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import CATEGORIES, Edit, Suite, VideoEntry, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.toybox.world import Scene, render, truth


def test_a_media_root_that_is_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write_video(tmp_path / "real" / "duck.mp4", Video(np.zeros((2, 8, 8, 3), np.uint8), 8))
    (tmp_path / "link").symlink_to("real")
    path = write(tmp_path, GOOD)
    assert check_suite(path, tmp_path / "link") == []
    suite = load_suite(path, tmp_path / "link")
    assert suite.source_path("duck") == (tmp_path / "real" / "duck.mp4").resolve()
    assert suite.source_path("ball") is None


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no suite at"):
        check_suite(tmp_path)
    path = write(tmp_path, GOOD)
    with pytest.raises(UserError, match="is not a folder"):
        check_suite(path, tmp_path / "nowhere")
    suite = load_suite(path, files=False)
    with pytest.raises(UserError, match="no edit 'duck_0', did you mean duck_00"):
        suite.edit("duck_0")
    with pytest.raises(UserError, match="no video 'bal', did you mean ball"):
        suite.source("bal")


def test_a_suite_holds_what_was_written(tmp_path: Path) -> None:
    text = GOOD.replace("a duck dives", ">\n    a duck\n    dives\n").replace(
        "version: 1", "version: 1.10"
    )
    suite = load_suite(write(tmp_path, text), files=False)
    assert (suite.name, suite.version, suite.licence) == ("small", "1.10", "CC0")
    assert list(suite.videos) == ["duck", "ball"]
    assert suite.videos["duck"] == VideoEntry("duck", caption="a duck", path="duck.mp4")
    assert suite.edits[0] == Edit("duck_00", "duck", "a duck dives", "motion")
    assert suite.edit("ball_00").recipe == {"colour": "blue"}
    assert suite.root == suite.media_root == tmp_path.resolve()


def test_a_toybox_video_is_rendered_with_its_mask_and_ideal(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD), files=False)
    red = Scene("red", "ball", "resting", "meadow")
    blue = Scene("blue", "ball", "resting", "meadow")
    assert np.array_equal(suite.source("ball").frames, render(red).frames)
    mask, ideal = suite.subject_mask("ball"), suite.ideal("ball_00")
    assert mask is not None and np.array_equal(mask, truth(red).masks)
    assert ideal is not None and np.array_equal(ideal.frames, render(blue).frames)
    assert suite.ideal("duck_00") is None
    assert suite.subject_mask("duck") is None


def test_a_snapshot_in_json_gives_the_same_suite(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD), files=False)
    snapshot = json.loads(json.dumps(suite.to_dict()))
    again = Suite.from_dict(snapshot)
    assert again == suite and again.sha256 == suite.sha256
    assert Suite.from_dict(snapshot, media_root=tmp_path / "moved").media_root.name == "moved"


def test_an_altered_snapshot_is_refused(tmp_path: Path) -> None:
    snapshot = load_suite(write(tmp_path, GOOD), files=False).to_dict()
    snapshot["edits"][0]["prompt"] = "a duck sings"
    with pytest.raises(UserError, match="was altered"):
        Suite.from_dict(snapshot)
    del snapshot["edits"]
    with pytest.raises(UserError, match="snapshot of a suite: edits is missing"):
        Suite.from_dict(snapshot)


def fingerprint(folder: Path, text: str, media_root: Path | None = None) -> str:
    return load_suite(write(folder, text), media_root, files=False).sha256


def test_the_hash_covers_content_and_not_the_machine(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    plain = fingerprint(tmp_path, GOOD)
    head, edits = GOOD.split("edits:\n")
    swapped = (
        head + "edits:\n" + edits[edits.index("- id: ball") :] + edits[: edits.index("- id: ball")]
    )
    same = [GOOD.replace("name: small", "name: large"), GOOD.replace("CC0", "MIT"), swapped]
    assert {plain} == {fingerprint(tmp_path, text, other) for text in same}
    changes = [
        ("a duck dives", "a duck swims"),
        ("category: motion", "category: style"),
        ("caption: a duck", "caption: a drake"),
        ("path: duck.mp4", "path: drake.mp4"),
        ("{colour: blue}", "{colour: green}"),
        ("caption: a duck", "fps: 8"),
    ]
    changed = {fingerprint(tmp_path, GOOD.replace(*change)) for change in changes}
    assert len(changed | {plain}) == 7


def test_the_path_of_a_clip_with_a_sha256_does_not_count(tmp_path: Path) -> None:
    text = GOOD.replace("caption: a duck", "sha256: " + "a" * 64)
    moved = text.replace("duck.mp4", "clips/duck.mp4")
    upper = text.replace("a" * 64, "A" * 64)
    other = text.replace("a" * 64, "b" * 64)
    first = fingerprint(tmp_path, text)
    assert first == fingerprint(tmp_path, moved) == fingerprint(tmp_path, upper)
    assert first != fingerprint(tmp_path, other)


def test_a_suite_of_this_size_loads_in_50_ms(root: Path) -> None:
    path = root / "datasets" / "davis" / "suite.yaml"
    seconds = []
    for _ in range(5):
        start = time.process_time()
        load_suite(path, files=False)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05


def test_the_real_suite_is_read_as_it_is(shared_dir: Path) -> None:
    suite = load_suite(shared_dir / "realset")
    plain = yaml.safe_load((shared_dir / "realset" / "suite.yaml").read_text())
    assert (len(suite.videos), len(suite.edits)) == (20, 24)
    assert [video.to_dict() for video in suite.videos.values()] == plain["videos"]
    assert [edit.to_dict() for edit in suite.edits] == plain["edits"]
    assert suite.version == "1"
    assert suite.source(suite.edits[0].video).frames.shape == (8, 256, 256, 3)
    assert {edit.category for edit in suite.edits} <= set(CATEGORIES)
