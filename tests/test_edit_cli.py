"""`dreamix edit`: one clip in, one edited clip out, and one line for whatever is wrong."""

import json
from functools import partial
from pathlib import Path

import fake_backend
import numpy as np
import pytest
from console import Program, program

from dreamix.backends.names import BACKENDS
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.video import Video
from dreamix.data.strip import GAP, strip
from dreamix.single_edit import check_apart
from dreamix.toybox.world import Scene, render

SCENE = "a red ball bouncing in a meadow"


@pytest.fixture
def edit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Program:
    """`dreamix edit` on the fake backend."""
    fake_backend.install(monkeypatch)
    fixed = ("edit", "--backend", "fake", "--out", tmp_path / "out.mp4")
    return partial(program(monkeypatch, capsys), *fixed)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    frames = np.random.default_rng(0).integers(0, 256, (5, 32, 48, 3), dtype=np.uint8)
    write_video(tmp_path / "cat.mp4", Video(frames, 5), lossless=True)
    return tmp_path / "cat.mp4"


def test_a_clip_in_an_edited_clip_out(edit: Program, clip: Path, tmp_path: Path) -> None:
    words = ["--prompt", "a dog", "--category", "object", "--method", "fake", "--noise", 0.25]
    code, said, _ = edit(clip, *words, "--steps", 7, "--set", "slow=0", "--seed", 3)
    assert code == 0
    out = tmp_path / "out.mp4"
    facts = "fake, finetune_seconds 0.0, noise_level 0.25, start_step 1"
    assert said.startswith(f"{out}: 5 frames of 48x32, {facts}, ")
    assert read_video(out).frames.shape == (5, 32, 48, 3)
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["config"] == {"noise": 0.25, "steps": 7, "slow": 0, "bad_facts": False}
    assert record["backend"] == {"name": "fake", "identity": "one"}
    assert (record["seed"], record["edit"]["category"]) == (3, "object")


def test_an_instruction_is_for_methods_that_read_one(
    edit: Program, clip: Path, tmp_path: Path
) -> None:
    order = ["--instruction", "turn the cat into a dog"]
    code, _, err = edit(clip, *order, "--method", "sdedit")
    assert code == 2
    assert "sdedit reads the prompt of an edit: give --prompt" in err
    code, _, err = edit(clip, "--method", "unedited")
    assert code == 2 and "say what is asked: --prompt" in err
    code, _, _ = edit(clip, *order, "--method", "unedited")
    record = json.loads((tmp_path / "out.json").read_text())
    assert code == 0 and record["edit"]["instruction"] == order[1]
    assert "prompt" not in record["edit"]


def test_toybox_says_what_changes_of_a_scene(edit: Program, tmp_path: Path) -> None:
    words = ["--toybox", SCENE, "--prompt", "a blue ball bouncing in a meadow"]
    assert edit(*words, "--method", "unedited")[0] == 0
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["edit"]["instruction"] == "make the red ball blue"


def test_a_scene_in_the_exact_edit_out(edit: Program, tmp_path: Path) -> None:
    """The ideal edit is the scene rendered with the new word; lossy video is 2 levels off."""
    words = ["--toybox", SCENE, "--scene-seed", 5, "--method", "ideal"]
    code, _, err = edit(*words, "--prompt", "a blue ball bouncing in a meadow")
    assert (code, err) == (0, "")
    ideal = render(Scene("blue", "ball", "bouncing", "meadow", seed=5)).frames
    assert np.abs(read_video(tmp_path / "out.mp4").frames.astype(int) - ideal).mean() < 4
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["edit"]["category"] == "appearance"


def test_the_strip_has_source_over_edit(edit: Program, clip: Path, tmp_path: Path) -> None:
    """Eight frames of 48x32, 4 pixels apart, in two rows."""
    words = ["--prompt", "a dog", "--category", "object", "--method", "unedited"]
    code, _, _ = edit(clip, *words, "--strip", tmp_path / "strip.png")
    assert code == 0
    picture = read_video(tmp_path / "strip.png").frames[0]
    assert picture.shape == (2 * 32 + GAP, 8 * 48 + 7 * GAP, 3)
    assert (picture[:32, :48] == read_video(clip).frames[0]).all()


