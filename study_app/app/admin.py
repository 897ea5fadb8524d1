"""The researcher's page: how the study stands, pause and close, export. Never open by default."""

import hmac
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dreamix.core.errors import UserError
from dreamix.core.wording import is_are, percent, plural
from study_app.app.charts import coverage_chart, pace_chart, screens_chart
from study_app.declaration import Running
from study_app.export.writing import export_bytes
from study_app.monitor import Ratio, StudyStatus, study_status
from study_app.open_study import Opened
from study_app.state import StateName, change_state, current_state
from study_app.status_text import NO_SIMULATION_IS_DATA, utc_text
from study_app.store.database import now

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
_EVERY = "15s"  # between two looks at the store
_PACKED = "packed export"
_COLOURS = {"open": "green", "paused": "orange", "closed": "gray"}
_BUTTONS: dict[str, tuple[tuple[str, StateName, str], ...]] = {
    "open": (("Pause", "paused", ":material/pause:"), ("Close", "closed", ":material/stop:")),
    "paused": (
        ("Go on", "open", ":material/play_arrow:"),
        ("Close", "closed", ":material/stop:"),
    ),
    "closed": (("Open again", "open", ":material/play_arrow:"),),
}


def draw(running: Running, admin_token: str | None) -> None:
    """Draw the page for those who may see it, and the way in for others."""
    if st.session_state.get(_IN) or _is_let_in(admin_token):
        st.session_state[_IN] = True
        view(running)


def _is_let_in(admin_token: str | None) -> bool:
    """Return True for a visitor who has the token, or who has logged in and is on the list."""
    st.title("Study administration")
    oidc, rules = _oidc()
    if not oidc and not admin_token:
        st.markdown(_HOW)
        return False
    return (oidc and _is_logged_in(rules)) or bool(admin_token and _has_token(admin_token))


