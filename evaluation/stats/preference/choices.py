"""The likelihood of choices between pairs (see `strengths`): counts, existence, Newton's method.

Parameters, in this order: strengths of all methods but the last (whose is 0), the bias b if it is
fitted, log v if there are ties. Outcomes: left, tie, right. Each outcome's utility is linear in
the parameters, so this is a multinomial logit with one row of features an outcome.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse

from dreamix.core.errors import UserError

STEPS = 100
LONGEST = 1.0  # step of a parameter; keeps the first steps sane
FAR = 20.0  # a parameter this large means that there is no maximum


class Choices(NamedTuple):
    """Choices counted by ordered pair of methods."""

    counts: np.ndarray  # float (pairs, 3): left, tie, right
    features: np.ndarray  # float (pairs, 3, parameters)
    pairs: np.ndarray  # int (pairs, 2): method left, method right
    pair: np.ndarray  # int (choices,), into pairs
    column: np.ndarray  # int (choices,): 0 left, 1 tie, 2 right
    methods: int
    position: bool
    ties: bool


def count_choices(
    left: np.ndarray,
    right: np.ndarray,
    outcome: np.ndarray,
    methods: Sequence[str],
    *,
    position: bool,
) -> Choices:
    """Return choices counted, checked: UserError if there are none or one is not a choice."""
    left, right, outcome = (np.asarray(column) for column in (left, right, outcome))
    if not len(left) or not len(left) == len(right) == len(outcome):
        raise UserError(f"need choices, got {len(left)} left, {len(right)} right, {len(outcome)}")
    if strange := set(np.unique(outcome).tolist()) - {-1, 0, 1}:
        raise UserError(f"a choice is -1 (left), 0 (no difference) or 1 (right), not {strange}")
    if (left == right).any():
        raise UserError(f"{int((left == right).sum())} choices are between a method and itself")
    many = len(methods)
    keys, pair = np.unique(left * many + right, return_inverse=True)
    pairs, column = np.stack(np.divmod(keys, many), axis=1), outcome.astype(np.int64) + 1
    counts = np.bincount(pair * 3 + column, minlength=3 * len(pairs)).reshape(-1, 3)
    ties = bool(counts[:, 1].any())
    features = _features(pairs, many, position, ties)
    return Choices(counts.astype(float), features, pairs, pair, column, many, position, ties)


def check_estimable(choices: Choices, methods: Sequence[str]) -> None:
    """Raise UserError, one line, where the likelihood has no single finite maximum."""
    _refuse_islands(choices, methods)
    _refuse_always(choices, methods)
    gains = _gains(choices)
    if np.linalg.matrix_rank(gains.T @ gains) < choices.features.shape[2]:
        raise UserError(
            "the favoured side cannot be told from the strengths: pairs are shown one way round; "
            "fit without position"
        )
    # Is there a direction in which no choice becomes less likely, and some more?
    search = optimize.linprog(
        -gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=(-1, 1)
    )
    if -search.fun > 1e-7:
        raise UserError(
            "choices are too consistent for finite strengths: the likelihood grows without end; "
            "collect more choices or fit fewer parameters"
        )


def newton(choices: Choices, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the maximum-likelihood parameters (n, parameters) and log-likelihoods (n,).

    counts: float (n, pairs, 3), n data sets with these pairs. NaN where there is no finite maximum.

    Raises:
        RuntimeError: for a single data set without one, as `check_estimable` should have told.
    """
    n, size = len(counts), choices.features.shape[2]
    found, active = np.zeros((n, size)), np.arange(n)
    done = np.zeros(n, bool)
    for _ in range(STEPS):
        # One step of all data sets that have not come to rest, none too long.
        step = _newton_step(choices, counts[active], found[active])
        longest = np.abs(step).max(axis=1, keepdims=True)
        found[active] += step * np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300))
        done[active] = longest[:, 0] < 1e-11
        active = active[~done[active] & (np.abs(found[active]).max(axis=1) < FAR)]
        if not len(active):
            break
    if n == 1 and not done[0]:
        raise RuntimeError("Newton's method did not converge")
    found[~done] = np.nan
    log_p = log_probability(choices, found)
    return found, (counts * np.where(counts > 0, log_p, 0.0)).sum(axis=(1, 2))


