"""Who is at the page: read from the URL, which holds a token and nothing else once they began."""

from collections.abc import Iterable
from typing import NamedTuple

import streamlit as st

from study_app.arrival import TOKEN, Visit, arrive, meet
from study_app.flow import Running
from study_app.platforms import PLATFORMS
from study_app.screens import ENDS, Screen
from study_app.store.database import now
from study_app.store.tables import Rater

_ID, _NEW = "rater", "has come back"
LANGUAGE = "language"  # of the page, for what is said where the store does not answer


class Known(NamedTuple):
    """What a page remembers of its rater."""

    id: int
    token: str


def visitor(running: Running) -> Rater | None:
    """Return the rater at this page as the store knows them; None if the link is of no study.

    Whoever is new has no row yet. A page whose rater was erased forgets all that it has of them.
    """
    if known := st.session_state.get(_ID):
        with running.database.reading() as session:
            rater = session.get(Rater, known.id)
        if rater and rater.token == known.token:
            return rater
        st.session_state.clear()
    rater = meet(running, _visit(), now())
    if rater and rater.id is not None:
        _remember(rater)
        st.session_state[_NEW] = rater.screen not in {Screen.WELCOME, *ENDS}
    return rater


def row_of(running: Running, rater: Rater, *, nameless: bool = False) -> int | None:
    """Return the number of a rater's row; whoever is new gets one with the first thing they do.

    nameless: it never has what says who they are. None if nobody new may come any more.
    """
    if rater.id is not None:
        return rater.id
    if known := st.session_state.get(_ID):
        return int(known.id)  # a double click
    arrived = arrive(running, _visit(), now(), nameless=nameless)
    if arrived:
        _remember(arrived)
    return arrived and arrived.id


def _remember(rater: Rater) -> None:
    st.session_state[_ID] = Known(rater.id, rater.token)
    st.query_params.from_dict({TOKEN: rater.token})


def has_just_come_back() -> bool:
    """Return True once for a rater who goes on in a new session."""
    return bool(st.session_state.pop(_NEW, False))


def language_of_link() -> str | None:
    """Return the language that the URL asks for."""
    return st.query_params.get("lang")


def _visit() -> Visit:
    return Visit(
        token=st.query_params.get(TOKEN),
        platform_id=_first(names.person for names in PLATFORMS.values()),
        session=_first(names.session for names in PLATFORMS.values()),
        study=_first(names.study for names in PLATFORMS.values()),
        language=language_of_link(),
    )


def _first(names: Iterable[str]) -> str | None:
    return next((st.query_params[name] for name in names if name in st.query_params), None)
