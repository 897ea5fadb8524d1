"""How votes are spread: mean votes of edits, and shares of the grades."""

import numpy as np
import pandas as pd

from evaluation.stats.intervals import Interval, ratio
from evaluation.stats.ratings import item_scores, votes_on
from reports.parts import Drawing, Part
from reports.people.outcome import People
from reports.people.own_edits import drawn_on_own
from reports.people.plots_votes import Spread, Spreads, shares_figure, violins_figure
from reports.subjects import subject
from reports.wording import listed


@subject("votes", "raters", after="panel")
def votes_part(people: People) -> Part:
    """Return violins of items' mean votes and shares of the grades, by method and question."""
    spreads = {name: _spreads(people, name) for name in people.questions}
    return Part(
        id="votes",
        title="How votes are spread",
        drawings=(_violins(people, spreads), _shares(people, spreads)),
        frames=(("vote_shares", _share_frame(people, spreads)), ("item_mos", _item_frame(people))),
    )


def grades_of(people: People) -> np.ndarray:
    """Return the whole points of the scale, and any vote between them: float (grades,)."""
    low, high = people.kept.ratings.scale
    return np.union1d(np.arange(low, high + 1), people.kept.ratings.value)


def _spreads(people: People, question: str) -> dict[str, Spread]:
    """Return every method's items, MOS and shares on one question."""
    votes, grades = votes_on(people.kept.common, question), grades_of(people)
    items, scores = item_scores(votes), people.kept.scores[question]
    found = {}
    for name in people.methods:
        at = people.kept.ratings.methods.index(name)
        mos = Interval(*(float(a[at]) for a in (scores.low, scores.mos, scores.high)))
        own = votes.value[votes.method == at]
        counts = (own[:, None] == grades).sum(axis=0)
        shares = np.nan_to_num(ratio(counts, np.full(len(grades), len(own))))
        found[name] = Spread(items.mos[items.method == at], mos, shares)
    return found


def _violins(people: People, spreads: Spreads) -> Drawing:
    return Drawing(
        "item_mos",
        violins_figure(spreads, people.kept.ratings.scale, people.look),
        f"Violins of the mean votes of edits by every method on {listed(people.questions)}.",
        "How the mean votes of edits are spread: their density between the lowest and the highest "
        "(Gaussian kernel, every violin of the same height), and a thick bar from the first to the "
        "third quartile. Mark and thin line: the method's mean opinion score, every source video "
        f"counting alike, with its {100 * people.how.confidence:g}% interval."
        f"{drawn_on_own(people, people.questions)}",
    )


def _shares(people: People, spreads: Spreads) -> Drawing:
    threshold = people.kept.success.threshold
    return Drawing(
        "vote_shares",
        shares_figure(spreads, grades_of(people), threshold),
        f"Bars of the shares of every vote by method on {listed(people.questions)}.",
        "Shares of the grades in percent, every vote counting alike. Right of the line: votes "
        f"above {threshold:g}, the threshold of success. Shares below 5% have no number."
        + drawn_on_own(people, people.questions),
    )


def _share_frame(people: People, spreads: Spreads) -> pd.DataFrame:
    rows = [
        {"question": question, "method": name, "vote": float(grade), "share": float(share)}
        for question, by_method in spreads.items()
        for name, spread in by_method.items()
        for grade, share in zip(grades_of(people), spread.shares, strict=True)
    ]
    return pd.DataFrame(rows)


def _item_frame(people: People) -> pd.DataFrame:
    """Return a row for every item and question."""
    ratings = people.kept.ratings
    parts = []
    for question in people.questions:
        items = item_scores(votes_on(ratings, question), confidence=people.how.confidence)
        columns = items._asdict() | {
            "edit": np.array(ratings.edits)[items.edit],
            "method": np.array(ratings.methods)[items.method],
            "source": np.array(ratings.sources)[items.source],
        }
        parts.append(pd.DataFrame({"question": question} | columns))
    return pd.concat(parts, ignore_index=True)
