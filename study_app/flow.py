"""What a rater does, one function per action. Each is one transaction, and idempotent.

An action that does not fit the rater's screen changes nothing: it comes from a second tab, a double
click or the back button, and the page is redrawn from the store.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from study_app.allocation import allocate_list, allocate_training, has_room, reclaim_trials
from study_app.declaration import Running
from study_app.marks import DefectMark, mark_rows
from study_app.plan import OWN
from study_app.playback import Ledger, fits_time_shown, share_watched, unfit_reasons
from study_app.spec.study import Study
from study_app.state import ENDS, Screen, state_of
from study_app.store.secure_delete import overwrite_erased_soon
from study_app.store.tables import Answer, Event, Playback, Rater, Trial

TRIAL_SCREENS = (Screen.TRAINING, Screen.TRIALS)


class Turn(NamedTuple):
    """A transaction of one rater."""

    session: Session
    rater: Rater


def consent(running: Running, rater_id: int, agrees: bool, now: int) -> None:
    """Record a rater's answer to the consent text, and which version of it they read.

    Nothing that identifies a rater who declines is kept. A rater who agrees when no votes are left
    to give learns so now, not after the practice.
    """
    private: list[str] = []
    with _turn(running, rater_id, now, Screen.WELCOME) as turn:
        if turn and not agrees:
            private = [text for text in (turn.rater.platform_id, turn.rater.session) if text]
            turn.rater.platform_id = turn.rater.session = None
        if turn:
            turn.rater.screen = _after_consent(running, turn, now) if agrees else Screen.DECLINED
            turn.rater.consent_version = running.study.consent_version
            turn.rater.consented = now if agrees else None
    if private:
        overwrite_erased_soon(running.database, private)


def decline(running: Running, rater_id: int, now: int) -> None:
    """Record that a rater declines, and nothing that identifies them."""
    consent(running, rater_id, False, now)


def _after_consent(running: Running, turn: Turn, now: int) -> Screen:
    room = has_room(turn.session, running.study, running.plan, now)
    return Screen.DEVICE if room else _no_place(turn)


def _no_place(turn: Turn) -> Screen:
    """Return the screen of a rater for whom there is no list."""
    return Screen.CLOSED if state_of(turn.session).name == "closed" else Screen.FULL


def look_again(running: Running, rater_id: int, now: int) -> bool:
    """Return True if a rater who found no place is let in now, where they left off."""
    with _turn(running, rater_id, now, Screen.FULL, Screen.CLOSED) as turn:
        if not turn:
            return True
        before = turn.rater.screen
        if turn.rater.device is None:
            turn.rater.screen = _after_consent(running, turn, now)
        else:
            _begin_trials(running, turn, now)
        return turn.rater.screen != before


def choose_language(running: Running, rater_id: int, language: str, now: int) -> None:
    """Switch the rater's language; only before consent."""
    with _turn(running, rater_id, now, Screen.WELCOME) as turn:
        if turn and language in running.study.texts:
            turn.rater.language = language


def report_device(running: Running, rater_id: int, device: dict[str, Any], now: int) -> None:
    """Record the rater's device; a window too small can be enlarged and checked again."""
    with _turn(running, rater_id, now, Screen.DEVICE, Screen.UNFIT) as turn:
        if turn:
            fits = not unfit_reasons(running.study.device, device)
            turn.rater.device = device
            turn.rater.screen = Screen.INSTRUCTIONS if fits else Screen.UNFIT


def read_instructions(running: Running, rater_id: int, now: int) -> None:
    """Go on to the training, or to the quiz if there is none or it is done."""
    with _turn(running, rater_id, now, Screen.INSTRUCTIONS) as turn:
        if turn:
            begun = turn.rater.quiz_failures > 0
            trials = [] if begun else allocate_training(turn.session, running.plan, turn.rater)
            turn.rater.screen = Screen.TRAINING if trials else Screen.QUIZ
            _skip_quiz_if_none(running, turn, now)


def answer_quiz(running: Running, rater_id: int, answers: Sequence[int], now: int) -> bool:
    """Return True if all are right; after too many tries the study ends for the rater."""
    with _turn(running, rater_id, now, Screen.QUIZ) as turn:
        if not turn:
            return True
        quiz = running.study.quiz(turn.rater.language)
        if list(answers) == [question.answer for question in quiz]:
            _begin_trials(running, turn, now)
            return True
        turn.rater.quiz_failures += 1
        tries_left = turn.rater.quiz_failures < running.study.checks.quiz_tries
        turn.rater.screen = Screen.INSTRUCTIONS if tries_left else Screen.FAILED
        return False


