"""Cumulative link mixed models: methods compared without distances between the grades.

    P(vote <= k | u) = F(theta_k - beta_method - sum over terms of u_term),   u_term ~ N(0, sigma^2)

with crossed random effects of raters, sources, edits and their interactions with the method. The
effects are integrated out by Laplace's approximation: with b = u / sigma standard normal and h the
log-likelihood plus log-density of b,

    log L = h(b*) - log |I + Lambda' Z' W Z Lambda| / 2,   b* = argmax h,  W = -d2 log P / d eta2

(Christensen, ordinal: Regression Models for Ordinal Data, vignette clmm2_tutorial; Bates et al.,
Journal of Statistical Software 67 (2015), section 5 of the weighted form). The maximum over theta,
beta and sigma is found by BFGS on central differences; standard errors are of the curvature there.
Tests of methods take Student's t with at most min(raters, sources) - 1 degrees of freedom, fewer
where raters hold unequal shares of the votes on either method (see `leverage`): the normal
distribution, which other programs take, is too sure of itself with a dozen videos.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize, sparse, stats

from evaluation.stats.leverage import leverage
from evaluation.stats.ratings.components import TERMS, coded, indicator, term_levels, told_apart
from evaluation.stats.ratings.link import LINKS, Likelihood, likelihood
from evaluation.stats.ratings.votes import Votes

STEP = 1e-4  # of central differences, in parameters of the order of 1
FAR = 12.0  # an effect beyond it is one that the votes do not bound
NEGLIGIBLE = 1e-3  # a standard deviation below it is 0: at its bound, without an error of its own


class Fitted(NamedTuple):
    """A fitted model, on the latent scale of its link."""

    cuts: np.ndarray  # float (K - 1,), theta
    effect: np.ndarray  # float (columns of the design,), beta
    spread: dict[str, float]  # sigma of each term, >= 0; terms that cannot be told are left out
    covariance: np.ndarray  # of (cuts, effect); NaN where the curvature is not that of a maximum
    log_likelihood: float
    mode: np.ndarray  # float (levels,), the effects u at their mode, term by term
    converged: bool  # to finite estimates


class OrdinalMethods(NamedTuple):
    """Methods on the latent scale; the first with votes is at 0."""

    fitted: Fitted
    methods: np.ndarray  # int, those with votes
    effect: np.ndarray  # float, of those
    covariance: np.ndarray  # of those effects; the first's row is 0
    freedom: int  # min(raters, sources) - 1
    of_pairs: np.ndarray  # float (methods, methods): of each pair, at most that


class OrdinalComparison(NamedTuple):
    """b - a on the latent scale (log-odds for the logit link)."""

    a: int
    b: int
    difference: float
    error: float
    p: float  # two-sided, Student's t; not adjusted


def ordinal_methods(
    votes: Votes, *, terms: Sequence[str] = TERMS, link: str = "logit"
) -> OrdinalMethods:
    """Return the methods' effects on the votes of one question.

    terms: as for `vote_components`; those that cannot be told from others are left out.

    Where a method's votes all
    are at one end its effect has no bound: `fitted.converged` is False.

    Raises:
        ValueError: for fewer than two methods or two grades with votes.
    """
    grades, grade = np.unique(votes.value, return_inverse=True)
    methods, place = np.unique(votes.method, return_inverse=True)
    if len(grades) < 2 or len(methods) < 2:
        raise ValueError(f"need two grades and two methods, got {len(grades)} and {len(methods)}")
    # Effects against the first method, random terms beside them.
    design = (place[:, None] == np.arange(1, len(methods))).astype(float)
    fitted = clmm(grade, design, term_levels(votes, terms), fixed=place, link=link)
    # Covariance with the reference, which has none.
    cuts = len(fitted.cuts)
    covariance = np.zeros((len(methods), len(methods)))
    covariance[1:, 1:] = fitted.covariance[cuts:, cuts:]
    # Degrees of freedom from the smaller of both clusterings.
    raters, sources = len(np.unique(votes.rater)), len(np.unique(votes.source))
    effect = np.concatenate([[0.0], fitted.effect])
    most = max(0, min(raters, sources) - 1)
    of_pairs = _freedom_of_pairs(votes.rater, place, most)
    return OrdinalMethods(fitted, methods, effect, covariance, most, of_pairs)


def _freedom_of_pairs(rater: np.ndarray, place: np.ndarray, most: int) -> np.ndarray:
    """Return the degrees of freedom that raters leave each pair of methods, symmetric."""
    many = int(place.max()) + 1
    found = np.zeros((many, many))
    for i, j in combinations(range(many), 2):
        here = (place == i) | (place == j)
        _, member = np.unique(rater[here], return_inverse=True)
        arm = (place[here] == j).astype(np.int64)
        left = leverage(member, np.ones(len(member)), arm).freedom
        found[i, j] = found[j, i] = min(left, float(most))
    return found


def ordinal_comparisons(found: OrdinalMethods) -> list[OrdinalComparison]:
    """Return every pair of methods; NaN where the model has no estimate or no freedom is left."""
    made = []
    for i, j in combinations(range(len(found.methods)), 2):
        cov = found.covariance
        gap = float(found.effect[j] - found.effect[i]) if found.fitted.converged else np.nan
        error = float(np.sqrt(cov[i, i] + cov[j, j] - 2 * cov[i, j]))
        freedom = found.of_pairs[i, j]
        p = 2 * stats.t.sf(abs(gap) / error, freedom) if freedom else np.nan
        a, b = int(found.methods[i]), int(found.methods[j])
        made.append(OrdinalComparison(a, b, gap, error, float(p)))
    return made


def clmm(
    grade: np.ndarray,
    design: np.ndarray,
    factors: Mapping[str, np.ndarray],
    *,
    fixed: np.ndarray | None = None,
    link: str = "logit",
) -> Fitted:
    """Return the maximum of the Laplace-approximated likelihood.

    grade:   int (votes,), 0 .. K - 1, each of which occurs.
    design:  float (votes, columns), fixed effects without an intercept.
    factors: by name, int (votes,), the level of each vote: random intercepts.
    fixed:   int (votes,), groups that the design has an effect for already.
    """
    if link not in LINKS:
        raise ValueError(f"link is one of {', '.join(LINKS)}, not {link!r}")
    groups = np.zeros(len(grade), int) if fixed is None else fixed

    # The maximum of the likelihood over cuts, effects and sigmas.
    codes = coded(factors)
    names = told_apart(codes, groups)
    model = _LaplaceModel(grade, design, [codes[name] for name in names], link)
    search = optimize.minimize(
        model.deviance, model.start(), jac=model.slope, method="BFGS", options={"gtol": 1e-4}
    )
    cuts, effect, sigma = model.parts(search.x)

    # Its curvature, if the maximum is not at infinity.
    bounded = bool(np.abs(np.concatenate([cuts, effect])).max() < FAR)
    covariance = model.covariance(search.x) if bounded else np.full((model.told,) * 2, np.nan)
    mode = model.at_mode(search.x)[1]
    spread = dict(zip(names, np.abs(sigma).tolist(), strict=True))
    converged = bounded and bool(np.isfinite(covariance).all())
    return Fitted(
        cuts,
        effect,
        spread,
        covariance,
        -float(search.fun),
        sigma[model.term] * mode,
        converged,
    )


class _LaplaceModel:
    """The deviance of one set of votes; parameters are (first cut, log gaps, effects, sigmas)."""

    def __init__(
        self, grade: np.ndarray, design: np.ndarray, codes: list[np.ndarray], link: str
    ) -> None:
        self.grade, self.design, self.link = grade, design, link
        sizes = [int(code.max()) + 1 for code in codes]
        self.term = np.repeat(np.arange(len(codes)), sizes)
        blocks = [indicator(code) for code in codes]
        empty = sparse.csr_matrix((len(grade), 0))
        self.levels = sparse.hstack(blocks).tocsr() if blocks else empty
        self.cuts, self.told = int(grade.max()), int(grade.max()) + design.shape[1]
        self._mode = np.zeros(len(self.term))  # the last one: a start for the next

    def start(self) -> np.ndarray:
        """Return the cuts of the grades' shares, no effects, and sigmas of 0.7."""
        share = np.cumsum(np.bincount(self.grade))[:-1] / len(self.grade)
        cuts = np.log(share / (1 - share)) / (1.0 if self.link == "logit" else 1.7)
        sigmas = np.full(len(np.unique(self.term)), 0.7)
        return np.concatenate([_loosened(cuts), np.zeros(self.design.shape[1]), sigmas])

    def parts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return cuts, effects and sigmas."""
        cuts = x[0] + np.concatenate([[0.0], np.cumsum(np.exp(x[1 : self.cuts]))])
        return cuts, x[self.cuts : self.told], x[self.told :]

    def deviance(self, x: np.ndarray) -> float:
        """Return minus the approximated log-likelihood."""
        return self.at_mode(x)[0]

    def at_mode(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the log-likelihood, and b at its mode, found by Newton's steps."""
        # Start at the mode of the parameters before.
        cuts, effect, sigma = self.parts(x)
        fixed, scale = self.design @ effect, sigma[self.term]
        b, step, size = self._mode, np.zeros_like(self._mode), np.inf
        best = self._penalised(b, cuts, fixed, scale)[0]

        # Newton's steps, half as long where they go too far.
        for _ in range(100):
            value, found = self._penalised(b + step, cuts, fixed, scale)
            if value > best + 1e-9 * abs(best):  # too far: half of it
                step /= 2
                continue
            b, best = b + step, value
            if size < 1e-9:
                break
            curve = self._curvature(found.curvature, scale)
            pull = scale * (self.levels.T @ found.slope) - b
            step = linalg.cho_solve((curve, True), pull)
            size = float(np.abs(step).max(initial=0.0))

        # Laplace: half the log-determinant of the curvature at the mode.
        self._mode = b
        factor = self._curvature(found.curvature, scale)
        return best + float(np.log(factor.diagonal()).sum()), b

    def _penalised(
        self, b: np.ndarray, cuts: np.ndarray, fixed: np.ndarray, scale: np.ndarray
    ) -> tuple[float, Likelihood]:
        found = likelihood(self.grade, cuts, fixed + self.levels @ (scale * b), self.link)
        return float(b @ b / 2 - found.value.sum()), found

    def _curvature(self, weight: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the Cholesky factor of I + Lambda' Z' W Z Lambda."""
        cross = (self.levels.T @ self.levels.multiply(weight[:, None]).tocsr()).toarray()
        return np.asarray(
            linalg.cholesky(np.eye(len(scale)) + scale[:, None] * cross * scale, lower=True)
        )

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient of the deviance by central differences."""
        moves = STEP * np.eye(len(x))
        return np.array([(self.deviance(x + m) - self.deviance(x - m)) / (2 * STEP) for m in moves])

    def covariance(self, x: np.ndarray) -> np.ndarray:
        """Return the inverse curvature in cuts and effects, sigmas at 0 held there."""
        # In cuts and not in logarithms of gaps; sigmas at their bound are held.
        cuts, effect, sigma = self.parts(x)
        free = np.concatenate([np.ones(self.told, bool), np.abs(sigma) > NEGLIGIBLE])
        natural = np.concatenate([cuts, effect, sigma])
        bent = _second_differences(self._natural, natural, np.flatnonzero(free))
        if not np.isfinite(bent).all() or np.linalg.eigvalsh(bent)[0] <= 0:
            return np.full((self.told, self.told), np.nan)
        return np.asarray(np.linalg.inv(bent)[: self.told, : self.told])

    def _natural(self, natural: np.ndarray) -> float:
        return self.deviance(
            np.concatenate([_loosened(natural[: self.cuts]), natural[self.cuts :]])
        )


def _loosened(cuts: np.ndarray) -> np.ndarray:
    """Return rising cuts as a first one and logarithms of gaps."""
    return np.concatenate([cuts[:1], np.log(np.diff(cuts))])


def _second_differences(
    function: Callable[[np.ndarray], float], at: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """Return the matrix of second derivatives by `moved`, by central differences."""
    step = 2e-3 * np.eye(len(at))[moved]
    made = np.empty((len(moved), len(moved)))
    for i in range(len(moved)):
        for j in range(i + 1):
            corners = [
                function(at + p * step[i] + q * step[j]) * p * q for p in (1, -1) for q in (1, -1)
            ]
            made[i, j] = made[j, i] = sum(corners) / (4 * 2e-3**2)
    return made
