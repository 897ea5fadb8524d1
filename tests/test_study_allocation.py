"""Lists are dealt out of the store: balanced, one at a time, and taken back from who leaves."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from small_study import PLAN, study
from sqlalchemy import select

from study_app.allocation import allocate_list, allocate_training, release_expired, votes_per_cell
from study_app.design import ListPlace, insert_checks
from study_app.spec.study import Study
from study_app.store.database import Database
from study_app.store.tables import Rater, Trial

HOUR = 3_600_000
STUDY = study()


def arrive(database: Database, token: str, now: int = 0, settings: Study = STUDY) -> list[Trial]:
    """A rater comes and is dealt a list."""
    with database.writing(alone=True) as session:
        rater = Rater(
            token=token,
            platform="open",
            simulated=True,
            language="en",
            screen="trials",
            quiz_failures=0,
            created=now,
            seen=now,
        )
        session.add(rater)
        session.flush()
        training = allocate_training(session, PLAN, rater)
        assert [trial.kind for trial in training] == ["training", "training"]
        for trial in training:
            trial.state = "rated"
        return allocate_list(session, settings, PLAN, rater, now)


def spread(database: Database) -> int:
    with database.reading() as session:
        counts = votes_per_cell(session, PLAN).values()
    return max(counts) - min(counts)


def finish(database: Database, trials: list[Trial], now: int) -> None:
    with database.writing() as session:
        for trial in trials:
            session.get_one(Trial, trial.id).state = "rated"
        session.get_one(Rater, trials[0].rater_id).finished = now


def test_a_list_has_ratings_checks_and_a_repetition(database: Database) -> None:
    trials = arrive(database, "one")
    kinds = Counter(trial.kind for trial in trials)
    assert kinds == {"rating": 9, "trap": 1, "gold": 1, "repeat": 1}
    assert [trial.place for trial in trials] == list(range(2, 14)), "behind the training"
    rated = [PLAN.by_key[trial.item] for trial in trials if trial.kind == "rating"]
    assert len({found.video for found in rated}) == 9, "each source once"
    assert set(Counter(found.methods for found in rated).values()) == {3}
    assert {PLAN.by_key[t.item].language for t in trials if t.kind == "trap"} == {"en"}


@pytest.mark.slow
def test_raters_who_come_at_once_are_dealt_lists_one_after_the_other(database: Database) -> None:
    """Forty raters from eight threads: numbers are 0 to 39, votes differ by at most one."""
    with ThreadPoolExecutor(8) as pool:
        lists = list(
            pool.map(
                lambda i: arrive(database, f"r{i}", 0, study(**{"votes: 5": "votes: 9"})), range(40)
            )
        )
    assert all(lists)
    with database.reading() as session:
        assert sorted(session.scalars(select(Rater.number))) == list(range(40))
    assert spread(database) <= 1


def test_what_a_silent_rater_held_goes_to_others(database: Database) -> None:
    """A lease is an hour after the last sign of life; what was rated stays."""
    gone = arrive(database, "gone")
    finish(database, gone[:1], 0)
    with database.writing() as session:
        session.get_one(Rater, gone[0].rater_id).finished = None
        assert release_expired(session, STUDY, HOUR) == 0
        assert release_expired(session, STUDY, HOUR + 1) == len(gone) - 1
    left = {trial.item for trial in gone[1:] if trial.kind == "rating"}
    for number in range(8):
        arrive(database, f"next{number}", HOUR + 1)
    with database.reading() as session:
        counts = votes_per_cell(session, PLAN)
    assert all(counts[PLAN.by_key[key].cell] == 1 for key in left)


def test_a_sign_of_life_from_a_clock_that_went_ahead_holds_no_list(database: Database) -> None:
    """Somebody came while the clock was a year ahead: an hour after it is right again, no more."""
    year = 365 * 24 * HOUR
    gone = arrive(database, "gone", year)
    with database.writing() as session:
        assert release_expired(session, STUDY, HOUR) == 0
        assert release_expired(session, STUDY, 2 * HOUR) == 0
        assert release_expired(session, STUDY, 2 * HOUR + 1) == len(gone)


def test_votes_of_a_rejected_rater_are_given_again(database: Database) -> None:
    trials = arrive(database, "bad")
    finish(database, trials, 1)
    with database.writing() as session:
        assert sum(votes_per_cell(session, PLAN).values()) == 9
        session.get_one(Rater, trials[0].rater_id).rejected = 2
        assert sum(votes_per_cell(session, PLAN).values()) == 0


@pytest.mark.parametrize(
    ("changes", "lists"),
    [({"votes: 5": "votes: 1"}, 8), ({"raters: null": "raters: 3"}, 3)],
)
def test_a_study_closes_when_it_has_what_it_wants(
    database: Database, changes: dict[str, str], lists: int
) -> None:
    """72 cells of one vote by lists of nine are eight; three raters are three."""
    settings = study(**changes)
    dealt = [arrive(database, f"r{i}", 0, settings) for i in range(lists + 2)]
    assert [bool(trials) for trials in dealt] == [True] * lists + [False] * 2


def test_the_same_arrivals_are_dealt_the_same_lists(database: Database) -> None:
    found = [[trial.item for trial in arrive(database, f"r{i}")] for i in range(3)]
    with database.writing() as session:
        for table in (Trial, Rater):
            for row in session.scalars(select(table)):
                session.delete(row)
    assert [[trial.item for trial in arrive(database, f"s{i}")] for i in range(3)] == found


def test_repetitions_are_far_from_the_first_time_and_checks_are_inside() -> None:
    for seed in range(200):
        places = insert_checks(
            [str(i) for i in range(20)],
            checks=[ListPlace("trap", "t"), ListPlace("gold", "g")],
            repeats=2,
            rng=np.random.default_rng(seed),
        )
        assert [p.item for p in places if p.kind == "rating"] == [str(i) for i in range(20)]
        assert {places[0].kind, places[-1].kind} <= {"rating", "repeat"}
        for repeat in (place for place in places if place.kind == "repeat"):
            assert places.index(repeat) - places.index(ListPlace("rating", repeat.item)) > 5
