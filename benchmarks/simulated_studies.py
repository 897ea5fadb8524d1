"""Rater studies drawn from a known truth, for the benchmarks of the statistics.

A vote is 3 plus the method's effect plus normal effects of rater, source, edit, method by rater,
method by source and answer, rounded to 1 to 5. The three questions share half of the variance of
each. Truths are integrals over these normals, exact to some ten digits, not simulated.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from evaluation.stats.long_table import LeftOut
from evaluation.stats.ratings import Ratings

QUESTIONS = ("alignment", "fidelity", "quality")
METHODS = ("a", "b", "c")
EFFECTS = np.array([0.0, 0.3, 0.6])  # of the methods, where they differ
HALO = 0.5  # share of every variance that the questions have in common
RATER, SOURCE, EDIT = 0.4, 0.6, 0.4  # deviations, in points
METHOD_RATER, METHOD_SOURCE, ANSWER = 0.25, 0.35, 0.8
EDGES = np.array([1.5, 2.5, 3.5, 4.5])  # between grades


class Design(NamedTuple):
    """Who rates what: `seen` sources a rater; if 0, `votes` an item and no edit twice a rater."""

    raters: int
    sources: int
    edits: int
    seen: int = 0
    votes: int = 0


DESIGNS = {
    "24 raters x 30 sources": Design(24, 30, 30, seen=15),
    "100 raters x 30 sources": Design(100, 30, 30, seen=15),
    "12 raters x 29 sources x 127 edits": Design(12, 29, 127, votes=2),
}


class Panel(NamedTuple):
    """The raters of a study: effects (questions, raters) and (questions, raters x methods)."""

    bias: np.ndarray
    taste: np.ndarray


class Study(NamedTuple):
    """Index arrays (votes,) and the votes before the methods' effects (questions, votes)."""

    rater: np.ndarray
    source: np.ndarray
    edit: np.ndarray
    method: np.ndarray
    latent: np.ndarray
    sizes: tuple[int, int, int]  # raters, sources, edits

    def ratings(self, effects: np.ndarray) -> Ratings:
        """Return the ratings of methods with these effects."""
        value = np.clip(np.rint(self.latent + effects[self.method]), 1, 5)
        questions, votes = value.shape
        raters, sources, edits = self.sizes
        source = np.zeros(edits, np.int64)
        source[self.edit] = self.source
        return Ratings(
            np.tile(self.rater, questions), np.tile(self.edit, questions),
            np.tile(self.method, questions), np.repeat(np.arange(questions), votes),
            value.ravel(), source, _names("r", raters), _names("s", sources), _names("e", edits),
            METHODS, QUESTIONS, (1.0, 5.0), True, LeftOut(0, 0),
        )  # fmt: skip


def draw_panel(design: Design, rng: np.random.Generator) -> Panel:
    """Return raters."""
    taste = METHOD_RATER * _effects(design.raters * len(METHODS), rng)
    return Panel(RATER * _effects(design.raters, rng), taste)


def draw_study(design: Design, panel: Panel, rng: np.random.Generator, times: int = 1) -> Study:
    """Return a study of these raters; `times` as many sources, edits and votes a rater."""
    grown = design._replace(
        sources=design.sources * times, edits=design.edits * times, seen=design.seen * times
    )
    rater, edit, method = _layout(grown, rng)
    source, many = edit % grown.sources, len(METHODS)
    latent = 3 + panel.bias[:, rater] + panel.taste[:, rater * many + method]
    latent += SOURCE * _effects(grown.sources, rng)[:, source]
    latent += EDIT * _effects(grown.edits, rng)[:, edit]
    latent += METHOD_SOURCE * _effects(grown.sources * many, rng)[:, source * many + method]
    latent += ANSWER * _effects(len(rater), rng)
    sizes = grown.raters, grown.sources, grown.edits
    return Study(rater, source, edit, method, latent, sizes)


def true_mos(effect: float) -> float:
    """Return the mean grade of a method over all raters, sources, edits and answers."""
    total = _norm(RATER, SOURCE, EDIT, METHOD_RATER, METHOD_SOURCE, ANSWER)
    return float(_grades(np.array([3 + effect]), total)[0] @ np.arange(1, 6))


def true_superiority(a: float, b: float, kind: str) -> float:
    """Return P(B > A) + P(tie) / 2 of two votes on one edit, of one rater or of two."""
    shared = _norm(SOURCE, EDIT, RATER if kind == "within" else 0.0)
    own = _norm(METHOD_RATER, METHOD_SOURCE, ANSWER, 0.0 if kind == "within" else RATER)
    node, weight = _normal_nodes()
    first, second = (_grades(3 + effect + shared * node, own) for effect in (a, b))
    below = first.cumsum(axis=1) - first / 2
    return float(weight @ (second * below).sum(axis=1))


def true_vote_success(effect: float) -> float:
    """Return the share of raters' answers that are 3 or more on all three questions."""
    total = _norm(RATER, SOURCE, EDIT, METHOD_RATER, METHOD_SOURCE, ANSWER)
    node, weight = _normal_nodes()
    centre = 3 + effect - 2.5 + HALO**0.5 * total * node
    return float(weight @ ndtr(centre / ((1 - HALO) ** 0.5 * total)) ** len(QUESTIONS))


def _layout(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return rater, edit and method of each vote."""
    if design.seen:
        order = np.argsort(rng.random((design.raters, design.edits)), axis=1)
        edit = np.repeat(order[:, : design.seen].ravel(), len(METHODS))
        rater = np.repeat(np.arange(design.raters), design.seen * len(METHODS))
        return rater, edit, np.tile(np.arange(len(METHODS)), len(edit) // len(METHODS))
    order = np.argsort(rng.random((design.edits, design.raters)), axis=1)
    edit, place = (axis.ravel() for axis in np.indices((design.edits, design.votes * len(METHODS))))
    return order[edit, place], edit, place // design.votes


def _effects(size: int, rng: np.random.Generator) -> np.ndarray:
    """Return standard normals (questions, size) that share a part."""
    own = rng.normal(size=(len(QUESTIONS), size))
    return np.asarray(HALO**0.5 * rng.normal(size=size) + (1 - HALO) ** 0.5 * own)


def _grades(centre: np.ndarray, deviation: float) -> np.ndarray:
    """Return the probability of each grade (n, 5) of rounded normals."""
    upto = ndtr((EDGES - centre[:, None]) / deviation)
    return np.diff(upto, prepend=0.0, append=1.0, axis=1)


def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    return node, weight / weight.sum()


def _norm(*deviations: float) -> float:
    return float(np.sqrt(np.square(deviations).sum()))


def _names(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number}" for number in range(count))