def _newton_step(choices: Choices, counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    # Slope: features seen less features expected.
    p = probability(choices, at)
    total = counts.sum(axis=2)
    slope = np.einsum("nko,koi->ni", counts - total[:, :, None] * p, choices.features)
    mean = np.einsum("nko,koi->nki", p, choices.features)

    # Curvature: covariance of the features, by pair.
    outer = choices.features[..., :, None] * choices.features[..., None, :]
    curve = np.einsum("nko,koij->nij", total[:, :, None] * p, outer)
    curve -= np.einsum("nk,nki,nkj->nij", total, mean, mean)
    curve += 1e-10 * np.eye(curve.shape[1])  # a resample may lack a method
    return np.asarray(np.linalg.solve(curve, slope[..., None])[..., 0])


def probability(choices: Choices, at: np.ndarray) -> np.ndarray:
    """Return the probabilities of the outcomes at parameters (n, parameters): (n, pairs, 3)."""
    return np.exp(log_probability(choices, at))


def log_probability(choices: Choices, at: np.ndarray) -> np.ndarray:
    """Return the logarithms of `probability`; minus infinity for ties where there are none."""
    utility = np.einsum("koi,ni->nko", choices.features, at)
    if not choices.ties:
        utility[:, :, 1] = -np.inf
    top = utility.max(axis=2, keepdims=True)
    shifted = np.exp(utility - top)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(shifted / shifted.sum(axis=2, keepdims=True)))


def _features(pairs: np.ndarray, many: int, position: bool, ties: bool) -> np.ndarray:
    rows = np.arange(len(pairs))
    d = np.zeros((len(pairs), many + position))
    d[rows, pairs[:, 0]] += 1
    d[rows, pairs[:, 1]] -= 1
    d[:, many:] = 1
    d = np.delete(d, many - 1, axis=1)
    features = np.zeros((len(pairs), 3, d.shape[1] + ties))
    features[:, 0, : d.shape[1]], features[:, 2, : d.shape[1]] = d / 2, -d / 2
    features[:, 1, d.shape[1] :] = 1
    return features


def _gains(choices: Choices) -> np.ndarray:
    """Return the features of each outcome that occurred less those of each that could have."""
    could = (0, 1, 2) if choices.ties else (0, 2)
    rows = [
        choices.features[pair, seen] - choices.features[pair, other]
        for pair, seen in np.argwhere(choices.counts > 0)
        for other in could
        if other != seen
    ]
    return np.array(rows)


def _refuse_islands(choices: Choices, methods: Sequence[str]) -> None:
    shape = (choices.methods, choices.methods)
    links = sparse.coo_matrix((np.ones(len(choices.pairs)), choices.pairs.T), shape)
    many, island = sparse.csgraph.connected_components(links, directed=False)
    if many > 1:
        groups = [
            ", ".join(name for name, at in zip(methods, island, strict=True) if at == group)
            for group in range(many)
        ]
        raise UserError(f"no choice links these groups of methods: {' | '.join(groups)}")


def _refuse_always(choices: Choices, methods: Sequence[str]) -> None:
    """Ford's condition: no set of methods wins every choice against the others."""
    left, right = choices.pairs.T
    won, tied, lost = choices.counts.T > 0
    beats = np.zeros((choices.methods, choices.methods))
    beats[left[won | tied], right[won | tied]] = 1
    beats[right[lost | tied], left[lost | tied]] = 1
    many, group = sparse.csgraph.connected_components(sparse.csr_matrix(beats), connection="strong")
    for at in range(many if many > 1 else 0):
        inside = group == at
        names = ", ".join(name for name, member in zip(methods, inside, strict=True) if member)
        if not beats[~inside][:, inside].any():
            raise UserError(f"{names} always wins against the others: no finite strength")
