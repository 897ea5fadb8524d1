"""Raters put into a store by hand, so that tests can count what they should find."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from small_study import PLAN

from study_app.open_study import Opened
from study_app.plan import SECRET, Item
from study_app.spec.study import Study
from study_app.store.database import Database
from study_app.store.tables import Answer, Event, Playback, Rater, Trial

MINUTE = 60_000
LEDGER = {"plays": 2, "seeks": 1, "stalls": 0, "hidden_ms": 40, "width": 480}
OWN = PLAN.of_kind("rating")


def opened_in(folder: Path, database: Database, study: Study, plan: Any = PLAN) -> Opened:
    """Return a study whose folder has what an export needs of it."""
    (folder / SECRET).write_bytes(b"0" * 64)
    (folder / "study.yaml").write_text("name: s\n")
    return Opened(study, plan, database, folder)


def add_rater(
    database: Database,
    answers: Sequence[tuple[Item, str, Mapping[str, int] | None]] = (),
    *,
    dealt: Sequence[Item] = (),
    start: int = 0,
    minutes: float | None = None,
    number: int | None = 0,
    coverage: float = 1.0,
    swapped: bool = False,
    **fields: Any,
) -> int:
    """Add a rater and return the number of their row.

    answers: what they did, a minute each: item, kind of trial, answers; None if it did not play.
    dealt:   what is theirs and not answered.
    minutes: from consent to the end; None if they are still at it.
    """
    row = {
        "token": f"token-{start}-{number}-{fields.get('platform_id')}",
        "platform": "open",
        "simulated": False,
        "language": "en",
        "screen": "trials" if minutes is None else "finished",
        "quiz_failures": 0,
        "created": start,
        "consented": start,
        "seen": start + MINUTE * len(answers),
        "finished": None if minutes is None else start + round(minutes * MINUTE),
        **fields,
    }
    with database.writing() as session:
        rater = Rater(number=number, **row)
        session.add(rater)
        session.flush()
        for place, (item, kind, values) in enumerate(answers):
            at = start + place * MINUTE
            trial = Trial(
                rater_id=rater.id,
                place=place,
                kind=kind,
                item=item.key,
                swapped=swapped,
                state="unplayable" if values is None else "rated",
                opened=at,
                answered=at + MINUTE,
            )
            session.add(trial)
            session.flush()
            if values is None:
                why = {"trial": trial.id, "why": "decode error"}
                session.add(Event(rater_id=rater.id, at=at, kind="unplayable", data=why))
                continue
            session.add(Playback(trial_id=trial.id, coverage=coverage, ledger=LEDGER))
            session.add_all(
                Answer(trial_id=trial.id, question=question, value=value)
                for question, value in values.items()
            )
        for place, item in enumerate(dealt, start=len(answers)):
            trial = Trial(
                rater_id=rater.id,
                place=place,
                kind="rating",
                item=item.key,
                swapped=False,
                state="dealt",
            )
            session.add(trial)
        return rater.id


def triple(alignment: int, fidelity: int, quality: int) -> dict[str, int]:
    """Return answers to the three questions."""
    return {"alignment": alignment, "fidelity": fidelity, "quality": quality}


VARIED = [(OWN[i], "rating", triple(1 + i % 5, 5 - i % 5, 3)) for i in range(6)]