def test_a_strip_of_clips_of_unlike_size_and_length() -> None:
    """A source of 40x80 is scaled to the edit's width of 20, so it becomes 10 high."""
    source = Video(np.full((9, 40, 80, 3), 10, np.uint8), 9)
    edited = Video(np.repeat(np.arange(3, dtype=np.uint8), 20 * 20 * 3).reshape(3, 20, 20, 3), 3)
    picture = strip(source, edited, columns=3)
    assert picture.shape == (10 + GAP + 20, 3 * 20 + 2 * GAP, 3)
    assert (picture[:10, :20] == 10).all()
    assert [int(picture[-1, x, 0]) for x in (0, 20 + GAP, 40 + 2 * GAP)] == [0, 1, 2]


def test_a_backend_that_may_not_know_the_clip_says_so(edit: Program, clip: Path) -> None:
    words = ["--prompt", "a dog", "--category", "object", "--method", "fake"]
    others = ", ".join(sorted({*BACKENDS.names()} - {"fake"}))
    _, _, err = edit(clip, *words)
    assert err == (
        "note: backend fake knows fakes only; this clip is resized and taken for one of them "
        f"(other backends: {others})\n"
    )
    _, _, err = edit(clip, *words, "--backend", f"fake:{clip.parent}")
    assert err == "", "other weights of the fake know the world"


def test_a_category_that_nothing_tells_is_assumed_aloud(edit: Program, clip: Path) -> None:
    _, _, err = edit(clip, "--prompt", "a dog", "--method", "unedited")
    assert err == "note: taken for a motion edit; --category says otherwise\n"


def test_finetuned_weights_are_kept_where_asked(edit: Program, clip: Path, tmp_path: Path) -> None:
    words = ["--prompt", "a dog", "--method", "fake", "--finetuned", tmp_path / "kept"]
    assert "finetune_seconds 10.0" in edit(clip, *words)[1]
    assert "finetune_seconds 0.0" in edit(clip, *words)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{clip} --method fake --finetune-steps 3", "no setting 'finetune_steps'"),
        ("{clip} --method fake --set strength=1", "(settings: noise, steps, slow, bad_facts)"),
        ("{clip} --method fake --set noise", "--set noise: that is not KEY=VALUE"),
        ("{clip} --method unedited --noise 0.5", "method unedited has no setting 'noise'"),
        ("{clip} --method fakke", "did you mean fake"),
        ("{clip} --method fake --backend fakke", "unknown backend 'fakke', did you mean fake"),
        ("{clip} --method ideal", "ideal does not apply here"),
        ("--method fake", "give one source"),
        ("{clip} --method fake --toybox ball", "give one source"),
        ("--method fake --toybox ball", "should begin with"),
        ("{clip} --method fake --strip s.jpg", "cannot write s.jpg: its name has to end in .png"),
        ("{clip} --method fake --out o.avi", "cannot write o.avi: its name has to end in .mp4"),
        ("{clip} --method fake --prompt unicorn", "does not know the word 'unicorn'"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    edit: Program, clip: Path, tmp_path: Path, words: str, said: str
) -> None:
    arguments = [word.format(clip=clip) for word in words.split()]
    code, out, err = edit("--prompt", "a dog", "--category", "object", *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("dreamix: ")
    assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["cat.mp4"]


def test_an_interrupt_leaves_nothing_half_written(
    edit: Program, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(fake_backend, "finetune", interrupted)
    code, _, err = edit(clip, "--prompt", "a dog", "--category", "object", "--method", "fake")
    assert code == 130
    assert err.endswith("dreamix: stopped; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["cat.mp4"]


def test_an_edit_never_replaces_its_clip(tmp_path: Path) -> None:
    """Said before any model is opened; no other name is refused."""
    clip = tmp_path / "clip.mp4"
    with pytest.raises(UserError, match=r"--out .*clip\.mp4 is an input, which it would replace"):
        check_apart([clip], tmp_path / "." / "clip.mp4", None)
    check_apart([clip], tmp_path / "edit.mp4", tmp_path / "strip.png")
