"""Metrics of motion: hand-made flows with known answers, and defects of published evaluators."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Flow, Sample, View
from evaluation.settings import ModelSettings

FEATURES = Features(ModelSettings())
HEIGHT, WIDTH = 30, 40  # the diagonal is 50


def view(frames: np.ndarray, flow: np.ndarray | None = None, times: object = None) -> View:
    """A clip, whose flow is given or estimated."""
    clip = View(Video(np.ascontiguousarray(frames), 8, times), "key", FEATURES)  # type: ignore[arg-type]
    if flow is not None:
        clip.memo["flow"] = Flow(flow, -flow)
    return clip


def steps(*vectors: tuple[float, float]) -> np.ndarray:
    """Flow that is the same all over the frame: (pairs, HEIGHT, WIDTH, 2)."""
    return np.tile(np.array(vectors, np.float32)[:, None, None], (1, HEIGHT, WIDTH, 1))


def grey(*levels: int) -> np.ndarray:
    return np.stack([np.full((HEIGHT, WIDTH, 3), level, np.uint8) for level in levels])


def measure(name: str, edited: View, source: View, **known: object) -> np.ndarray:
    sample = Sample(edited, source, "", None, "object", **known)  # type: ignore[arg-type]
    return np.asarray(METRICS.get(name).measure(sample))


@pytest.fixture(scope="module")
def photo(root: Path) -> np.ndarray:
    return np.asarray(Image.open(root / "tests" / "data" / "photos" / "coffee.png"))


@pytest.fixture(scope="module")
def pan(photo: np.ndarray) -> np.ndarray:
    """A window that goes 3 pixels right and 2 down a frame: its content goes 3 left and 2 up."""
    return np.stack([photo[2 * t : 2 * t + 96, 3 * t : 3 * t + 128] for t in range(5)])


def pan_flow(pan: np.ndarray) -> Flow:
    """The exact flow of `pan`; nothing is hidden but what leaves the frame."""
    forward = np.broadcast_to(np.array([-3, -2], np.float32), (4, *pan.shape[1:3], 2))
    return Flow(forward, -forward, np.zeros((4, *pan.shape[1:3]), bool))


# --- warp error


def test_warp_error_by_hand() -> None:
    """Still flow; 51 grey levels are 0.2 of the range, squared 0.04; then nothing changes."""
    source = view(grey(0, 0, 0), steps((0, 0), (0, 0)))
    edited = view(grey(0, 51, 51), steps((0, 0), (0, 0)))
    for name in ("warp_error.source_flow", "warp_error.self_flow"):
        np.testing.assert_allclose(measure(name, edited, source), [0.04, 0])


def test_warp_error_of_a_still_clip_is_zero(photo: np.ndarray) -> None:
    still = view(np.stack([photo, photo]))
    for name in ("warp_error.source_flow", "warp_error.self_flow"):
        assert measure(name, still, still) == [0]


def test_warp_error_of_exact_motion_is_zero(pan: np.ndarray) -> None:
    """Whole-pixel motion under its true flow: the next frame is fetched back without a trace."""
    source = view(pan)
    assert (measure("warp_error.true_flow", source, source, true_flow=pan_flow(pan)) == 0).all()
    # Four pixels of 1 grey level in frame 2: one pair looks at them as "after", one as "before".
    edited = pan.copy()
    edited[2, 40:42, 50:52] ^= 1
    found = measure("warp_error.true_flow", view(edited), source, true_flow=pan_flow(pan))
    seen = (96 - 2) * (128 - 3)
    np.testing.assert_allclose(found, [0, 4 / 255**2 / seen, 4 / 255**2 / seen, 0], rtol=1e-5)


def test_warp_error_of_estimated_flow_is_small_on_a_pan(pan: np.ndarray) -> None:
    source = view(pan)
    plain = np.mean(np.diff(pan / 255, axis=0) ** 2)
    assert measure("warp_error.self_flow", source, source).mean() < 0.05 * plain


def test_a_frozen_edit_of_a_moving_source_is_bad_by_the_sources_flow(pan: np.ndarray) -> None:
    source, frozen = view(pan), view(pan[[0] * 5])
    own = measure("warp_error.source_flow", source, source).mean()
    assert measure("warp_error.source_flow", frozen, source).mean() > 10 * own
    assert (measure("warp_error.self_flow", frozen, source) == 0).all()


def test_too_little_coverage_is_not_the_best_score() -> None:
    """EditBoard's ff_alpha returns 0, its best, where under 70% of the pixels are valid."""
    flow = steps((0, 0))
    flow[0, :, 12:, 0] = 100  # seven tenths of the pixels leave the frame
    source = view(grey(0, 200), flow)
    with pytest.raises(DoesNotApply, match=r"flow covers 2\d% of the pixels, under 30%"):
        measure("warp_error.source_flow", source, source)


def test_a_pair_without_any_pixel_to_follow_is_named() -> None:
    source = view(grey(0, 0, 0), steps((0, 0), (100, 0)))
    with pytest.raises(DoesNotApply, match="no pixel of frame 1 can be followed"):
        measure("warp_error.self_flow", source, source)


