"""What a rater does is kept at once, happens once, and goes on after any interruption."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from small_study import PLAN, study
from sqlalchemy import select

from study_app import flow
from study_app.allocation import release_expired
from study_app.declaration import Running
from study_app.exclusion import reject
from study_app.playback import Ledger, Stretch, coverage, share_watched
from study_app.spec.study import PlaybackRules
from study_app.state import Screen
from study_app.store.database import Database
from study_app.store.tables import Answer, Event, Rater, Trial

HOUR = 3_600_000  # milliseconds
WATCHED = Ledger(stretches=(Stretch(start=0, end=2, took=2),), plays=1)
GLANCED = Ledger(stretches=(Stretch(start=0, end=1, took=1),), plays=1)
FINE = {"plays": True, "width": 1200, "phone": False}
ANSWERS = {"alignment": 4, "fidelity": 3, "quality": 5}
QUIZ = [1, 2]


class Visitor:
    """A rater at a browser."""

    def __init__(self, running: Running, token: str = "one") -> None:
        self.running, self.clock = running, 0
        with running.database.writing() as session:
            rater = Rater(
                token=token,
                platform="open",
                simulated=False,
                language="en",
                screen=Screen.WELCOME,
                quiz_failures=0,
                created=0,
                seen=0,
            )
            session.add(rater)
            session.flush()
            self.id = rater.id

    @property
    def screen(self) -> str:
        with self.running.database.reading() as session:
            return session.get_one(Rater, self.id).screen

    @property
    def trial(self) -> Trial | None:
        with self.running.database.reading() as session:
            return flow.current_trial(session, session.get_one(Rater, self.id))

    def answer(self, trial: Trial | None = None, ledger: Ledger = WATCHED) -> bool:
        trial = trial or self.trial
        assert trial
        flow.open_trial(self.running, self.id, self.clock)
        self.clock += 3000
        return flow.answer_trial(self.running, self.id, trial.id, ANSWERS, ledger, self.clock)

    def skip(self) -> None:
        trial = self.trial
        assert trial
        flow.cannot_play(self.running, self.id, trial.id, "it does not play", self.clock)

    def to_trials(self) -> None:
        flow.consent(self.running, self.id, True, 1)
        flow.report_device(self.running, self.id, FINE, 2)
        flow.read_instructions(self.running, self.id, 3)
        while self.screen == Screen.TRAINING:
            assert self.answer()
        assert flow.answer_quiz(self.running, self.id, QUIZ, 5)

    def kept(self) -> int:
        """How many answers of this rater are in the store."""
        with self.running.database.reading() as session:
            mine = select(Answer).join(Trial).where(Trial.rater_id == self.id)
            return len(session.scalars(mine).all())


@pytest.fixture
def running(database: Database) -> Running:
    return Running(study(), PLAN, database)


@pytest.fixture
def visitor(running: Running) -> Visitor:
    return Visitor(running)


@pytest.mark.slow
def test_from_consent_to_the_end(visitor: Visitor) -> None:
    """Two trials of training, nine ratings, a trap, a gold trial, a repetition: 14 x 3 answers."""
    visitor.to_trials()
    assert visitor.screen == Screen.TRIALS
    kinds: Counter[str] = Counter()
    while trial := visitor.trial:
        kinds[trial.kind] += 1
        assert visitor.answer()
    assert kinds == {"rating": 9, "trap": 1, "gold": 1, "repeat": 1}
    assert visitor.screen == Screen.COMMENT
    flow.leave_comment(visitor.running, visitor.id, "  nice  ", 9)
    assert visitor.screen == Screen.FINISHED
    assert visitor.kept() == 14 * 3
    with visitor.running.database.reading() as session:
        rater = session.get_one(Rater, visitor.id)
        assert (rater.comment, rater.consent_version, rater.consented) == ("nice", "1", 1)
        assert rater.finished


def test_who_does_not_agree_is_asked_nothing_more(visitor: Visitor) -> None:
    flow.consent(visitor.running, visitor.id, False, 1)
    flow.consent(visitor.running, visitor.id, True, 2)
    assert visitor.screen == Screen.DECLINED
    with visitor.running.database.reading() as session:
        assert session.get_one(Rater, visitor.id).consented is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "device",
    [
        {},
        {"plays": False, "width": 900},
        {"plays": True, "width": 100},
        {"plays": True, "width": 390, "needs": 427},  # 16:9 at a least height of 240
    ],
)
def test_a_window_that_is_too_small_can_be_made_larger(
    visitor: Visitor, device: dict[str, object]
) -> None:
    flow.consent(visitor.running, visitor.id, True, 1)
    flow.report_device(visitor.running, visitor.id, device, 2)
    assert visitor.screen == Screen.UNFIT
    flow.report_device(visitor.running, visitor.id, FINE, 3)
    assert visitor.screen == Screen.INSTRUCTIONS


def test_the_quiz_gives_two_tries_and_no_list_to_who_fails(visitor: Visitor) -> None:
    flow.consent(visitor.running, visitor.id, True, 1)
    flow.report_device(visitor.running, visitor.id, FINE, 2)
    for screen in (Screen.INSTRUCTIONS, Screen.FAILED):
        flow.read_instructions(visitor.running, visitor.id, 3)
        while visitor.screen == Screen.TRAINING:
            visitor.answer()
        assert not flow.answer_quiz(visitor.running, visitor.id, [2, 2], 4)
        assert visitor.screen == screen
    assert visitor.trial is None
    with visitor.running.database.reading() as session:
        assert session.get_one(Rater, visitor.id).number is None
        assert len(session.scalars(select(Trial)).all()) == 2, "trained once"


def test_a_clip_that_was_not_watched_cannot_be_answered(visitor: Visitor) -> None:
    visitor.to_trials()
    trial, before = visitor.trial, visitor.kept()
    assert not visitor.answer(ledger=GLANCED)
    assert (visitor.trial and visitor.trial.id) == (trial and trial.id)
    assert visitor.kept() == before
    assert visitor.answer()


def test_a_double_click_and_a_second_tab_answer_once(visitor: Visitor) -> None:
    visitor.to_trials()
    trial, before = visitor.trial, visitor.kept()
    for _ in range(3):
        assert visitor.answer(trial)
    assert visitor.kept() == before + 3
    assert visitor.trial and trial and visitor.trial.place == trial.place + 1


def test_what_does_not_play_traps_nobody(visitor: Visitor) -> None:
    visitor.to_trials()
    trial = visitor.trial
    assert trial
    flow.cannot_play(visitor.running, visitor.id, trial.id, "decode error " * 100, 9)
    flow.cannot_play(visitor.running, visitor.id, trial.id, "again", 9)
    assert visitor.trial and visitor.trial.place == trial.place + 1
    with visitor.running.database.reading() as session:
        (event,) = session.scalars(select(Event)).all()
        assert event.data and len(event.data["why"]) == 500
        assert session.get_one(Trial, trial.id).state == "unplayable"


def test_a_rater_who_comes_back_after_a_day_goes_on_at_the_same_trial(visitor: Visitor) -> None:
    """Meanwhile the lease has run out, and the votes were free for others."""
    visitor.to_trials()
    visitor.answer()
    trial = visitor.trial
    day = 86_400_000
    with visitor.running.database.writing() as session:
        assert release_expired(session, visitor.running.study, day) == 11
    visitor.clock = day
    assert visitor.answer(trial)
    assert visitor.trial and trial and visitor.trial.place == trial.place + 1


def test_answers_that_no_page_sends_are_refused(visitor: Visitor) -> None:
    visitor.to_trials()
    trial = visitor.trial
    assert trial
    for answers in ({"alignment": 3}, {**ANSWERS, "quality": 6}, {**ANSWERS, "extra": 1}):
        with pytest.raises(ValueError, match="answer"):
            flow.answer_trial(visitor.running, visitor.id, trial.id, answers, WATCHED, 1)
    assert visitor.trial and visitor.trial.id == trial.id


def test_nobody_answers_for_another(running: Running) -> None:
    mine, other = Visitor(running, "mine"), Visitor(running, "other")
    mine.to_trials()
    other.to_trials()
    before = mine.kept(), other.kept()
    mine.answer(other.trial)
    assert (mine.kept(), other.kept()) == before


@pytest.mark.slow
def test_a_full_study_has_no_place_for_who_comes_next(database: Database) -> None:
    """One vote for each of 72 cells: eight lists of nine."""
    running = Running(study(**{"votes: 5": "votes: 1"}), PLAN, database)
    raters = [Visitor(running, f"r{i}") for i in range(9)]
    for rater in raters:
        rater.to_trials()
    assert [rater.screen for rater in raters] == [Screen.TRIALS] * 8 + [Screen.FULL]


@pytest.mark.slow
def test_who_comes_to_a_full_study_is_told_before_the_practice(database: Database) -> None:
    """72 cells of one vote are dealt to eight; as one of them leaves, there is room for one."""
    running = Running(study(**{"votes: 5": "votes: 1"}), PLAN, database)
    raters = [Visitor(running, f"r{i}") for i in range(8)]
    for rater in raters:
        rater.to_trials()
    late, later = Visitor(running, "late"), Visitor(running, "later")
    flow.consent(running, late.id, True, 6)
    assert late.screen == Screen.FULL
    assert not late.trial
    assert not flow.look_again(running, late.id, 6)
    flow.stop(running, raters[0].id, 7)
    flow.consent(running, later.id, True, 8)
    assert later.screen == Screen.DEVICE
    assert flow.look_again(running, late.id, 9), "who came too early gets in later"
    assert late.screen == Screen.DEVICE


@pytest.mark.slow
def test_invented_names_lock_nobody_out(database: Database) -> None:
    """Eight take all lists and never answer; a day later whoever found no place is let in."""
    running = Running(study(**{"votes: 5": "votes: 1"}), PLAN, database)
    for number in range(8):
        Visitor(running, f"invented {number}").to_trials()
    honest = Visitor(running, "honest")
    flow.consent(running, honest.id, True, HOUR // 2)
    assert honest.screen == Screen.FULL
    assert flow.look_again(running, honest.id, 24 * HOUR)
    assert honest.screen == Screen.DEVICE


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["rejected", "left", "silent"])
def test_a_place_of_who_does_not_count_goes_to_the_next(database: Database, gone: str) -> None:
    """At most three raters; docs/study.md: `reject` gives their votes to new raters."""
    running = Running(study(**{"raters: null": "raters: 3"}), PLAN, database)
    raters = [Visitor(running, f"r{i}") for i in range(4)]
    for rater in raters:
        rater.to_trials()
    assert raters[3].screen == Screen.FULL
    if gone == "rejected":
        with database.reading() as session:
            row = session.get_one(Rater, raters[0].id)
        reject(running, row, "does not watch", 9)
    elif gone == "left":
        flow.stop(running, raters[0].id, 9)
    for rater in raters[1:3]:
        rater.clock = 2 * HOUR
        rater.answer()
    assert flow.look_again(running, raters[3].id, 9 if gone != "silent" else 2 * HOUR + 9)
    raters[3].to_trials()
    assert raters[3].screen == Screen.TRIALS


@pytest.mark.slow
def test_a_clock_that_is_set_back_opens_the_trial_anew(visitor: Visitor) -> None:
    """An hour back between opening and answering: once more from the start, not for an hour."""
    visitor.to_trials()
    visitor.clock = 2 * HOUR
    trial = flow.open_trial(visitor.running, visitor.id, visitor.clock)
    assert trial
    said = (visitor.running, visitor.id, trial.id, ANSWERS, WATCHED)
    assert not flow.answer_trial(*said, HOUR)
    assert not flow.answer_trial(*said, HOUR + 500), "nobody watched two seconds in half a one"
    assert flow.answer_trial(*said, HOUR + 3000)


def test_leaving_everything_out_earns_nothing(database: Database) -> None:
    """A list of 12: three trials may be left out (.3), with the fourth the study ends."""
    running = Running(study(), PLAN, database)
    rater = Visitor(running)
    rater.to_trials()
    for _ in range(3):
        rater.skip()
        assert rater.screen == Screen.TRIALS
    rater.skip()
    assert rater.screen == Screen.NO_PLAY
    assert rater.trial is None
    with database.reading() as session:
        states = Counter(session.scalars(select(Trial.state).where(Trial.rater_id == rater.id)))
        assert session.get_one(Rater, rater.id).finished is None
    assert states == {"rated": 2, "unplayable": 4, "released": 8}


@pytest.mark.slow
def test_who_rates_nothing_does_not_finish_whatever_may_be_left_out(database: Database) -> None:
    changes = {"most_unplayable: 0.3": "most_unplayable: 1"}
    rater = Visitor(Running(study(**changes), PLAN, database))
    rater.to_trials()
    while rater.screen == Screen.TRIALS:
        rater.skip()
    assert rater.screen == Screen.NO_PLAY
    practice = Visitor(rater.running, "two")
    flow.consent(rater.running, practice.id, True, 1)
    flow.report_device(rater.running, practice.id, FINE, 2)
    flow.read_instructions(rater.running, practice.id, 3)
    practice.skip()
    assert practice.screen == Screen.TRAINING, "one clip may fail"
    practice.skip()
    assert practice.screen == Screen.NO_PLAY


def test_who_answers_checks_alone_does_not_finish(database: Database) -> None:
    """All may be left out: traps and gold are answered, ratings and repeats are not."""
    changes = {"most_unplayable: 0.3": "most_unplayable: 1"}
    rater = Visitor(Running(study(**changes), PLAN, database))
    rater.to_trials()
    while trial := rater.trial:
        if trial.kind in ("trap", "gold"):
            assert rater.answer(trial)
        else:
            rater.skip()
    assert rater.screen == Screen.NO_PLAY
    one = Visitor(rater.running, "two")
    one.to_trials()
    first = one.trial
    while trial := one.trial:
        if trial.id == (first and first.id):
            assert one.answer(trial)
        else:
            one.skip()
    assert one.screen == (Screen.COMMENT if first and first.kind == "rating" else Screen.NO_PLAY)


@pytest.mark.parametrize("seconds", [2.0, 61 * 1001 / 30000, 49 / 24, 1 / 3, 5.9999])
@pytest.mark.parametrize("cuts", [(), (0.123,), (0.1, 0.2, 0.3)])
def test_a_clip_that_was_watched_whole_is_whole(seconds: float, cuts: tuple[float, ...]) -> None:
    """Also where all of it is asked for, in parts, to the millisecond as the page tells them."""
    ends = [0.0, *(cut for cut in cuts if cut < seconds), math.ceil(1000 * seconds) / 1000]
    parts = [Stretch(start=a, end=b, took=b - a) for a, b in pairwise(ends)]
    assert coverage(Ledger(stretches=tuple(parts)), seconds, RULE) == 1


RULE = PlaybackRules()


@pytest.mark.parametrize(
    ("stretches", "share"),
    [
        ([], 0.0),
        ([(0, 4)], 1.0),
        ([(0, 1), (3, 4)], 0.5),  # skipped over the middle
        ([(0, 1), (0, 1), (0, 1)], 0.25),  # the start again and again
        ([(1, 3), (0, 2)], 0.75),  # parts that overlap count once
        ([(0, 9)], 1.0),  # longer than the clip
    ],
)
def test_what_was_watched_is_the_union_of_what_was_played(
    stretches: list[tuple[float, float]], share: float
) -> None:
    """Worked by hand, for a clip of four seconds."""
    parts = tuple(Stretch(start=a, end=b, took=b - a) for a, b in stretches)
    assert coverage(Ledger(stretches=parts), 4.0, RULE) == pytest.approx(share)


@pytest.mark.parametrize(
    ("played", "lengths", "share"),
    [
        ((0, 1), (6, 2, 1), 1 / 6),  # the short one was seen, the long one was not
        ((0, 1), (1, 2, 6), 1 / 6),
        ((0, 6), (6, 2, 1), 1.0),
        ((1, 6), (6, 2, 1), 0.0),  # the short one had ended
        ((0.3, 6), (6, 2), 0.85),  # 95% of the long one, less of the short one
        ((0, 1), (2, 1), 0.5),  # a source of two seconds beside an edit of one
    ],
)
def test_each_clip_is_measured_against_its_own_length(
    played: tuple[float, float], lengths: tuple[float, ...], share: float
) -> None:
    """Worked by hand: clips begin together and each ends when it ends."""
    start, end = played
    ledger = Ledger(stretches=(Stretch(start=start, end=end, took=end - start),))
    assert share_watched(ledger, lengths, RULE) == pytest.approx(share)


@pytest.mark.parametrize(
    ("stretches", "shares"),
    [
        ([(0, 4, ())], (1.0, 1.0, 1.0)),
        ([(0, 4, (1, 2))], (1.0, 0.0, 0.0)),  # only the source was on the screen
        ([(0, 4, (1, 2)), (0, 4, (0,))], (1.0, 1.0, 1.0)),  # then the pair below it
        ([(0, 2, ()), (2, 4, (2,))], (1.0, 1.0, 0.5)),  # scrolled in the middle
        ([(0, 4, (0, 1, 2))], (0.0, 0.0, 0.0)),
    ],
)
def test_on_a_small_screen_each_clip_counts_while_it_can_be_seen(
    stretches: list[tuple[float, float, tuple[int, ...]]], shares: tuple[float, ...]
) -> None:
    """Worked by hand, for three clips of four seconds one above the other."""
    parts = tuple(Stretch(start=a, end=b, took=b - a, away=away) for a, b, away in stretches)
    ledger = Ledger(stretches=parts)
    assert tuple(coverage(ledger, 4.0, RULE, place) for place in range(3)) == shares
    assert share_watched(ledger, (4.0, 4.0, 4.0), RULE) == min(shares)


@pytest.mark.parametrize(
    "stretch",
    [
        Stretch(start=0, end=4, took=2, rate=2.0),  # too fast
        Stretch(start=0, end=4, took=4, seen=False),  # in a tab behind
        Stretch(start=0, end=4, took=0.5),  # claims more than the time allows
        Stretch(start=3, end=1, took=2),  # backwards
    ],
)
def test_what_nobody_can_have_watched_does_not_count(stretch: Stretch) -> None:
    assert coverage(Ledger(stretches=(stretch,)), 4.0, RULE) == 0


@given(
    some.lists(
        some.builds(
            Stretch,
            start=some.floats(0, 10),
            end=some.floats(0, 10),
            took=some.floats(0, 10),
            rate=some.floats(0.1, 4),
            seen=some.booleans(),
        ),
        max_size=12,
    )
)
def test_coverage_is_a_share_whatever_a_page_sends(stretches: list[Stretch]) -> None:
    found = coverage(Ledger(stretches=tuple(stretches)), 3.0, RULE)
    assert 0 <= found <= 1
    assert found <= coverage(
        Ledger(stretches=(*stretches, Stretch(start=0, end=3, took=3))), 3.0, RULE
    )
