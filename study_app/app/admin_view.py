"""What the researcher's page shows: figures, charts, buttons, download."""

import streamlit as st

from dreamix.core.errors import UserError
from dreamix.core.wording import is_are, percent, plural
from study_app.app.charts import coverage_chart, pace_chart, screens_chart
from study_app.export.writing import export_bytes
from study_app.flow import Running
from study_app.monitor import Part, Standing, watch
from study_app.opening import Opened
from study_app.state import Name, change_state, current_state
from study_app.store.database import now
from study_app.telling import NO_SIMULATION_IS_DATA, day

_EVERY = "15s"  # between two looks at the store
_PACKED = "packed export"
_COLOURS = {"open": "green", "paused": "orange", "closed": "gray"}
_BUTTONS: dict[str, tuple[tuple[str, Name, str], ...]] = {
    "open": (("Pause", "paused", ":material/pause:"), ("Close", "closed", ":material/stop:")),
    "paused": (
        ("Go on", "open", ":material/play_arrow:"),
        ("Close", "closed", ":material/stop:"),
    ),
    "closed": (("Open again", "open", ":material/play_arrow:"),),
}


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
    standing = watch(running, now())
    _head(running, standing)
    _numbers(standing)
    left, right = st.columns((3, 2), gap="large")
    with left:
        st.markdown(f"##### Votes by edit and method, {standing.quota} wanted of each")
        st.altair_chart(coverage_chart(standing), width="stretch")
    with right:
        _raters(standing)
    left, right = st.columns((3, 2), gap="large")
    with left:
        _checks(standing)
    with right:
        _exclusions(standing)


def _head(running: Running, standing: Standing) -> None:
    state, study = standing.state, running.study
    mark = f":{_COLOURS[state.name]}-badge[{state.name}]"
    st.title(f"{study.name} {mark}", anchor=False)
    if standing.raters == "simulated":
        st.warning(f"**SIMULATED**: {NO_SIMULATION_IS_DATA}.", icon=":material/smart_toy:")
    if standing.raters == "mixed":
        st.error("People and simulated raters are mixed: nothing of this can be exported.")
    since = f"{state.name} since {day(state.since)} · " if state.since is not None else ""
    st.caption(f"{since}{study.design} design · as of {day(standing.at)}")
    if standing.erase_after is not None:
        over = now() >= standing.erase_after
        (st.error if over else st.info)(
            f"What identifies raters {'had' if over else 'has'} to be erased by "
            f"{day(standing.erase_after)}."
        )


def _numbers(standing: Standing) -> None:
    """Draw the figures that matter most, in a row."""
    pace = standing.pace.finished if standing.pace else 0.0
    figures = (
        ("Votes", percent(standing.counted, standing.wanted), _of_votes(standing)),
        ("Raters finished", str(standing.finished), f"{standing.on_their_way} on their way"),
        ("Pace", f"{pace:.1f} / h", "finished, over the last day"),
        ("Time taken", _minutes(standing), "median of those who finished"),
        ("Votes complete", *_end(standing)),
        ("Trials held", str(standing.open_trials.part), _silent(standing.open_trials)),
    )
    for column, (label, value, note) in zip(st.columns(len(figures)), figures, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(label, value)
            st.caption(note)


def _of_votes(standing: Standing) -> str:
    return f"{standing.counted} of {standing.wanted}"


def _minutes(standing: Standing) -> str:
    if standing.minutes is None:
        return "-"
    return f"{standing.minutes:.0f} min" if standing.minutes >= 0.5 else "< 1 min"


def _end(standing: Standing) -> tuple[str, str]:
    """Return when the votes will be complete, and what that rests on."""
    if standing.counted >= standing.wanted:
        return "now", "every cell has its votes"
    if standing.ends is None:
        return "-", "cannot be told yet"
    hours = (standing.ends - standing.at) / 3_600_000
    return _span(hours), f"{day(standing.ends)}, at this pace"


def _span(hours: float) -> str:
    if hours < 2:
        return f"in {max(1, round(60 * hours))} min"
    return f"in {hours:.0f} h" if hours < 48 else f"in {hours / 24:.0f} d"


def _silent(trials: Part) -> str:
    return f"and {trials.whole - trials.part} by raters gone silent"


def _raters(standing: Standing) -> None:
    st.markdown("##### Raters by screen")
    if not standing.screens:
        st.caption("Nobody has come yet.")
        return
    st.altair_chart(screens_chart(standing), width="stretch")
    if standing.pace:
        st.markdown("##### Finished by hour")
        st.altair_chart(pace_chart(standing), width="stretch")


def _checks(standing: Standing) -> None:
    """Draw what went wrong: checks and playback."""
    st.markdown("##### Checks")
    none = Part(0, 0)
    rows = {
        "Traps failed": standing.checks.get("trap", none),
        "Gold trials failed": standing.checks.get("gold", none),
        "Trials that did not play": standing.unplayable,
    }
    st.table({"": list(rows), "share": [_share(part) for part in rows.values()]}, hide_index=True)


def _exclusions(standing: Standing) -> None:
    st.markdown("##### Excluded by the declared rules")
    st.caption(
        f"{plural(standing.excluded_raters, 'rater')}; {standing.rejected} rejected by hand. "
        "Exclusion never decides payment."
    )
    if standing.excluded:
        rules = sorted(standing.excluded)
        counts = [str(standing.excluded[rule]) for rule in rules]
        st.table({"rule": rules, "raters": counts}, hide_index=True)
    _usable(standing)


def _usable(standing: Standing) -> None:
    if lost := standing.given - standing.kept:
        st.caption(
            f"{lost} of {plural(standing.given, 'vote')} given {is_are(lost)} by excluded raters. "
            "`dreamix study reject` lets others rate again."
        )


def _share(part: Part) -> str:
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
