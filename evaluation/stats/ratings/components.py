"""Variance components of ratings: how much of a vote is the rater, the source, the edit, ... .

    vote = mean of the method + sum over terms of that term's effect + answer

with independent effects of the levels of each term (rater, source, edit within its source, rater by
method, source by method), any design, any gaps; answer is what is left. Two estimates:

REML, the restricted likelihood: with A = Z'QZ, b = Z'Qy, c = y'Qy (Z the levels' indicators, Q what
takes the method means out) and g = variances / answer variance, the estimate minimises

    log |I + A diag(g)| + (N - p) log(c - b' (A + diag(1 / g))^-1 b),   g >= 0

(Searle, Casella & McCulloch, Variance Components (1992), chapter 6, on the contrasts Qy; the
gradient is exact). Its cost grows with the cube of the number of levels.

Moments, for more levels than that: MINQUE(0), the b'b of each term and c set equal to what they
are expected to be (Rao, Journal of Multivariate Analysis 1 (1971); Hartley, Rao & LaMotte,
Biometrics 34 (1978)). Unbiased before negatives are set to 0, linear in the number of votes; equal
to REML and to the analysis of variance in balanced designs, and noisier than REML in others.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize, sparse

from evaluation.stats.ratings.votes import Votes

TERMS = ("rater", "source", "edit", "rater:method", "source:method")
MOST_LEVELS = 1500  # of all terms, for REML; 1,500 take some seconds


class Components(NamedTuple):
    """Variances in squared points of the scale; NaN for a term that cannot be told from others."""

    terms: tuple[str, ...]
    variance: np.ndarray  # float (terms,), >= 0
    levels: np.ndarray  # int (terms,)
    answer: float  # residual variance; NaN if no vote is left over to show it
    votes: int
    estimate: str  # "reml" or "moments"
    converged: bool

    def of(self, term: str) -> float:
        """Return the variance of a term, 0 if it is not in the model or cannot be told."""
        known = dict(zip(self.terms, self.variance.tolist(), strict=True))
        return float(np.nan_to_num(known.get(term, 0.0)))


def vote_components(votes: Votes, *, terms: Sequence[str] = TERMS) -> Components:
    """Return the components of the votes on one question, method means taken out.

    terms: rater, source, edit, method or several with colons, such as "edit:method".

    A term whose levels are the methods or those of an earlier term (edits, where each source has
    one), or each a single vote, is NaN; its variance is in the other, or in `answer`.
    """
    return variance_components(votes.value, votes.method, term_levels(votes, terms))


def term_levels(votes: Votes, terms: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the level of every vote, int (votes,), for each term such as "rater:method"."""
    axes = {"rater": votes.rater, "source": votes.source, "edit": votes.edit}
    axes["method"] = votes.method
    return {term: _crossed([axes[axis] for axis in term.split(":")]) for term in terms}


def variance_components(
    value: np.ndarray, fixed: np.ndarray, factors: Mapping[str, np.ndarray]
) -> Components:
    """Return the variance of each factor's effects, by REML or, over 1,500 levels, by moments.

    value: float (votes,). fixed: int (votes,), the group whose mean is taken out.
    factors: by name, int (votes,), the level of each vote.

    If no degree of freedom is left for the answers, all is NaN.

    Raises:
        ValueError: without a vote.
    """
    if not len(value):
        raise ValueError("variance components need votes")
    codes = coded(factors)
    told = told_apart(codes, fixed)
    model = _Model(value, fixed, [codes[name] for name in told])
    if model.freedom < 1:
        found, answer, estimate, converged = np.full(len(told), np.nan), np.nan, "reml", False
    elif model.levels <= MOST_LEVELS:
        (found, answer, converged), estimate = model.reml(), "reml"
    else:
        (found, answer), estimate, converged = model.moments(), "moments", True
    by_name = dict(zip(told, found.tolist(), strict=True))
    variance = np.array([by_name.get(name, np.nan) for name in codes])
    levels = np.array([int(code.max()) + 1 for code in codes.values()])
    return Components(tuple(codes), variance, levels, answer, len(value), estimate, converged)


