"""What this process serves, and who is at the page.

The URL holds a token and nothing else once a rater began.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from study_app.declaration import Running
from study_app.enrollment import TOKEN, EntryLink, enroll, get_or_preview_rater
from study_app.open_study import Opened, open_study
from study_app.platforms import PLATFORMS
from study_app.prepare.media import FOLDER
from study_app.state import ENDS, Screen
from study_app.store.database import now
from study_app.store.tables import Rater

_ID, _RESUMED = "rater", "has come back"
LANGUAGE = "language"  # of the page, for what is said where the store does not answer


class Site(NamedTuple):
    """An open study, where its clips are, and what opens the researcher's page."""

    running: Opened
    media: Path
    admin_token: str | None = None


_served: list[Site] = []  # at most one: Streamlit's script finds it here


def open_site(
    folder: Path, database_url: str | None = None, admin_token: str | None = None
) -> Site:
    """Return the study in `folder`, open.

    database_url: where the ratings are; by default an SQLite file in `folder`.

    Raises:
        UserError: if the study is not built.
    """
    running = open_study(folder, database_url)
    return Site(running, (folder / FOLDER).resolve(), admin_token)


def set_site(site: Site) -> None:
    """Make `site` the one that this process serves."""
    _served[:] = [site]


def current_site() -> Site:
    """Return the study that this process serves."""
    return _served[0]


def device_check_clip(running: Running) -> str:
    """Return the name of the clip for the device check: a source."""
    item = next(iter(running.plan.of_kind("training") or running.plan.items))
    return item.reference or item.left


class RaterSession(NamedTuple):
    """What a page remembers of its rater."""

    id: int
    token: str


def current_rater(running: Running) -> Rater | None:
    """Return the rater at this page as the store knows them; None if the link is of no study.

    A newcomer has no row yet. A page whose rater was erased forgets everything about them.
    """
    if known := st.session_state.get(_ID):
        with running.database.reading() as session:
            rater = session.get(Rater, known.id)
        if rater and rater.token == known.token:
            return rater
        st.session_state.clear()
    rater = get_or_preview_rater(running, _entry_link(), now())
    if rater and rater.id is not None:
        _remember(rater)
        st.session_state[_RESUMED] = rater.screen not in {Screen.WELCOME, *ENDS}
    return rater


def ensure_enrolled(running: Running, rater: Rater, *, nameless: bool = False) -> int | None:
    """Return the id of a rater's row, None if enrollment has closed; a first action makes the row.

    nameless: the row never holds what identifies them.
    """
    if rater.id is not None:
        return rater.id
    if known := st.session_state.get(_ID):
        return int(known.id)  # a double click
    arrived = enroll(running, _entry_link(), now(), nameless=nameless)
    if arrived:
        _remember(arrived)
    return arrived and arrived.id


def _remember(rater: Rater) -> None:
    st.session_state[_ID] = RaterSession(rater.id, rater.token)
    st.query_params.from_dict({TOKEN: rater.token})


def just_resumed() -> bool:
    """Return True once for a rater who resumes in a new session."""
    return bool(st.session_state.pop(_RESUMED, False))


def link_language() -> str | None:
    """Return the language that the URL asks for."""
    return st.query_params.get("lang")


def _entry_link() -> EntryLink:
    return EntryLink(
        token=st.query_params.get(TOKEN),
        platform_id=_first(names.person for names in PLATFORMS.values()),
        session=_first(names.session for names in PLATFORMS.values()),
        study=_first(names.study for names in PLATFORMS.values()),
        language=link_language(),
    )


def _first(names: Iterable[str]) -> str | None:
    return next((st.query_params[name] for name in names if name in st.query_params), None)
