"""What one page of a leaderboard shows: some edits, the columns, the entries in their order."""

from typing import NamedTuple

from reports.leaderboard.columns import BoardColumn
from reports.leaderboard.entry import Entry
from reports.leaderboard.views import EditsView
from reports.metrics.cost import MethodCost
from reports.summary import IntervalSettings
from reports.tables import file_name


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
