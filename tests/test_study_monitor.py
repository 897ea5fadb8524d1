"""How a study stands, counted by hand; pause, close, invitations."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from small_study import PLAN, study
from sqlalchemy import func, select
from study_people import MINUTE, OWN, VARIED, add_rater, opened_in, triple

from dreamix.core.errors import UserError
from dreamix.core.wording import percent
from study_app import flow
from study_app.allocation import allocate_list
from study_app.declaration import Running
from study_app.enrollment import EntryLink, enroll, invite
from study_app.monitor import DAY, HOUR, CellVotes, Ratio, StudyPace, study_status
from study_app.pseudonyms import Pseudonyms, all_raters, find_rater
from study_app.state import Screen, State, change_state, current_state
from study_app.status_text import status_lines
from study_app.store.database import Database
from study_app.store.tables import Rater

NOW = 100 * HOUR
INVITED = {"kind: open": "kind: invited"}


@pytest.fixture
def running(database: Database) -> Running:
    return Running(study(), PLAN, database)


@pytest.fixture
def three(running: Running) -> Running:
    """A rater who finished, one who is at it, one who went silent; an hour ago the first came."""
    first = NOW - HOUR
    add_rater(running.database, VARIED, start=first, minutes=12, number=0)
    add_rater(
        running.database,
        [*VARIED[:2], (OWN[2], "rating", None)],
        dealt=OWN[3:7],
        start=NOW - 10 * MINUTE,
        number=1,
    )
    silent = {"seen": NOW - 2 * HOUR, "created": first}
    add_rater(running.database, [], dealt=OWN[:2], start=first, number=2, **silent)
    return running


@pytest.mark.slow
def test_a_study_without_raters_stands_at_nothing(running: Running) -> None:
    """72 cells of 5 votes are 360."""
    standing = study_status(running, NOW)
    assert (standing.counted, standing.wanted, standing.raters) == (0, 360, "nobody")
    assert (standing.pace, standing.minutes, standing.ends, standing.screens) == (None,) * 3 + ({},)
    assert standing.unplayable == Ratio(0, 0)
    assert "nobody has finished yet" in "\n".join(status_lines("s", standing, NOW))


def test_votes_raters_and_leases_are_counted(three: Running) -> None:
    standing = study_status(three, NOW)
    cells = [standing.votes[item.cell] for item in OWN]
    # Rated: six by the first, two by the second. Held: 3..6 by the second, 0 and 1 by the third.
    assert [votes.given for votes in cells[:8]] == [2, 2, 1, 1, 1, 1, 0, 0]
    assert [votes.held for votes in cells[:8]] == [1, 1, 0, 1, 1, 1, 1, 0]
    assert standing.counted == 8
    assert standing.screens == {"finished": 1, "trials": 2}
    assert (standing.finished, standing.minutes) == (1, 12.0)
    assert standing.open_trials == Ratio(4, 6)
    assert standing.unplayable == Ratio(1, 9)
    assert standing.raters == "people"


def test_votes_of_the_excluded_are_not_kept_and_those_of_the_rejected_do_not_count(
    three: Running,
) -> None:
    """The second and third rater have too few ratings; one of the second's three did not play."""
    before = study_status(three, NOW)
    assert before.excluded == {"least_ratings": 2, "unplayable": 1}
    assert before.excluded_raters == 2
    assert before.votes[OWN[0].cell] == CellVotes(given=2, held=1, kept=1)
    with three.database.writing() as session:
        session.scalars(select(Rater).where(Rater.number == 0)).one().rejected = NOW
    after = study_status(three, NOW)
    assert after.votes[OWN[0].cell] == CellVotes(given=1, held=1, kept=0)
    assert (after.counted, after.rejected) == (2, 1)


def test_votes_beyond_a_quota_do_not_make_up_for_others(running: Running) -> None:
    for number in range(7):
        add_rater(running.database, VARIED[:1], number=number, start=number)
    standing = study_status(running, NOW)
    assert standing.votes[OWN[0].cell].given == 7
    assert standing.counted == 5


def test_the_end_is_when_the_missing_votes_are_given_at_this_pace(three: Running) -> None:
    """Eight votes in the hour since the first came, 352 are missing: 44 hours."""
    standing = study_status(three, NOW)
    finished = (NOW - HOUR + 12 * MINUTE) // HOUR
    assert standing.pace == StudyPace(finished=1.0, votes=8.0, by_hour={finished: 1})
    assert standing.ends == NOW + 44 * HOUR
    change_state(three.database, "paused", NOW)
    assert study_status(three, NOW).ends is None, "a pause has no pace"


