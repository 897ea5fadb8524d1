"""What one page of a leaderboard shows: some edits, the columns, the entries in their order."""

from typing import NamedTuple

from dreamix.core.wording import plural
from reports.leaderboard.columns import BoardColumn, places_text
from reports.leaderboard.entry import Entry
from reports.leaderboard.views import EditsView
from reports.metrics.cost import MethodCost
from reports.summary import IntervalSettings
from reports.tables import NOTHING, file_name


class PlainCell(NamedTuple):
    """A cell of a plain table."""

    main: str
    small: str = ""
    address: str = ""


class BoardTableCell(NamedTuple):
    """A cell of the table."""

    main: str
    ends: str = ""  # interval
    rank: str = ""
    edits: str = ""  # how many, and how many lack
    hint: str = ""
    first: bool = False  # it may be the best
    people: bool = False


class EntryFacts(NamedTuple):
    """What stands beside the numbers of an entry."""

    entry: Entry
    cost: MethodCost
    counts: dict[str, int]  # clips by status
    partial: int
    seeds: int  # that count


class BoardView(NamedTuple):
    """All that one page shows."""

    view: EditsView
    columns: list[BoardColumn]
    entries: list[EntryFacts]  # competing, the latest of each method
    anchors: list[EntryFacts]
    how: IntervalSettings

    @property
    def first(self) -> BoardColumn | None:
        """The column by which entries stand in order before a reader chooses.

        A question to people that all entries were rated on; else the first main metric.
        """
        ranked = [one for one in self.columns if one.ranked and one.rows]
        every = [one for one in ranked if one.group.people and not one.simulated
                 and len(one.rows) == len(self.entries)]  # fmt: skip
        success = [one for one in every if one.title == "success"]
        main = [one for one in ranked if one.main and not one.group.people]
        return next(iter([*success, *every, *main, *ranked]), None)

    @property
    def ordered(self) -> list[EntryFacts]:
        """The entries in the order of the first column; those without a place behind, by name."""
        rows = self.first.rows if self.first else {}

        def key(one: EntryFacts) -> tuple[bool, int, str, str]:
            row = rows.get(one.entry.id)
            place = row.place if row else 0
            return not place, place, one.entry.facts.name.casefold(), one.entry.id

        return sorted(self.entries, key=key)


def entry_page(entry: Entry) -> str:
    """Return the page of an entry, seen from the top of the site."""
    return f"entries/{file_name(entry.id)}.html"


def cell_of(column: BoardColumn, id_: str) -> BoardTableCell:
    """Return what stands of an entry in a column."""
    one, people = column.rows.get(id_), column.group.people
    if one is None:
        return BoardTableCell(NOTHING, hint="not rated" if people else "no value", people=people)
    lacking = column.lacking.get(id_, 0)
    hint = f"mean of {plural(one.edits, 'edit')}"
    if one.behind:
        hint += f"; {plural(len(one.behind), 'entry')}"
        hint += " shown to be better"
    if id_ in column.own:
        value, edits = column.own[id_]
        hint += f"; on its own {plural(edits, 'edit')} {column.text(value)}"
    if lacking:
        hint += f"; {plural(lacking, 'edit')} without a value or with a part of the clip"
    count = f"n={one.edits}" + (f", {lacking} lack" if lacking else "")
    if column.ranked and not one.worst and len(column.rows) > 1:
        count += ", not ranked"
        hint += "; too few edits in common with the others to be ranked"
    return BoardTableCell(
        column.text(one.value), column.ends(one), places_text(one), count, hint,
        id_ in column.may_be_best, people,
    )  # fmt: skip
