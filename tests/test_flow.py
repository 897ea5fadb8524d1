"""Optical flow: directions and units, warping, what can be followed, and RAFT from a file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import map_coordinates

from dreamix.core.errors import DoesNotApply, UserError
from evaluation.features.base import MODELS
from evaluation.features.flow import FlowOfClip, inside, visible, warp
from evaluation.sample import Flow
from evaluation.settings import ModelSettings

SPEC = MODELS.get("flow")


@pytest.fixture(scope="module")
def pan(root: Path) -> np.ndarray:
    """A window that goes 3 pixels right and 2 down a frame: its content goes 3 left and 2 up."""
    photo = np.asarray(Image.open(root / "tests" / "data" / "photos" / "coffee.png"))
    return np.stack([photo[2 * t : 2 * t + 97, 3 * t : 3 * t + 131] for t in range(5)])


@pytest.fixture(scope="module")
def raft_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict of raft_small with random weights."""
    import torch
    from torchvision.models.optical_flow import raft_small

    with torch.random.fork_rng(devices=[]):
        state = raft_small(weights=None).state_dict()
    path = tmp_path_factory.mktemp("raft") / "raft.pth"
    torch.save(state, path)
    return path


def test_dis_finds_a_pan_in_both_directions(pan: np.ndarray) -> None:
    flow = SPEC.load(ModelSettings()).between_neighbours(pan)
    assert flow.forward.shape == flow.backward.shape == (4, 97, 131, 2)
    assert flow.forward.dtype == np.float32
    inner = slice(None), slice(10, -10), slice(10, -10)
    for found, expected in ((flow.forward, (-3, -2)), (flow.backward, (3, 2))):
        errors = np.linalg.norm(found[inner] - np.array(expected), axis=-1)
        assert np.median(errors) < 0.1
        assert (errors < 0.5).mean() > 0.95


def test_dis_gives_the_same_on_any_number_of_threads(pan: np.ndarray) -> None:
    model, before = SPEC.load(ModelSettings()), cv2.getNumThreads()
    try:
        found = []
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            found.append(model.between_neighbours(pan).forward)
            assert cv2.getNumThreads() == threads  # it puts back what it changed
        np.testing.assert_array_equal(*found)
    finally:
        cv2.setNumThreads(before)


def test_a_clip_that_stands_still_has_no_flow(pan: np.ndarray) -> None:
    flow = SPEC.load(ModelSettings()).between_neighbours(pan[[0, 0, 0]])
    assert not flow.forward.any()
    assert visible(flow).all()


def test_what_has_no_flow() -> None:
    model = SPEC.load(ModelSettings())
    with pytest.raises(DoesNotApply, match="one frame has no motion"):
        model.between_neighbours(np.zeros((1, 32, 32, 3), np.uint8))
    assert model.between_neighbours(np.zeros((2, 12, 12, 3), np.uint8)).forward.shape[1] == 12
    with pytest.raises(DoesNotApply, match="11x32 pixels are under the 12"):
        model.between_neighbours(np.zeros((2, 11, 32, 3), np.uint8))


def test_warp_fetches_from_where_the_flow_points() -> None:
    image = np.arange(20, dtype=np.float32).reshape(4, 5, 1)  # value 5y + x
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, 2
    warped = warp(image, flow).reshape(4, 5)
    assert warped[0, 0] == 11  # (x, y) = (0, 0) + (1, 2): 5 * 2 + 1
    assert warped[3, 4] == 19  # beyond the border: the nearest pixel
    assert inside(flow)[:2, :4].all()
    assert inside(flow).sum() == 8
    flow[..., 0], flow[..., 1] = 0.5, 0
    assert warp(image, flow).reshape(4, 5)[1, 1] == pytest.approx(6.5)


