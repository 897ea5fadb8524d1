"""p-values corrected for having looked at many, and the clusters that are made from them."""

import numpy as np
import pytest

from evaluation.stats.multiplicity import (
    bonferroni,
    holm,
    significance_clusters,
)

NAN = np.nan


def test_adjusted_p_values_are_those_of_statsmodels() -> None:
    """statsmodels 0.15.0, multipletests(p, method="holm" | "bonferroni")."""
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.2, 0.04])
    assert holm(p) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.2, 0.12])
    assert bonferroni(p) == pytest.approx([0.06, 0.24, 0.18, 0.03, 1, 0.24])


def test_a_test_that_was_not_made_is_not_counted() -> None:
    p = np.array([[NAN, 0.02], [0.01, NAN]])
    assert holm(p) == pytest.approx(np.array([[NAN, 0.02], [0.02, NAN]]), nan_ok=True)
    assert holm(np.array([])).size == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(np.array([1.2]))


def test_clusters_by_hand() -> None:
    """Metric 2 is worse than 0 but not than 1; metric 3 is worse than all above.

    "all": only 3 begins a cluster. "any": 2 begins one (worse than 0), and so does 3.
    """
    p = np.full((4, 4), NAN)
    p[0, 1], p[0, 2], p[1, 2] = 0.3, 0.01, 0.2
    p[:3, 3] = 0.01
    assert significance_clusters(p) == [1, 1, 1, 2]
    assert significance_clusters(p, rule="any") == [1, 1, 2, 3]
    assert significance_clusters(p, alpha=0.005) == [1, 1, 1, 1]
    assert significance_clusters(np.zeros((0, 0))) == []
