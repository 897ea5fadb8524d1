"""Metrics and votes whose relation is known, and composites of them, for the tests."""

from typing import NamedTuple

import numpy as np

from evaluation.score.composite_file import Origin
from evaluation.stats.composite import Learned, learn_composite
from evaluation.stats.resampling import Resampling

NAMES = ["flicker", "motion_mag", "psnr"]
BETTER = {"flicker": "higher", "motion_mag": "lower", "psnr": "higher"}  # as these tests declare
LEVELS = np.linspace(-1, 1, 8) * 0.35  # of methods, in points of the rating scale


class Made(NamedTuple):
    """Simulated metrics and mean votes."""

    metrics: np.ndarray  # float (metrics, systems, items), more is better
    votes: np.ndarray  # float (systems, items)
    truth: np.ndarray  # float (systems, items): the votes without the noise of raters
    sources: np.ndarray  # int (items,)


def world(
    rng: np.random.Generator, sources: int, edits: int, systems: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return true means, mean votes of about six raters (systems, items), and source of each item.

    Sources differ, edits differ, methods have levels, and do better on some sources and edits.
    """
    source = np.repeat(np.arange(sources), edits)
    shape = systems, len(source)
    truth = (
        3
        + 0.5 * rng.normal(size=(1, sources))[:, source]
        + 0.4 * rng.normal(size=(1, shape[1]))
        + LEVELS[:systems, None]
        + 0.35 * rng.normal(size=(systems, sources))[:, source]
        + 0.4 * rng.normal(size=shape)
    )
    return truth, truth + 0.33 * rng.normal(size=shape), source


def noisy(truth: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a metric for each noise deviation: truth plus noise; infinite noise: noise alone."""
    drawn = rng.normal(size=(len(noise), *truth.shape))
    blind = np.isinf(noise)[:, None, None]
    return np.where(blind, drawn, truth + np.where(blind, 0, noise[:, None, None]) * drawn)


def simple(
    seed: int, noise: list[float], sources: int = 12, edits: int = 3, systems: int = 3
) -> Made:
    """Return metrics that are the truth and noise of their own."""
    rng = np.random.default_rng(seed)
    truth, votes, source = world(rng, sources, edits, systems)
    return Made(noisy(truth, np.array(noise), rng), votes, truth, source)


def families(
    rng: np.random.Generator, kind: str, sources: int, edits: int, systems: int, many: int = 24
) -> Made:
    """Return metrics in six families that share faults, as metrics of one embedding do.

    kind: "many" 16 know a little; "one" alone knows; "two" know; "taken": 12 share a fault that the
    last metric measures and nothing else.
    """
    truth, votes, source = world(rng, sources, edits, systems)
    fault = 0.7 * rng.normal(size=truth.shape) + 0.7 * rng.normal(size=(1, truth.shape[1]))
    family = np.arange(many) % 6
    shared = 0.6 * rng.normal(size=(6, *truth.shape)) + 0.8 * rng.normal(size=(6, 1, len(source)))
    number = np.arange(many)
    knows = {
        "many": np.where(family < 4, 0.45, 0.0),
        "one": np.where(number == 0, 1.2, 0.05),
        "two": np.where(number < 2, 0.8, 0.0),
        "taken": np.where(family < 3, 0.7, 0.0),
    }[kind]
    metrics = knows[:, None, None] * truth + 0.5 * shared[family]
    metrics = metrics + 0.5 * rng.normal(size=metrics.shape)
    if kind == "taken":
        metrics[family < 3] += 0.9 * fault
        metrics[-1] = fault + 0.2 * rng.normal(size=truth.shape)
    return Made(metrics, votes, truth, source)


def learned(seed: int = 0) -> Learned:
    """A composite of flicker and motion_mag; psnr knows nothing and is turned away."""
    made = simple(seed, [1.0, 1.0, 1.0])
    turned = made.metrics * np.array([0.1, 5, -1])[:, None, None]
    made = Made(turned, made.votes, made.truth, made.sources)
    return learn_composite(
        made.metrics,
        made.votes,
        names=NAMES,
        sources=made.sources,
        resampling=Resampling(np.random.default_rng(0), 20, permutations=50),
    )


def origin(simulated: bool = False, suite: str = "ab" * 32) -> Origin:
    """Return where a composite came from."""
    return Origin("pets", suite, "a-study", "cd" * 32, 12, simulated)
