"""Bell and McCaffrey's correction with every matrix written out, for the tests of clustered errors.

Effects of clusters are independent and alike within an arm; an arm's mean holds them with shares p.
"""

import numpy as np


def shares_of(cluster: np.ndarray, weight: np.ndarray, arm: np.ndarray) -> list[np.ndarray]:
    """Return each arm's shares (clusters,), summed one vote at a time."""
    labels = np.unique(cluster)
    found = []
    for side in np.unique(arm):
        here = arm == side
        sums = np.array([weight[here & (cluster == label)].sum() for label in labels])
        found.append(sums / sums.sum())
    return found


def written_out(shares: list[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the factors of squared sums and the degrees of freedom, by dense matrices."""
    left = [np.diag(p) - np.outer(p, p) for p in shares]
    covariance = sum(each @ each.T for each in left)
    wanted = sum(p**2 for p in shares)
    factor = wanted / np.diag(covariance)
    root = np.diag(np.sqrt(factor))
    scaled = root @ covariance @ root
    return factor, float(np.trace(scaled) ** 2 / np.trace(scaled @ scaled))


def clustered_variance(
    score: np.ndarray, cluster: np.ndarray, weight: np.ndarray, arm: np.ndarray
) -> tuple[float, float]:
    """Return the variance by cluster and its degrees of freedom."""
    factor, freedom = written_out(shares_of(cluster, weight, arm))
    sums = np.array([score[cluster == label].sum() for label in np.unique(cluster)])
    return float(factor @ sums**2), freedom
