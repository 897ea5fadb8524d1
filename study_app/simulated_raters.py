"""Simulated raters: they come, watch, answer, tire and leave, through the same flow and store.

A rater answers  round(t + b - f p + e)  on 1..5, with t the merit of the clip in the question, b
the rater's bias, p the share of the list that is behind them, f their fatigue and e normal noise.
The careless answer anything, also to traps. Of a pair the better side is preferred by
t = the difference of both merits, with noise. Every row of a simulated rater says that it is one.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dreamix.core.seeding import rng_for
from study_app import flow
from study_app.declaration import Running
from study_app.enrollment import EntryLink, enroll
from study_app.flow import current_trial
from study_app.marks import DefectMark
from study_app.plan import Item
from study_app.playback import Ledger, Stretch
from study_app.state import ENDS, Screen
from study_app.store.tables import Rater, Trial

DEVICE = {"plays": True, "width": 1280, "phone": False, "simulated": True}
Merit = Callable[[Item, str], float]  # of an item in a question, on the scale from 1 to 5


@dataclass(frozen=True)
class Crowd:
    """What simulated raters are like; times are seconds."""

    raters: int = 100
    bias: float = 0.4  # deviation between raters
    noise: float = 0.8  # deviation from answer to answer
    fatigue: float = 0.0  # points lost by the end of a list
    careless: float = 0.05  # share of raters
    drop_out: float = 0.1  # share of raters who leave somewhere in their list
    between: float = 30.0  # mean time between two arrivals
    trial: float = 20.0  # mean time of a trial


class SimulatedRater(NamedTuple):
    """One simulated rater."""

    id: int
    rng: np.random.Generator
    bias: float
    careless: bool
    leaves_after: int | None  # trials


Marking = Callable[[SimulatedRater, Item, Trial], Sequence[DefectMark]]


def simulate(
    running: Running,
    crowd: Crowd,
    merit: Merit,
    *,
    seed: int = 0,
    start: int = 0,
    marking: Marking | None = None,
) -> int:
    """Return the number of raters who finished.

    Raters overlap as people do: what each does next is done in order of time, which begins at
    `start`.

    marking: what a rater marks in a trial, where the study asks where edits are broken.
    """
    agenda = [(at, number) for number, at in enumerate(arrivals(crowd, seed))]
    people: dict[int, SimulatedRater] = {}
    finished = 0
    heapq.heapify(agenda)
    while agenda:
        at, number = heapq.heappop(agenda)
        if number not in people:
            people[number] = _new_rater(running, crowd, seed, number, start + int(at * 1000))
        screen = _act(running, crowd, people[number], merit, start + int(at * 1000), marking)
        finished += screen == Screen.FINISHED
        if screen and screen not in (*ENDS, Screen.FULL):  # who finds no place does not come again
            pause = people[number].rng.exponential(crowd.trial)
            heapq.heappush(agenda, (at + float(pause), number))
    return finished


def arrivals(crowd: Crowd, seed: int) -> list[float]:
    """Return when each rater comes, in seconds."""
    found = rng_for("crowd", seed).exponential(crowd.between, crowd.raters).cumsum()
    return [float(at) for at in found]


def method_merit(running: Running, means: Mapping[str, float], seed: int = 0) -> Merit:
    """Return merits with a mean for each method and a deviation of 0.5 from clip to clip.

    Items whose answer is expected have that; methods without a mean have 3. The merit of a pair is
    how far its second method is ahead.
    """

    def merit(item: Item, question: str) -> float:
        if item.expected and question in item.expected:
            return float(item.expected[question])
        means_of = [means.get(method, 3.0) for method in item.methods]
        away = rng_for("merit", seed, item.key, question).normal(0, 0.5)
        lead = means_of[-1] - (means_of[0] if len(means_of) > 1 else 0.0)
        return lead + float(away)

    return merit


def _new_rater(running: Running, crowd: Crowd, seed: int, number: int, now: int) -> SimulatedRater:
    rng = rng_for("rater", seed, number)
    visit = EntryLink(platform_id=f"simulated-{seed}-{number}", simulated=True)
    rater = enroll(running, visit, now)
    assert rater
    careless, leaves = rng.random() < crowd.careless, rng.random() < crowd.drop_out
    training = len(running.plan.of_kind("training"))
    after = training + int(rng.integers(running.study.size.trials)) if leaves else None
    return SimulatedRater(rater.id, rng, float(rng.normal(0, crowd.bias)), bool(careless), after)


def _act(
    running: Running,
    crowd: Crowd,
    person: SimulatedRater,
    merit: Merit,
    now: int,
    marking: Marking | None,
) -> str | None:
    """Do what comes next on the rater's screen; return the screen then, None if they leave."""
    with running.database.reading() as session:
        rater = session.get_one(Rater, person.id)
        trial = current_trial(session, rater)
    if trial and rater.screen in flow.TRIAL_SCREENS:
        if rater.screen == Screen.TRIALS and trial.place == person.leaves_after:
            return None
        answers = _answers(running, crowd, person, merit, trial)
        item = running.plan.by_key[trial.item]
        marks = marking(person, item, trial) if marking else ()
        flow.answer_trial(running, person.id, trial.id, answers, _watched(item), now, marks)
    else:
        _go_on(running, rater, now)
    flow.open_trial(running, person.id, now)
    with running.database.reading() as session:
        return session.get_one(Rater, person.id).screen


