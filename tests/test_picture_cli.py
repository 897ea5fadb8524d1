"""`dreamix animate` and `dreamix subject`: pictures in, a clip out, one line for what is wrong."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from console import Program, program
from PIL import Image
from tiny_cascade import save_tiny
from tiny_pipelines import TINY

from dreamix import picture_cli
from dreamix.backends.base import open_backend
from dreamix.backends.pipeline import DreamixPipeline
from dreamix.core.media import read_image, read_video, write_image
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.diffusion.finetune import Finetuning
from dreamix.diffusion.masking import temporal_parameters
from dreamix.toybox.cascade import backend
from dreamix.toybox.cascade.superres import enlarge
from dreamix.toybox.world import Scene, caption, render
from dreamix.toybox.world.stills import still_scenes, stills

SCENE = Scene("red", "star", "resting", "meadow", seed=1)
PROMPT = "a red star bouncing in a meadow"
QUICK = ("--steps", "2", "--finetune-steps", "1")


@pytest.fixture
def dreamix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Program:
    """`dreamix` on a cascade of random weights whose second stage takes one step."""
    monkeypatch.setattr(backend, "enlarge", partial(enlarge, steps=1))
    torch.set_num_threads(1)
    return program(monkeypatch, capsys)


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"toybox:{save_tiny(tmp_path_factory.mktemp('cascade'))}"


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Three pictures of a red star, in three places."""
    for number, frame in enumerate(stills(SCENE, 3).frames):
        write_image(tmp_path / f"star{number}.png", frame)
    return [tmp_path / f"star{number}.png" for number in range(3)]


@pytest.mark.slow
def test_a_picture_in_a_moving_clip_out(
    dreamix: Program, cascade: str, images: list[Path], tmp_path: Path
) -> None:
    out, told = tmp_path / "out.mp4", ("--camera", "zoom-out", "--amount", "0.2")
    line = ("animate", images[0], "--prompt", PROMPT, "--backend", cascade, *QUICK, *told)
    code, said, _ = dreamix(*line, "--strip", tmp_path / "strip.png", "--out", out)
    assert code == 0
    assert said.startswith(f"{out}: 16 frames of 160x96, animate, camera zoom-out, noise_level 0.9")
    record = json.loads(out.with_suffix(".json").read_text())
    assert (record["config"]["amount"], record["facts"]["camera"]) == (0.2, "zoom-out")
    assert [picture["path"] for picture in record["pictures"]] == ["star0.png"]
    first = read_video(out).frames
    assert (tmp_path / "strip.png").exists()
    dreamix(*line, "--out", out)
    assert np.array_equal(read_video(out).frames, first), "the same words give the same clip"
    dreamix(*line, "--seed", "1", "--out", out)
    assert not np.array_equal(read_video(out).frames, first)