def reference_mask(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Lai et al.'s detect_occlusion in frame t, written out with scipy; plus the frame's border."""
    y, x = np.mgrid[: forward.shape[0], : forward.shape[1]]
    at = [y + forward[..., 1], x + forward[..., 0]]
    returned = np.stack(
        [map_coordinates(backward[..., c], at, order=1, mode="nearest") for c in (0, 1)], axis=-1
    )
    magnitude = (forward**2).sum(-1)
    home = ((forward + returned) ** 2).sum(-1)
    occluded = home > 0.01 * (magnitude + (returned**2).sum(-1)) + 0.5
    gradient = np.zeros(forward.shape[:2])
    for c in (0, 1):
        gradient[:, :-1] += np.diff(forward[..., c], axis=1) ** 2
        gradient[:-1] += np.diff(forward[..., c], axis=0) ** 2
    boundary = gradient > 0.01 * magnitude + 0.002
    within = (at[0] >= 0) & (at[0] <= y.max()) & (at[1] >= 0) & (at[1] <= x.max())
    return within & ~occluded & ~boundary


def test_visible_pixels_are_those_of_the_published_test() -> None:
    """Patches of whole-pixel motion, so that interpolation plays no part."""
    rng = np.random.default_rng(0)
    forward, backward = (
        rng.integers(-3, 4, (2, 4, 5, 2)).repeat(8, 1).repeat(8, 2).astype(np.float32)
        for _ in range(2)
    )
    backward[:, :16] = -forward[:, :16]  # half of it consistent
    seen = visible(Flow(forward, backward))
    expected = [reference_mask(f, b) for f, b in zip(forward, backward, strict=True)]
    np.testing.assert_array_equal(seen, expected)
    assert 0.1 < seen.mean() < 0.9


def test_exact_occlusion_takes_the_place_of_the_check() -> None:
    forward = np.zeros((1, 8, 8, 2), np.float32)
    forward[..., 0] = 2  # the last two columns leave the frame
    occluded = np.zeros((1, 8, 8), bool)
    occluded[0, :3] = True
    seen = visible(
        Flow(forward, forward, occluded)
    )  # `backward` is inconsistent, and not looked at
    expected = np.zeros((1, 8, 8), bool)
    expected[0, 3:, :6] = True
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.slow
def test_raft_runs_on_local_weights_whatever_the_size_and_batch(
    pan: np.ndarray, raft_file: Path
) -> None:
    flows = []
    for batch in (1, 64):
        settings = ModelSettings(flow=f"raft_small:{raft_file}", batch=batch)
        assert SPEC.problem(settings) is None
        model = SPEC.load(settings)
        assert isinstance(model, FlowOfClip)
        flows.append(model.between_neighbours(pan[:3, :37, :50]))
    assert flows[0].forward.shape == (2, 37, 50, 2)
    assert flows[0].forward.dtype == np.float32
    np.testing.assert_allclose(flows[0].forward, flows[1].forward, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(flows[0].backward, flows[1].backward, rtol=1e-3, atol=1e-3)


def test_raft_says_what_it_is(raft_file: Path) -> None:
    import hashlib

    digest = hashlib.sha256(raft_file.read_bytes()).hexdigest()[:16]
    identity = SPEC.identity(ModelSettings(flow=f"raft_small:{raft_file}"))
    assert identity.startswith(f"raft_small, weights {digest}, 12 updates, torchvision ")
    assert SPEC.identity(ModelSettings()) == f"dis medium, OpenCV {cv2.__version__}"


def test_weights_that_do_not_fit_are_refused(raft_file: Path) -> None:
    with pytest.raises(UserError, match=r"not hold the weights of raft_large: .*Missing key"):
        SPEC.load(ModelSettings(flow=f"raft_large:{raft_file}"))


def test_missing_weights_and_unknown_names() -> None:
    problem = SPEC.problem(ModelSettings(flow="raft_large:nowhere.pth"))
    assert problem
    assert "no file 'nowhere.pth'" in problem
    assert "Raft_Large_Weights.C_T_SKHT_V2" in problem
    assert "no path given" in str(SPEC.problem(ModelSettings(flow="raft_small")))
    with pytest.raises(UserError, match="unknown flow 'raft', did you mean raft_"):
        SPEC.problem(ModelSettings(flow="raft"))


def test_loading_raft_draws_no_random_number(raft_file: Path) -> None:
    import torch

    before = torch.get_rng_state()
    SPEC.load(ModelSettings(flow=f"raft_small:{raft_file}"))
    assert torch.equal(before, torch.get_rng_state())
