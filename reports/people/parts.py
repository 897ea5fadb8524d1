"""Which subjects a rater study adds to a report, in the order in which the page shows them.

A new subject is one new file with a function that returns a `Part`, or None where it has nothing
to say, and its name in one of these lists.
"""

from collections.abc import Callable

from reports.parts import FOLLOW, Part, stamped
from reports.people.joint import Joint
from reports.people.ordinal import Say
from reports.people.outcome import People
from reports.people.part_by_category import category_part
from reports.people.part_categories import categories_part
from reports.people.part_comparisons import comparisons_part
from reports.people.part_composite import composite_part
from reports.people.part_cost import cost_part
from reports.people.part_defects import defects_part
from reports.people.part_league import league_part
from reports.people.part_mos import mos_part
from reports.people.part_ordinal import ordinal_part
from reports.people.part_panel import panel_part
from reports.people.part_raters import raters_part
from reports.people.part_scatter import scatter_part
from reports.people.part_success import success_part
from reports.people.part_votes import votes_part

OfPeople = Callable[[People], Part | None]
OfBoth = Callable[[Joint], Part | None]
OF_PEOPLE: tuple[OfPeople, ...] = (
    mos_part,
    comparisons_part,
    panel_part,
    votes_part,
    success_part,
    categories_part,
    defects_part,
    raters_part,
)
OF_BOTH: tuple[OfBoth, ...] = (
    league_part,
    scatter_part,
    category_part,
    composite_part,
    cost_part,
)


def people_parts(people: People, ordinal: Say | None = None) -> list[Part]:
    """Return what raters said, stamped if they were simulated.

    ordinal: told where the fit of ordinal models is; None leaves them out.
    """
    parts = [make(people) for make in OF_PEOPLE]
    if ordinal:
        parts.insert(1 + OF_PEOPLE.index(comparisons_part), ordinal_part(people, ordinal))
    return _made(parts, people.export.simulated)


def joint_parts(joint: Joint) -> list[Part]:
    """Return how far metrics follow the raters, stamped if they were simulated."""
    parts = _made([make(joint) for make in OF_BOTH], joint.people.export.simulated)
    return [part._replace(group=FOLLOW) for part in parts]


def _made(parts: list[Part | None], simulated: bool) -> list[Part]:
    there = [part for part in parts if part]
    return [stamped(part) for part in there] if simulated else there
