"""How far sums over few clusters fall short of what they estimate, and for how many they count.

An estimate is a mean, or a difference of the means of two arms. A cluster (a rater, a source)
holds the share p of an arm's weight. Residuals about an arm's mean are too small, those of a
cluster that holds much of the arm the most: three raters on method A and nine on B are not twelve.
With effects of the clusters of an arm that are independent and alike, the sums of scores have
covariance

    M = sum over arms of (D - p p')^2,   D = diag(p)

where T = diag(sum over arms of p^2) was wanted. So the squared sum of cluster g is multiplied by
a_g = T_gg / M_gg, and the sum of these counts as a chi-square with tr(T)^2 / tr((a M)^2) degrees of
freedom (Bell & McCaffrey, Bias reduction in standard errors for linear regression with multi-stage
samples, Survey Methodology 28 (2002); Satterthwaite, Biometrics Bulletin 2 (1946)). G clusters of
one size in every arm have a = G / (G - 1) and G - 1 degrees of freedom; where each cluster is in
one of two arms, the test is Welch's.
"""

from typing import NamedTuple

import numpy as np

from evaluation.stats.intervals import ratio

UNEVEN = 0.1  # share of one arm's weight by raters who do not have it in the other


class Leverage(NamedTuple):
    """What each cluster's squared sum is multiplied by (clusters,), and the degrees of freedom."""

    factor: np.ndarray
    freedom: float
    fewest: int  # clusters in the arm that has the fewest


def leverage(member: np.ndarray, weight: np.ndarray, arm: np.ndarray) -> Leverage:
    """Return the factors of clusters whose members have these weights in these arms.

    member: int (votes,), 0 to clusters - 1, of each vote. weight: float (votes,), >= 0.
    arm:    int (votes,), 0 or more.

    An arm with a single cluster leaves no way to tell: no degrees of freedom, factors NaN.
    """
    shares = arm_shares(member, weight, arm)
    fewest = int((shares > 0).sum(axis=1).min(initial=len(shares.T)))
    wanted = (shares**2).sum(axis=0)
    if fewest < 2:
        return Leverage(np.full(len(wanted), np.nan), 0.0, fewest)
    low_rank, middle = _covariance(shares)
    found = wanted + np.einsum("gi,ij,gj->g", low_rank, middle, low_rank)
    factor = ratio(wanted, found)
    return Leverage(factor, _freedom(factor, wanted, low_rank, middle), fewest)


def arm_shares(member: np.ndarray, weight: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Return the share of each arm's weight that each cluster holds, float (arms, clusters)."""
    shape = int(arm.max(initial=0)) + 1, int(member.max(initial=-1)) + 1
    sums = np.bincount(arm * shape[1] + member, weight, shape[0] * shape[1]).reshape(shape)
    sums = sums[sums.sum(axis=1) > 0]
    return np.asarray(sums / sums.sum(axis=1, keepdims=True))


def same_raters(rater: np.ndarray, weight: np.ndarray, arm: np.ndarray) -> bool:
    """Return whether both arms rest on the same raters, each to about the same share."""
    _, member = np.unique(rater, return_inverse=True)
    shares = arm_shares(member, weight, arm)
    return len(shares) == 2 and float(np.abs(shares[0] - shares[1]).sum()) / 2 <= UNEVEN


def _covariance(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return L and K of M = diag(sum of p^2) + L K L': (clusters, 2 arms) and square."""
    arms = len(shares)
    low_rank = np.concatenate([shares**2, shares]).T
    middle = np.zeros((2 * arms, 2 * arms))
    for k, p in enumerate(shares):
        middle[k, arms + k] = middle[arms + k, k] = -1
        middle[arms + k, arms + k] = p @ p
    return low_rank, middle


def _freedom(
    factor: np.ndarray, wanted: np.ndarray, low_rank: np.ndarray, middle: np.ndarray
) -> float:
    """Return tr(a M)^2 / tr((a M)^2) without writing M out."""
    diagonal, scaled = factor * wanted, np.sqrt(factor)[:, None] * low_rank
    square = float(diagonal @ diagonal)
    square += 2 * float(np.trace(middle @ (scaled.T @ (diagonal[:, None] * scaled))))
    both = middle @ (scaled.T @ scaled)
    return float(wanted.sum()) ** 2 / (square + float(np.trace(both @ both)))
