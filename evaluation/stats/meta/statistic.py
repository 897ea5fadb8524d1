"""Which agreement of a metric with people is meant, and its value for one metric."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from evaluation.stats.meta.coefficients import Kind
from evaluation.stats.meta.correlation import Constants, Level, correlate
from evaluation.stats.meta.soft_pairwise import soft_pairwise_accuracy
from evaluation.stats.meta.ties import tie_calibrated_accuracy

Name = Literal["acc_eq", "spa", "correlation"]


class Statistic(NamedTuple):
    """What is measured; level, kind and constants matter to correlations only."""

    name: Name = "acc_eq"
    level: Level = "item"
    kind: Kind = "kendall_b"
    constants: Constants = "omit"


ACC_EQ = Statistic()


def check_statistic(statistic: Statistic) -> None:
    """Raise ValueError for a name that is none of acc_eq, spa, correlation."""
    if statistic.name not in get_args(Name):
        raise ValueError(f"unknown statistic {statistic.name!r}; one of {get_args(Name)}")


def statistic_value(
    metric: np.ndarray,
    human: np.ndarray,
    statistic: Statistic,
    rng: np.random.Generator,
    sources: np.ndarray | None = None,
) -> float:
    """Return the statistic of one metric (systems, items); acc_eq is calibrated in-sample.

    rng, sources: for SPA, whose items of a source change sign together; the others draw nothing.
    NaN where there is no value.
    """
    check_statistic(statistic)
    if statistic.name == "acc_eq":
        return tie_calibrated_accuracy(metric, human).value
    if statistic.name == "spa":
        return soft_pairwise_accuracy(metric, human, rng=rng, sources=sources).value
    _, level, kind, constants = statistic
    return correlate(metric, human, level=level, kind=kind, constants=constants).value
