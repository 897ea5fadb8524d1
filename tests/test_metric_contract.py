"""What every metric has to keep to, whatever it measures."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from dreamix.data.suite import CATEGORIES
from dreamix.toybox.world import Scene, render, truth
from evaluation.features.base import MODELS
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS, Metric
from evaluation.sample import Flow, Sample, View
from evaluation.sample.corruptions import CORRUPTIONS
from evaluation.settings import ModelSettings

SCENE = Scene("red", "star", "sliding right", "meadow", seed=3)
IDEAL = Scene("blue", "star", "sliding right", "meadow", seed=3)
NAMES = METRICS.names()
# The value of a metric on the source itself, where every definition leaves one value only.
ON_SOURCE = {
    "clip_i": 1,
    "clip_i_set": 1,
    "clip_t_gain": 0,
    "ideal_gain": 0,
    "lpips": 0,
    "lpips.masked": 0,
    "motion_fidelity": 1,
    "motion_ratio": 0,
    "psnr": 100,
    "psnr.masked": 100,
    "ssim": 1,
    "ssim.masked": 1,
}


@pytest.fixture(scope="module")
def features(tiny_clip: str) -> Features:
    return Features(ModelSettings(clip=tiny_clip))


def runnable(metric: Metric, features: Features) -> Metric:
    for model in metric.models:
        if why := MODELS.get(model).problem(features.settings):
            pytest.skip(why)
    return metric


def sample(edited: Video, features: Features, name: str = "edit") -> Sample:
    exact = truth(SCENE)
    source = render(SCENE)
    return Sample(
        View(edited, name, features),
        View(source, "source", features),
        "a blue star sliding right in a meadow",
        "a red star sliding right in a meadow",
        "appearance",
        keep=~exact.masks,
        ideal=View(render(IDEAL), "ideal", features),
        true_flow=Flow(exact.flow_forward, exact.flow_backward, exact.occluded_forward),
    )


def value(metric: Metric, sample: Sample) -> float:
    return float(np.mean(metric.measure(sample)))


@pytest.mark.parametrize("name", NAMES)
def test_it_declares_what_a_reader_needs(name: str) -> None:
    metric = METRICS.get(name)
    assert len(metric.definition) > 20, "say in the docstring what the number is"
    assert metric.bounds[0] < metric.bounds[1]
    assert set(metric.not_for) <= set(CATEGORIES)
    assert set(metric.responds) <= set(CORRUPTIONS)
    assert set(metric.responds.values()) <= {"rises", "falls", "stays"}
    assert set(metric.models) <= set(MODELS.names())


def made_clips() -> dict[str, Video]:
    """Return the clips that metrics are held to, by name; no metric may write into one."""
    frames = render(SCENE).frames
    return {
        "noise": CORRUPTIONS["noise"](render(SCENE), 2),
        "copy": render(SCENE),
        "one frame": Video(frames[:1], 8),
        "fewer frames": Video(frames[:5], 8),
        "other rate": Video(frames[::2], 4),
        "other size": Video(frames[:6, ::2, ::2], 8),
        "odd size": Video(frames[:4, :61, :87], 8),
        "grey": Video(np.repeat(frames[:6, ..., :1], 3, axis=3), 8),
        "black": Video(np.zeros_like(frames[:6]), 8),
        "longer": Video(np.concatenate([frames, frames[:4]]), 8),
    }


ODD = [name for name in made_clips() if name not in ("noise", "copy")]
Made = Callable[..., Sample]


@pytest.fixture(scope="module")
def made_sample(features: Features) -> Made:
    """Samples by the clip's name, made once for all metrics, as in a run; `again` is another."""
    clips = made_clips()
    for clip in clips.values():
        clip.frames.flags.writeable = False
    return cache(lambda name, again=False: sample(clips[name], features, f"{name} {again}"))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_values_are_finite_within_bounds_and_the_same_again(
    name: str, features: Features, made_sample: Made
) -> None:
    metric = runnable(METRICS.get(name), features)
    try:
        first = value(metric, made_sample("noise"))
    except DoesNotApply as reason:
        pytest.skip(f"with random weights: {reason}")
    assert metric.bounds[0] - 1e-6 <= first <= metric.bounds[1] + 1e-6
    assert value(metric, made_sample("noise", again=True)) == first


@pytest.mark.parametrize("name", sorted(ON_SOURCE))
def test_the_source_itself_has_the_value_of_no_change(
    name: str, features: Features, made_sample: Made
) -> None:
    metric = runnable(METRICS.get(name), features)
    found = value(metric, made_sample("copy"))
    assert found == pytest.approx(ON_SOURCE[name], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", NAMES)
def test_odd_clips_have_a_value_or_a_reason(
    name: str, odd: str, features: Features, made_sample: Made
) -> None:
    metric = runnable(METRICS.get(name), features)
    try:
        assert np.isfinite(value(metric, made_sample(odd)))
    except DoesNotApply as reason:
        assert len(str(reason)) > 10
