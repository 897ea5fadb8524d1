"""Votes where they decide most: intervals that hold at every look, lists without the decided."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as distributions
from small_study import METHODS, PLAN, study, study_text
from sqlalchemy import select
from study_people import opened_in

from dreamix.core.errors import UserError
from evaluation.stats.ratings import (
    Course,
    RaterVotes,
    StoppingRule,
    courses,
    open_methods,
    sequence_bounds,
)
from reports.people.export import read_export
from reports.people.outcome import people_of
from reports.people.stopping import stopping_part
from reports.summary import IntervalSettings
from study_app.adaptive import course_lines, rater_votes, study_courses
from study_app.allocation import has_room
from study_app.declaration import Running, declared_hash
from study_app.export.writing import ExportSummary, export
from study_app.open_study import refuse_fixed
from study_app.simulated_raters import Crowd, method_merit, simulate
from study_app.spec.study import Study
from study_app.store.database import Database
from study_app.store.tables import Rater, Trial

RULE = "adaptive: {first: 10, planned: 15, alike: 0.6, clips: fixed, questions: [alignment]}\n"


def adaptive(rule: str = RULE, **changes: str) -> Study:
    return study(**{"votes: 5": "votes: 60", "exclusion:\n": f"{rule}exclusion:\n", **changes})


def one_vote(table: np.ndarray) -> RaterVotes:
    """Each rater's one vote on each method, of one source."""
    return RaterVotes(np.ones_like(table)[..., None], table[..., None], (table**2)[..., None])


class TestSequence:
    def test_ends_by_hand(self) -> None:
        """After 2, 4: mean 3, s sqrt(2); q for a .05, t0 10: (5.9915 + log 6.9915) / 10 = .7936."""
        low, high = sequence_bounds(np.array([2.0, 4.0]), 0.05, 10)
        q = (5.991465 + np.log(6.991465)) / 10
        half = 2**0.5 * ((2 * q + 1) / (4 * q) * np.log((2 * q + 1) / 0.0025)) ** 0.5
        assert q == pytest.approx(0.7936, abs=1e-4)
        assert (low[1], high[1]) == pytest.approx((3 - half, 3 + half))
        assert np.isnan(low[0])

    def test_it_is_narrowest_near_the_planned_rater(self) -> None:
        """Against a sequence for another time, it is the narrower one near its own."""
        values = np.tile([-1.0, 1.0], 200)
        width = {t0: np.subtract(*sequence_bounds(values, 0.05, t0)[::-1]) for t0 in (20, 200)}
        assert width[20][19] < width[200][19]
        assert width[200][199] < width[20][199]

    @pytest.mark.slow
    def test_looking_at_every_rater_errs_in_a_twentieth_at_most(self) -> None:
        rng, wrong = np.random.default_rng(0), 0
        for _ in range(3000):
            low, high = sequence_bounds(rng.integers(-3, 4, 120) / 3.0, 0.05, 40)
            wrong += bool(((low > 0) | (high < 0))[19:].any())
        assert wrong / 3000 <= 0.05 + 0.012

    def test_pairs_are_decided_at_the_first_look_that_shows_it(self) -> None:
        rng = np.random.default_rng(1)
        base = rng.normal(0, 0.3, 60)
        table = np.stack([base, base + 1, base + 1 + rng.normal(0, 0.1, 60)], axis=1)
        rule = StoppingRule(first=10, planned=20, alike=0.3, clips="fixed")
        ab, ac, bc = courses({"quality": one_vote(table)}, ("a", "b", "c"), rule)
        assert (ab.state, ab.decided_after) == ("different", 10)
        assert ac.state == "different"
        assert bc.state == "alike"
        assert ab.mean == pytest.approx(1)
        assert open_methods([ab, ac, bc], ("a", "b", "c")) == set()

    def test_nothing_is_decided_before_the_first_look(self) -> None:
        table = np.tile([1.0, 5.0], (9, 1)) + np.random.default_rng(0).normal(0, 0.1, (9, 2))
        (one,) = courses({"q": one_vote(table)}, ("a", "b"), StoppingRule(first=10))
        assert (one.state, one.decided_after, one.raters) == ("open", None, 9)
        assert np.isnan(one.low)

    def test_sources_widen_an_interval_about_clips_like_these(self) -> None:
        """Gaps of 1 and 3 on two sources, votes alike within cells: v 2, S 2, t(1) sqrt(2 / 2)."""
        sums = np.tile(np.array([[[1.0, 1.0], [2.0, 4.0]]]), (30, 1, 1))
        votes = RaterVotes(np.ones_like(sums), sums, sums**2)
        (one,) = courses({"q": votes}, ("a", "b"), StoppingRule(first=10))
        assert one.mean == pytest.approx(2)
        half = distributions.t.ppf(1 - 0.025 / 2, 1)  # of a .05, half of it for sources
        assert (one.high - one.low) / 2 == pytest.approx(half)
        (alone,) = courses({"q": votes}, ("a", "b"), StoppingRule(first=10, clips="fixed"))
        assert alone.high - alone.low == 0

    def test_one_source_says_nothing_about_others(self) -> None:
        table = np.tile([1.0, 5.0], (30, 1))
        (one,) = courses({"q": one_vote(table)}, ("a", "b"), StoppingRule(first=10))
        assert (one.state, one.low) == ("open", -np.inf)

    def test_a_method_goes_on_while_any_pair_with_it_is_open(self) -> None:
        def course(a: str, b: str, state: str) -> Course:
            return Course("q", a, b, state, None, 9, 0, 0, 0)  # type: ignore[arg-type]

        found = [
            course("a", "b", "different"),
            course("a", "c", "different"),
            course("b", "c", "open"),
        ]
        assert open_methods(found, ("a", "b", "c")) == {"b", "c"}


