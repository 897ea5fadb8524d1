"""What every method has to keep to, and what the anchors promise."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pytest

from dreamix.core.config import config_from_dict
from dreamix.core.errors import DoesNotApply
from dreamix.core.media import read_video
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import METHODS, Edited, EditRequest, Made

MODEL_FREE = ["frozen-frame", "ideal", "shuffled-frames", "unedited"]


@pytest.fixture(scope="module")
def toybox(root: Path) -> Iterator[Suite]:
    yield load_suite(root / "datasets" / "toybox" / "suite.yaml")


def frames(edited: Edited) -> np.ndarray:
    clip = edited.video if isinstance(edited, Made) else edited
    return (clip if isinstance(clip, Video) else read_video(clip)).frames


def apply(name: str, suite: Suite, edit: int = 0, seed: int = 0) -> np.ndarray:
    found = METHODS.get(name)
    request = EditRequest(suite, suite.edits[edit], seed, name)
    return frames(found.edit(request, None, found.config()))


def test_every_method_is_documented_and_configurable() -> None:
    for name in METHODS.names():
        found = METHODS.get(name)
        assert found.definition.startswith("Returns"), f"{name}: say what comes back"
        given = {field.name: "x" for field in fields(found.config) if field.default is MISSING}
        config_from_dict(found.config, given, name)


@pytest.mark.parametrize("name", MODEL_FREE)
def test_a_method_gives_the_same_bytes_again(name: str, toybox: Suite) -> None:
    first = apply(name, toybox)
    apply(name, toybox, edit=40)
    assert np.array_equal(apply(name, toybox), first)


@pytest.mark.parametrize("name", MODEL_FREE)
def test_size_length_and_rate_stay(name: str, toybox: Suite) -> None:
    assert apply(name, toybox).shape == toybox.source(toybox.edits[0].video).frames.shape


def test_a_frozen_frame_does_not_move(toybox: Suite) -> None:
    assert (np.diff(apply("frozen-frame", toybox).astype(int), axis=0) == 0).all()


def test_shuffled_frames_are_the_source_frames_in_another_order(toybox: Suite) -> None:
    source = toybox.source(toybox.edits[0].video).frames
    shuffled = apply("shuffled-frames", toybox)
    assert not np.array_equal(shuffled, source)
    assert sorted(f.tobytes() for f in shuffled) == sorted(f.tobytes() for f in source)


def test_the_ideal_edit_of_real_footage_is_unknown(shared_dir: Path) -> None:
    real = load_suite(shared_dir / "realset")
    with pytest.raises(DoesNotApply, match="does not know the ideal edit"):
        apply("ideal", real)
