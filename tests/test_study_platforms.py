"""Who is a person: names of recruiting platforms, however they were copied, and what is none.

Sources: Prolific's help ("Integrating with Prolific": ids of 24 hexadecimal digits, URL
parameters with placeholders), MTurk's API (ExternalQuestion: workerId, a preview's assignmentId).
"""

import unicodedata
from pathlib import Path

import pytest
from browser_rater import chromium
from served_study import make_run, make_study, running_server
from small_study import PLAN, study
from sqlalchemy import func, select
from study_people import add_rater

from study_app.declaration import Running
from study_app.enrollment import EntryLink, enroll, get_or_preview_rater
from study_app.platforms import person_id
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
        ("prolific", f"\u200f{PID}\u202c", PID),  # marks of direction, from an Arabic page
        ("prolific", f"{PID}\ufe0f", PID),  # a selector of variants
        ("prolific", f"\ufeff{PID}\u2060", PID),  # a byte order mark and a word joiner
        ("prolific", f"\u3164{PID}", PID),  # a filler that is not drawn
        ("prolific", PID.replace("e", "\u0435"), None),  # a Cyrillic e is no digit
        ("prolific", PID[:12] + " " + PID[12:], None),
        ("mturk", "\uff21\uff13K7QX9ZP2M1", "A3K7QX9ZP2M1"),  # full-width
        ("open", "Stra\u00dfe 7", "strasse 7"),
        ("open", "STRASSE 7", "strasse 7"),
        ("open", "\u0391\u0345\u03b1", "\u03b1\u03b9\u03b1"),  # one form after folding too
        ("open", "Anna\u034f", "anna"),
        ("open", "\u0645\u0631\u064a\u0645", "\u0645\u0631\u064a\u0645"),
        ("open", "\u5f20\u4e09", "\u5f20\u4e09"),
        ("open", "\U0001f600", "\U0001f600"),
        ("open", "#12", "#12"),
        ("open", "@ann", "@ann"),
        ("open", "n.a.", "n.a."),  # initials
        ("open", "x" * 201, None),
        ("open", "a\x00b", None),
    ],
)
def test_one_person_has_one_name(kind: str, given: str, kept: str | None) -> None:
    assert person_id(kind, given) == kept


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["prolific", "mturk", "open"])
@pytest.mark.parametrize(
    "given",
    [
        "{{%PROLIFIC_PID%}}", "%7B%7B%25PROLIFIC_PID%25%7D%7D", "${e://Field/PROLIFIC_PID}",
        "undefined", "null", "NULL", "None", "NaN", "ASSIGNMENT_ID_NOT_AVAILABLE", "", "  ",
        "[PROLIFIC_PID]", "<id>", "{id}", "%PROLIFIC_PID%", "$PROLIFIC_PID$", "PROLIFIC_PID",
        "[object Object]", "workerId", "\u200b", "{{PID}}", "[PID]", "$PROLIFIC_PID", ":pid",
        "%257B%257BPROLIFIC_PID%257D%257D", "__PID__", "%%PID%%", "<%= pid %>", "#{pid}", "(null)",
        "'undefined'", "N/A", "nil", "-", "???", "your-id-here", "\uff3bPID\uff3d",
        "\u200fnull\u200f", "assignment_id_not_available", "\ufe0f", "{", "$1", "unknown",
        "Participant ID",
    ],
)  # fmt: skip
def test_a_placeholder_that_nobody_filled_is_nobody(
    database: Database, kind: str, given: str
) -> None:
    visit = EntryLink(platform_id=given, session="s")
    if not given and kind == "open":
        return  # an open link needs no name
    assert person_id(kind, given) is None
    assert get_or_preview_rater(running(database, kind), visit, 1) is None
    assert enroll(running(database, kind), visit, 1) is None


def test_whoever_comes_again_by_another_spelling_goes_on(database: Database) -> None:
    open_ = running(database, "prolific")
    first = enroll(open_, EntryLink(platform_id=PID, session="{{%SESSION_ID%}}"), 1)
    assert first and first.platform_id == PID and first.session is None
    for given in (PID.upper(), f" {PID} "):
        again = enroll(open_, EntryLink(platform_id=given, session="S2"), 2)
        assert again and again.id == first.id and again.session == "S2"


def test_a_name_that_was_kept_before_names_had_one_form_is_found(database: Database) -> None:
    """A rater of an earlier version, in capitals."""
    old = add_rater(database, [], platform="prolific", platform_id=PID.upper(), number=None)
    again = enroll(running(database, "prolific"), EntryLink(platform_id=PID.upper()), 5)
    assert again and again.id == old
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Rater)) == 1


def test_who_was_here_before_the_study_moved_to_a_platform_goes_on(database: Database) -> None:
    """`recruiting` may change under votes; one person still rates once."""
    first = enroll(running(database, "open"), EntryLink(platform_id=PID.upper()), 1)
    again = enroll(running(database, "prolific"), EntryLink(platform_id=PID), 2)
    assert first and again and again.id == first.id
    worker = enroll(running(database, "open"), EntryLink(platform_id=WORKER), 3)
    on_mturk = enroll(running(database, "mturk"), EntryLink(platform_id=WORKER), 4)
    assert worker and on_mturk and worker.id == on_mturk.id


def test_a_preview_is_no_worker(database: Database) -> None:
    open_ = running(database, "mturk")
    for session in ("ASSIGNMENT_ID_NOT_AVAILABLE", " assignment_id_not_available\n"):
        assert enroll(open_, EntryLink(platform_id=WORKER, session=session), 1) is None
    assert enroll(open_, EntryLink(platform_id=WORKER, session="3ABC"), 1)


@pytest.mark.slow
def test_the_page_for_mturk_leads_a_worker_in_and_back(root: Path, tmp_path: Path) -> None:
    """docs/hosting/mturk.html as it is written, but for the study's address and Amazon's script."""
    changes = {"kind: open": "kind: mturk"}
    study = make_study(tmp_path / "study", make_run(tmp_path / "run", root, videos=4), **changes)
    page = (root / "docs" / "hosting" / "mturk.html").read_text()
    assert "https://assets.crowd.aws/crowd-html-elements.js" in page
    with running_server(study) as server, chromium() as browser:
        hit = tmp_path / "hit.html"
        hit.write_text(page.replace("https://study.example.org/", f"{server.url}/"))
        tab = browser.new_page()
        tab.route("**/crowd-html-elements.js", lambda route: route.abort())
        tab.goto(f"{hit.as_uri()}?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H1")
        assert not tab.locator("#study").is_visible()
        assert tab.get_by_text("once you have accepted this HIT").is_visible()
        tab.goto(f"{hit.as_uri()}?workerId=A1B2C3D4E5F6G&assignmentId=3ABC&hitId=H1")
        assert not tab.get_by_text("once you have accepted this HIT").is_visible()
        for wanted in ("I agree", "It plays well"):  # the second time they go on where they were
            with tab.expect_popup() as opened:
                tab.locator("#study").click()
            opened.value.get_by_role("button", name=wanted).wait_for()
            if wanted == "I agree":
                opened.value.get_by_role("button", name=wanted).click()
                opened.value.get_by_text("Does this clip play smoothly?").wait_for()
            opened.value.close()
