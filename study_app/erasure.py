"""Erases what identifies a person, on request all answers, and finds files that still hold it."""

import re
import secrets
from collections.abc import Iterable
from mmap import ACCESS_READ, mmap
from pathlib import Path

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dreamix.core.spreadsheet import harmless
from study_app.declaration import Running
from study_app.prepare.media import FOLDER
from study_app.state import ENDS, Screen, write_setting
from study_app.store.address import BESIDE, file_of
from study_app.store.database import Database
from study_app.store.secure_delete import overwrite_erased
from study_app.store.tables import Answer, Event, Exclusion, Mark, Playback, Rater, Setting, Trial

_KEY = "erased"
_DISTINCTIVE = 6  # bytes; what is shorter may stand anywhere


def erase(running: Running, raters: list[Rater], now: int, *, answers: bool = False) -> list[str]:
    """Erase what tells who raters are, and leave a row that says that somebody was erased.

    Return what could not be overwritten, and why;
    `study_app.store.secure_delete.overwrite_erased` tries that again.

    Platform's name and session, link, comment, device and events go. The rater's row stays, as a
    number that stands for nobody, so that the numbers of lists stay what they were.

    answers: their trials and answers go as well; others are dealt what they had rated.
    """
    with running.database.writing(alone=True) as session:
        for rater in raters:
            row = session.get_one(Rater, rater.id)
            _erase_identity(session, row)
            if answers:
                _remove_answers(session, row)
        _record_erasure(session, len(raters), answers, now)
    return overwrite_erased(running.database)


def _erase_identity(session: Session, row: Rater) -> None:
    _redact_reasons(session, row)
    row.platform_id = row.session = row.comment = row.device = None
    row.token = secrets.token_urlsafe(24)
    if row.screen not in ENDS:
        row.screen = Screen.LEFT
        mine = update(Trial).where(Trial.rater_id == row.id, Trial.state == "dealt")
        session.execute(mine.values(state="released"))
    session.execute(delete(Event).where(Event.rater_id == row.id))


def _redact_reasons(session: Session, row: Rater) -> None:
    """Take out of what a researcher wrote of a rater what tells who they are."""
    found = (row.platform_id, row.session, row.token, row.comment)
    telling = sorted({text for text in found if text}, key=len, reverse=True)
    by_hand = select(Exclusion).where(Exclusion.rater_id == row.id, ~Exclusion.automatic)
    for exclusion in session.scalars(by_hand):
        for text in telling:
            anyhow = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
            exclusion.reason = anyhow.sub("(erased)", exclusion.reason)


def _remove_answers(session: Session, row: Rater) -> None:
    trials = select(Trial.id).where(Trial.rater_id == row.id)
    for table in (Answer, Mark, Playback):
        session.execute(delete(table).where(table.trial_id.in_(trials)))
    session.execute(delete(Trial).where(Trial.rater_id == row.id))
    session.execute(delete(Exclusion).where(Exclusion.rater_id == row.id))
    row.screen, row.consented, row.consent_version, row.finished = Screen.LEFT, None, None, None


def _record_erasure(session: Session, raters: int, answers: bool, now: int) -> None:
    number = session.scalar(select(func.count()).where(Setting.key.like(f"{_KEY} %"))) or 0
    write_setting(
        session, f"{_KEY} {number + 1}", {"at": now, "raters": raters, "answers": answers}
    )


def identifying_texts(raters: Iterable[Rater]) -> list[str]:
    """Return what tells who raters are, as it stands in rows."""
    texts = {
        text for r in raters for text in (r.platform_id, r.session, r.comment, r.token) if text
    }
    return sorted(texts)


def files_containing(folder: Path, database: Database, texts: Iterable[str]) -> list[Path]:
    """Return the files in a study's folder, but for its store and its clips, that hold a text.

    Compressed files are not looked into.
    """
    forms = {form.encode() for text in texts for form in _written(text)}
    wanted = [re.escape(form) for form in sorted(forms) if len(form) >= _DISTINCTIVE]
    if not wanted:
        return []
    any_of_them, store = re.compile(b"|".join(wanted)), file_of(database.engine.url)
    own = {store.resolve().with_name(store.name + end) for end in BESIDE} if store else set()
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.resolve() not in own and _is_searched(path, folder)
        if _holds(path, any_of_them)
    ]


def _written(text: str) -> tuple[str, ...]:
    """Return a text as it stands in a row, in a table and in JSON."""
    safe = harmless(text)
    return text, safe, safe.replace('"', '""'), text.replace('"', '\\"')


def _is_searched(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0] != FOLDER


def _holds(path: Path, texts: re.Pattern[bytes]) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return texts.search(content) is not None
