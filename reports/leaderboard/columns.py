"""The columns of a leaderboard page, people's and metrics' alike: what stands in each cell."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from dreamix.core.wording import plural, titled
from evaluation.run.info import MetricInfo
from evaluation.schema import AXES
from evaluation.stats.intervals import Interval
from reports.leaderboard.entry import meaning
from reports.leaderboard.metric_columns import MetricColumn
from reports.leaderboard.standing import RankedValue, Standing
from reports.leaderboard.votes import StudyResults, TopicStanding
from reports.metrics.results import AXIS_TITLES, decimals
from reports.people.differences import digits_of
from reports.people.outcome import SUCCESS
from reports.summary import Score
from reports.tables import is_number, number


class ColumnGroup(NamedTuple):
    """Columns that stand together under one head."""

    key: str
    title: str
    people: bool
    note: str = ""  # what has to be known of them


class BoardColumn(NamedTuple):
    """One column; rows are by the id of the entry."""

    key: str
    group: ColumnGroup
    title: str
    arrow: str
    hint: str
    main: bool  # shown before a reader chooses
    ranked: bool  # a direction is good
    times: int  # 100 for shares, else 1
    digits: int
    standing: Standing
    anchors: Standing
    lacking: dict[str, int]
    own: dict[str, tuple[float, int]]
    simulated: bool = False
    facts: MetricInfo | None = None  # of a metric
    mark: str = ""  # where its numbers come from, if not from the toolkit

    @property
    def rows(self) -> dict[str, RankedValue]:
        """The competing entries that have a value."""
        return self.standing.rows

    @property
    def may_be_best(self) -> set[str]:
        """The entries that can be first, where not all can."""
        first = {id_ for id_, one in self.rows.items() if one.best == 1 and one.worst}
        return first if len(first) < sum(bool(place) for place in self.standing.places) else set()

    def text(self, value: float | None) -> str:
        """Return a value as it is shown."""
        if value is None or not is_number(value):
            return ""
        return number(self.times * value, self.digits) + ("%" if self.times == 100 else "")

    def ends(self, one: RankedValue) -> str:
        """Return the interval of a value as it is shown."""
        if one.low is None or one.high is None:
            return "[one video]"
        ends = (number(self.times * end, self.digits) for end in (one.low, one.high))
        return f"[{', '.join(ends)}]"


def places_text(one: RankedValue) -> str:
    """Return the places that a method can have: "1–3", "2"; "" for one that is not ranked."""
    if not one.worst:
        return ""
    return str(one.best) if one.best == one.worst else f"{one.best}\N{EN DASH}{one.worst}"


def metric_board_columns(columns: Iterable[MetricColumn]) -> list[BoardColumn]:
    """Return the columns of metrics, axis by axis."""
    return [_of_metric(one) for one in columns]


def _of_metric(one: MetricColumn) -> BoardColumn:
    facts = one.facts
    group = ColumnGroup(f"axis-{facts.axis}", AXIS_TITLES[facts.axis], False)
    simulated = bool(facts.simulated)
    source = f"computed elsewhere: {facts.elsewhere}" if facts.elsewhere else ""
    if facts.package:
        source = f"of package {facts.package}"
    hint = f"{facts.definition} Definition {meaning(facts)}."
    return BoardColumn(
        key=f"metric-{one.name}",
        group=group,
        title=one.name,
        arrow=facts.arrow,
        hint=f"{hint} {titled(source)}." if source else hint,
        main=one.headline,
        ranked=bool(facts.sign),
        times=1,
        digits=_decimals(one.standing, one.anchors),
        standing=one.standing,
        anchors=one.anchors,
        lacking=one.lacking,
        own=one.own,
        simulated=simulated,
        facts=facts,
        mark=source,
    )


def _decimals(*standings: Standing) -> int:
    rows = [row for one in standings for row in zip(one.lows, one.values, one.highs, strict=True)]
    ends = [Interval(*(np.nan if end is None else end for end in row)) for row in rows]
    return decimals([Score(interval, 0, 0, {}) for interval in ends])


def definitions(columns: Iterable[BoardColumn]) -> list[tuple[str, list[MetricInfo]]]:
    """Return what is known of the metrics among columns, under the names of their axes."""
    facts = [one.facts for one in columns if one.facts]
    found = ((AXIS_TITLES[axis], [one for one in facts if one.axis == axis]) for axis in AXES)
    return [(title, several) for title, several in found if several]


NOBODY = Standing((), (), (), (), (), (), ())


def study_board_columns(
    studies: Sequence[StudyResults], view: str, shown: Iterable[str]
) -> list[BoardColumn]:
    """Return the columns of studies on a view, people before simulated raters.

    shown: the ids of the entries that compete on the page.
    """
    wanted = set(shown)
    ordered = sorted(studies, key=lambda one: (one.simulated, one.name, one.id))
    return [
        _of_topic(study, topic, wanted)
        for study in ordered
        for topic in study.views.get(view, ())
        if set(study.entries.values()) & wanted
    ]


def _of_topic(study: StudyResults, topic: TopicStanding, wanted: set[str]) -> BoardColumn:
    names = {label: id_ for label, id_ in study.entries.items() if id_ in wanted}
    succeeds = topic.topic == SUCCESS and study.design == "absolute"
    return BoardColumn(
        key=f"{study.id}-{topic.topic}",
        group=study_group(study),
        title=topic.topic,
        arrow="↑",
        hint=_asked(study, topic.topic, succeeds),
        main=not study.simulated,
        ranked=True,
        times=100 if succeeds else 1,
        digits=0 if succeeds else digits_of(study.scale) if study.design == "absolute" else 2,
        standing=topic.standing.of(names),
        anchors=NOBODY,
        lacking={names[label]: n for label, n in topic.lacking.items() if label in names},
        own={},
        simulated=study.simulated,
    )


def study_group(study: StudyResults) -> ColumnGroup:
    """Return the head over the columns of a study."""
    who = "SIMULATED raters" if study.simulated else "People"
    votes = plural(study.votes, "mean score" if study.means else "answer")
    of = votes if study.means else f"{votes} of {plural(study.raters, 'rater')}"
    note = f"{study.name}: {of}, {100 * study.confidence:g}% intervals"
    if study.source:
        note += f"; collected elsewhere ({study.source}; licence: {study.licence or 'not stated'})"
    if study.simulated:
        note = f"SIMULATED raters, which say nothing about people. {note}"
    return ColumnGroup(study.id, f"{who}: {study.name}", True, note)


def _asked(study: StudyResults, topic: str, succeeds: bool) -> str:
    low, high = study.scale
    if succeeds:
        return f"share of edits whose mean vote is above {study.threshold:g} on every question"
    if study.design == "pairwise":
        return f"strength in choices on {topic}, log scale (Bradley-Terry)"
    return f"mean vote on {topic}, from {low:g} to {high:g}"


def column_records(columns: Iterable[BoardColumn], names: dict[str, str]) -> list[dict[str, Any]]:
    """Return what stands in columns, a row for each entry and column, unrounded."""
    return [
        {
            "entry": id_,
            "name": names[id_],
            "by": "simulated raters" if c.simulated and c.group.people
            else "people" if c.group.people else "metric",
            "group": c.group.title,
            "column": c.title,
            "better": {"↑": "higher", "↓": "lower"}.get(c.arrow, "neither"),
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "edits": one.edits,
            "rank_best": one.best or None,
            "rank_worst": one.worst or None,
            "of": sum(bool(place) for place in c.standing.places) or None,
            "shown_to_be_better": " ".join(one.behind),
            "edits_lacking": c.lacking.get(id_, 0),
            "own_value": c.own.get(id_, (None, None))[0],
            "own_edits": c.own.get(id_, (None, None))[1],
            "simulated": c.simulated,
            "source": c.mark,
        }
        for c in columns
        for id_, one in c.rows.items()
    ]  # fmt: skip
