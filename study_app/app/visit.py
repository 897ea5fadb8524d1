"""Who is at the page: read from the URL once, which then holds a token and nothing else."""

import streamlit as st

from study_app.arrival import TOKEN, Visit, arrive
from study_app.flow import Running
from study_app.screens import ENDS, Screen
from study_app.store.database import now
from study_app.store.tables import Rater

_ID, _NEW = "rater", "has come back"
# Names of the same thing at Prolific and at Mechanical Turk.
_PLATFORM_ID = ("PROLIFIC_PID", "workerId")
_SESSION = ("SESSION_ID", "assignmentId")
_STUDY = ("STUDY_ID", "hitId")


def visitor(running: Running) -> Rater | None:
    """Return the rater at this page as the store knows them; None if the link is of no study."""
    known = st.session_state.get(_ID)
    if known is not None:
        with running.database.reading() as session:
            return session.get(Rater, known)
    rater = arrive(running, _visit(), now())
    if rater:
        st.session_state[_ID] = rater.id
        st.session_state[_NEW] = rater.screen not in {Screen.WELCOME, *ENDS}
        st.query_params.from_dict({TOKEN: rater.token})
    return rater


def has_just_come_back() -> bool:
    """Return True once for a rater who goes on in a new session."""
    return bool(st.session_state.pop(_NEW, False))


def language_of_link() -> str | None:
    """Return the language that the URL asks for."""
    return st.query_params.get("lang")


def _visit() -> Visit:
    return Visit(
        token=st.query_params.get(TOKEN),
        platform_id=_first(_PLATFORM_ID),
        session=_first(_SESSION),
        study=_first(_STUDY),
        language=language_of_link(),
    )


def _first(names: tuple[str, ...]) -> str | None:
    return next((st.query_params[name] for name in names if name in st.query_params), None)
