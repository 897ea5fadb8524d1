"""Opens a study's folder: what it asks, what it shows, its answers, and whether it is served.

Servers share a lock on the folder while they run. It is the kernel's (flock): it is gone when the
server is, however that ended.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from dreamix.core.places import inside
from dreamix.core.wording import command, plural
from study_app.declaration import (
    Running,
    check_clips,
    check_content,
    current_declaration,
    declare,
    declared_hash,
)
from study_app.plan import KINDS, SECRET, Item, Plan, read_plan
from study_app.plan import PLAN_FILE as PLAN_FILE
from study_app.spec.study import Study, read_study
from study_app.store.address import keep_private
from study_app.store.backup import leave_notice
from study_app.store.database import Database, answering, now, open_database
from study_app.store.tables import Trial

RATINGS_FILE = "ratings.sqlite"
SIMULATED_FILE = "simulated.sqlite"
VARIABLE = "DREAMIX_DATABASE"
LOCK_FILE = ".served"
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Opened(Running):
    """A study that is open, and the folder that it stands in."""

    folder: Path


def database_url(folder: Path, given: str | None = None) -> str:
    """Return where the answers are: as given, by DREAMIX_DATABASE, or in the study's folder."""
    if given is not None:
        return given
    return os.environ.get(VARIABLE) or f"sqlite:///{inside(folder, RATINGS_FILE).resolve()}"


def simulated_url(folder: Path, given: str | None = None) -> str:
    """Return where simulated answers go: never, unless said, to where people's are."""
    if given is not None:
        return given
    return f"sqlite:///{inside(folder, SIMULATED_FILE).resolve()}"


def open_study(folder: Path, url: str | None = None) -> Opened:
    """Return the study in `folder`, checked: plan, declaration and answers belong together."""
    study, plan = read_study(folder), read_plan(folder)
    check_plan(plan, study, folder)
    if plan.study != study.name or plan.declared != declared_hash(study, plan):
        raise UserError(
            f"{folder}: study.yaml has changed since it was built; run `dreamix study build "
            f"{folder}` again"
        )
    for name in (SECRET, PLAN_FILE):
        keep_private(folder / name)
    database = open_store(folder, url)
    with answering(database):
        check_content(database, study)
        check_clips(database, plan, ())
        check_shown(database, plan, folder)
        with database.reading() as session:
            known = current_declaration(session)
        if not known or known.hash != plan.declared:
            declare(database, study, plan, now())
    return Opened(study, plan, database, folder)


def open_store(folder: Path, url: str | None) -> Database:
    """Return the database of the study in `folder`, beside which stands how it is copied."""
    database = open_database(database_url(folder, url))
    leave_notice(database)
    return database


@contextmanager
def opened(folder: Path, url: str | None = None) -> Iterator[Opened]:
    """Give a study that is let go of when the block ends."""
    running = open_study(folder, url)
    try:
        with answering(running.database):
            yield running
    finally:
        running.database.engine.dispose()


def check_plan(plan: Plan, study: Study, folder: Path) -> None:
    """Raise a `UserError` if the plan has an item that this study cannot show."""
    held = (*((item, study) for item in plan.items), *((item, None) for item in plan.retired))
    wrong = next((found for item, of in held if (found := _misfit(item, plan, of))), None)
    if wrong:
        raise UserError(
            f"{folder / PLAN_FILE}: {wrong}; run {command('study', 'build', folder)} again"
        )


def _misfit(item: Item, plan: Plan, study: Study | None) -> str | None:
    """Return what does not fit in an item of a plan, None if all does; study: that asks for it."""
    if plan.by_key[item.key] != item:
        return f"two items have the key {item.key}"
    if item.kind not in KINDS:
        return f"item {item.key} is of no known kind ({shown(item.kind)})"
    if lost := set(item.clips) - set(plan.clips):
        return f"item {item.key} shows a clip that is not listed ({shown(min(lost))})"
    if study is None:
        return None
    if len(item.methods) != (wanted := study.methods_of(item.kind)):
        return f"item {item.key} names {len(item.methods)} methods, not {wanted}"
    if not set(item.expected or ()) <= set(study.questions):
        return f"item {item.key} expects answers to questions that are not asked"
    return None


def check_shown(database: Database, plan: Plan, folder: Path) -> None:
    """Raise a `UserError` if raters were shown what the plan does not have."""
    if lost := items_shown(database) - set(plan.by_key):
        raise UserError(
            f"{folder}: the plan lacks {plural(len(lost), 'clip')} that raters were shown; put "
            "name, seed, methods, edits and checks of study.yaml back as they were and build "
            "again, or name the database that belongs to it"
        )


def items_shown(database: Database) -> set[str]:
    """Return the keys of all items that raters have in their lists."""
    with database.reading() as session:
        return set(session.scalars(select(Trial.item).distinct()))


def refuse_fixed(folder: Path) -> None:
    """Raise a `UserError` if a study does not declare that votes are dealt adaptively."""
    if read_study(folder).adaptive is None:
        raise UserError(
            f"{folder}: study.yaml does not declare `adaptive:`; it is part of the plan, so put it "
            "there and run `dreamix study build` before the first vote"
        )


@contextmanager
def being_served(folder: Path) -> Iterator[None]:
    """Let everybody know that the study in `folder` is served while the block runs."""
    lock = os.open(folder / LOCK_FILE, _FLAGS | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def is_served(folder: Path) -> bool:
    """Return True if a server of this machine, or of one that shares the disk, runs."""
    try:
        lock = os.open(folder / LOCK_FILE, _FLAGS)
    except FileNotFoundError:
        return False  # it never was
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
