"""How a leaderboard is read, and what it says in words."""

from dreamix.core.wording import listed, plural
from evaluation.run.info import MetricInfo
from reports.leaderboard.board_view import BoardView
from reports.leaderboard.entry import BoardSuite
from reports.tables import NOTHING


def reading(page: BoardView) -> list[tuple[str, str]]:
    """Return how the table is read, topic by topic."""
    level, alpha = f"{100 * page.how.confidence:g}%", page.how.alpha
    studies = [group for group in dict.fromkeys(c.group for c in page.columns) if group.people]
    said = [
        (
            "Ranks",
            f"1{NOTHING}3 means that the entry can have any of the places 1 to 3: if k entries are "
            "shown to be better than it, it is at best at place k + 1, and so from below. All "
            f"ranks of a column hold together with {level} confidence (Mogstad et al. 2024).",
        ),
        (
            "Shown to be better",
            "A paired test over source videos on the edits that all ranked entries have, at "
            f"p < {alpha:g} after Holm's adjustment over all pairs of the column; and still ahead "
            "when the values that either lacks are taken as the worst or the best possible.",
        ),
        (
            "Choosing",
            "Rows that are left out (licence, name) are left out of the count of ranks; the tests "
            "are those of all entries. A category or a tag is a page of its own: its means, tests "
            "and ranks are of its edits.",
        ),
        (
            "Failures",
            "A clip that failed is a row, not a gap: it is counted, and what it could have been "
            "widens the ranks. 3 lack: on three edits a value is due and missing, or of a part of "
            "the clip. Not ranked: too few edits in common with the others.",
        ),
        (
            "Cost",
            "Wall time and memory as the run recorded them, on the hardware of who ran it: see the "
            f"page of the entry. {NOTHING}: clips that were made elsewhere and brought in.",
        ),
        (
            "People and metrics",
            "They stand apart. Nothing is averaged over columns: which of them matters is for the "
            "reader to say. Ratings of two studies are never put together.",
        ),
    ]
    return said + [("Ratings", f"{group.note}.") for group in studies]


def entering(page: BoardView, suite: BoardSuite) -> list[tuple[str, str]]:
    """Return how a method is entered, step by step."""
    ours = [c.facts.name.partition("@")[0] for c in page.columns if c.facts and _is_ours(c.facts)]
    metrics = ",".join(dict.fromkeys(ours))
    return [
        (
            "Make",
            f"All {len(suite.edits)} edits of {suite.said}, scored: dreamix bench compare SUITE "
            f"--methods NAME=external:FOLDER --metrics {metrics} --out RUN. A clip that fails "
            "stays a failure with its reason.",
        ),
        ("Tell", "RUN/submission.yaml says team, licence, date, and where more is to be read."),
        (
            "Check",
            "dreamix leaderboard RUN --out SITE --check tells all that speaks against it: hashes, "
            "coverage, scores, seeds, licence.",
        ),
    ]


def _is_ours(facts: MetricInfo) -> bool:
    return not facts.elsewhere and not facts.name.startswith("composite.")


def too_few(page: BoardView, videos: int) -> str:
    """Return that no difference between two entries can be shown by metrics; "" where some can.

    The smallest p of a paired test that flips the signs of so many videos is 2 / 2^videos.
    """
    pairs = len(page.entries) * (len(page.entries) - 1) / 2
    if not pairs or min(1.0, 2.0 ** (1 - videos)) * pairs < page.how.alpha:
        return ""
    return (
        f"With {plural(videos, 'source video')} no metric can show that one of "
        f"{len(page.entries)} entries is better than another: all ranks are open, and values with "
        "their intervals are what there is to read."
    )


def in_words(page: BoardView) -> list[str]:
    """Return a sentence for every main column that is ranked: who can be first."""
    names = {one.entry.id: one.entry.facts.name for one in page.entries}
    found = []
    for column in page.columns:
        rows = {id_: one for id_, one in column.rows.items() if one.worst}
        if not (column.main and column.ranked and len(rows) > 1):
            continue
        first = [names[id_] for id_, one in rows.items() if one.best == 1]
        topic = f"{column.title} (people)" if column.group.people else column.title
        if len(first) == 1:
            text = f"{first[0]} is first of {len(rows)}."
        elif len(first) == len(rows):
            text = f"Any of the {len(rows)} entries can be first."
        else:
            text = f"{listed(sorted(first))} can be first of {len(rows)}."
        found.append(f"{topic}: {text}")
    return found
