"""Metrics as one more rater: as good as which of them, and on what not to be used."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.wording import listed, titled
from evaluation.stats.meta import RaterPlace, rater_places
from reports.parts import FOLLOW, ReportPart
from reports.people.joint import Joint, apart
from reports.subjects import subject
from reports.tables import NOTHING, Head, Table, TableCell, is_number, number, table_of

RESAMPLES = 500  # at most
FEWEST = 10  # sources of a category
NAMED = 3  # metrics in a table of categories
DONE = (
    "Each metric was given a place among the raters: every rater in turn was held against the mean "
    "of the others, and so was the metric, on the same edits, by Spearman's correlation "
    "[@calderon2025]; the {level:g}% interval of a place resamples source videos."
)
CAPTION = (
    "Each rater in turn is held against the mean of all others, and the metric against the same "
    "mean on the same edits, by Spearman's correlation. Place: k, where k \N{MINUS SIGN} 1 raters "
    "follow the others better than the metric does, with its {level:g}% interval over source "
    "videos; below all, where every rater does. With few raters the places are coarse, and the "
    "mean of the others is no truth: it is what there is."
)


class Placed(NamedTuple):
    """A metric on a question, maybe within a category."""

    question: str
    metric: str
    found: RaterPlace
    category: str = ""


@subject("metrics-as-raters", "metrics and raters", after="difference-worth")
def rater_place_part(joint: Joint) -> ReportPart | None:
    """Return the places of the metrics meant for each question; None without single votes."""
    if not joint.names or joint.people.export.means:
        return None
    found = {question: placed(joint, question) for question in joint.votes}
    found = {question: several for question, several in found.items() if several}
    if not found:
        return None
    level = 100 * joint.people.how.confidence
    parts = [one for q, several in found.items() for one in _categories(joint, q, several)]
    rows = [_row(one) for one in [*(o for several in found.values() for o in several), *parts]]
    return ReportPart(
        id="metrics-as-raters",
        title="Metrics as one more rater",
        found=tuple(_sentence(several, parts) for several in found.values()),
        tables=tuple(_table(question, several, level) for question, several in found.items()),
        folded=(_category_table(parts, level),) if parts else (),
        frames=(("metrics_as_raters", pd.DataFrame(rows)),),
        done=(DONE.format(level=level),),
        group=FOLLOW,
    )


def placed(joint: Joint, question: str, edits: np.ndarray | None = None) -> list[Placed]:
    """Return the metrics that are meant for a question and have a place, the first ones first."""
    aside = apart(joint, question)
    places = [k for k in joint.on_axis(question) if k not in aside]
    edits = np.ones(len(joint.edits), bool) if edits is None else edits
    draws = joint.people.resampling("places among raters", question)
    found = rater_places(
        joint.metrics[places][:, :, edits],
        joint.votes[question][:, edits],
        sources=joint.sources[edits],
        resampling=draws._replace(resamples=min(draws.resamples, RESAMPLES)),
    )
    named = [Placed(question, joint.names[k], one) for k, one in zip(places, found, strict=True)]
    return sorted(
        (one for one in named if one.found.raters > 1),
        key=lambda one: (one.found.place, -one.found.agreement, one.metric),
    )


def _categories(joint: Joint, question: str, several: list[Placed]) -> list[Placed]:
    """Return the first metrics of a question in every category with enough sources."""
    wanted, found = [one.metric for one in several[:NAMED]], []
    for category in sorted(set(joint.categories)):
        edits = joint.categories == category
        if edits.all() or len(np.unique(joint.sources[edits])) < FEWEST:
            continue
        here = {one.metric: one for one in placed(joint, question, edits)}
        found += [here[name]._replace(category=str(category)) for name in wanted if name in here]
    return found


def _sentence(several: list[Placed], parts: list[Placed]) -> str:
    """Return where the first metric of a question stands, and on what it is not to be used."""
    best = several[0]
    text = f"As a rater of {best.question}: {best.metric} {_as_good(best.found)}"
    own = [one for one in parts if (one.question, one.metric) == (best.question, best.metric)]
    if bad := [one.category for one in own if one.found.below_all]:
        text += f"; not to be used for {listed(bad)}, where it is below all raters"
    return f"{text}.{_others(several)}"


def _others(several: list[Placed]) -> str:
    """Return how many of the other metrics are below all raters, "" if none is."""
    below, rest = sum(one.found.below_all for one in several[1:]), len(several) - 1
    if not below:
        return ""
    if rest == 1:
        return " The other metric is below all raters."
    many = f"All {rest}" if below == rest else f"{below} of {rest}"
    return f" {many} other metrics {'is' if below == 1 else 'are'} below all raters."


def _as_good(found: RaterPlace) -> str:
    ends = f" [{number(found.low, 0)}, {number(found.high, 0)}]" if is_number(found.low) else ""
    if found.place > found.raters:
        return f"is below all {found.raters} raters{ends}"
    return f"is as good as the {_nth(int(found.place))} of {found.raters} raters{ends}"


def _nth(place: int) -> str:
    teens = 10 < place % 100 < 14
    return f"{place}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')}"


def _table(question: str, several: list[Placed], level: float) -> Table:
    return table_of(
        f"as_raters_{question}",
        f"{titled(question)}: metrics as one more rater",
        CAPTION.format(level=level),
        [one.metric for one in several],
        _columns(several),
        first="metric",
    )


def _category_table(parts: list[Placed], level: float) -> Table:
    return table_of(
        "as_raters_by_category",
        "Metrics as one more rater by category",
        f"The first metrics of each question. {CAPTION.format(level=level)}",
        [f"{one.question}, {one.metric}: {one.category}" for one in parts],
        _columns(parts),
        first="category",
    )


def _columns(several: list[Placed]) -> list[tuple[Head | str, list[TableCell | str | int]]]:
    return [
        ("place", [_place(one.found) for one in several]),
        (Head("raters", hint="with enough votes on the same edits"),
         [one.found.raters for one in several]),
        (Head("correlation", hint="of the metric with the other raters, mean over raters"),
         [number(one.found.agreement, 2) for one in several]),
        (Head("raters' own", hint="of each rater with the others, mean"),
         [number(one.found.of_raters, 2) for one in several]),
    ]  # fmt: skip


def _place(found: RaterPlace) -> TableCell:
    main = "below all" if found.place > found.raters else number(found.place, 0)
    if not is_number(found.low):
        return TableCell(main or NOTHING)
    return TableCell(main, f"[{number(found.low, 0)}, {number(found.high, 0)}]")


def _row(one: Placed) -> dict[str, object]:
    where = {"question": one.question, "metric": one.metric, "category": one.category}
    return where | one.found._asdict() | {"below_all": one.found.below_all}