@pytest.mark.slow
def test_pictures_in_a_clip_of_their_subject_out(
    dreamix: Program, cascade: str, images: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    code, said, _ = dreamix(
        "subject", *images, "--prompt", PROMPT, "--backend", cascade, *QUICK, "--out", out
    )
    assert code == 0
    assert "subject, noise_level 1.0, pictures 3" in said
    assert read_video(out).frames.shape == (16, 96, 160, 3)
    record = json.loads(out.with_suffix(".json").read_text())
    assert len({picture["sha256"] for picture in record["pictures"]}) == 3


@pytest.mark.filterwarnings("ignore")
def test_both_run_on_a_pretrained_pipeline(
    dreamix: Program, images: list[Path], tmp_path: Path
) -> None:
    """A tiny Wan in a folder: five frames asked of both; the clip of the subject plays at 16 fps,
    as diffusers writes Wan's."""
    TINY["wan2.1"]().save_pretrained(tmp_path / "wan")
    model = ("--backend", f"{tmp_path / 'wan'}@32x32x5", *QUICK, "--prompt", "a star")
    out = tmp_path / "out.mp4"
    code, said, _ = dreamix("animate", images[0], *model, "--frames", "5", "--out", out)
    assert (code, said.split(", ")[0]) == (0, f"{out}: 5 frames of 32x32")
    code, said, _ = dreamix("subject", *images, *model, "--length", "9", "--out", out)
    assert (code, said.split(", ")[0]) == (0, f"{out}: 9 frames of 32x32")
    assert read_video(out).fps == 16


@pytest.mark.filterwarnings("ignore")
def test_every_picture_is_learned_from(
    monkeypatch: pytest.MonkeyPatch, dreamix: Program, images: list[Path], tmp_path: Path
) -> None:
    """Three pictures for a model of clips of two frames: the third counts, and the clip has two."""
    TINY["modelscope"]().save_pretrained(tmp_path / "model")
    seen: list[int] = []
    whole = DreamixPipeline.finetune

    def counted(pipeline: DreamixPipeline, clip: Video, *told: object, **more: Any) -> object:
        seen.append(len(clip))
        return whole(pipeline, clip, *told, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(DreamixPipeline, "finetune", counted)
    out, model = tmp_path / "out.mp4", ("--backend", f"{tmp_path / 'model'}@64x64x2", *QUICK)
    code, said, _ = dreamix("subject", *images, *model, "--prompt", "a star", "--out", out)
    assert (code, said.split(", ")[0], seen) == (0, f"{out}: 2 frames of 64x64", [3])


def test_pictures_teach_no_temporal_layer(cascade: str) -> None:
    """Frames-only finetuning on three pictures: temporal weights are the pretrained ones to the
    bit (in half precision, as all that is finetuned), the others are not."""
    toybox = open_backend(cascade)
    pictures = toybox.read_pictures(stills(SCENE, 3))  # type: ignore[attr-defined]
    assert pictures.shape == (1, 3, 3, 24, 40)
    tuned = toybox.tuned_copy(pictures, Finetuning(steps=2, alpha=0.0)).model.unet  # type: ignore[attr-defined]
    before = toybox.model.unet  # type: ignore[attr-defined]
    temporal = {id(weight) for weight in temporal_parameters(tuned)}
    pairs = zip(tuned.parameters(), before.parameters(), strict=True)
    moved = [(id(w) in temporal, bool((w != old.half().float()).any())) for w, old in pairs]
    assert not any(changed for is_temporal, changed in moved if is_temporal)
    assert sum(changed for is_temporal, changed in moved if not is_temporal) > 10


def test_pictures_of_other_sizes_are_fitted_into_the_first(
    dreamix: Program, cascade: str, images: list[Path], tmp_path: Path
) -> None:
    Image.new("RGB", (300, 400), "red").save(tmp_path / "tall.jpg")
    out = tmp_path / "out.mp4"
    line = ("subject", images[0], tmp_path / "tall.jpg", "--prompt", PROMPT, "--backend", cascade)
    code, said, _ = dreamix(*line, *QUICK, "--out", out)
    assert code == 0 and "pictures 2" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--camera", "zoomout"), "there is no camera 'zoomout', did you mean zoom-out"),
        (("--fill", "black"), "there is no fill 'black'"),
        (("--set", "alpha=1"), "alpha"),
        (("--out", "clip.gif"), "its name has to end in .mp4"),
        (("--strip", "{picture}"), "is an input, which it would replace"),
    ],
)
def test_a_mistake_is_one_line(
    dreamix: Program, cascade: str, images: list[Path], arguments: tuple[str, ...], says: str
) -> None:
    before, told = images[0].read_bytes(), [one.format(picture=images[0]) for one in arguments]
    code, _, err = dreamix(
        "animate", images[0], "--prompt", PROMPT, "--backend", cascade, "--out", "x.mp4", *told
    )
    assert code == 2
    assert says in err
    assert images[0].read_bytes() == before
    assert "Traceback" not in err


