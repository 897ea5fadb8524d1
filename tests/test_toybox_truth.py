"""The exact truth of Toybox clips, against values derived by hand and against the pictures."""

import numpy as np
import pytest

from dreamix.toybox.world import VALUES, Scene, Truth, render, subject, truth

COLUMNS, ROWS = np.meshgrid(np.arange(160.0), np.arange(96.0))


def moving(motion: str = "circling", shape: str = "star", camera: str = "still") -> Scene:
    """A scene in space, where nothing casts a shadow."""
    return Scene("red", shape, motion, "space", camera=camera, seed=5)


def warped(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The picture (height, width, channels) looked up, bilinear, where `flow` points."""
    x, y = np.clip(COLUMNS + flow[..., 0], 0, 159), np.clip(ROWS + flow[..., 1], 0, 95)
    left, top = np.minimum(x.astype(int), 158), np.minimum(y.astype(int), 94)
    right, down = (x - left)[..., None], (y - top)[..., None]
    upper = picture[top, left] * (1 - right) + picture[top, left + 1] * right
    lower = picture[top + 1, left] * (1 - right) + picture[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    for _ in range(pixels):
        wide = np.pad(mask, 1)
        mask = (
            wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
        )
    return mask


def steps(exact: Truth) -> list[tuple[int, int, np.ndarray, np.ndarray]]:
    """(from frame, to frame, flow, occluded) of every step, forward and backward."""
    forward = zip(exact.flow_forward, exact.occluded_forward, strict=True)
    backward = zip(exact.flow_backward, exact.occluded_backward, strict=True)
    return [(t, t + 1, *step) for t, step in enumerate(forward)] + [
        (t + 1, t, *step) for t, step in enumerate(backward)
    ]


def warp_errors(scene: Scene) -> tuple[float, float, float]:
    """Mean error, in grey levels, of warped subject and backdrop, and of the subject unwarped.

    Left out: what is occluded, the rim of the subject, its halo.
    """
    frames, exact = render(scene).frames.astype(float), truth(scene)
    errors = []
    for one, two, flow, occluded in steps(exact):
        error = np.abs(warped(frames[two], flow) - frames[one]).max(axis=-1)
        inside = ~occluded & ~grown(~exact.masks[one], 3)
        halo = grown(exact.masks[two], 7)[..., None].astype(float)
        outside = ~occluded & ~grown(exact.masks[one], 7) & (warped(halo, flow)[..., 0] == 0)
        still = np.abs(frames[two] - frames[one]).max(axis=-1)
        errors.append((error[inside].mean(), error[outside].mean(), still[inside].mean()))
    mean = np.mean(errors, axis=0)
    return float(mean[0]), float(mean[1]), float(mean[2])


@pytest.fixture
def even_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Light from the viewer: a turning surface keeps its brightness, so a warp can restore it."""
    monkeypatch.setattr(subject, "_LIGHT", (0.0, 0.0, 0.675))


@pytest.mark.slow
@pytest.mark.parametrize("motion", VALUES["motion"])
def test_the_flow_carries_every_motion(motion: str, even_light: None) -> None:
    on_subject, on_backdrop, unwarped = warp_errors(moving(motion))
    assert on_backdrop == 0
    assert on_subject < 5 and (
        on_subject < unwarped / 3 or motion in ("resting", "growing", "shrinking")
    )


@pytest.mark.slow
@pytest.mark.parametrize("shape", VALUES["shape"])
def test_the_flow_carries_every_shape(shape: str, even_light: None) -> None:
    on_subject, _, unwarped = warp_errors(moving("swinging", shape))
    assert on_subject < 5 and on_subject < unwarped / 3


@pytest.mark.parametrize("camera", VALUES["camera"][1:])
def test_the_flow_carries_every_camera(camera: str) -> None:
    on_subject, on_backdrop, unwarped = warp_errors(moving(camera=camera))
    assert on_subject < 5 and on_subject < unwarped / 3
    assert on_backdrop < 2


@pytest.mark.parametrize("motion", VALUES["motion"])
def test_masks_follow_the_flow(motion: str) -> None:
    """What is subject and not occluded lands on subject, but for pixels cut by its edge."""
    exact = truth(moving(motion))
    for one, two, flow, occluded in steps(exact):
        seen = exact.masks[one] & ~occluded
        landed = warped(exact.masks[two][..., None].astype(float), flow)[..., 0]
        assert (landed[seen] > 0).all()
        assert landed[seen].mean() > 0.95
        assert (landed[~exact.masks[one] & ~occluded] < 1).all()


def test_forward_and_backward_undo_each_other() -> None:
    """From a place well inside one surface and back again is no way at all."""
    exact = truth(moving("swinging", camera="zooming in"))
    for t in range(15):
        back = warped(exact.flow_backward[t], exact.flow_forward[t])
        inner = warped(
            grown(~exact.masks[t + 1], 2)[..., None].astype(float), exact.flow_forward[t]
        )
        sure = exact.masks[t] & ~exact.occluded_forward[t] & (inner[..., 0] == 0)
        assert np.abs(back + exact.flow_forward[t])[sure].max() < 1e-3


def test_a_panning_camera_moves_the_world_by_2_pixels_a_frame() -> None:
    """By hand: 16 pixels a second at 8 frames a second; panning left, the world goes right."""
    exact = truth(moving("resting", camera="panning left"))
    assert np.abs(exact.flow_forward - (2, 0)).max() < 1e-5
    assert np.abs(exact.flow_backward - (-2, 0)).max() < 1e-5
    assert exact.occluded_forward[:, :, 158:].all() and not exact.occluded_forward[:, :, :100].any()


def test_a_sliding_subject_moves_by_4_pixels_a_frame() -> None:
    exact = truth(moving("sliding left"))
    assert np.abs(exact.flow_forward[exact.masks[:-1]] - (-4, 0)).max() < 1e-4
    assert (exact.flow_forward[~exact.masks[:-1]] == 0).all()


def test_a_zoom_pulls_towards_the_middle_of_the_frame() -> None:
    """By hand: from 0.86 to 1.2 times in 15 steps, so x - 80 grows by 0.34 / 15 / 0.86 at first."""
    flow = truth(moving("resting", camera="zooming in")).flow_forward[0]
    factor = 0.34 / 15 / 0.86
    assert flow[0, 0] == pytest.approx(((0.5 - 80) * factor, (0.5 - 48) * factor), rel=1e-4)


def test_a_spinning_subject_turns_by_22_and_a_half_degrees() -> None:
    """By hand: a chord of 2 r sin(11.25 degrees); the centre stays."""
    exact = truth(moving("spinning", "ball"))
    flow = exact.flow_forward[3]
    length = np.hypot(flow[..., 0], flow[..., 1])
    inside = exact.masks[3]
    centre_y, centre_x = (np.nonzero(inside)[i].mean() for i in (0, 1))
    radius = np.hypot(COLUMNS - centre_x, ROWS - centre_y)
    chord = 2 * radius * np.sin(np.pi / 16)
    assert np.abs(length - chord)[inside].max() < 0.1


def test_what_the_subject_comes_to_cover_is_occluded() -> None:
    """By hand: backdrop that is subject one frame later, for a still camera."""
    exact = truth(moving("falling", "box"))
    covered = ~exact.masks[:-1] & exact.masks[1:]
    assert (exact.occluded_forward == covered).all()
    assert (exact.occluded_backward == (exact.masks[:-1] & ~exact.masks[1:])).all()


def test_the_mask_of_a_ball_is_a_disc() -> None:
    mask = truth(moving("resting", "ball"), 1).masks[0]
    radius = mask.any(axis=0).sum() / 2
    assert mask.sum() == pytest.approx(np.pi * radius * radius, rel=0.03)


def test_the_mask_is_where_the_colour_changes() -> None:
    """A red and a blue subject differ inside the mask only (halo and shadow have no colour)."""
    red, blue = (render(Scene(c, "heart", "circling", "room")).frames for c in ("red", "blue"))
    differs = (red != blue).any(axis=-1)
    mask = truth(Scene("red", "heart", "circling", "room")).masks
    assert not differs[~grown(np.asarray(mask.any(axis=0)), 1)[None].repeat(16, 0)].any()
    assert (differs & mask).sum() / mask.sum() > 0.95


def test_style_effect_and_colour_do_not_touch_the_truth() -> None:
    plain, dressed = (
        truth(moving()),
        truth(Scene("blue", "star", "circling", "sea", "rain", "neon", seed=5)),
    )
    assert (plain.masks == dressed.masks).all() and (
        plain.flow_forward == dressed.flow_forward
    ).all()


def test_depth_order_and_attributes() -> None:
    exact = truth(moving(), 3)
    assert (exact.depth == np.where(exact.masks, 0, 1)).all() and exact.depth.dtype == np.uint8
    assert exact.attributes == {
        "colour": "red",
        "shape": "star",
        "motion": "circling",
        "background": "space",
        "effect": "none",
        "style": "none",
        "camera": "still",
    }


def test_a_single_frame_has_no_flow() -> None:
    exact = truth(moving(), 1)
    assert exact.flow_forward.shape == (0, 96, 160, 2) and exact.occluded_backward.shape == (
        0,
        96,
        160,
    )


def test_larger_pictures_have_larger_flow() -> None:
    small, large = (
        truth(moving(camera="zooming out"), 3),
        truth(moving(camera="zooming out"), 3, 192, 320),
    )
    corner = small.flow_forward[:, 0, 0], large.flow_forward[:, :2, :2].mean(axis=(1, 2))
    assert corner[1] == pytest.approx(2 * corner[0], rel=1e-4)
