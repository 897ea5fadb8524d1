"""The researcher's page: how the study stands, pause and close, export. Never open by default."""

import hmac
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from study_app.app.admin_view import view
from study_app.flow import Running

_IN = "admin is in"
_WAIT = 0.5  # seconds after a wrong token
_HOW = """
#### This page is closed

Nobody has said who may see it. Either

- set a token before the study is served, and type it here:
  `DREAMIX_ADMIN_TOKEN=$(openssl rand -hex 16) dreamix study serve STUDY`
- or let your identity provider (OIDC) tell who you are: put `[auth]` into `.streamlit/secrets.toml`
  as Streamlit's `st.login` asks for, and beside it

```toml
[admin]
emails = ["you@university.edu"]
# unverified = true   # only if your provider never says that an address is confirmed
```
"""


def draw(running: Running, admin_token: str | None) -> None:
    """Draw the page for those who may see it, and the way in for others."""
    if st.session_state.get(_IN) or _is_let_in(admin_token):
        st.session_state[_IN] = True
        view(running)


def _is_let_in(admin_token: str | None) -> bool:
    """Return True for whoever shows the token, or has logged in and is on the list."""
    st.title("Study administration")
    oidc, rules = _oidc()
    if not oidc and not admin_token:
        st.markdown(_HOW)
        return False
    return (oidc and _is_logged_in(rules)) or bool(admin_token and _has_token(admin_token))


def _has_token(admin_token: str) -> bool:
    """Return True once the right token was typed; the time that a comparison takes tells nothing.

    It is typed and not part of the URL, which browsers and proxies write down.
    """
    with st.form("admin token", border=False):
        given = st.text_input("Token", type="password", max_chars=200)
        sent = st.form_submit_button("Enter")
    if not sent:
        return False
    if hmac.compare_digest(given.encode(), admin_token.encode()):
        st.session_state[_IN] = True
        st.rerun()
    time.sleep(_WAIT)
    st.error("This is not the token.")
    return False


def _is_logged_in(rules: Mapping[str, Any]) -> bool:
    """Return True for an account of the list, its address confirmed by the provider."""
    if not st.user.is_logged_in:
        st.button("Log in", on_click=st.login)
        return False
    email = str(st.user.get("email") or "").lower()
    confirmed = st.user.get("email_verified") is True or rules.get("unverified") is True
    if confirmed and email in [str(known).lower() for known in rules.get("emails", [])]:
        return True
    st.error("This account may not see the page; `[admin] emails` in the secrets lists who may.")
    st.button("Log out", on_click=st.logout)
    return False


def _oidc() -> tuple[bool, Mapping[str, Any]]:
    """Return whether logging in is set up, and who may come in then."""
    try:
        secrets = st.secrets.to_dict()
    except FileNotFoundError:
        return False, {}
    return "auth" in secrets, secrets.get("admin", {})
