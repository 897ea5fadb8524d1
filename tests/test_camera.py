"""The coarse clip of a still: where points go, by hand and by PIL; what lies beyond the edge."""

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.data.camera import CAMERAS, moved, seen
from dreamix.toybox.world import Scene, render


def noise(height: int = 48, width: int = 80, seed: int = 0) -> np.ndarray:
    """A smooth picture, in which a place is told by its colour."""
    rough = np.random.default_rng(seed).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_first_frame_is_the_picture_and_none_moves_nothing(camera: str) -> None:
    clip = moved(noise(), camera, 5)
    assert clip.shape == (5, 48, 80, 3)
    assert np.array_equal(clip[0], noise())
    assert np.array_equal(clip[-1], noise()) == (camera == "none")


@pytest.mark.parametrize(
    ("camera", "right", "down"),
    [("pan-left", 20, 0), ("pan-right", -20, 0), ("pan-up", 0, 12), ("pan-down", 0, -12)],
)
def test_a_pan_moves_the_world_by_its_share(camera: str, right: int, down: int) -> None:
    """A quarter of 80x48 is 20x12 pixels: the picture rolled by them, but for what came in."""
    last = moved(noise(), camera, 3, amount=0.25)[-1]
    rolled = np.roll(noise(), (down, right), axis=(0, 1))
    keep = np.ones((48, 80), bool)
    keep[: max(down, 0)] = keep[:, : max(right, 0)] = False
    keep[48 + min(down, 0) :] = keep[:, 80 + min(right, 0) :] = False
    assert np.array_equal(last[keep], rolled[keep])


@pytest.mark.parametrize(("camera", "factor"), [("zoom-in", 1.5), ("zoom-out", 1 / 1.5)])
def test_a_zoom_is_pil_s_affine_map_about_the_middle(camera: str, factor: float) -> None:
    """PIL asks where an output pixel comes from, in coordinates whose pixels end at whole numbers:
    x_in = (x_out - 40) / factor + 40. Bilinear both; OpenCV rounds places to 1/32 of a pixel."""
    last = moved(noise(), camera, 4, amount=0.5)[-1]
    inverse = (1 / factor, 0, 40 - 40 / factor, 0, 1 / factor, 24 - 24 / factor)
    expected = Image.fromarray(noise()).transform(
        (80, 48), Image.Transform.AFFINE, inverse, Image.Resampling.BILINEAR
    )
    middle = np.s_[12:-12, 20:-20]
    apart = np.abs(last[middle].astype(int) - np.asarray(expected)[middle])
    assert apart.max() <= 4


@pytest.mark.parametrize(
    ("camera", "point"),
    [("turn-left", (1, 0)), ("turn-right", (-1, 0)), ("tilt-up", (0, 1)), ("tilt-down", (0, -1))],
)
def test_a_turn_moves_the_middle_by_the_tangent(camera: str, point: tuple[int, int]) -> None:
    """A camera turned by a sees what was straight ahead at tan(a) times its focal length, which is
    the picture's width; 0.2 rad of 80 pixels: 16.2. Lines that meet nowhere keep their order."""
    view = CAMERAS[camera](0.2, 1.0, 80, 48)
    x, y, w = view @ (0, 0, 1)
    assert (x / w, y / w) == pytest.approx(80 * np.tan(0.2) * np.array(point))
    away = view @ (20, 10, 1)
    back = np.linalg.inv(view) @ away
    assert back / back[2] == pytest.approx((20, 10, 1))


def test_what_comes_in_is_filled_as_asked() -> None:
    """Half a width to the left: replicated from the first column, mirrored about it, or white."""
    picture, view = noise(), CAMERAS["pan-left"](0.25, 1.0, 80, 48)
    assert (seen(picture, view, "white")[:, :20] == 255).all()
    assert np.array_equal(seen(picture, view, "replicate")[:, 5], picture[:, 0])
    assert np.array_equal(seen(picture, view, "reflect")[:, 19], picture[:, 1])


def test_a_zoom_is_as_fast_at_its_end_as_at_its_start() -> None:
    """The factor grows geometrically: 1.44 in all is 1.2 by the middle frame."""
    clip = moved(noise(), "zoom-in", 3, amount=0.44)
    assert np.array_equal(clip[1], moved(noise(), "zoom-in", 2, amount=0.2)[1])


def test_the_camera_of_toybox_is_met_by_a_pan() -> None:
    """It pans 2 of 160 pixels a tick, 30 in 15 ticks. A resting scene seen by it is the first
    picture rolled, but for what comes in and the backdrop's own fineness."""
    scene = Scene("red", "ball", "resting", "meadow", camera="panning left", seed=3)
    exact = render(scene).frames
    coarse = moved(exact[0], "pan-left", 16, amount=30 / 160)
    apart = np.abs(exact[-1, :, 30:].astype(int) - coarse[-1, :, 30:])
    assert apart.mean() < 1


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"camera": "zoom"}, "there is no camera 'zoom'"),
        ({"camera": "zoom-in", "fill": "black"}, "there is no fill 'black'"),
        ({"camera": "zoom-in", "amount": 1.0}, "from 0 to below 1, not 1"),
    ],
)
def test_what_there_is_not_is_one_line(told: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        moved(noise(), frames=2, **told)  # type: ignore[arg-type]
