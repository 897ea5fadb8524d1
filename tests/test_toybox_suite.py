"""datasets/toybox/suite.yaml: 29 videos and 127 edits, made by one function."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dreamix.data.suite_check import check_suite
from dreamix.toybox.world import VALUES, Scene, caption, render
from dreamix.toybox.world.benchmark import QUICK, SHARES, quick_yaml, suite_yaml


@pytest.fixture(scope="module")
def suite(root: Path) -> dict[str, Any]:
    rows: dict[str, Any] = yaml.safe_load((root / "datasets/toybox/suite.yaml").read_text())
    return rows


@pytest.fixture(scope="module")
def scenes(suite: dict[str, Any]) -> dict[str, Scene]:
    return {row["id"]: Scene.from_dict(row["toybox"]) for row in suite["videos"]}


def target(scenes: dict[str, Scene], edit: dict[str, Any]) -> Scene:
    return Scene.from_dict({**scenes[edit["video"]].to_dict(), **edit["toybox"]})


def test_the_file_is_what_the_function_writes(root: Path) -> None:
    assert (root / "datasets/toybox/suite.yaml").read_bytes() == suite_yaml().encode()


def test_the_loader_finds_nothing_wrong(root: Path) -> None:
    assert check_suite(root / "datasets/toybox") == []


def test_the_quick_suite_is_part_of_it_and_has_every_category(
    root: Path, suite: dict[str, Any]
) -> None:
    """Six videos, no two alike in colour, shape, motion or background; two edits each."""
    path = root / "datasets/toybox/quick.yaml"
    assert path.read_bytes() == quick_yaml().encode()
    assert check_suite(path) == []
    quick = yaml.safe_load(path.read_text())
    assert [edit["id"] for edit in quick["edits"]] == list(QUICK)
    assert all(edit in suite["edits"] for edit in quick["edits"])
    assert all(video in suite["videos"] for video in quick["videos"])
    assert {edit["category"] for edit in quick["edits"]} == set(SHARES)
    assert set(Counter(edit["video"] for edit in quick["edits"]).values()) == {2}
    for field in ("colour", "shape", "motion", "background"):
        assert len({video["toybox"][field] for video in quick["videos"]}) == 6


def test_29_videos_and_127_edits(suite: dict[str, Any]) -> None:
    """The counts of the paper's user study (Dreamix, section 5)."""
    assert (len(suite["videos"]), len(suite["edits"])) == (29, 127)
    assert Counter(edit["category"] for edit in suite["edits"]) == SHARES
    assert max(SHARES, key=lambda category: SHARES[category]) == "motion"


def test_ids_are_unique_and_say_what_is_seen(
    suite: dict[str, Any], scenes: dict[str, Scene]
) -> None:
    assert len(scenes) == 29
    for video, scene in scenes.items():
        words = f"{scene.colour} {scene.shape} {scene.motion} {scene.background}"
        assert video == words.replace(" ", "-")
    numbers: Counter[str] = Counter()
    for edit in suite["edits"]:
        assert edit["id"] == f"{edit['video']}_{numbers[edit['video']]:02d}"
        numbers[edit["video"]] += 1
    assert set(numbers.values()) == {4, 5}


def test_captions_and_prompts_are_those_of_the_scenes(
    suite: dict[str, Any], scenes: dict[str, Scene]
) -> None:
    assert all(row["caption"] == caption(scenes[row["id"]]) for row in suite["videos"])
    assert all(edit["prompt"] == caption(target(scenes, edit)) for edit in suite["edits"])
    assert len({(edit["video"], edit["prompt"]) for edit in suite["edits"]}) == 127


def test_an_edit_changes_what_its_category_says_and_nothing_else(
    suite: dict[str, Any], scenes: dict[str, Scene]
) -> None:
    fields = {"object": "shape", "appearance": "colour"}
    for edit in suite["edits"]:
        before, after = scenes[edit["video"]].to_dict(), target(scenes, edit).to_dict()
        differ = {field for field in before if before[field] != after[field]}
        assert differ == set(edit["toybox"])
        if edit["category"] == "multiple":
            assert len(differ) >= 2
        else:
            assert differ == {fields.get(edit["category"], edit["category"])}


def test_every_word_occurs_and_none_dominates(
    suite: dict[str, Any], scenes: dict[str, Scene]
) -> None:
    seen = [*scenes.values(), *(target(scenes, edit) for edit in suite["edits"])]
    for field, words in VALUES.items():
        assert {getattr(scene, field) for scene in seen} == set(words)
    for field in ("colour", "shape", "motion", "background"):
        counts = Counter(getattr(scene, field) for scene in scenes.values())
        assert max(counts.values()) - min(counts[word] for word in VALUES[field]) <= 2


@pytest.mark.slow
def test_every_ideal_edit_can_be_seen(suite: dict[str, Any], scenes: dict[str, Scene]) -> None:
    """Source and ideal differ by more than 1 grey level on average, over the whole clip."""
    sources = {video: render(scene, 8).frames.astype(np.int16) for video, scene in scenes.items()}
    for edit in suite["edits"]:
        ideal = render(target(scenes, edit), 8).frames
        assert np.abs(sources[edit["video"]] - ideal).mean() > 1, edit["id"]
