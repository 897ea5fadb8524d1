"""Whether the metrics that follow raters do so on every category of edit."""

import pandas as pd

from reports.loading import is_number
from reports.parts import Drawing, Part
from reports.people.agreement import SHORT, headline
from reports.people.by_category import ALL, FEW_VIDEOS, Grid, Spot, grids
from reports.people.category_figure import category_figure
from reports.people.cells import ends_cell, plain_cell
from reports.people.joint import Joint
from reports.subjects import subject
from reports.tables import Cell, Head, Row, Table
from reports.wording import listed, plural

DONE = (
    "The leading metrics were compared with mean votes within each category of edit, with epsilon "
    "calibrated on all edits; a category of fewer than {few} source videos is shown and not judged."
)
DONE_ALONE = (
    "The leading metrics were compared with mean votes within each category of edit; a category of "
    "fewer than {few} source videos is shown and not judged."
)


@subject("metrics-by-category", "metrics and raters", after="metric-scatter")
def category_part(joint: Joint) -> Part | None:
    """Return the leading metrics by category; None where there is only one, or nothing to hold."""
    found = grids(joint)
    if not found or len(found[0].categories) < 3:
        return None
    name = SHORT[headline(joint).name]
    said = DONE if headline(joint).name == "acc_eq" else DONE_ALONE
    return Part(
        id="metrics-by-category",
        title="Metrics and raters by category of edit",
        found=(_sentence(found, name),),
        drawings=(_drawing(found, name),),
        folded=tuple(_table(one, name, joint.people.how.confidence) for one in found),
        frames=(("metric_categories", _frame(found)),),
        done=(said.format(few=FEW_VIDEOS),),
    )


def _sentence(found: list[Grid], name: str) -> str:
    """Return where the metrics that lead over all edits are not shown to be above guessing."""
    judged = [one for one in found if _judged(one)]
    if not judged:
        return "Metrics by category: Every category has too few source videos to judge a metric by."
    few = [
        c
        for c in found[0].categories
        if c != ALL and all(one.spots[one.names[0], c].few for one in found)
    ]
    text = f"Metrics by category: Judged by {name}, {'; '.join(map(_clause, judged))}."
    return text + (f" There are too few videos to judge {listed(few)} edits." if few else "")


def _judged(found: Grid) -> dict[str, Spot]:
    """Return the leading metric on the categories that have enough videos."""
    spots = {c: found.spots[found.names[0], c] for c in found.categories if c != ALL}
    return {c: spot for c, spot in spots.items() if not spot.few and is_number(spot.low)}


def _clause(found: Grid) -> str:
    leader, judged = found.names[0], _judged(found)
    failing = [c for c, spot in judged.items() if spot.low <= spot.guess]
    overall = found.spots[leader, ALL]
    above = is_number(overall.low) and overall.low > overall.guess
    if not failing:
        return f"{leader} beats guessing on {found.question} for {listed(list(judged))} edits"
    edits = f"for {listed(failing)} edits"
    if len(failing) == len(judged) or not above:
        return f"{leader} is not shown to beat guessing on {found.question} {edits}"
    return f"{leader} beats guessing on {found.question} overall but is not shown to {edits}"


def _drawing(found: list[Grid], name: str) -> Drawing:
    return Drawing(
        "metric_categories",
        category_figure(found),
        f"Heat maps of {name}: metrics by categories of edit, for {_questions(found)}.",
        f"The leading metrics' {name} on each category of edit; n: the edits behind it. Shades run "
        "from what guessing reaches in the category to the best value of the panel; a value "
        "without a shade is not above guessing. Hatched: fewer than "
        f"{FEW_VIDEOS} source videos, or no value. Italic: meant for another axis, but better than "
        "the metrics meant for the question. Intervals are in the tables below.",
    )


def _questions(found: list[Grid]) -> str:
    return listed([one.question for one in found])


def _table(found: Grid, name: str, level: float) -> Table:
    heads = tuple(
        Head(category, hint=_counts(found.spots[found.names[0], category]))
        for category in found.categories
    )
    return Table(
        f"metric_categories_{found.question}",
        f"{found.question.capitalize()}: metrics by category of edit",
        f"The metrics' {name}, with {100 * level:g}% intervals over source videos. Bold: the "
        f"interval lies above guessing and rests on {FEW_VIDEOS} videos or more. Last line: what "
        "guessing reaches in the category.",
        heads,
        (*(Row(each, _cells(found, each)) for each in found.names), _guesses(found)),
        first="metric",
    )


def _counts(spot: Spot) -> str:
    of = f"{plural(spot.edits, 'edit')} of {plural(spot.videos, 'video')}"
    return f"{of} for the first metric"


def _cells(found: Grid, name: str) -> tuple[Cell, ...]:
    spots = [found.spots[name, category] for category in found.categories]
    return tuple(ends_cell(s, best=not s.few and s.low > s.guess) for s in spots)


def _guesses(found: Grid) -> Row:
    spots = [found.spots[found.names[0], category] for category in found.categories]
    return Row("guessing", tuple(plain_cell(spot.guess) for spot in spots))


def _frame(found: list[Grid]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"question": one.question, "metric": name, "category": category} | spot._asdict()
            for one in found
            for (name, category), spot in one.spots.items()
        ]
    )