def test_the_embedded_model_makes_its_own_number_of_frames(
    dreamix: Program, cascade: str, images: list[Path], tmp_path: Path
) -> None:
    """16: `subject` refuses any other; `animate` keeps the time that was asked, and says so."""
    out, model = tmp_path / "out.mp4", ("--prompt", PROMPT, "--backend", cascade, *QUICK)
    code, _, err = dreamix("subject", *images, *model, "--length", "5", "--out", out)
    assert code == 2 and "makes 16 frames, not 5" in err and not out.exists()
    code, _, err = dreamix(
        "animate", images[0], *model, "--frames", "30", "--fps", "10", "--out", out
    )
    assert code == 0 and "makes 16 frames of 30, as long in time" in err
    assert read_video(out).duration == pytest.approx(3)


def test_a_camera_s_picture_is_shrunk_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """2400x1800 to 1920x1440, by area: a picture of one colour keeps it; a smaller one is left."""
    Image.new("RGB", (2400, 1800), (10, 200, 30)).save(tmp_path / "camera.png")
    picture = picture_cli._read(tmp_path / "camera.png")
    assert picture.shape == (1440, 1920, 3) and (picture == (10, 200, 30)).all()
    assert "camera.png is shrunk from 2400x1800 to 1920x1440" in capsys.readouterr().err
    Image.fromarray(picture[:2]).save(tmp_path / "strip.png")
    assert picture_cli._read(tmp_path / "strip.png").shape == (2, 1920, 3)


@pytest.mark.slow
def test_what_is_finetuned_is_kept_by_the_pictures(cascade: str, tmp_path: Path) -> None:
    """What `subject` finetunes serves further prompts on the same pictures, and those alone."""

    def weights(pictures: Video) -> int:
        toybox = open_backend(cascade, tmp_path / "kept")
        clip = toybox.read_pictures(pictures)  # type: ignore[attr-defined]
        toybox.tuned_copy(clip, Finetuning(steps=1, alpha=0.0))  # type: ignore[attr-defined]
        return len(list((tmp_path / "kept").rglob("*.safetensors")))

    three = stills(SCENE, 3)
    assert [weights(three), weights(three), weights(stills(SCENE, 1))] == [1, 1, 2]


def test_a_clip_is_no_picture(dreamix: Program, tmp_path: Path) -> None:
    from dreamix.core.media import write_video

    write_video(tmp_path / "clip.mp4", render(SCENE))
    code, _, err = dreamix(
        "subject", tmp_path / "clip.mp4", "--prompt", PROMPT, "--out", tmp_path / "x.mp4"
    )
    assert code == 2 and "is mp4 by its first bytes: a PNG or JPEG is wanted" in err
    (tmp_path / "a.webp").write_bytes(b"RIFF....WEBPVP8 ")
    code, _, err = dreamix(
        "animate", tmp_path / "a.webp", "--prompt", PROMPT, "--out", tmp_path / "x.mp4"
    )
    assert code == 2 and "by its first bytes: a picture has to be PNG or JPEG" in err


def test_a_picture_is_turned_and_laid_over_white(tmp_path: Path) -> None:
    """EXIF orientation 6 turns it clockwise; transparent pixels become white."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20), "red").save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (30, 20, 3)
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png") == 255).all()


class TestStills:
    def test_the_first_is_the_scene_s_own_first_moment(self) -> None:
        found = stills(SCENE, 4)
        assert isinstance(found, Video) and found.duration == 2
        assert np.array_equal(found.frames[0], render(SCENE).frames[0])

    def test_the_subject_stays_and_the_places_differ(self) -> None:
        scenes = still_scenes(SCENE, 4)
        assert {(one.colour, one.shape, one.motion) for one in scenes} == {
            ("red", "star", "resting")
        }
        assert len({one.background for one in scenes}) == 4
        assert caption(scenes[0]) == caption(SCENE)
        assert seed_for("still", SCENE.seed, 0) == scenes[1].seed
