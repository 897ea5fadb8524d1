"""Which edits a page is about: all, those of a category, those with a tag."""

from collections import Counter
from typing import NamedTuple

from reports.leaderboard.entry import BoardSuite
from reports.tables import file_name

FEWEST_EDITS = 2  # of a tag that has a page
MOST_TAGS = 30  # with pages: those on the most edits


class EditsView(NamedTuple):
    """Some edits of the suite, under a name."""

    key: str
    kind: str  # "", "category" or "tag"
    name: str
    edits: tuple[str, ...]

    @property
    def page(self) -> str:
        """Its page, seen from the top of the site."""
        return "index.html" if not self.kind else f"views/{file_name(self.key)}.html"

    @property
    def said(self) -> str:
        """It in a title."""
        return f"{self.kind} {self.name}" if self.kind else "all edits"


ALL = "all"


def views_of(suite: BoardSuite) -> list[EditsView]:
    """Return the views of a suite: all edits first, then categories and tags by name."""
    ids = tuple(edit.id for edit in suite.edits)
    categories = sorted({edit.category for edit in suite.edits})
    found = [EditsView(ALL, "", ALL, ids)]
    if len(categories) > 1:
        found += [
            EditsView(f"category-{name}", "category", name,
                 tuple(edit.id for edit in suite.edits if edit.category == name))
            for name in categories
        ]  # fmt: skip
    return found + [
        EditsView(f"tag-{name}", "tag", name,
             tuple(edit.id for edit in suite.edits if name in edit.tags))
        for name in _tags(suite)
    ]  # fmt: skip


def _tags(suite: BoardSuite) -> list[str]:
    """Return the tags that have pages: on several edits, and not on all."""
    counts = Counter(tag for edit in suite.edits for tag in edit.tags)
    several = [t for t, n in counts.items() if FEWEST_EDITS <= n < len(suite.edits)]
    return sorted(sorted(several, key=lambda tag: (-counts[tag], tag))[:MOST_TAGS])
