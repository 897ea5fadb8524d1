"""Simulated raters through the real flow and store: balance, truth, and the flag they bear."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from small_study import METHODS, PLAN, study
from sqlalchemy import delete, event, select

from study_app.allocation import votes_per_cell
from study_app.declaration import Running
from study_app.enrollment import EntryLink, enroll
from study_app.simulated_raters import Crowd, method_merit, simulate
from study_app.store.database import Database
from study_app.store.tables import Answer, Playback, Rater, Trial

MEANS = {"a": 2.5, "b": 3.0, "c": 3.5}


def run(database: Database, crowd: Crowd, seed: int = 0, **changes: str) -> Running:
    running = Running(study(**changes), PLAN, database)
    simulate(running, crowd, method_merit(running, MEANS), seed=seed)
    return running


def means(running: Running) -> dict[str, float]:
    """Mean answer by method over the ratings in the store."""
    found = defaultdict(list)
    with running.database.reading() as session:
        rows = session.execute(
            select(Trial.item, Answer.value).join(Answer).where(Trial.kind == "rating")
        )
        for key, value in rows:
            found[running.plan.by_key[key].methods[0]].append(value)
    return {method: float(np.mean(values)) for method, values in found.items()}


@pytest.mark.slow
def test_what_raters_think_is_what_the_store_says(database: Database) -> None:
    """72 clips, 10 votes each, deviations of .5 between clips: means to within 0.3."""
    crowd = Crowd(raters=90, careless=0, drop_out=0)
    found = means(run(database, crowd, **{"votes: 5": "votes: 10"}))
    assert found == pytest.approx(MEANS, abs=0.3)
    assert found["a"] < found["b"] < found["c"]


@pytest.mark.slow
def test_every_simulated_rater_says_so(database: Database) -> None:
    running = run(database, Crowd(raters=5))
    with running.database.reading() as session:
        assert all(rater.simulated for rater in session.scalars(select(Rater)))
        assert len(session.scalars(select(Rater)).all()) == 5


@pytest.mark.slow
def test_the_same_seed_is_the_same_study(database: Database) -> None:
    crowd = Crowd(raters=12, drop_out=0.3)
    first = means(run(database, crowd, seed=1))
    with database.writing() as session:
        for table in (Answer, Playback, Trial, Rater):
            session.execute(delete(table))
    assert means(run(database, crowd, seed=1)) == first
    assert means(run(database, crowd, seed=2)) != first


@pytest.fixture
def hasty(database: Database) -> Database:
    """A store that does not wait for the disk."""
    if database.is_sqlite:
        event.listen(database.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        database.engine.dispose()
    return database


@pytest.mark.slow
def test_votes_of_a_thousand_raters_stay_together_though_a_fifth_leave(hasty: Database) -> None:
    """Until a quota closes, votes that are given or being given differ by at most one or two.

    1,000 raters of nine trials, a fifth of whom leave: 72 cells want 100 votes each, on PostgreSQL
    a fifth of both. What those who left held is dealt out again; the study closes with every cell
    at its quota.
    """
    share = 1 if hasty.is_sqlite else 5
    crowd = Crowd(raters=1000 // share, drop_out=0.2, between=40)
    wanted = f"votes: {100 // share}"
    running = run(hasty, crowd, **{"votes: 5": wanted, "lease_minutes: 60": "lease_minutes: 20"})
    with hasty.reading() as session:
        counts = votes_per_cell(session, PLAN)
        places = Counter(
            (trial.place, running.plan.by_key[trial.item].methods[0])
            for trial in session.scalars(select(Trial))
            if trial.kind == "rating" and trial.state == "rated"
        )
    assert max(counts.values()) - min(counts.values()) <= 1
    shares = np.array([[places[place, m] for m in METHODS] for place in range(3, 12)])
    assert (np.ptp(shares, axis=1) / shares.mean(axis=1)).max() < 0.2, "checks stand in between"


def test_who_comes_again_is_known_and_foreign_links_are_not(database: Database) -> None:
    codes = {"kind: open": "kind: prolific", "completion_code: null": "completion_code: C1"}
    running = Running(study(**codes), PLAN, database)
    first = enroll(running, EntryLink(platform_id=f"{1:024x}", session="S1"), 1)
    again = enroll(running, EntryLink(platform_id=f"{1:024x}", session="S2"), 2)
    assert first and again and first.id == again.id
    by_link = enroll(running, EntryLink(token=first.token), 3)
    assert by_link and by_link.id == first.id
    assert enroll(running, EntryLink(), 4) is None, "Prolific always says who comes"
    assert enroll(running, EntryLink(token="guess"), 5) is None
    assert enroll(running, EntryLink(platform_id="x" * 5000), 6) is None
    assert len(first.token) >= 32
    other = enroll(running, EntryLink(platform_id=f"{2:024x}", language="xx"), 7)
    assert other and other.language == "en" and other.token != first.token


@pytest.mark.slow
def test_simulated_raters_who_find_no_place_leave(database: Database) -> None:
    """72 cells of one vote are eight lists of nine: of 15 raters eight finish, and it ends."""
    running = Running(study(**{"votes: 5": "votes: 1"}), PLAN, database)
    crowd = Crowd(raters=15, careless=0, drop_out=0)
    assert simulate(running, crowd, method_merit(running, {})) == 8
