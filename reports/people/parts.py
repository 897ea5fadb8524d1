"""What a rater study adds to a report: the subjects of `reports.subjects` that are about it."""

from typing import Any

from reports.parts import FOLLOW, Part, stamped
from reports.people.joint import Joint
from reports.people.ordinal import Say
from reports.people.outcome import People
from reports.people.pairs import Pairs
from reports.subjects import Of, parts_on


def people_parts(people: People, ordinal: Say | None = None) -> list[Part]:
    """Return what raters said, stamped if they were simulated.

    ordinal: told where the fit of ordinal models is; None leaves them out.
    """
    given: dict[Of, tuple[Any, ...]] = {"raters": (people,)}
    if ordinal:
        given["ordinal"] = people, ordinal
    return _stamped(parts_on(given), people.export.simulated)


def pairs_parts(pairs: Pairs) -> list[Part]:
    """Return what raters chose, stamped if they were simulated."""
    return _stamped(parts_on({"pairs": (pairs,)}), pairs.export.simulated)


def joint_parts(joint: Joint) -> list[Part]:
    """Return how far metrics follow the raters, stamped if they were simulated."""
    found = parts_on({"metrics and raters": (joint,)})
    parts = _stamped(found, joint.people.export.simulated)
    return [part._replace(group=FOLLOW) for part in parts]


def _stamped(parts: list[Part], simulated: bool) -> list[Part]:
    return [stamped(part) for part in parts] if simulated else parts
