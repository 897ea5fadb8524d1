"""The formulas of the CLIP metrics, on embeddings laid out by hand.

Embeddings are unit vectors in a plane, given by their angle in degrees, so every cosine is that of
a difference of angles: cos 0 = 1, cos 30 = .8660, cos 60 = .5, cos 90 = 0, cos 120 = -.5.
"""

import subprocess
import sys

import numpy as np
import pytest

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample import Sample, View
from evaluation.settings import ModelSettings

COS30 = np.sqrt(3) / 2
NAMES = ["clip_t", "clip_t_gain", "clip_dir", "frame_acc", "clip_i", "clip_i_set", "clip_f"]
PRESETS = ["all_pairs", "vbench", "first", "unprojected"]


def angles(*degrees: float) -> np.ndarray:
    """Unit-norm float32 rows at these angles."""
    turned = np.deg2rad(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


class GivenTexts(Features):
    """Features that know the angle of every text and never load a model."""

    def __init__(self, **degrees: float) -> None:
        super().__init__(ModelSettings())
        self.degrees = degrees

    def text(self, encoder: str, text: str) -> np.ndarray:
        return angles(self.degrees[text])[0]


def view(features: Features, *degrees: float, **others: np.ndarray) -> View:
    frames = np.zeros((len(degrees), 4, 4, 3), np.uint8)
    embeddings = {"projected": angles(*degrees), **others}
    return View(Video(frames, 8), "key", features, embeddings={"clip": embeddings})


def sample(
    edited: tuple[float, ...],
    source: tuple[float, ...] = (0.0,),
    prompt: float = 90,
    caption: float = 0,
    **others: np.ndarray,
) -> Sample:
    features = GivenTexts(prompt=prompt, caption=caption)
    edit = view(features, *edited, **others)
    return Sample(edit, view(features, *source), "prompt", "caption", "object")


def values(name: str, sample: Sample) -> np.ndarray:
    found = np.asarray(METRICS.get(name).measure(sample), float)
    low, high = METRICS.get(name).bounds
    assert (found >= low).all() and (found <= high).all()
    return found


def test_clip_t_is_the_cosine_of_each_frame_with_the_prompt() -> None:
    found = values("clip_t", sample(edited=(90, 60, 0), prompt=90))
    np.testing.assert_allclose(found, [1, COS30, 0], atol=1e-6)


def test_clip_t_gain_is_clip_t_minus_that_of_the_source() -> None:
    # Edit: cos 0 = 1 and cos 60 = .5; source: cos 90 = 0 and cos 30 = .8660, mean .4330.
    found = values("clip_t_gain", sample(edited=(90, 30), source=(0, 60), prompt=90))
    np.testing.assert_allclose(found, [1 - COS30 / 2, 0.5 - COS30 / 2], atol=1e-6)


def test_clip_dir_compares_the_change_of_frames_with_the_change_of_words() -> None:
    # Frame 0 goes from 0 to 90 degrees, along (-1, 1); so do the words: 1. Frame 1 goes from 90 to
    # 0, the other way: -1. Frame 2 goes from 0 to 180, along (-2, 0): cos 45 degrees.
    found = values("clip_dir", sample(edited=(90, 0, 180), source=(0, 90, 0), prompt=90))
    np.testing.assert_allclose(found, [1, -1, np.sqrt(0.5)], atol=1e-6)


def test_frame_acc_counts_frames_nearer_to_the_prompt_and_ties_as_hits() -> None:
    # 60 is nearer to 90 than to 0, 45 is a tie (of one and the same text vector), 30 is not.
    found = values("frame_acc", sample(edited=(60, 30), prompt=90, caption=0))
    np.testing.assert_array_equal(found, [1, 0])
    tie = values("frame_acc", sample(edited=(45,), prompt=20, caption=20))
    np.testing.assert_array_equal(tie, [1])


def test_clip_i_compares_frame_by_frame_and_clip_i_set_with_the_nearest() -> None:
    turned = sample(edited=(90, 60, 0), source=(0, 60, 90))
    np.testing.assert_allclose(values("clip_i", turned), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(values("clip_i_set", turned), [1, 1, 1], atol=1e-6)


def test_the_presets_of_clip_f_on_a_drift_of_30_degrees_a_frame() -> None:
    drift = sample(edited=(0, 30, 60))
    # Neighbours: cos 30 twice. First: cos 30, cos 60. All pairs: frame 0 sees cos 30 and cos 60,
    # frame 1 cos 30 twice, frame 2 cos 60 and cos 30. VBench: half of neighbour plus first.
    both = (COS30 + 0.5) / 2
    np.testing.assert_allclose(values("clip_f", drift), [COS30, COS30], atol=1e-6)
    np.testing.assert_allclose(values("clip_f.first", drift), [COS30, 0.5], atol=1e-6)
    np.testing.assert_allclose(values("clip_f.all_pairs", drift), [both, COS30, both], atol=1e-6)
    np.testing.assert_allclose(values("clip_f.vbench", drift), [COS30, both], atol=1e-6)


def test_two_presets_clamp_below_0_and_three_do_not() -> None:
    jump = sample(edited=(0, 120), unprojected=angles(0, 120))
    for name in ("clip_f", "clip_f.first", "clip_f.all_pairs"):
        np.testing.assert_allclose(values(name, jump), -0.5, atol=1e-6)
    for name in ("clip_f.vbench", "clip_f.unprojected"):
        np.testing.assert_array_equal(values(name, jump), [0])


def test_unprojected_reads_the_other_output() -> None:
    found = values("clip_f.unprojected", sample(edited=(0, 90), unprojected=angles(0, 60)))
    np.testing.assert_allclose(found, [0.5], atol=1e-6)


def test_slow_drift_splits_the_definitions() -> None:
    # A turn of 59 degrees over 14 frames. Neighbours: cos(59/13) = .9969. First: the mean of
    # cos(k 59/13) for k = 1..13, which is sin(13h) cos(14h) / (13 sin h) with h = 59/26 degrees,
    # .8134. VBench: the mean of these two, .9051. All pairs lies between.
    drift = sample(edited=tuple(np.linspace(0, 59, 14)))
    means = {name: values(name, drift).mean() for name in ("clip_f", "clip_f.first")}
    half = np.deg2rad(59 / 26)
    first = np.sin(13 * half) * np.cos(14 * half) / (13 * np.sin(half))
    assert means["clip_f"] == pytest.approx(np.cos(2 * half), abs=1e-6)
    assert means["clip_f"] == pytest.approx(0.997, abs=5e-4)
    assert means["clip_f.first"] == pytest.approx(first, abs=1e-6)
    assert means["clip_f.first"] == pytest.approx(0.813, abs=5e-4)
    assert values("clip_f.vbench", drift).mean() == pytest.approx(0.905, abs=5e-4)
    assert first < values("clip_f.all_pairs", drift).mean() < means["clip_f"]


def test_an_untouched_source_scores_1_and_gains_0() -> None:
    copy = sample(edited=(0, 40, 80), source=(0, 40, 80))
    assert values("clip_i", copy) == pytest.approx(1)
    assert values("clip_i_set", copy) == pytest.approx(1)
    assert values("clip_t_gain", copy).mean() == pytest.approx(0, abs=1e-7)


def test_a_frozen_clip_scores_1_on_every_clip_f() -> None:
    frozen = sample(edited=(33, 33, 33), unprojected=angles(5, 5, 5))
    for name in ("clip_f", *(f"clip_f.{preset}" for preset in PRESETS)):
        assert values(name, frozen) == pytest.approx(1)


def test_rounding_never_passes_the_bounds() -> None:
    # float32 rows have lengths up to 1 + 6e-8; `values` checks the declared bounds.
    many = sample(edited=tuple(np.linspace(0, 360, 500)), source=tuple(np.linspace(0, 360, 500)))
    assert values("clip_i", many).max() == 1


@pytest.mark.parametrize("name", ["clip_f", *(f"clip_f.{preset}" for preset in PRESETS)])
def test_clip_f_does_not_apply_to_one_frame(name: str) -> None:
    with pytest.raises(DoesNotApply, match="one frame"):
        METRICS.get(name).measure(sample(edited=(0,), unprojected=angles(0)))


def test_unprojected_does_not_apply_to_a_model_without_it() -> None:
    with pytest.raises(DoesNotApply, match="unprojected"):
        METRICS.get("clip_f.unprojected").measure(sample(edited=(0, 30)))


def test_no_direction_no_clip_dir() -> None:
    with pytest.raises(DoesNotApply, match="prompt and caption"):
        METRICS.get("clip_dir").measure(sample(edited=(50,), prompt=20, caption=20))
    with pytest.raises(DoesNotApply, match="2 of 3 frames"):
        METRICS.get("clip_dir").measure(sample(edited=(50, 10, 20), source=(0, 10, 20)))
    one_of_two = METRICS.get("clip_dir").measure(sample(edited=(50, 10), source=(0, 10)))
    assert np.shape(one_of_two) == (1,)


def test_frame_acc_does_not_apply_to_a_prompt_that_is_the_caption() -> None:
    same = sample(edited=(50,))
    same.prompt = "caption"
    with pytest.raises(DoesNotApply, match="same text"):
        METRICS.get("frame_acc").measure(same)


@pytest.mark.parametrize("name", [*NAMES, *(f"clip_f.{preset}" for preset in PRESETS)])
def test_every_definition_states_formula_and_source(name: str) -> None:
    definition = METRICS.get(name).definition
    assert "Source: " in definition and (
        "f(y_" in definition or "h(y_" in definition or "f(x_" in definition
    )


def test_importing_a_metric_leaves_torch_unloaded() -> None:
    modules = [f"evaluation.metrics.{name}" for name in [*NAMES, "conse_t"]]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