def test_true_flow_follows_the_frames_of_the_pair(pan: np.ndarray) -> None:
    """A shorter edit uses the flow of the frames it has; skipped frames have none."""
    source, flow = view(pan), pan_flow(pan)
    assert len(measure("warp_error.true_flow", view(pan[:3]), source, true_flow=flow)) == 2
    every_other = view(pan[::2], times=[0, 0.25, 0.5])
    with pytest.raises(DoesNotApply, match="between all frames of the source only"):
        measure("warp_error.true_flow", every_other, source, true_flow=flow)
    with pytest.raises(DoesNotApply, match="one frame has no motion"):
        measure("warp_error.true_flow", view(pan[:1]), source, true_flow=flow)


# --- motion fidelity


def fidelity(edited: np.ndarray, source: np.ndarray) -> float:
    frames = grey(*[0] * (len(source) + 1))
    return float(measure("motion_fidelity", view(frames, edited), view(frames, source)))


def test_the_same_motion_scores_exactly_one(pan: np.ndarray) -> None:
    """DMT's and FiVE's motion fidelity gives 0.766 for identical clips."""
    assert measure("motion_fidelity", view(pan), view(pan)) == 1.0
    rng = np.random.default_rng(0)
    flow = rng.normal(0, 5, (3, HEIGHT, WIDTH, 2)).astype(np.float32)
    assert fidelity(flow, flow) == 1.0


@pytest.mark.parametrize(
    ("turned", "cosine"), [((0, 4), 0), ((-4, 0), -1), ((8, 0), 1), ((4, 4), np.sqrt(0.5))]
)
def test_direction_counts_and_speed_does_not(turned: tuple[float, float], cosine: float) -> None:
    assert fidelity(steps(turned), steps((4, 0))) == pytest.approx(cosine)


def test_motion_lost_and_motion_added_cost_the_same() -> None:
    """Half of the pixels move in one clip, all in the other: (1 + 1/2) / 2, either way round."""
    half = steps((4, 0))
    half[:, :, : WIDTH // 2] = 0
    assert fidelity(half, steps((4, 0))) == fidelity(steps((4, 0)), half) == pytest.approx(0.75)


def test_a_frozen_edit_has_no_motion_fidelity(pan: np.ndarray) -> None:
    assert measure("motion_fidelity", view(pan[[0] * 5]), view(pan)) == 0
    assert fidelity(steps((4, 0)), steps((0, 0))) == 0


def test_jitter_under_the_threshold_is_no_motion() -> None:
    """0.2% of the diagonal is 0.1 pixels here."""
    with pytest.raises(DoesNotApply, match="nothing moves in the source or the edit"):
        fidelity(steps((0.09, 0)), steps((0, -0.09)))
    assert fidelity(steps((0.11, 0)), steps((0.11, 0))) == 1


# --- amount of motion


def test_motion_mag_by_hand() -> None:
    """A step of (3, 4) is 5 pixels, a tenth of the diagonal; at 8 frames a second 0.8 a second."""
    clip = view(grey(0, 0, 0), steps((3, 4), (0, 0)))
    np.testing.assert_allclose(measure("motion_mag", clip, clip), [0.8, 0], rtol=1e-6)
    slow = view(grey(0, 0, 0), steps((3, 4), (3, 4)), times=[0, 0.125, 0.375])
    np.testing.assert_allclose(measure("motion_mag", slow, slow), [0.8, 0.4], rtol=1e-6)


def test_motion_mag_does_not_depend_on_the_frame_rate(photo: np.ndarray) -> None:
    """Every frame at 8 a second, or every other at 4: the same content passes by."""
    window = [photo[:96, 2 * t : 2 * t + 128] for t in range(9)]
    fast, slow = view(np.stack(window)), view(np.stack(window[::2]), times=[0, 0.25, 0.5, 0.75, 1])
    speeds = [measure("motion_mag", clip, clip).mean() for clip in (fast, slow)]
    assert speeds[0] == pytest.approx(2 * 8 / 160, rel=0.1)  # 2 pixels, 8 times, diagonal of 160
    assert speeds[1] == pytest.approx(speeds[0], rel=0.1)


def test_motion_ratio_is_a_logarithm() -> None:
    once, twice = (view(grey(0, 0), steps(step)) for step in ((3, 0), (6, 0)))
    assert measure("motion_ratio", twice, once) == pytest.approx(np.log(2))
    assert measure("motion_ratio", once, twice) == pytest.approx(-np.log(2))
    assert measure("motion_ratio", once, once) == 0


def test_motion_ratio_of_a_still_clip_has_a_reason() -> None:
    moving, still = view(grey(0, 0), steps((3, 0))), view(grey(0, 0), steps((0, 0)))
    with pytest.raises(DoesNotApply, match="nothing moves in the source"):
        measure("motion_ratio", moving, still)
    with pytest.raises(DoesNotApply, match="nothing moves in the edit"):
        measure("motion_ratio", still, moving)


@pytest.mark.parametrize(
    "name",
    ["warp_error.source_flow", "warp_error.self_flow", "motion_mag", "motion_ratio"],
)
def test_one_frame_has_no_motion(name: str, photo: np.ndarray) -> None:
    with pytest.raises(DoesNotApply, match="one frame has no motion"):
        measure(name, view(photo[None]), view(photo[None]))


def test_what_each_metric_declares() -> None:
    """Metrics along the source's motion do not apply to edits that change it."""
    for name in ("warp_error.source_flow", "warp_error.true_flow", "motion_fidelity"):
        assert set(METRICS.get(name).not_for) == {"motion", "camera", "subject"}
    assert METRICS.get("warp_error.self_flow").not_for == ()
    assert not METRICS.get("warp_error.self_flow").compares  # so it has a delta to the source
