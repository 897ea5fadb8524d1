"""Who rates what: balance of votes, methods, places and sources, also when raters drop out."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from study_app.design import DesignCell, method_order, next_block, williams_rows

METHODS = ("dreamix", "plug-and-play", "text-to-video")


def cells(sources: int = 29, methods: tuple[str, ...] = METHODS) -> list[DesignCell]:
    """As many edits a source as Toybox has: five of every eleventh part, four of the rest."""
    return [
        DesignCell(f"s{source:02}", f"s{source:02}_{edit}", method)
        for source in range(sources)
        for edit in range(5 if source < 11 else 4)
        for method in methods
    ]


@pytest.mark.parametrize("count", range(2, 9))
def test_every_method_stands_everywhere_and_follows_every_other_equally_often(count: int) -> None:
    """The two properties that define the design (Williams 1949)."""
    rows = williams_rows(count)
    assert all(sorted(row) == list(range(count)) for row in rows)
    places = Counter((place, method) for row in rows for place, method in enumerate(row))
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert len(places) == count**2 and len(set(places.values())) == 1
    assert len(follows) == count * (count - 1) and len(set(follows.values())) == 1


def test_lists_begin_one_row_further_each() -> None:
    orders = [method_order(3, 6, number) for number in range(6)]
    assert [order[3:] for order in orders[:5]] == [order[:3] for order in orders[1:]]


class Study:
    """A study in memory: lists are dealt out, finished or left."""

    def __init__(self, length: int, quota: int, seed: int = 0) -> None:
        self.votes, self.done = dict.fromkeys(cells(), 0), dict.fromkeys(cells(), 0)
        self.length, self.quota, self.number = length, quota, 0
        self.rng = np.random.default_rng(seed)
        self.places: Counter[tuple[int, str]] = Counter()

    def deal(self) -> list[DesignCell]:
        block = next_block(
            self.votes, quota=self.quota, length=self.length, number=self.number, rng=self.rng
        )
        self.number += 1
        for cell in block:
            self.votes[cell] += 1
        return block

    def finish(self, block: list[DesignCell], rated: int) -> None:
        """The rater leaves after `rated` trials; the rest may be given to others again."""
        for place, cell in enumerate(block):
            if place < rated:
                self.done[cell] += 1
                self.places[place, cell.method] += 1
            else:
                self.votes[cell] -= 1


def spread(votes: dict[DesignCell, int]) -> int:
    return max(votes.values()) - min(votes.values())


def test_without_drop_out_votes_never_differ_by_more_than_one() -> None:
    study = Study(length=24, quota=10**6)
    for _ in range(100):
        block = study.deal()
        assert len({cell.source for cell in block}) == len(block) == 24, "a source once a list"
        assert set(Counter(cell.method for cell in block).values()) == {8}
        assert spread(study.votes) <= 1


@pytest.mark.slow
def test_a_thousand_raters_of_whom_a_fifth_drop_out() -> None:
    """Twenty rate at a time. Holes are filled by those who come next until every quota is full.

    1,000 raters of 24 trials with 10% lost give 381 cells 56 votes; the quota of 40 closes before.
    """
    study, live = Study(length=24, quota=40), []
    lists: list[list[DesignCell]] = []
    while block := study.deal():
        lists.append(block)
        live.append(block)
        if len(live) == 20:
            leaving = live.pop(study.rng.integers(20))
            stays = study.rng.random() > 0.2
            study.finish(leaving, len(leaving) if stays else int(study.rng.integers(len(leaving))))
        assert max(study.votes.values()) - min(study.votes.values()) <= 2
    for block in live:
        study.finish(block, len(block))
    assert len(lists) < 1000
    assert set(study.done.values()) == {40}
    uneven = [block for block in lists if len(set(Counter(c.method for c in block).values())) > 1]
    assert len(uneven) / len(lists) < 0.03, "lists depart from the design to fill holes only"
    shares = np.array([[study.places[place, m] for m in METHODS] for place in range(24)])
    assert (np.ptp(shares, axis=1) / shares.mean(axis=1) < 0.15).all(), "methods by place"


def test_a_closed_study_gives_nothing_and_a_nearly_closed_one_what_is_left() -> None:
    study = Study(length=24, quota=1)
    study.votes = dict.fromkeys(study.votes, 1)
    assert study.deal() == []
    some = [cell for cell in cells() if cell.source in ("s00", "s01")][:4]
    study.votes |= dict.fromkeys(some, 0)
    assert {cell.source for cell in study.deal()} <= {"s00", "s01"}


def test_a_list_depends_on_its_votes_number_and_seed_alone() -> None:
    def deal() -> list[DesignCell]:
        votes = dict.fromkeys(reversed(cells()), 0)
        return next_block(votes, quota=3, length=20, number=4, rng=np.random.default_rng(7))

    assert deal() == deal()
    votes = dict.fromkeys(cells(), 0)
    other = next_block(votes, quota=3, length=20, number=4, rng=np.random.default_rng(7))
    assert other == deal(), "nor on the order in which the cells are kept"