def _go_on(running: Running, rater: Rater, now: int) -> None:
    """Do what a rater does on a screen without a trial."""
    if rater.screen == Screen.WELCOME:
        flow.consent(running, rater.id, True, now)
    elif rater.screen == Screen.DEVICE:
        flow.report_device(running, rater.id, dict(DEVICE), now)
    elif rater.screen == Screen.INSTRUCTIONS:
        flow.read_instructions(running, rater.id, now)
    elif rater.screen == Screen.QUIZ:
        quiz = running.study.quiz(rater.language)
        flow.answer_quiz(running, rater.id, [question.answer for question in quiz], now)
    elif rater.screen == Screen.COMMENT:
        flow.leave_comment(running, rater.id, "", now)
    elif rater.screen == Screen.FEEDBACK:
        flow.see_feedback(running, rater.id, now)
    elif rater.screen == Screen.BREAK:
        flow.end_break(running, rater.id, now)


def _answers(
    running: Running, crowd: Crowd, person: SimulatedRater, merit: Merit, trial: Trial
) -> dict[str, int]:
    """Return what a rater says to each question; who pays attention does as a trap asks."""
    item = running.plan.by_key[trial.item]
    if trial.kind == "trap" and item.expected and not person.careless:
        return dict(item.expected)
    done = trial.place / running.study.size.trials
    answer = _answer if running.study.design == "absolute" else _preference
    side = -1 if trial.swapped else 1
    return {
        str(question): answer(crowd, person, merit(item, question), done, side)
        for question in running.study.questions
    }


def _answer(crowd: Crowd, person: SimulatedRater, merit: float, done: float, _side: int) -> int:
    if person.careless:
        return int(person.rng.integers(1, 6))
    value = merit + person.bias - crowd.fatigue * done + person.rng.normal(0, crowd.noise)
    return int(np.clip(round(value), 1, 5))


def _preference(crowd: Crowd, person: SimulatedRater, merit: float, _done: float, side: int) -> int:
    """Return the side that is preferred, 0 where two edits seem less than half a point apart."""
    if person.careless:
        return int(person.rng.integers(-1, 2))
    value = side * merit + person.rng.normal(0, np.sqrt(2) * crowd.noise)
    return 0 if abs(value) < 0.5 else int(np.sign(value))


def _watched(item: Item) -> Ledger:
    whole = Stretch(start=0, end=item.seconds, took=item.seconds)
    return Ledger(stretches=(whole,), plays=1)
