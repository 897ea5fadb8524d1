"""Who is left out, by which rule, and that this decides neither payment nor anything else."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_study import PLAN, study
from sqlalchemy import select
from study_people import MINUTE, OWN, VARIED, add_rater, opened_in, triple

from study_app.allocation import votes_per_cell
from study_app.declaration import Running
from study_app.exclusion import flags, recompute_exclusions, reject, unreject
from study_app.export.payment import Usual, action, payment_rows, usual_minutes
from study_app.plan import Item, Plan
from study_app.pseudonyms import FINISHED, end_code
from study_app.spec.study import Study
from study_app.store.database import Database
from study_app.store.tables import Exclusion, Rater, Trial

ASKED = {"trap": triple(2, 2, 2), "gold": {"alignment": 1, "fidelity": 5}}
KNOWN = Plan(
    PLAN.study,
    PLAN.declared,
    PLAN.run,
    tuple(replace(item, expected=ASKED.get(item.kind)) for item in PLAN.items),
    {},
    PLAN.clips,
)
TRAP, GOLD = KNOWN.of_kind("trap")[0], KNOWN.of_kind("gold")[0]
HOUR = 60 * MINUTE
PROLIFIC = {
    "kind: open": "kind: prolific",
    "completion_code: null": "completion_code: DONE1",
    "screen_out_code: null": "screen_out_code: OUT1",
}


@pytest.fixture
def running(database: Database) -> Running:
    return Running(study(), KNOWN, database)


def broken(running: Running, settings: Study | None = None) -> list[str]:
    """The rules that are broken."""
    with running.database.reading() as session:
        return [flag.rule for flag in flags(session, settings or running.study, running.plan)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "rules"),
    [
        ([], []),
        ([(TRAP, "trap", triple(2, 2, 2))], []),
        ([(TRAP, "trap", triple(2, 2, 3))], ["failed_traps"]),
        # Gold may be off by one point; two such trials failed are the limit.
        ([(GOLD, "gold", triple(2, 4, 1))] * 2, []),
        ([(GOLD, "gold", triple(3, 5, 1))], []),
        ([(GOLD, "gold", triple(3, 5, 1)), (GOLD, "gold", triple(1, 3, 1))], ["failed_gold"]),
        # 2 of 8 trials are a quarter, 3 of 9 a third; the limit is 0.3.
        ([(OWN[9], "rating", None)] * 2, []),
        ([(OWN[9], "rating", None)] * 3, ["unplayable"]),
    ],
)
def test_rules_fire_at_their_limits(
    running: Running, more: list[tuple[Item, str, dict[str, int] | None]], rules: list[str]
) -> None:
    """Six varied ratings break no rule: 18 answers, mean 3, far from a straight line."""
    add_rater(running.database, [*VARIED, *more])
    assert broken(running) == rules


@pytest.mark.parametrize(
    ("answers", "rules"),
    [
        (triple(3, 3, 3), ["straight_line"]),  # variance 0
        (triple(3, 3, 4), []),  # a third of them 4: variance 1/3 - 1/9 = 0.22
    ],
)
def test_a_straight_line_is_a_small_variance(
    running: Running, answers: dict[str, int], rules: list[str]
) -> None:
    add_rater(running.database, [(item, "rating", answers) for item in OWN[:6]])
    assert broken(running) == rules


def test_a_variance_at_the_limit_is_a_straight_line(running: Running) -> None:
    """15 threes and 3 fours: share 1/6, variance 1/6 - 1/36 = 0.1389, at most 0.15."""
    rated = [triple(3, 3, 3)] * 3 + [triple(3, 3, 4)] * 3
    add_rater(running.database, [(OWN[i], "rating", rated[i]) for i in range(6)])
    assert broken(running) == ["straight_line"]
    assert broken(running, study(**{"straight_line: 0.15": "straight_line: 0.13"})) == []


def test_clips_that_were_not_watched_and_too_few_ratings(running: Running) -> None:
    add_rater(running.database, VARIED, coverage=0.9, number=0)
    add_rater(running.database, VARIED[:4], number=1)
    add_rater(running.database, [], number=None, screen="welcome")
    assert broken(running) == ["failed_playback", "least_ratings"]


def test_a_rule_of_nought_is_off(running: Running) -> None:
    add_rater(running.database, [(TRAP, "trap", triple(5, 5, 5))], coverage=0.1)
    off = {
        f"{name}: {value}": f"{name}: 0"
        for name, value in (
            ("failed_traps", 1),
            ("failed_playback", 1),
            ("straight_line", 0.15),
            ("least_ratings", 5),
        )
    }
    assert broken(running, study(**off)) == []


def test_exclusions_are_rows_that_can_be_worked_out_anew(running: Running) -> None:
    """What a researcher excludes by hand stays; the time of an old row stays as well."""
    few = add_rater(running.database, VARIED[:2])
    for now in (5, 9):
        recompute_exclusions(running, now)
    with running.database.reading() as session:
        reject(running, session.get_one(Rater, few), "answered for a friend", 7)
    recompute_exclusions(running, 10)
    with running.database.reading() as session:
        rows = session.scalars(select(Exclusion).order_by(Exclusion.rule)).all()
        assert [(row.rule, row.automatic, row.at) for row in rows] == [
            ("by_hand", False, 7),
            ("least_ratings", True, 5),
        ]
        assert rows[0].reason == "answered for a friend"
        assert rows[1].reason == "2 trials rated"
    relaxed = Running(study(**{"least_ratings: 5": "least_ratings: 2"}), KNOWN, running.database)
    recompute_exclusions(relaxed, 11)
    with running.database.reading() as session:
        assert session.scalars(select(Exclusion.rule)).all() == ["by_hand"]


def test_what_a_rejected_rater_rated_is_wanted_again_until_they_are_not(running: Running) -> None:
    rater = add_rater(running.database, VARIED)
    for _ in range(2):  # saying it twice is once
        with running.database.reading() as session:
            reject(running, session.get_one(Rater, rater), "why", 3)
    with running.database.reading() as session:
        assert sum(votes_per_cell(session, KNOWN).values()) == 0
        unreject(running, session.get_one(Rater, rater))
    with running.database.reading() as session:
        assert sum(votes_per_cell(session, KNOWN).values()) == 6
        assert session.scalars(select(Exclusion)).all() == []


def rater_at(screen: str, minutes: float | None = None) -> Rater:
    finished = None if minutes is None else round(minutes * MINUTE)
    return Rater(screen=screen, consented=0, created=0, finished=finished)


@pytest.mark.parametrize(
    ("rater", "failed", "usual", "wanted"),
    [
        (rater_at("finished", 10), 0, Usual(10, None), "approve"),
        # A study of five minutes or more needs two failed checks, a shorter one a single one.
        (rater_at("finished", 10), 1, Usual(10, None), "approve"),
        (rater_at("finished", 10), 2, Usual(10, None), "may be rejected"),
        (rater_at("finished", 3), 1, Usual(4, None), "may be rejected"),
        (rater_at("finished", 2), 0, Usual(10, 2.5), "may be rejected"),
        (rater_at("comment", 10), 0, Usual(10, None), "approve"),
        (rater_at("failed"), 0, Usual(None, None), "screen out"),
        (rater_at("left"), 0, Usual(None, None), "ask to return"),
        (rater_at("declined"), 0, Usual(None, None), "ask to return"),
        (rater_at("trials"), 9, Usual(None, None), "wait"),
        (rater_at("no_play"), 0, Usual(None, None), "review"),
        (rater_at("full"), 0, Usual(None, None), "screen out"),
    ],
)
def test_payment_follows_the_rules_of_the_platform(
    rater: Rater, failed: int, usual: Usual, wanted: str
) -> None:
    """Prolific: researcher-help, "valid and invalid reasons to reject", as noted in payment.py."""
    assert action(rater, failed, usual, "OUT1")[0] == wanted


def test_without_a_code_to_screen_out_raters_are_asked_to_return() -> None:
    assert action(rater_at("failed"), 0, Usual(None, None))[0] == "ask to return"


def test_who_falls_silent_is_timed_out_when_the_list_goes_to_others(
    database: Database, tmp_path: Path
) -> None:
    """Lists wait 60 minutes; Prolific's help: who is timed out is asked to return."""
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    add_rater(database, dealt=OWN[:2], platform="prolific", platform_id="a" * 24, screen="trials")
    (row,) = payment_rows(running, 59 * MINUTE)
    assert (row["action"], row["reason"]) == ("wait", "is at trials")
    (row,) = payment_rows(running, 3 * 24 * HOUR)
    assert row["action"] == "ask to return" and row["reason"].startswith("timed out")


