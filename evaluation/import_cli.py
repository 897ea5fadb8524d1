"""`dreamix bench import-scores`: scores that were computed elsewhere become rows of a run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dreamix.core.errors import UserError
from dreamix.core.names import one_line
from dreamix.core.wording import listed, plural
from dreamix.remote.place_type import Place
from evaluation.cluster.cli import spell

if TYPE_CHECKING:
    from evaluation.score.imported_scores import Imported

NAMED = 5  # clips, before the rest is a number


@click.command("import-scores")
@click.argument("run", type=Place("write"))
@click.argument("table", type=Place())
@click.option(
    "--missing",
    multiple=True,
    metavar="NUMBER",
    help="A number that stands for no score, such as -1; none: every number is a score.",
)
@click.option(
    "--replace", is_flag=True, help="Take the place of these metrics where another table had them."
)
def import_scores(run: Path, table: Path, missing: tuple[str, ...], replace: bool) -> None:
    """Bring scores that were computed elsewhere into RUN: they are metrics like any other.

    TABLE is a CSV with the columns edit, method, seed, metric, value, direction (higher, lower or
    neither) and source (what computed it); axis and reason may be there too. The same table again
    changes nothing; one that has changed replaces what it brought.
    """
    from evaluation.score import imported_scores as imported

    numbers = _numbers(missing)
    done = imported.import_scores(run, table, missing=numbers, replace_others=replace)
    for line in _lines(run, table, done):
        click.echo(one_line(line))
    sys.exit(1 if any(row.status == "failed" for row in done.rows) else 0)


def _numbers(texts: tuple[str, ...]) -> list[float] | None:
    """Return the numbers that stand for no score; None if nothing was said."""
    if texts == ("none",):
        return []
    try:
        return [float(text) for text in texts] or None
    except ValueError:
        raise UserError(f"--missing {' '.join(texts)}: say numbers, or none alone") from None


def _lines(run: Path, table: Path, done: "Imported") -> list[str]:
    """Return what is said of an import."""
    from collections import Counter

    from evaluation.schema import counted_reasons

    counts = Counter(str(row.status) for row in done.rows)
    lines = [
        f"{run}: {plural(done.changed, 'row')} changed; {listed(done.metrics)} of {table}: now "
        f"{spell(counts)}"
    ]
    if done.replaced:
        lines.append(f"replaced: {listed(done.replaced)}, which came from another state of it")
    if done.removed:
        lines.append(f"removed: {listed(done.removed)}, which {table} no longer has")
    if cells := done.without_clip:
        named = ", ".join(f"{cell.method}/{cell.edit}/{cell.seed}" for cell in cells[:NAMED])
        more = f" and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
        lines.append(f"left out: scores of {plural(len(cells), 'clip')} not made: {named}{more}")
    failed = [(str(row.reason), row.edit) for row in done.rows if row.status == "failed"]
    reasons = counted_reasons(failed).most_common()
    return lines + [f"failed: {count} x {reason}" for reason, count in reasons[:10]]