class _Model:
    """Cross products of the indicators, group means taken out, and the two estimates."""

    def __init__(self, value: np.ndarray, fixed: np.ndarray, codes: list[np.ndarray]) -> None:
        _, group = np.unique(fixed, return_inverse=True)
        size = np.bincount(group)
        centred = value - (np.bincount(group, value) / size)[group]
        self.freedom = len(value) - len(size)
        self.square = float(centred @ centred)
        self.indicators = [indicator(code) for code in codes]
        self.shares = [z.T @ indicator(group) for z in self.indicators]  # (levels, groups)
        self.sums = [np.asarray(z.T @ centred) for z in self.indicators]
        self.size, self.levels = size, sum(len(b) for b in self.sums)

    def moments(self) -> tuple[np.ndarray, float]:
        """Return the variances of the terms and of the answers by MINQUE(0)."""
        k = len(self.sums)
        left, right = np.empty((k + 1, k + 1)), np.empty(k + 1)
        for g in range(k):
            for h in range(k):
                left[g, h] = self._squared_norm(g, h)
            left[g, k] = left[k, g] = self._trace(g)
            right[g] = self.sums[g] @ self.sums[g]
        left[k, k], right[k] = self.freedom, self.square
        found = np.maximum(np.linalg.lstsq(left, right, rcond=None)[0], 0.0)
        return found[:k], float(found[k])

    def reml(self) -> tuple[np.ndarray, float, bool]:
        """Return the variances of the terms and of the answers, and whether the search ended."""
        first, answer = self.moments()
        if not len(first) or self.square < 1e-12 * self.freedom:  # or a method's votes all alike
            return np.zeros(len(first)), self.square / self.freedom, True

        # From the moments on: variances over that of the answers.
        cross, sums = self._cross_products(), np.concatenate(self.sums)
        term = np.repeat(np.arange(len(self.sums)), [len(b) for b in self.sums])
        start = np.clip(first / max(answer, 1e-3 * self.square / self.freedom), 0.01, 100)
        search = optimize.minimize(
            self._deviance,
            start,
            args=(cross, sums, term),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1e6)] * len(start),
            options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9},
        )
        answer = self._residual(search.x, cross, sums, term)[1] / self.freedom
        return search.x * answer, answer, bool(search.success)

    def _deviance(
        self, g: np.ndarray, cross: np.ndarray, sums: np.ndarray, term: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Return the REML criterion over its degrees of freedom, and its gradient."""
        # I + A diag(g), and the sum of squares that is left.
        root = np.sqrt(g)[term]
        factor, left = self._residual(g, cross, sums, term)

        # The gradient by each variance.
        scaled = linalg.solve_triangular(factor, root[:, None] * cross, lower=True)
        back = linalg.cho_solve((factor, True), root * sums)
        gap = sums - cross @ (root * back)
        pull = cross.diagonal() - np.einsum("ij,ij->j", scaled, scaled)
        slope = np.bincount(term, pull - self.freedom / left * gap**2, minlength=len(g))
        criterion = 2 * np.log(factor.diagonal()).sum() + self.freedom * np.log(left)
        return float(criterion) / self.freedom, slope / self.freedom

    def _residual(
        self, g: np.ndarray, cross: np.ndarray, sums: np.ndarray, term: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Return the Cholesky factor of I + A diag(g), made symmetric, and the sum of squares."""
        root = np.sqrt(g)[term]
        factor = linalg.cholesky(np.eye(len(root)) + root[:, None] * cross * root, lower=True)
        fitted = linalg.solve_triangular(factor, root * sums, lower=True)
        return factor, self.square - float(fitted @ fitted)

    def _cross_products(self) -> np.ndarray:
        """Return A (levels, levels)."""
        indicator = sparse.hstack(self.indicators).tocsr()
        share = np.concatenate([s.toarray() for s in self.shares])
        return np.asarray((indicator.T @ indicator).toarray() - (share / self.size) @ share.T)

    def _squared_norm(self, g: int, h: int) -> float:
        """Return the sum of squares of the block of A of two terms, without making it."""
        table = self.indicators[g].T @ self.indicators[h]
        left, right = (self.shares[t].toarray() / np.sqrt(self.size) for t in (g, h))
        both = np.einsum("im,im->", left, table @ right)
        return float(
            table.multiply(table).sum() - 2 * both + ((left.T @ left) * (right.T @ right)).sum()
        )

    def _trace(self, g: int) -> float:
        share = self.shares[g].toarray()
        return float(share.sum() - (share**2 / self.size).sum())


def coded(factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the levels of each factor as 0, 1, ..., in their order."""
    return {name: np.unique(levels, return_inverse=True)[1] for name, levels in factors.items()}


def indicator(code: np.ndarray) -> sparse.csr_matrix:
    """Return Z (votes, levels), 1 where a vote has a level, of levels 0, 1, ..."""
    rows = np.arange(len(code))
    return sparse.csr_matrix((np.ones(len(code)), (rows, code)), (len(code), int(code.max()) + 1))


def _crossed(axes: Sequence[np.ndarray]) -> np.ndarray:
    """Return one level for each combination of levels."""
    code = axes[0]
    for axis in axes[1:]:
        code = code * (int(axis.max(initial=0)) + 1) + axis
    return code


def told_apart(codes: Mapping[str, np.ndarray], fixed: np.ndarray) -> list[str]:
    """Return the factors that group votes unlike `fixed` and earlier ones, into 2 to votes - 1."""
    votes, told = len(fixed), []
    groupings = [np.unique(fixed, return_inverse=True)[1]]
    for name, code in codes.items():
        levels = int(code.max()) + 1
        alike = [other for other in groupings if int(other.max()) + 1 == levels]
        same = any(len(np.unique(code * votes + other)) == levels for other in alike)
        if 1 < levels < votes and not same:
            told.append(name)
            groupings.append(code)
    return told
