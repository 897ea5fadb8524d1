"""Composite: one metric learned from all others and the votes, and what it is worth."""

from evaluation.stats.composite.folds import (
    HeldOutPredictions,
    RatedMetrics,
    all_best,
    best_single,
    held_out,
    metric_agreement,
    unseen_systems,
)
from evaluation.stats.composite.gains import (
    STATISTICS,
    Gain,
    gain_in_folds,
    gain_in_hindsight,
    verdict,
)
from evaluation.stats.composite.learning import Learned, learn_composite
from evaluation.stats.composite.model import (
    PENALTIES,
    choose_penalty,
    fit,
    learn,
    moments,
    solve,
    standardized,
    weighted,
)
from evaluation.stats.composite.words import number, rivals, sentence

__all__ = [
    "PENALTIES",
    "STATISTICS",
    "Gain",
    "HeldOutPredictions",
    "Learned",
    "RatedMetrics",
    "all_best",
    "best_single",
    "choose_penalty",
    "fit",
    "gain_in_folds",
    "gain_in_hindsight",
    "held_out",
    "learn",
    "learn_composite",
    "metric_agreement",
    "moments",
    "number",
    "rivals",
    "sentence",
    "solve",
    "standardized",
    "unseen_systems",
    "verdict",
    "weighted",
]