@pytest.mark.slow
def test_the_pace_is_that_of_the_last_day(running: Running) -> None:
    """Two finished days ago count for nothing, one of today for 1 / 24 an hour."""
    for number, ago in enumerate((5 * DAY, 4 * DAY, HOUR)):
        add_rater(running.database, VARIED, start=NOW + 5 * DAY - ago, minutes=10, number=number)
    standing = study_status(running, NOW + 5 * DAY)
    assert standing.pace
    assert standing.pace.finished == pytest.approx(1 / 24)
    assert standing.pace.votes == pytest.approx(6 / 24)


def test_checks_are_counted_by_trial(running: Running) -> None:
    trap = replace(PLAN.of_kind("trap")[0], expected=triple(2, 2, 2))
    items = tuple(trap if item.key == trap.key else item for item in PLAN.items)
    running = Running(running.study, replace(PLAN, items=items), running.database)
    add_rater(running.database, [(trap, "trap", triple(2, 2, 2)), (trap, "trap", triple(1, 1, 2))])
    assert study_status(running, NOW).checks == {"trap": Ratio(1, 2)}


def test_simulated_raters_are_said_to_be(running: Running) -> None:
    """Their time is their own: it stands at the last thing that one of them did."""
    add_rater(running.database, VARIED, simulated=True, minutes=6)
    standing = study_status(running, NOW)
    assert (standing.raters, standing.at) == ("simulated", 6 * MINUTE)
    assert "SIMULATED" in status_lines("s", standing, NOW)[0]
    add_rater(running.database, [], number=None)
    assert study_status(running, NOW).raters == "mixed"
    assert "MIXED" in status_lines("s", study_status(running, NOW), NOW)[0]


def test_status_says_what_was_counted(three: Running) -> None:
    text = "\n".join(status_lines("s", study_status(three, NOW), NOW))
    for part in (
        "8 of 360 (2%); 0 of 72 cells have all 5, 66 have none yet",
        "2 of 8 votes given are by excluded raters; `study reject` gives them to new raters",
        "1 finished, 2 on their way (finished 1, trials 2)",
        "1.0 finished an hour over the last day, 12 minutes each (median); at this pace complete",
        "none answered yet; 1 of 9 trials did not play (11%)",
        "4 trials held by raters at work, 2 by raters who fell silent",
        "2 raters by the rules (least_ratings 2, unplayable 1)",
    ):
        assert part in text