class TestStudy:
    def played(self, database: Database, means: dict[str, float], raters: int = 80) -> Running:
        running = Running(adaptive(), PLAN, database)
        crowd = Crowd(raters=raters, careless=0, drop_out=0, bias=0.2, noise=0.5, between=600)
        simulate(running, crowd, method_merit(running, means), seed=1)
        return running

    @pytest.mark.slow
    def test_decided_methods_are_dealt_no_more_and_the_study_ends(self, database: Database) -> None:
        running = self.played(database, {"a": 1.6, "b": 3.6, "c": 3.5})
        with database.reading() as session:
            found = {(one.a, one.b): one for one in study_courses(session, running.study, PLAN)}
            rows = session.execute(
                select(Rater.number, Trial.item).join(Rater, Rater.id == Trial.rater_id)
                .where(Trial.kind == "rating")
            )  # fmt: skip
            dealt: dict[int, set[str]] = {}
            for number, item in rows:
                dealt.setdefault(number, set()).add(PLAN.by_key[item].methods[0])
        assert found["a", "b"].state == found["a", "c"].state == "different"
        first, last = dealt[0], dealt[max(dealt)]
        assert first == set(METHODS)
        assert last == {"b", "c"}, "a was decided against both"
        assert found["b", "c"].raters > found["a", "b"].raters

    @pytest.mark.slow
    def test_when_all_is_decided_nobody_more_is_asked(self, database: Database) -> None:
        running = self.played(database, {"a": 1.6, "b": 3.6, "c": 2.6})
        with database.reading() as session:
            found = study_courses(session, running.study, PLAN)
            finished = len([*session.scalars(select(Rater).where(Rater.finished.is_not(None)))])
            room = has_room(session, running.study, PLAN, 10**13)
        assert {one.state for one in found} == {"different"}
        assert finished < 20, "of the 80 who came"
        assert not room

    def test_a_fixed_study_is_as_it_was(self) -> None:
        assert study().adaptive is None
        assert "adaptive" not in study().model_dump(exclude_defaults=True)

    def test_the_rule_is_part_of_what_is_declared(self) -> None:
        other = RULE.replace("0.6", "0.5")
        hashes = {declared_hash(one, PLAN) for one in (study(), adaptive(), adaptive(other))}
        assert len(hashes) == 3

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            ("adaptive: {first: 3}\n", "greater than or equal to 10|10"),
            ("adaptive: {questions: [beauty]}\n", "beauty|alignment"),
            ("adaptive: {sooner: 3}\n", "sooner"),
        ],
    )
    def test_a_wrong_rule_is_told_by_line(self, rule: str, why: str) -> None:
        with pytest.raises(UserError, match=why):
            adaptive(rule)

    def test_pairs_cannot_be_dealt_so(self) -> None:
        with pytest.raises(UserError, match="pairs cannot"):
            adaptive(**{"design: absolute": "design: pairwise"})

    def test_serving_adaptively_needs_the_declaration(self, tmp_path: Path) -> None:
        (tmp_path / "study.yaml").write_text(study_text())
        with pytest.raises(UserError, match="does not declare `adaptive:`"):
            refuse_fixed(tmp_path)


