"""The corruption ladder: under known damage every metric goes the way it declares.

Toybox with its exact truth, and real clips; both in the slow run. What is
asked of a metric is the mean over clips, strength by strength: see `evaluation.score.ladder.goes`.
"""

from pathlib import Path

import numpy as np
import pytest

from dreamix.data.suite import load_suite
from evaluation.features.store import Features
from evaluation.metrics.base import METRICS
from evaluation.sample.corruptions import CORRUPTIONS, STRENGTHS
from evaluation.score.ladder import Ladder, climb, footage_subjects, goes
from evaluation.score.plan import choose_metrics
from evaluation.settings import ModelSettings
from evaluation.toybox.subjects import toybox_subjects

# What random weights see in footage says nothing of these: words, and how alike neighbours are.
UNTRAINED = {"clip_t", "clip_t_gain", "clip_dir", "frame_acc", "clip_f", "clip_f.unprojected"}
# Made to see through damage; what breaks a clip for it is in test_judge.py.
JUDGED = {f"judge_{name}" for name in ("alignment", "fidelity", "quality", "success")}
JUDGED |= {"toybox_success"}
FOOTAGE_ONLY = {"brisque", "conse_t"}  # were trained on photographs
CLAIMS = [
    (name, *claim) for name in METRICS.names() for claim in METRICS.get(name).responds.items()
]


def metrics(
    request: pytest.FixtureRequest, settings: ModelSettings, left_out: set[str]
) -> list[str]:
    """Those that the chosen tests are about: with `-k`, a new metric is all that is computed."""
    chosen = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        if "way" in item.callspec.params
    }
    found = choose_metrics(METRICS.names(), settings, "auto").definitions
    return [name for name in found if name in chosen - left_out]


@pytest.fixture(scope="module", params=[pytest.param(8, marks=pytest.mark.slow)])
def toybox(request: pytest.FixtureRequest, root: Path) -> Ladder:
    settings = ModelSettings().on("toybox")
    scenes = toybox_subjects(load_suite(root / "datasets" / "toybox"), most=request.param)
    assert len(scenes) == request.param
    return climb(metrics(request, settings, JUDGED | FOOTAGE_ONLY), scenes, Features(settings))


@pytest.fixture(scope="module")
def footage(request: pytest.FixtureRequest, shared_dir: Path, tiny_clip: str) -> Ladder:
    settings = ModelSettings(clip=tiny_clip)
    clips = footage_subjects(load_suite(shared_dir / "realset"))
    return climb(metrics(request, settings, UNTRAINED), clips, Features(settings))


@pytest.mark.parametrize(("name", "damage", "way"), [c for c in CLAIMS if c[0] not in FOOTAGE_ONLY])
def test_on_toybox(name: str, damage: str, way: str, toybox: Ladder) -> None:
    values = toybox[name, damage]
    assert goes(values, way), np.nanmean(values, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage", "way"), CLAIMS)
def test_on_footage(name: str, damage: str, way: str, footage: Ladder) -> None:
    if {"ideal", "keep", "true_flow", "rendered"} & set(METRICS.get(name).needs):
        pytest.skip("it knows Toybox clips only, or real footage has no exact truth")
    if (name, damage) not in footage:
        pytest.skip(f"{name}: its weights are not on this machine")
    values = footage[name, damage]
    assert goes(values, way), np.nanmean(values, axis=0)


def test_every_metric_that_can_be_tested_makes_a_claim() -> None:
    silent = {name for name in METRICS.names() if not METRICS.get(name).responds}
    assert silent == JUDGED


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_damage_keeps_the_clip_s_form_and_grows_with_strength(name: str, root: Path) -> None:
    """Mean squared difference to the undamaged clip: above 0, and no less at a higher strength."""
    clip = toybox_subjects(load_suite(root / "datasets" / "toybox"), most=1)[0].source
    damaged = [CORRUPTIONS[name](clip, strength) for strength in STRENGTHS]
    assert all(d.frames.shape == clip.frames.shape and d.fps == clip.fps for d in damaged)
    errors = [np.mean((d.frames.astype(float) - clip.frames) ** 2) for d in damaged]
    assert errors[0] > 0
    assert errors == sorted(errors)
    assert np.array_equal(CORRUPTIONS[name](clip, 3).frames, damaged[2].frames)


def test_goes_tells_rising_from_falling() -> None:
    rising = np.array([[0.0, 1, 2, 2, 3, 4], [np.nan] * 6])
    assert goes(rising, "rises")
    assert goes(-rising, "falls")
    assert not goes(np.array([[0.0, 1, 2, 1.9, 3, 4]]), "rises")
    assert not goes(np.zeros((1, 6)), "rises")
    assert goes(np.full((1, 6), 3.0), "stays")
    assert not goes(np.full((1, 6), np.nan), "stays")