def open_trial(running: Running, rater_id: int, now: int) -> Trial | None:
    """Return the rater's current trial, and record when it was first shown.

    A rater who was away for long gets back the trials that were released meanwhile.
    """
    with running.database.reading() as session:
        rater = session.get_one(Rater, rater_id)
        trial = current_trial(session, rater)
        if rater.screen not in TRIAL_SCREENS or (trial and trial.opened is not None):
            return trial
    with _turn(running, rater_id, now, *TRIAL_SCREENS) as turn:
        trial = current_trial(turn.session, turn.rater) if turn else trial
        if turn and trial and trial.opened is None:
            trial.opened = now
    return trial


def answer_trial(
    running: Running,
    rater_id: int,
    trial_id: int,
    answers: Mapping[str, int],
    ledger: Ledger,
    now: int,
    marks: Sequence[DefectMark] = (),
) -> bool:
    """Return True if the answers are kept, now or before; False if a clip was not watched.

    Answers to a trial other than the current one change nothing. In the pairwise design -1 is the
    edit on the left, 1 the one on the right, 0 no difference; `Trial.swapped` says which edit
    stood where.

    Raises:
        ValueError: for a missing question or a value off its scale, which no page sends.
    """
    _check_answers(running.study, answers)
    with _turn(running, rater_id, now, *TRIAL_SCREENS) as turn:
        trial = turn and current_trial(turn.session, turn.rater)
        if not turn or not trial or trial.id != trial_id:
            return True
        item = running.plan.by_key[trial.item]
        durations = running.plan.lengths(item.clips_shown(trial.swapped))
        share = share_watched(ledger, durations, running.study.playback)
        if trial.opened is not None and trial.opened > now:
            trial.opened = now  # the clock was set back: the trial opens anew
        since = now - trial.opened if trial.opened is not None else 0
        if share < running.study.playback.coverage or not fits_time_shown(ledger, since):
            return False
        turn.session.add_all(mark_rows(running.study, running.plan, trial, marks))
        told = {"coverage": share, "ledger": ledger.model_dump(mode="json")}
        turn.session.add(Playback(trial_id=trial.id, **told))
        turn.session.add_all(
            Answer(trial_id=trial.id, question=question, value=value)
            for question, value in answers.items()
        )
        _finish_trial(running, turn, trial, "rated", now)
        return True


def cannot_play(running: Running, rater_id: int, trial_id: int, why: str, now: int) -> None:
    """Record that a clip does not play, and go on to the next trial.

    Beyond a share of `playback.most_unplayable` the study ends: a rater could otherwise skip
    everything and be paid.
    """
    with _turn(running, rater_id, now, *TRIAL_SCREENS) as turn:
        trial = turn and current_trial(turn.session, turn.rater)
        if turn and trial and trial.id == trial_id:
            data = {"trial": trial.id, "why": why[:500]}
            turn.session.add(Event(rater_id=rater_id, at=now, kind="unplayable", data=data))
            _finish_trial(running, turn, trial, "unplayable", now)


def see_feedback(running: Running, rater_id: int, now: int) -> None:
    """Go on from the feedback: to the next practice trial, or to the quiz."""
    with _turn(running, rater_id, now, Screen.FEEDBACK) as turn:
        if turn:
            turn.rater.screen = Screen.TRAINING
            _end_training_if_done(running, turn, now)


def end_break(running: Running, rater_id: int, now: int) -> None:
    """Go on with the trials."""
    with _turn(running, rater_id, now, Screen.BREAK) as turn:
        if turn:
            turn.rater.screen = Screen.TRIALS


def stop(running: Running, rater_id: int, now: int) -> None:
    """End the study for a rater who stops; their open trials go to others."""
    with _turn(running, rater_id, now, *TRIAL_SCREENS, Screen.BREAK) as turn:
        if turn:
            _end(turn, Screen.LEFT)


def leave_comment(running: Running, rater_id: int, text: str, now: int) -> None:
    """Record the comment, if any, and finish."""
    with _turn(running, rater_id, now, Screen.COMMENT) as turn:
        if turn:
            turn.rater.comment = text.strip()[:5000] or None
            turn.rater.screen = Screen.FINISHED


def current_trial(session: Session, rater: Rater) -> Trial | None:
    """Return the first trial of a rater that is not answered."""
    mine = select(Trial).where(Trial.rater_id == rater.id, Trial.state == "dealt")
    return session.scalars(mine.order_by(Trial.place).limit(1)).first()


