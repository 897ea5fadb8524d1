"""What was declared stays: wording, rules and clips; a change takes a reason and is kept apart."""

from dataclasses import replace

import pytest
from small_study import PLAN, study
from sqlalchemy import select
from study_people import OWN, VARIED, add_rater, triple

from dreamix.core.errors import UserError
from study_app.allocation import replace_retired
from study_app.declaration import (
    UPGRADED,
    Declaration,
    Running,
    check_clips,
    check_content,
    current_declaration,
    declare,
    first_hash,
)
from study_app.exclusion import flags
from study_app.plan import ServedClip
from study_app.state import read_setting, write_setting
from study_app.store.database import Database
from study_app.store.tables import Trial

OTHER_LABELS = {"[Bad, Poor, Fair, Good, Excellent]": "[Excellent, Good, Fair, Poor, Bad]"}
REMADE = replace(PLAN, clips={**PLAN.clips, "r": ServedClip(2.0, "1" * 64)})


def known(database: Database) -> Declaration:
    with database.reading() as session:
        found = current_declaration(session)
    assert found
    return found


class TestInTheDatabase:
    def test_it_may_change_until_the_first_vote(self, database: Database) -> None:
        declare(database, study(), PLAN, 1)
        second = declare(database, study(**{"votes: 5": "votes: 6"}), REMADE, 2)
        assert (second.at, second.ratings, second.amendments) == (2, 0, ())

    def test_after_votes_a_change_takes_a_reason_and_is_kept_beside_the_first(
        self, database: Database
    ) -> None:
        first = declare(database, study(), PLAN, 1)
        add_rater(database, VARIED)
        assert declare(database, study(), PLAN, 2) == first, "nothing has changed"
        more = study(**{"votes: 5": "votes: 6"})
        with pytest.raises(UserError, match=r"size\.votes is not what 6 trials were rated under"):
            declare(database, more, PLAN, 3)
        amended = declare(database, more, PLAN, 4, "a pilot said so")
        assert (amended.at, amended.ratings) == (4, 6)
        assert amended.amendments[0]["reason"] == "a pilot said so"
        assert [entry["content"]["size"]["votes"] for entry in amended.entries] == [5, 6]
        assert amended.entries[0]["hash"] == first.hash
        assert known(database) == amended
        check_content(database, more)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            (OTHER_LABELS, "texts.en.questions.quality.labels"),
            ({"How good does the edited": "How bad does the edited"}, "questions.quality.ask"),
            ({"coverage: 0.95": "coverage: 0.5"}, "playback.coverage"),
            ({"display_height: 360": "display_height: 240"}, "display_height"),
            ({"Which edit is better?\n": "Better?\n"}, "texts.en.title"),
        ],
    )
    def test_wording_and_rules_of_playback_are_declared_too(
        self, database: Database, changes: dict[str, str], place: str
    ) -> None:
        declare(database, study(), PLAN, 1)
        check_content(database, study(**changes))
        add_rater(database, VARIED)
        with pytest.raises(UserError, match=place):
            check_content(database, study(**changes))
        assert declare(database, study(**changes), PLAN, 3, "because").changes

    def test_clips_are_declared_too(self, database: Database) -> None:
        declare(database, study(), PLAN, 1)
        add_rater(database, VARIED)
        with pytest.raises(UserError, match=r"2 items have changed \(first: a for v0_0"):
            check_clips(database, REMADE, PLAN.items[:2])
        check_clips(database, PLAN, ())
        check_clips(database, REMADE, PLAN.items[:2], "the model was wrong")

    def test_keys_may_never_change(self, database: Database) -> None:
        declare(database, study(), PLAN, 1)
        add_rater(database, VARIED)
        with pytest.raises(UserError, match="name and seed make the keys of 6 rated trials"):
            check_content(database, study(**{"name: s\n": "name: t\n"}), "because")

    def test_a_declaration_of_an_earlier_version_goes_on(self, database: Database) -> None:
        """It had the hash of the analysis plan alone: the rest is kept from now on."""
        old = {"hash": first_hash(study()), "at": 1, "ratings": 0}
        with database.writing() as session:
            write_setting(session, "analysis", {**old, "keys": ["s", 0], "amendments": []})
        add_rater(database, VARIED)
        with pytest.raises(UserError, match="the declared analysis is not what 6 trials"):
            check_content(database, study(**{"votes: 5": "votes: 6"}))
        found = declare(database, study(), PLAN, 2)
        assert [entry["reason"] for entry in found.amendments] == [UPGRADED]
        assert found.changes == []
        with pytest.raises(UserError, match=r"texts\.en\.title"):
            check_content(database, study(**{"Which edit is better?\n": "Better?\n"}))

    @pytest.mark.slow
    def test_a_setting_that_a_later_version_adds_changes_nothing(self, database: Database) -> None:
        """Nor does it where study.yaml now states what holds by default."""
        first = declare(database, study(), PLAN, 1)
        add_rater(database, VARIED)
        with database.writing() as session:
            kept = read_setting(session, "analysis")
            del kept["content"]["playback"]["most_unplayable"], kept["content"]["defects"]
            write_setting(session, "analysis", kept)
        assert declare(database, study(), PLAN, 2).hash == first.hash
        silent = study(**{"  fastest_rate: 1.25\n": ""})
        assert declare(database, silent, PLAN, 3).amendments == ()
        with pytest.raises(UserError, match=r"playback\.most_unplayable is not"):
            declare(database, study(**{"most_unplayable: 0.3": "most_unplayable: 0.9"}), PLAN, 4)

    def test_the_rule_of_then_judges_what_was_watched_then(self, database: Database) -> None:
        """Half of a clip was enough: those who watched 60% of it are not excluded afterwards."""
        before = Running(study(**{"coverage: 0.95": "coverage: 0.5"}), PLAN, database)
        declare(database, before.study, PLAN, 1)
        add_rater(database, VARIED, coverage=0.6)
        with database.writing() as session:
            for trial in session.scalars(select(Trial)):
                trial.declared = before.declared
        after = Running(study(), PLAN, database)
        declare(database, after.study, PLAN, 2, "too many looked away")
        add_rater(database, VARIED, coverage=0.6, start=5, number=1)
        with database.reading() as session:
            broken = [flag.rater_id for flag in flags(session, after.study, PLAN)]
        assert len(broken) == 1 and broken != [1]

    def test_trials_that_wait_show_what_is_there_now(self, database: Database) -> None:
        """Rated ones stay what they were, and so does a repeat of them."""
        old, new = OWN[0], replace(OWN[0], key="new")
        items = tuple(new if item == old else item for item in PLAN.items)
        plan = replace(PLAN, items=items, retired=(old,))
        waits = add_rater(database, dealt=[old, OWN[1]], number=0)
        rated = add_rater(database, [(old, "rating", triple(1, 2, 3))], dealt=[old], number=1)
        with database.writing() as session:
            for trial in session.scalars(select(Trial).where(Trial.rater_id == rated)):
                trial.kind = "repeat" if trial.state == "dealt" else trial.kind
            replace_retired(session, plan)
        with database.reading() as session:
            rows = select(Trial.rater_id, Trial.item).order_by(Trial.rater_id, Trial.place)
            found = [(rater, item) for rater, item in session.execute(rows)]
        assert found == [(waits, "new"), (waits, OWN[1].key), (rated, old.key), (rated, old.key)]
