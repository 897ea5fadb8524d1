"""Who is a person: names of recruiting platforms, however they were copied, and what is none.

Sources: Prolific's help ("Integrating with Prolific": ids of 24 hexadecimal digits, URL
parameters with placeholders), MTurk's API (ExternalQuestion: workerId, a preview's assignmentId).
"""

import unicodedata

import pytest
from small_study import PLAN, study
from sqlalchemy import func, select
from study_people import add_rater

from study_app.arrival import Visit, arrive, meet
from study_app.flow import Running
from study_app.platforms import person
from study_app.store.database import Database
from study_app.store.tables import Rater

PID = "5f1e0a9c7b2d4e6f8a0b1c2d"
WORKER = "A3K7QX9ZP2M1"
CODES = {"completion_code: null": "completion_code: DONE"}


def running(database: Database, kind: str) -> Running:
    return Running(study(**{"kind: open": f"kind: {kind}"}, **CODES), PLAN, database)


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("prolific", PID, PID),
        ("prolific", f" {PID}\n", PID),
        ("prolific", PID.upper(), PID),
        ("prolific", f"{PID}\u200b", PID),  # a zero-width space from a web page
        ("prolific", PID.replace("5", "\uff15"), PID),  # full-width digits
        ("prolific", PID[:-1], None),
        ("prolific", PID + "0", None),
        ("prolific", "made up 7", None),
        ("mturk", WORKER.lower(), WORKER),
        ("mturk", f"\t{WORKER} ", WORKER),
        ("mturk", PID, None),
        ("open", "Jos\u00e9", "jos\u00e9"),
        ("open", unicodedata.normalize("NFD", "Jos\u00e9"), "jos\u00e9"),
        ("open", "lab  7", "lab 7"),
        ("open", "x" * 201, None),
        ("open", "a\x00b", None),
    ],
)
def test_one_person_has_one_name(kind: str, given: str, kept: str | None) -> None:
    assert person(kind, given) == kept


@pytest.mark.parametrize("kind", ["prolific", "mturk", "open"])
@pytest.mark.parametrize(
    "given",
    [
        "{{%PROLIFIC_PID%}}", "%7B%7B%25PROLIFIC_PID%25%7D%7D", "${e://Field/PROLIFIC_PID}",
        "undefined", "null", "NULL", "None", "NaN", "ASSIGNMENT_ID_NOT_AVAILABLE", "", "  ",
        "[PROLIFIC_PID]", "<id>", "{id}", "%PROLIFIC_PID%", "$PROLIFIC_PID$", "PROLIFIC_PID",
        "[object Object]", "workerId", "\u200b",
    ],
)  # fmt: skip
def test_a_placeholder_that_nobody_filled_is_nobody(
    database: Database, kind: str, given: str
) -> None:
    visit = Visit(platform_id=given, session="s")
    if not given and kind == "open":
        return  # an open link needs no name
    assert person(kind, given) is None
    assert meet(running(database, kind), visit, 1) is None
    assert arrive(running(database, kind), visit, 1) is None


def test_whoever_comes_again_by_another_spelling_goes_on(database: Database) -> None:
    open_ = running(database, "prolific")
    first = arrive(open_, Visit(platform_id=PID, session="{{%SESSION_ID%}}"), 1)
    assert first and first.platform_id == PID and first.session is None
    for given in (PID.upper(), f" {PID} "):
        again = arrive(open_, Visit(platform_id=given, session="S2"), 2)
        assert again and again.id == first.id and again.session == "S2"


def test_a_name_that_was_kept_before_names_had_one_form_is_found(database: Database) -> None:
    """A rater of an earlier version, in capitals."""
    old = add_rater(database, [], platform="prolific", platform_id=PID.upper(), number=None)
    again = arrive(running(database, "prolific"), Visit(platform_id=PID.upper()), 5)
    assert again and again.id == old
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Rater)) == 1


def test_a_preview_is_no_worker(database: Database) -> None:
    open_ = running(database, "mturk")
    preview = Visit(platform_id=WORKER, session="ASSIGNMENT_ID_NOT_AVAILABLE")
    assert arrive(open_, preview, 1) is None
    assert arrive(open_, Visit(platform_id=WORKER, session="3ABC"), 1)