def last_answered(session: Session, rater: Rater) -> Trial | None:
    """Return the trial that a rater answered last."""
    mine = select(Trial).where(Trial.rater_id == rater.id, Trial.state == "rated")
    return session.scalars(mine.order_by(Trial.place.desc()).limit(1)).first()


@contextmanager
def _turn(running: Running, rater_id: int, now: int, *screens: Screen) -> Iterator[Turn | None]:
    """Yield the rater's transaction, or None if they are at none of these screens.

    Lists are allocated in it, so the turns of all raters are serial.
    """
    with running.database.writing(alone=True) as session:
        rater = session.get_one(Rater, rater_id)
        if rater.screen not in ENDS:
            rater.seen = now
            reclaim_trials(session, rater)
        yield Turn(session, rater) if rater.screen in screens else None


def _check_answers(study: Study, answers: Mapping[str, int]) -> None:
    low, high = (1, 5) if study.design == "absolute" else (-1, 1)
    if set(answers) != set(study.questions):
        raise ValueError(f"answers to {sorted(answers)}, asked were {sorted(study.questions)}")
    if wrong := [value for value in answers.values() if not low <= value <= high]:
        raise ValueError(f"an answer of {wrong[0]}, the scale goes from {low} to {high}")


def _skip_quiz_if_none(running: Running, turn: Turn, now: int) -> None:
    if turn.rater.screen == Screen.QUIZ and not running.study.quiz(turn.rater.language):
        _begin_trials(running, turn, now)


def _begin_trials(running: Running, turn: Turn, now: int) -> None:
    if state_of(turn.session).name == "paused":
        turn.rater.screen = Screen.QUIZ  # answered anew when it goes on: then there is a list
        return
    trials = allocate_list(turn.session, running.study, running.plan, turn.rater, now)
    turn.rater.screen = Screen.TRIALS if trials else _no_place(turn)


def _finish_trial(running: Running, turn: Turn, trial: Trial, state: str, now: int) -> None:
    """Mark a trial as done; after the last one the rater goes to the next screen."""
    trial.state, trial.answered, trial.declared = state, now, running.declared
    turn.session.flush()
    if _too_little_plays(running.study, turn):
        _end(turn, Screen.NO_PLAY)
        return
    if turn.rater.screen == Screen.TRAINING:
        known = state == "rated" and running.plan.by_key[trial.item].expected
        turn.rater.screen = Screen.FEEDBACK if known else Screen.TRAINING
        _end_training_if_done(running, turn, now)
    elif not current_trial(turn.session, turn.rater):
        _finish(turn, now)
    elif _is_time_for_a_break(running.study, turn):
        turn.rater.screen = Screen.BREAK


def _finish(turn: Turn, now: int) -> None:
    """Move a rater to the last screens; answers to checks alone are no ratings."""
    rated = select(Trial.id).where(Trial.rater_id == turn.rater.id, Trial.state == "rated")
    if turn.session.scalar(rated.where(Trial.kind.in_(OWN)).limit(1)) is None:
        _end(turn, Screen.NO_PLAY)
        return
    turn.rater.screen = Screen.COMMENT
    turn.rater.finished = now


def _end(turn: Turn, screen: Screen) -> None:
    """End the study for a rater; their open trials go to others."""
    turn.rater.screen = screen
    mine = update(Trial).where(Trial.rater_id == turn.rater.id, Trial.state == "dealt")
    turn.session.execute(mine.values(state="released"))


def _too_little_plays(study: Study, turn: Turn) -> bool:
    """Return True if too much of the list, or all of it or of the practice, did not play."""
    practice = turn.rater.screen == Screen.TRAINING
    mine = select(Trial.state, func.count()).where(Trial.rater_id == turn.rater.id)
    mine = mine.where((Trial.kind == "training") == practice).group_by(Trial.state)
    counts: dict[str, int] = {state: many for state, many in turn.session.execute(mine)}
    lost, whole = counts.get("unplayable", 0), sum(counts.values())
    return lost == whole or (not practice and lost > study.playback.most_unplayable * whole)


def _end_training_if_done(running: Running, turn: Turn, now: int) -> None:
    if turn.rater.screen == Screen.TRAINING and not current_trial(turn.session, turn.rater):
        turn.rater.screen = Screen.QUIZ
        _skip_quiz_if_none(running, turn, now)


def _is_time_for_a_break(study: Study, turn: Turn) -> bool:
    done = select(func.count()).where(Trial.rater_id == turn.rater.id, Trial.kind != "training")
    count = turn.session.scalar(done.where(Trial.state.in_(("rated", "unplayable")))) or 0
    return study.size.break_after is not None and count % study.size.break_after == 0
