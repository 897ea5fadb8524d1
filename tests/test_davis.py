"""The DAVIS suite: its 127 edits, and loading the folders that DAVIS ships."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.data.suite import CATEGORIES, load_suite
from dreamix.data.suite_check import check_suite

FRAMES, HEIGHT, WIDTH = 3, 12, 20
# Index 0 is black and index 2 is black as well: only the index may say what the subject is.
PALETTE = [0, 0, 0, 128, 0, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def suite_folder(root: Path) -> Path:
    return root / "datasets" / "davis"


def indices(frame: int) -> np.ndarray:
    """Return palette indices: two objects, 1 and 2, that move one pixel a frame."""
    index = np.zeros((HEIGHT, WIDTH), np.uint8)
    index[2:5, frame : frame + 4] = 1
    index[7:9, 10 + frame : 12 + frame] = 2
    return index


@pytest.fixture(scope="module")
def davis(tmp_path_factory: pytest.TempPathFactory, suite_folder: Path) -> Path:
    """A folder laid out as DAVIS ships it, with tiny frames."""
    top = tmp_path_factory.mktemp("DAVIS")
    for number, name in enumerate(load_suite(suite_folder, files=False).videos):
        frames, masks = top / "JPEGImages/480p" / name, top / "Annotations/480p" / name
        frames.mkdir(parents=True)
        masks.mkdir(parents=True)
        for frame in range(FRAMES):
            grey = np.full((HEIGHT, WIDTH, 3), 8 * number + 2 * frame, np.uint8)
            Image.fromarray(grey).save(frames / f"{frame:05d}.jpg", quality=95)
            image = Image.fromarray(indices(frame))
            image.putpalette(PALETTE)
            image.save(masks / f"{frame:05d}.png")
    return top


def test_29_sequences_and_127_edits_of_every_category(root: Path, suite_folder: Path) -> None:
    suite = load_suite(suite_folder, files=False)
    assert (len(suite.videos), len(suite.edits)) == (29, 127)
    # The 60 + 30 public names of DAVIS-2017 trainval (davischallenge.org).
    names = (root / "tests" / "data" / "davis2017_trainval.txt").read_text().split()
    assert len(names) == 90 and set(suite.videos) <= set(names)
    categories = Counter(edit.category for edit in suite.edits)
    assert set(categories) == {*CATEGORIES} - {"subject"}
    assert categories.most_common(1) == [("motion", 42)]
    assert set(Counter(edit.video for edit in suite.edits).values()) == {4, 5}


def test_prompts_are_sentences_and_ids_are_numbered(suite_folder: Path) -> None:
    suite = load_suite(suite_folder, files=False)
    captions = [video.caption or "" for video in suite.videos.values()]
    prompts = [edit.prompt for edit in suite.edits]
    for text in captions + prompts:
        assert text[0].isupper() and text.endswith(".") and 4 <= len(text.split()) <= 22
    assert len(set(captions + prompts)) == 29 + 127
    for video in suite.videos:
        ids = [edit.id for edit in suite.edits if edit.video == video]
        assert ids == [f"{video}_{number:02d}" for number in range(len(ids))]


@pytest.mark.slow
def test_the_layout_of_davis_is_read(suite_folder: Path, davis: Path) -> None:
    assert check_suite(suite_folder, davis) == []
    suite = load_suite(suite_folder, davis)
    expected = np.stack([indices(frame) for frame in range(FRAMES)]) != 0
    for number, name in enumerate(suite.videos):
        clip, subject = suite.source(name), suite.subject_mask(name)
        assert (clip.frames.shape, clip.fps) == ((FRAMES, HEIGHT, WIDTH, 3), 24)
        # A JPEG of one grey has no error but rounding: frames are in order and of this sequence.
        means = clip.frames.mean(axis=(1, 2, 3))
        assert np.allclose(means, 8 * number + 2 * np.arange(FRAMES), atol=1)
        assert subject is not None and np.array_equal(subject, expected)


def test_without_davis_every_missing_folder_is_listed(suite_folder: Path, tmp_path: Path) -> None:
    problems = check_suite(suite_folder, tmp_path)
    assert len(problems) == 2 * 29
    assert all("--media-root" in problem.message for problem in problems)
    with pytest.raises(UserError, match=r"JPEGImages/480p/bear .*\(and 57 more\)"):
        load_suite(suite_folder, tmp_path)
