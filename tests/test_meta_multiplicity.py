"""p-values corrected for having looked at many, and the clusters that are made from them."""

from typing import NamedTuple

import numpy as np
import pytest

from evaluation.stats.compact_letters import letters_of_tests
from evaluation.stats.multiplicity import (
    bonferroni,
    holm,
    holm_adjusted,
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


class OneOfSeveral(NamedTuple):
    name: str
    p: float
    p_holm: float = NAN


def test_tests_keep_what_they_are_and_get_their_adjusted_p() -> None:
    """.01 of three is .03, .04 of the two left .08; one without a p stays so and counts."""
    found = holm_adjusted(
        [OneOfSeveral("a", 0.04), OneOfSeveral("b", NAN), OneOfSeveral("c", 0.01)]
    )
    assert [one.name for one in found] == ["a", "b", "c"]
    assert [one.p_holm for one in found] == pytest.approx([0.08, NAN, 0.03], nan_ok=True)
    assert holm_adjusted(found[:0]) == []


def test_some_of_several_tests_are_adjusted_for_all() -> None:
    p = np.array([0.01, NAN, 0.5])
    assert bonferroni(p) == pytest.approx([0.02, NAN, 1], nan_ok=True)
    assert bonferroni(p, tests=6) == pytest.approx([0.06, NAN, 1], nan_ok=True)


@pytest.mark.parametrize("halves", [1, 2])
def test_letters_of_three_methods_by_hand(halves: int) -> None:
    """Only 0 and 1 differ: 2 shares a letter with either. .05 is not below .05."""
    p = np.full((3, 3), NAN)
    p[0, 1], p[0, 2] = 0.01, 0.05
    p = np.fmin(p, p.T) if halves == 2 else p
    assert letters_of_tests(p, 0.05, [0, 1, 2]) == ["a", "b", "ab"]
    assert letters_of_tests(p, 0.05, [1, 2, 0]) == ["b", "a", "ab"]
    assert letters_of_tests(np.full((3, 3), NAN), 0.05, [0, 1, 2]) == ["", "", ""]


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