def test_nobody_is_approved_without_a_rating(database: Database, tmp_path: Path) -> None:
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    skipped = [(item, "rating", None) for item in OWN[:6]]
    add_rater(database, skipped, minutes=1, platform="prolific", platform_id="a" * 24)
    (row,) = payment_rows(running, HOUR)
    assert (row["action"], row["completion_code"]) == ("review", "OUT1")


def test_nobody_is_approved_for_checks_alone(database: Database, tmp_path: Path) -> None:
    """As an earlier version let them finish: every rating left out, traps and gold answered."""
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    skipped = [(item, "rating", None) for item in OWN[:6]]
    checks = [(TRAP, "trap", triple(2, 2, 2)), (GOLD, "gold", triple(1, 5, 3))]
    add_rater(database, [*skipped, *checks], minutes=9, platform="prolific", platform_id="a" * 24)
    (row,) = payment_rows(running, HOUR)
    assert (row["action"], row["reason"]) == ("review", "finished without a rating")


@pytest.mark.slow
@pytest.mark.parametrize("back", [7, 40])
def test_nobody_is_too_fast_by_a_clock_that_was_set_back(
    database: Database, tmp_path: Path, back: int
) -> None:
    """Twenty took 20 to 21 minutes; of the last the clock shows 14, or less than nothing."""
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    for number in range(20):
        who = {"platform": "prolific", "platform_id": f"{number:024x}"}
        add_rater(database, VARIED, minutes=20 + number / 20, number=number, **who)
    assert {row["action"] for row in payment_rows(running, HOUR)} == {"approve"}
    with database.writing() as session:
        last = session.scalars(select(Rater).order_by(Rater.id.desc())).first()
        assert last and last.finished is not None
        last.finished -= back * MINUTE
        for trial in session.scalars(select(Trial).where(Trial.rater_id == last.id)):
            if trial.place > 2:
                trial.opened = (trial.opened or 0) - back * MINUTE
                trial.answered = (trial.answered or 0) - back * MINUTE
    rows_ = payment_rows(running, HOUR)
    assert {row["action"] for row in rows_} == {"approve"}
    assert rows_[-1]["minutes"] == (None if back == 40 else pytest.approx(13.9, abs=0.1))
    with database.writing() as session:  # who really took 13 minutes is exceptionally fast
        for trial in session.scalars(select(Trial).where(Trial.rater_id == last.id)):
            trial.opened = trial.answered = 0
        session.get_one(Rater, last.id).finished = 13 * MINUTE
    assert payment_rows(running, HOUR)[-1]["action"] == "may be rejected"