def _has_token(admin_token: str) -> bool:
    """Return True once the right token was typed; it is compared in constant time.

    It is typed, not part of the URL, because browsers and proxies log URLs.
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


def view(running: Running) -> None:
    """Draw the page."""
    st.fragment(_figures, run_every=_EVERY)(running)
    st.divider()
    left, right = st.columns((3, 2), gap="large")
    with left:
        _state(running)
    with right:
        _export(running)


def _figures(running: Running) -> None:
    """Draw all that changes while the study goes on."""
    status = study_status(running, now())
    _head(running, status)
    _numbers(status)
    left, right = st.columns((3, 2), gap="large")
    with left:
        st.markdown(f"##### Votes by edit and method, {status.quota} wanted of each")
        st.altair_chart(coverage_chart(status), width="stretch")
    with right:
        _raters(status)
    left, right = st.columns((3, 2), gap="large")
    with left:
        _checks(status)
    with right:
        _exclusions(status)


def _head(running: Running, status: StudyStatus) -> None:
    state, study = status.state, running.study
    mark = f":{_COLOURS[state.name]}-badge[{state.name}]"
    st.title(f"{study.name} {mark}", anchor=False)
    if status.raters == "simulated":
        st.warning(f"**SIMULATED**: {NO_SIMULATION_IS_DATA}.", icon=":material/smart_toy:")
    if status.raters == "mixed":
        st.error("People and simulated raters are mixed: nothing of this can be exported.")
    since = f"{state.name} since {utc_text(state.since)} · " if state.since is not None else ""
    st.caption(f"{since}{study.design} design · as of {utc_text(status.at)}")
    if status.erase_after is not None:
        over = now() >= status.erase_after
        (st.error if over else st.info)(
            f"What identifies raters {'had' if over else 'has'} to be erased by "
            f"{utc_text(status.erase_after)}."
        )


def _numbers(status: StudyStatus) -> None:
    """Draw the figures that matter most, in a row."""
    pace = status.pace.finished if status.pace else 0.0
    figures = (
        ("Votes", percent(status.counted, status.wanted), _of_votes(status)),
        ("Raters finished", str(status.finished), f"{status.on_their_way} on their way"),
        ("Pace", f"{pace:.1f} / h", "finished, over the last day"),
        ("Time taken", _minutes(status), "median of those who finished"),
        ("Votes complete", *_end(status)),
        ("Trials held", str(status.open_trials.part), _silent(status.open_trials)),
    )
    for column, (label, value, note) in zip(st.columns(len(figures)), figures, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(label, value)
            st.caption(note)


def _of_votes(status: StudyStatus) -> str:
    return f"{status.counted} of {status.wanted}"


def _minutes(status: StudyStatus) -> str:
    if status.minutes is None:
        return "-"
    return f"{status.minutes:.0f} min" if status.minutes >= 0.5 else "< 1 min"


def _end(status: StudyStatus) -> tuple[str, str]:
    """Return when the votes will be complete, and what that rests on."""
    if status.counted >= status.wanted:
        return "now", "every cell has its votes"
    if status.ends is None:
        return "-", "cannot be told yet"
    hours = (status.ends - status.at) / 3_600_000
    return _span(hours), f"{utc_text(status.ends)}, at this pace"


def _span(hours: float) -> str:
    if hours < 2:
        return f"in {max(1, round(60 * hours))} min"
    return f"in {hours:.0f} h" if hours < 48 else f"in {hours / 24:.0f} d"


def _silent(trials: Ratio) -> str:
    return f"and {trials.whole - trials.part} by raters gone silent"


def _raters(status: StudyStatus) -> None:
    st.markdown("##### Raters by screen")
    if not status.screens:
        st.caption("Nobody has come yet.")
        return
    st.altair_chart(screens_chart(status), width="stretch")
    if status.pace:
        st.markdown("##### Finished by hour")
        st.altair_chart(pace_chart(status), width="stretch")


def _checks(status: StudyStatus) -> None:
    """Draw what went wrong: checks and playback."""
    st.markdown("##### Checks")
    none = Ratio(0, 0)
    rows = {
        "Traps failed": status.checks.get("trap", none),
        "Gold trials failed": status.checks.get("gold", none),
        "Trials that did not play": status.unplayable,
    }
    st.table({"": list(rows), "share": [_share(part) for part in rows.values()]}, hide_index=True)


def _exclusions(status: StudyStatus) -> None:
    st.markdown("##### Excluded by the declared rules")
    st.caption(
        f"{plural(status.excluded_raters, 'rater')}; {status.rejected} rejected by hand. "
        "Exclusion never decides payment."
    )
    if status.excluded:
        rules = sorted(status.excluded)
        counts = [str(status.excluded[rule]) for rule in rules]
        st.table({"rule": rules, "raters": counts}, hide_index=True)
    _usable(status)


def _usable(status: StudyStatus) -> None:
    if lost := status.given - status.kept:
        st.caption(
            f"{lost} of {plural(status.given, 'vote')} given {is_are(lost)} by excluded raters. "
            "`dreamix study reject` lets others rate again."
        )


def _share(part: Ratio) -> str:
    if not part.whole:
        return "none yet"
    return f"{part.part} of {part.whole} ({percent(*part)})"


def _state(running: Running) -> None:
    """Draw buttons that pause, close and open."""
    st.markdown("##### Taking raters")
    name = current_state(running.database).name
    with st.container(horizontal=True):
        for label, to, icon in _BUTTONS[name]:
            if st.button(label, icon=icon, key=f"to {to}"):
                change_state(running.database, to, now())
                st.rerun()
    st.caption(
        "Paused: no lists are dealt, and what raters have done is kept. Closed: nobody new comes "
        "in, and whoever has a list may finish it."
    )


def _export(running: Running) -> None:
    """Draw the export: made on request, then offered as a file."""
    st.markdown("##### Results")
    if not isinstance(running, Opened):
        st.caption("`dreamix study export STUDY` writes them.")
        return
    if st.button("Prepare the export", icon=":material/inventory_2:"):
        try:
            st.session_state[_PACKED] = export_bytes(running, now())
        except UserError as error:
            st.error(str(error))
    if packed := st.session_state.get(_PACKED):
        st.download_button(
            f"Download {packed[0]}", packed[1], packed[0], icon=":material/download:"
        )
    st.caption("Under pseudonyms. The list for payment is written by the command only.")