CELL = replace(PLAN, items=(OWN[0],))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("votes", "given", "said"),
    [
        (1, 0, ["0 of 1 (0%); 0 of 1 cell has its vote, 1 has none yet"]),
        (1, 1, ["1 of 1 (100%); 1 of 1 cell has its vote\n", "1 of 1 vote given is by excluded"]),
        (2, 1, ["1 of 2 (50%); 0 of 1 cell has all 2, the fewest is 1", "gives it to new raters"]),
        (2, 2, ["2 of 2 (100%); 1 of 1 cell has all 2\n", "2 of 2 votes given are by excluded"]),
        (300, 2, ["2 of 300 (under 1%)"]),
    ],
)
def test_status_counts_in_english(
    database: Database, votes: int, given: int, said: list[str]
) -> None:
    """None, one and two votes on a study of one clip; everybody is excluded (too few ratings)."""
    running = Running(study(**{"votes: 5": f"votes: {votes}"}), CELL, database)
    for number in range(given):
        seconds = {"minutes": 0.4} if number == 0 else {}
        one = [(OWN[0], "rating", triple(1, 2, 3))]
        add_rater(database, one, start=NOW - HOUR, number=number, **seconds)
    text = "\n".join([*status_lines("s", study_status(running, NOW), NOW), ""])
    for part in said:
        assert part in text
    if given == 1:
        assert "less than a minute each (median)" in text
        assert "0 of 1 trial did not play (0%)" in text
        assert "1 rater by the rules" in text
    if not given:
        assert "checks      none answered yet\n" in text
    assert not re.search(r"\b1 (?!has\b|is\b|of\b|was\b)[a-z]+s\b", text), text


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 7, "0%"), (7, 7, "100%"), (1, 999, "under 1%"), (998, 999, "over 99%"), (1, 100, "1%"),
     (99, 100, "99%"), (1, 3, "33%")],
)  # fmt: skip
def test_a_share_is_all_or_nothing_only_if_it_is(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_what_identifies_is_to_be_erased_a_time_after_closing(running: Running) -> None:
    """365 days, as the file says."""
    change_state(running.database, "closed", NOW)
    standing = study_status(running, NOW)
    assert standing.erase_after == NOW + 365 * DAY
    assert "may be kept until" in status_lines("s", standing, NOW)[-1]
    assert "HAS RUN OUT" in status_lines("s", standing, NOW + 365 * DAY)[-1]


# pause, close, go on


def test_saying_a_state_twice_is_once(database: Database) -> None:
    assert current_state(database) == State("open", None)
    assert change_state(database, "paused", 5).name == "open"
    assert change_state(database, "paused", 9).name == "paused"
    assert current_state(database) == State("paused", 5)


def to_quiz(running: Running, token: str) -> int:
    """A rater who has only the questions about the instructions before them."""
    return add_rater(running.database, [], number=None, screen=Screen.QUIZ, platform_id=token)


def screen(running: Running, rater: int) -> str:
    with running.database.reading() as session:
        return session.get_one(Rater, rater).screen


def test_a_pause_deals_no_list_and_takes_nothing_away(running: Running) -> None:
    """Who passes the quiz meanwhile answers it again afterwards, and then is dealt a list."""
    waiting = to_quiz(running, "w")
    at_it = add_rater(running.database, [], dealt=OWN[:1], start=1)
    change_state(running.database, "paused", 1)
    flow.answer_quiz(running, waiting, [1, 2], 2)
    assert screen(running, waiting) == Screen.QUIZ
    assert screen(running, at_it) == Screen.TRIALS
    change_state(running.database, "open", 3)
    flow.answer_quiz(running, waiting, [1, 2], 4)
    assert screen(running, waiting) == Screen.TRIALS


def test_a_closed_study_lets_nobody_in_and_those_with_a_list_finish(running: Running) -> None:
    known = enroll(running, EntryLink(platform_id="known"), 1)
    waiting = to_quiz(running, "w")
    change_state(running.database, "closed", 2)
    assert enroll(running, EntryLink(platform_id="new"), 3) is None
    again = enroll(running, EntryLink(platform_id="known"), 3)
    assert known and again and again.id == known.id
    flow.answer_quiz(running, waiting, [1, 2], 4)
    assert screen(running, waiting) == Screen.CLOSED
    with running.database.writing(alone=True) as session:
        assert (
            allocate_list(session, running.study, PLAN, session.get_one(Rater, known.id), 5) == []
        )


def test_people_and_simulated_raters_never_share_a_store(running: Running) -> None:
    assert enroll(running, EntryLink(platform_id="p"), 1)
    assert enroll(running, EntryLink(platform_id="s", simulated=True), 2) is None
    with running.database.reading() as session:
        assert session.scalar(select(func.count(Rater.id))) == 1


# invitations and names


def test_every_invitation_is_a_rater_of_its_own(database: Database, tmp_path: Path) -> None:
    running = opened_in(tmp_path, database, study(**INVITED))
    links = invite(running, 3, "https://rate.example/", 1)
    assert len(set(links)) == 3
    assert all(link.startswith("https://rate.example/?t=") for link in links)
    tokens = [link.partition("?t=")[2] for link in links]
    found = [enroll(running, EntryLink(token=token), 2) for token in tokens]
    assert len({rater.id for rater in found if rater}) == 3
    assert enroll(running, EntryLink(), 3) is None, "nobody comes without a link"


def test_personal_links_are_for_studies_of_invited_raters(running: Running) -> None:
    with pytest.raises(UserError, match="personal links need `kind: invited`"):
        invite(running, 1, "http://x", 1)


def test_a_rater_is_found_by_each_of_their_names(database: Database, tmp_path: Path) -> None:
    running = opened_in(tmp_path, database, study())
    rater = add_rater(database, [], platform_id="PID1", number=None)
    names = Pseudonyms(tmp_path)
    with database.reading() as session:
        token = session.get_one(Rater, rater).token
        for who in ("PID1", token, names.of(rater, False)):
            assert find_rater(session, names, who).id == rater
        with pytest.raises(UserError, match="no rater of this study has that name"):
            find_rater(session, names, "PID")
    assert [found.id for found in all_raters(running)] == [rater]


def test_pseudonyms_hang_on_the_secret_and_say_who_is_simulated(tmp_path: Path) -> None:
    for name, secret in (("one", b"1"), ("two", b"2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_bytes(secret)
    one, two = Pseudonyms(tmp_path / "one"), Pseudonyms(tmp_path / "two")
    assert one.of(7, False) == Pseudonyms(tmp_path / "one").of(7, False) != two.of(7, False)
    assert one.of(7, True).startswith("simulated-")
    with pytest.raises(UserError, match="secret is missing"):
        Pseudonyms(tmp_path)