def test_every_worker_of_mturk_has_a_code_of_their_own(database: Database, tmp_path: Path) -> None:
    settings = study(
        **{"kind: open": "kind: mturk", "screen_out_code: null": "screen_out_code: OUT"}
    )
    running = opened_in(tmp_path, database, settings, KNOWN)
    for number in range(3):
        who = {"platform": "mturk", "platform_id": f"A{number}XYZ9876", "number": number}
        done = [(item, "rating", triple(3, 3, 4)) for item in OWN[:6]]
        add_rater(database, done, start=number, minutes=8, **who)
    add_rater(database, number=None, platform="mturk", platform_id="A9XYZ9876", screen="failed")
    codes = [row["completion_code"] for row in payment_rows(running, HOUR)]
    assert len(set(codes)) == 4 and all(len(code) == 8 for code in codes[:3])
    assert codes[3].startswith("OUT-") and len(codes[3]) == 12
    assert codes[:3] == [end_code(running, number, None, FINISHED) for number in (1, 2, 3)]


def test_exceptionally_fast_is_three_deviations_below_the_mean() -> None:
    """9, 10 and 11 minutes: mean 10, deviation 1, so 7; 1 and 9: no time is below 0."""
    assert usual_minutes([9, 10, 11]) == Usual(10, pytest.approx(7))
    assert usual_minutes([1, 9]) == Usual(5, None)
    assert usual_minutes([]) == Usual(None, None)


def test_who_is_excluded_for_gold_or_a_straight_line_is_paid(
    database: Database, tmp_path: Path
) -> None:
    running = opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)
    flat = [(item, "rating", triple(3, 3, 3)) for item in OWN[:6]]
    wrong = [(GOLD, "gold", triple(5, 1, 1))] * 2
    who = {"platform": "prolific", "platform_id": "PID1", "session": "S1"}
    add_rater(database, [*flat, *wrong], minutes=8, **who)
    assert broken(running) == ["failed_gold", "straight_line"]
    (row,) = payment_rows(running, HOUR)
    assert (row["platform_id"], row["session"]) == ("PID1", "S1")
    assert (row["action"], row["completion_code"], row["minutes"]) == ("approve", "DONE1", 8.0)
    assert "rater" not in row, "the list does not tell which answers are whose"
