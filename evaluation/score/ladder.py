"""How far each metric moves under known damage: the corruption ladder.

A clip is damaged at five strengths and scored against itself undamaged. Where the ideal edit is
known, metrics of alignment, and all that ask for it, are given the damaged ideal edit instead: it
shows what the prompt says, which the source does not. A metric declares in `responds` which way its
value goes; `tests/test_ladder.py` holds it to that, `benchmarks/corruption_ladder.py` draws it.
"""

from typing import NamedTuple

import numpy as np

from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from dreamix.data.suite import Suite
from evaluation.metrics.base import METRICS
from evaluation.sample import Flow, Models, Sample, View
from evaluation.sample.corruptions import CORRUPTIONS, STRENGTHS

STEPS = (0, *STRENGTHS)  # 0: undamaged


class Subject(NamedTuple):
    """A clip to be damaged, and what is known about it."""

    name: str
    source: Video
    caption: str
    ideal: Video | None = None
    prompt: str | None = None  # what the ideal edit shows
    keep: np.ndarray | None = None
    true_flow: Flow | None = None


Ladder = dict[tuple[str, str], np.ndarray]  # (metric, damage) -> float64 (subjects, 6)


def climb(metrics: list[str], subjects: list[Subject], features: Models) -> Ladder:
    """Return each metric under each damage for each subject and step; NaN: it does not apply."""
    table = {
        (metric, damage): np.full((len(subjects), len(STEPS)), np.nan)
        for metric in metrics
        for damage in CORRUPTIONS
    }
    for row, subject in enumerate(subjects):
        source = View(subject.source, subject.name, features)
        ideal = View(subject.ideal, f"{subject.name} ideal", features) if subject.ideal else None
        undamaged = _samples(subject, source, ideal)
        for metric, damage in table:
            table[metric, damage][row, 0] = _value(metric, *undamaged)
        for damage in CORRUPTIONS:
            for step in STRENGTHS:
                samples = _samples(subject, source, ideal, damage, step)
                for metric in metrics:
                    table[metric, damage][row, step] = _value(metric, *samples)
    return table


def _samples(
    subject: Subject, source: View, ideal: View | None, damage: str = "", step: int = 0
) -> tuple[Sample, Sample | None]:
    """Return the damaged source beside the source, and the damaged ideal edit beside the source."""

    def damaged(clean: View) -> Sample:
        clip = CORRUPTIONS[damage](clean.video, step) if step else clean.video
        return Sample(
            View(clip, f"{clean.key} {damage} {step}", source.features),
            source,
            subject.prompt or subject.caption,
            subject.caption,
            "appearance",
            keep=subject.keep,
            ideal=ideal,
            true_flow=subject.true_flow,
        )

    return damaged(source), damaged(ideal) if ideal else None


def _value(name: str, of_source: Sample, of_ideal: Sample | None) -> float:
    metric = METRICS.get(name)
    asked = metric.axis == "alignment" and of_ideal is not None
    sample = of_ideal if asked or "ideal" in metric.needs else of_source
    given = {"keep": sample and sample.keep, "true_flow": sample and sample.true_flow}
    if sample is None or any(given.get(need, True) is None for need in metric.needs):
        return np.nan
    try:
        return float(np.mean(metric.measure(sample)))
    except DoesNotApply:
        return np.nan


def goes(values: np.ndarray, way: str) -> bool:
    """Return True if the mean over subjects goes the declared `way` at every step.

    values: (subjects, steps); subjects with a NaN are left out. "rises": no step is below the one
    before, and the last is above the first; "falls": the opposite; "stays": no step differs from
    the first by over 2% of it. Two strengths can damage a short clip alike, so steps may tie.
    """
    whole = values[~np.isnan(values).any(axis=1)]
    if not len(whole):
        return False
    means = whole.mean(axis=0)
    if way == "stays":
        return bool(np.allclose(means, means[0], rtol=0.02, atol=1e-9))
    steps = np.diff(means) if way == "rises" else -np.diff(means)
    return bool((steps >= 0).all() and steps.sum() > 0)


def footage_subjects(suite: Suite, every: int = 3) -> list[Subject]:
    """Return every third clip of a suite of real footage."""
    videos = [*suite.videos.values()][::every]
    return [Subject(v.id, suite.source(v.id), str(v.caption)) for v in videos]