def exported(running: Running, database: Database, tmp_path: Path) -> ExportSummary:
    folder = tmp_path / "study"
    folder.mkdir()
    opened = opened_in(folder, database, running.study)
    text = study_text(**{"exclusion:\n": f"{RULE}exclusion:\n"})
    (folder / "study.yaml").write_text(text)
    return export(opened, tmp_path / "out", 10**12)


class TestExport:
    def test_how_pairs_stand_goes_into_the_export(self, database: Database, tmp_path: Path) -> None:
        running = Running(adaptive(), PLAN, database)
        crowd = Crowd(raters=14, careless=0, drop_out=0, between=900)
        simulate(running, crowd, method_merit(running, {"a": 2, "b": 3, "c": 4}), seed=3)
        with database.reading() as session:
            found = study_courses(session, running.study, PLAN)
            votes = rater_votes(session, running.study, PLAN)["alignment"]
            rated = select(Trial.id).join(Rater, Rater.id == Trial.rater_id)
            rated = rated.where(Trial.kind == "rating", Trial.state == "rated")
            given = len([*session.scalars(rated.where(Rater.finished.is_not(None)))])
        assert votes.counts.shape[1:] == (3, 12)
        assert votes.counts.sum() == given
        assert {one.question for one in found} == {"alignment"}
        assert course_lines(found)[0].startswith("alignment: ")
        done = exported(running, database, tmp_path)
        held = json.loads((done.folder / "adaptive.json").read_text())
        assert held["rule"]["first"] == 10
        assert [one["state"] for one in held["courses"]] == [one.state for one in found]
        people = people_of(read_export(done.folder), IntervalSettings(resamples=100))
        part = stopping_part(people)
        assert part is not None
        assert part.found[0].startswith("Stopping, alignment: ")
        assert next(row.label for row in part.tables[0].rows) == "b \N{MINUS SIGN} a"
        assert "are too narrow here" in part.notes[0]
        assert len(part.notes) == 1
        change = {"hash": "h", "at": 1, "ratings": 9, "reason": "why not"}
        later = replace(people.export, declared={"amendments": [change]})
        amended = stopping_part(people._replace(export=later))
        assert amended is not None
        assert "amended once after votes were there" in amended.notes[1]

    def test_a_record_that_lacks_is_told(self, database: Database, tmp_path: Path) -> None:
        running = Running(adaptive(), PLAN, database)
        crowd = Crowd(raters=4, careless=0, drop_out=0)
        simulate(running, crowd, method_merit(running, {"a": 2, "b": 3, "c": 4}), seed=3)
        done = exported(running, database, tmp_path)
        (done.folder / "adaptive.json").unlink()
        with pytest.raises(UserError, match=r"has no adaptive\.json, unlike its study\.yaml"):
            read_export(done.folder)
