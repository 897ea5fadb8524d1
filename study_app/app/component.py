"""The page's own parts: the player, and what watches over the page. Their code is in player/."""

from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).with_name("player")
_SHARED = ("dom", "clips")


def _code(*names: str) -> str:
    """Return one script of several files; the last exports what Streamlit calls."""
    return "\n".join((_FOLDER / f"{n}.js").read_text(encoding="utf-8") for n in (*_SHARED, *names))


def _style(name: str) -> str:
    """Return a style sheet."""
    return (_FOLDER / f"{name}.css").read_text(encoding="utf-8")


PAGE_STYLE = _style("page")
_player = st.components.v2.component(
    "dreamix_player",
    js=_code("ledger", "clock", "room", "stage", "scale", "defects", "trial", "check", "player"),
    css=_style("player") + _style("defects"),
)
_page = st.components.v2.component("dreamix_page", js=_code("page"))
PLAYER = "player"


def player(data: dict[str, Any]) -> dict[str, Any] | None:
    """Draw the player; return what it said last, if anything.

    data: the only thing that changes; the key stays, so that the clips and the ledger do as well.
    """
    said = _player(key=PLAYER, data=data, on_said_change=lambda: None).said
    return said if isinstance(said, dict) else None


def last_event() -> dict[str, Any] | None:
    """Return what the player said to bring about this drawing."""
    state = st.session_state.get(PLAYER)
    said = state.get("said") if isinstance(state, dict) else None
    return said if isinstance(said, dict) else None


def watch_page(data: dict[str, Any]) -> None:
    """Mount what keeps the address, fetches clips ahead and leads back to the platform."""
    _page(key="page", data=data)
