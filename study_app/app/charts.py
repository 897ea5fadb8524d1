"""The charts of the researcher's page."""

from datetime import UTC, datetime

import altair as alt
import pandas as pd

from study_app.monitor import HOUR, StudyStatus
from study_app.state import ENDS, Screen

_INK, _FULL, _NONE, _QUIET = "#1d3557", "#2a6f97", "#e9eff4", "#a8b5c2"
_MOST_LABELS = 40  # edits beyond which names and numbers do not fit
_MOST_BESIDE = 4  # methods beyond which names stand slanted, so that none is left out


def coverage_chart(status: StudyStatus) -> alt.Chart | alt.LayerChart:
    """Return votes by edit and method, from none to the quota.

    Few edits are rows with their names and numbers; many are thin columns, named by the pointer.
    """
    table = pd.DataFrame(_cells(status))
    few = table["edit"].nunique() <= _MOST_LABELS
    beside = table["method"].nunique() <= _MOST_BESIDE
    above = alt.Axis(
        orient="top",
        ticks=False,
        title=None,
        labelLimit=200,
        labelAngle=0 if beside else -30,
        labelOverlap=beside,
    )
    plain = alt.Axis(ticks=False, title=None, labelLimit=320, labelFlush=False)
    hidden = alt.Axis(labels=False, ticks=False, title="edits, one a column")
    base = alt.Chart(table).encode(
        x=alt.X("method:N", sort=None, axis=above) if few else alt.X("edit:N", axis=hidden),
        y=alt.Y("edit:N" if few else "method:N", sort=None, axis=plain),
        tooltip=["video", "edit", "method", "votes", "held", "kept"],
    )
    scale = alt.Scale(domain=[0, status.quota], range=[_NONE, _FULL], clamp=True)
    cells = base.mark_rect(stroke="white", strokeWidth=1.5 if few else 0.3, cornerRadius=3).encode(
        color=alt.Color("votes:Q", scale=scale, legend=None)
    )
    if not few:
        return cells.properties(height=44 * table["method"].nunique() + 40)
    ink = alt.condition(alt.datum.votes > status.quota / 2, alt.value("white"), alt.value(_INK))
    words = base.mark_text(fontSize=13, fontWeight="bold").encode(text="votes:Q", color=ink)
    return (cells + words).properties(height=30 * table["edit"].nunique() + 30)


def _cells(status: StudyStatus) -> list[dict[str, object]]:
    """Return a row for each cell: votes given, those being given, and those no rule excludes."""
    return [
        {
            "video": cell.source,
            "edit": cell.edit,
            "method": cell.method,
            "votes": votes.given,
            "held": votes.held,
            "kept": votes.kept,
        }
        for cell, votes in sorted(status.votes.items())
    ]


def screens_chart(status: StudyStatus) -> alt.LayerChart:
    """Return how many raters are at each screen, in the order in which they come."""
    rows = [
        {"screen": str(screen), "raters": status.screens[screen], "over": screen in ENDS}
        for screen in Screen
        if screen in status.screens
    ]
    bars = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("screen:N", sort=None, axis=alt.Axis(title=None, ticks=False)),
        x=alt.X("raters:Q", axis=None),
        tooltip=["screen", "raters"],
    )
    colour = alt.condition(alt.datum.over, alt.value(_FULL), alt.value(_QUIET))
    words = bars.mark_text(align="left", dx=5).encode(text="raters:Q")
    return (bars.mark_bar(cornerRadius=3).encode(color=colour) + words).properties(
        height=26 * len(rows) + 20
    )


def pace_chart(status: StudyStatus) -> alt.Chart:
    """Return how many raters finished in each hour of the last day."""
    assert status.pace
    last = status.at // HOUR
    first = min([*status.pace.by_hour, last])
    rows = [
        {
            "hour": datetime.fromtimestamp(hour * HOUR / 1000, UTC).strftime("%H:00"),
            "finished": status.pace.by_hour.get(hour, 0),
        }
        for hour in range(first, last + 1)
    ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(cornerRadius=3, color=_FULL)
        .encode(
            x=alt.X("hour:N", sort=None, axis=alt.Axis(title="hour, UTC", labelAngle=0)),
            y=alt.Y("finished:Q", axis=alt.Axis(title=None, tickMinStep=1, grid=False)),
            tooltip=["hour", "finished"],
        )
        .properties(height=170)
    )
