"""Scores of methods that are not ranked: they are of a method's own edits, and that is said."""

from collections.abc import Sequence

from reports.loading import is_number
from reports.people.outcome import Outcome, People
from reports.tables import APART, NOTHING, Cell, number
from reports.wording import listed


def mos_cell(people: People, question: str, method: str) -> Cell:
    """Return the mean opinion score of a method, marked where it is of its own edits."""
    kept = people.kept
    mos = float(kept.scores[question].mos[kept.ratings.methods.index(method)])
    if not is_number(mos):
        return Cell(NOTHING)
    return Cell(number(mos, 2), mark=apart_mark(kept, question, method))


def apart_mark(outcome: Outcome, topic: str, method: str) -> str:
    """Return the mark of a score that is of a method's own edits, else ""."""
    return APART if method in outcome.apart(topic) else ""


def own_edits_note(people: People, topics: Sequence[str]) -> str:
    """Return what the mark means, for the end of a table's caption; "" where no method has it."""
    marked = any(people.kept.apart(topic) for topic in topics)
    return f" {APART}: on its own edits, too few being common." if marked else ""


def drawn_on_own(people: People, topics: Sequence[str]) -> str:
    """Return which methods a figure shows on their own edits, for the end of its caption."""
    found = {name: [t for t in topics if name in people.kept.apart(t)] for name in people.methods}
    said = [f"{name} on {listed(on)}" for name, on in found.items() if on]
    return f" On its own edits, too few being common to all: {listed(said)}." if said else ""
