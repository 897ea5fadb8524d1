"""Raters with known truth, for the tests of the statistics of ratings."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.stats.ratings import Ratings, Votes, read_ratings, votes_on


class Deviations(NamedTuple):
    """Standard deviations of what makes a vote, in points of the scale."""

    rater: float = 0.4
    source: float = 0.6
    edit: float = 0.4
    method_rater: float = 0.25
    method_source: float = 0.35
    answer: float = 0.8


def complete(raters: int, sources: int, methods: int, edits_each: int = 1) -> dict[str, np.ndarray]:
    """Return a design in which everyone rates everything: index arrays (votes,)."""
    rater, edit, method = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(raters), np.arange(sources * edits_each), np.arange(methods), indexing="ij"
        )
    )
    return {"rater": rater, "source": edit % sources, "edit": edit, "method": method}


def some_of(
    design: dict[str, np.ndarray], share: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return a random share of the votes of a design."""
    keep = rng.random(len(design["rater"])) < share
    return {axis: codes[keep] for axis, codes in design.items()}


def split_items(
    raters: int, sources: int, edits: int, methods: int, votes: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return a design in which no rater sees an edit twice: each item has `votes` raters."""
    order = np.argsort(rng.random((edits, raters)), axis=1)[:, : methods * votes]
    edit, place = (axis.ravel() for axis in np.indices(order.shape))
    return {
        "rater": order.ravel(),
        "source": edit % sources,
        "edit": edit,
        "method": place // votes,
    }


def values(
    design: dict[str, np.ndarray],
    effects: np.ndarray,
    rng: np.random.Generator,
    deviations: Deviations | None = None,
    *,
    rounded: bool = True,
) -> np.ndarray:
    """Return votes (votes,): 3 plus the method's effect and normal deviations, on 1 to 5."""
    given = deviations or Deviations()
    rater, source, edit, method = (design[axis] for axis in ("rater", "source", "edit", "method"))
    methods = len(effects)
    value = 3 + np.asarray(effects, float)[method]
    for deviation, level in (
        (given.rater, rater),
        (given.source, source),
        (given.edit, edit),
        (given.method_rater, rater * methods + method),
        (given.method_source, source * methods + method),
    ):
        value = value + deviation * rng.normal(size=level.max() + 1)[level]
    value = value + given.answer * rng.normal(size=len(rater))
    return np.clip(np.rint(value), 1, 5) if rounded else value


def long_table(design: dict[str, np.ndarray], **by_question: np.ndarray) -> pd.DataFrame:
    """Return the long table of a design with the votes on each question."""
    letters = {"rater": "r", "source": "s", "edit": "e", "method": "m"}
    columns = {
        axis: [f"{letters[axis]}{code:03d}" for code in codes] for axis, codes in design.items()
    }
    parts = [
        pd.DataFrame({**columns, "question": question, "value": value})
        for question, value in by_question.items()
    ]
    return pd.concat(parts, ignore_index=True)


def votes_of(design: dict[str, np.ndarray], value: np.ndarray) -> Votes:
    """Return votes of this design on quality; raters have the design's numbers."""
    ratings = read_ratings(long_table(design, quality=value))
    return votes_on(ratings, "quality")._replace(rater=numbered(ratings)[ratings.rater])


def numbered(ratings: Ratings) -> np.ndarray:
    """Return the number in the name of each rater of `long_table`."""
    return np.array([int(name.removeprefix("r")) for name in ratings.raters])


def small() -> Votes:
    """Return nine votes worked out by hand.

    Edits 0, 1 of source 0; edit 2 of source 1; edit 3 of source 2 has method 0 only.
    Method 0: edit 0 votes 2 (r0), 4 (r1); edit 1 vote 3 (r0); edit 2 vote 1 (r1); edit 3 vote 5.
    Method 1: edit 0 vote 4 (r0); edit 1 vote 3 (r1); edit 2 votes 5 (r0), 2 (r1).
    """
    rows = [
        (0, 0, 0, 0, 2),
        (1, 0, 0, 0, 4),
        (0, 0, 1, 0, 3),
        (1, 1, 2, 0, 1),
        (0, 2, 3, 0, 5),
        (0, 0, 0, 1, 4),
        (1, 0, 1, 1, 3),
        (0, 1, 2, 1, 5),
        (1, 1, 2, 1, 2),
    ]
    rater, source, edit, method, value = np.array(rows).T
    return Votes(rater, source, edit, method, value.astype(float), 2, 3, 4, 2)
