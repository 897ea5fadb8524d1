"""`dreamix meta`: gold data in a folder, metrics ranked and compared on it, a page of all that."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.errors import UserError
from dreamix.core.wording import command, listed, plural
from dreamix.remote.place_type import Place
from evaluation.gold.cli import (
    BESIDE,
    PATH,
    FormatsCommand,
    gathered,
    rating_options,
    summary_lines,
)

if TYPE_CHECKING:
    from reports.meta.gold import Gold
    from reports.summary import IntervalSettings

GOLD = click.argument("gold", type=PATH)
SIDES = click.Choice(["higher", "lower"])
QUESTION = click.option("--question", metavar="NAME", help="One question only.  [default: all]")
RESAMPLES = click.option(
    "--resamples", type=click.IntRange(100), default=2000, show_default=True, help="Of intervals."
)
SEED = click.option("--seed", type=int, default=0, show_default=True, help="Of all draws.")


@click.group()
def meta() -> None:
    """Hold metrics against ratings that stay: gold data."""


@meta.command("import", cls=FormatsCommand)
@click.argument("format", metavar="FORMAT")
@click.argument("path", type=BESIDE)
@click.option(
    "--scores",
    multiple=True,
    type=PATH,
    metavar="FILE",
    help="Scores of metrics: edit, method, metric, value; maybe question, direction, part.",
)
@click.option("--lower", multiple=True, metavar="NAME", help="A metric of which less is better.")
@rating_options
def import_gold(
    format: str,
    path: Path,
    scores: tuple[Path, ...],
    lower: tuple[str, ...],
    out: Path,
    **options: Any,
) -> None:
    """Make gold data of ratings, read as `study import` does, and of scores of metrics.

    Raw scores of which nothing else is said count as better when higher.
    """
    from evaluation.gold.formats.viescore import LOWER, scores_beside
    from evaluation.gold.scores import (
        Rated,
        ScoreDefaults,
        check_names,
        read_scores,
        write_scores,
    )
    from evaluation.gold.writing import write_ratings

    found, asked, origin = gathered(format, path, options)
    rows = found.rows
    rated = Rated(*(frozenset(getattr(row, name) for row in rows)
                    for name in ("edit", "method", "question")))  # fmt: skip
    known = LOWER if format == "viescore" else frozenset()
    given = ScoreDefaults(better="higher", lower=known | set(lower), origin=origin.source)
    beside = scores_beside(path) if format == "viescore" and not scores else None
    tables = [*scores, *([beside] if beside else [])]
    metrics = [one for table in tables for one in read_scores(table, rated, given)]
    check_names(metrics)
    write_ratings(
        found, asked, origin, out, lambda folder: write_scores(folder, metrics) if metrics else None
    )
    for line in summary_lines(found, origin):
        click.echo(line)
    names = sorted({one.name for one in metrics})
    less = sorted({one.name for one in metrics if one.better == "lower"})
    click.echo(f"{plural(len(names), 'metric')}; less is better of {listed(less) or 'none'}")
    ranks, page = (command("meta", word, out) for word in ("rank", "report"))
    click.echo(f"{out}: {ranks} ranks them, {page} makes a page")


@meta.command("add-metric")
@GOLD
@click.argument("scores", type=PATH)
@click.option(
    "--name", default="", metavar="NAME", help="Of the metric, where no column metric tells it."
)
@click.option("--better", type=SIDES, help="Which way is good, where no column direction says so.")
@click.option("--question", default="", metavar="NAME", help="It is meant for.  [default: every]")
@click.option("--source", default="", metavar="TEXT", help="What computed it, with its version.")
@click.option("--replace", is_flag=True, help="Take the place of a metric of that name.")
@RESAMPLES
@SEED
def add_metric(
    gold: Path,
    scores: Path,
    name: str,
    better: Any,
    question: str,
    source: str,
    replace: bool,
    resamples: int,
    seed: int,
) -> None:
    """Add a metric, and print its place among the others.

    SCORES has the columns edit, method and value, as a CSV.
    """
    from dreamix.core.records import only_writer
    from evaluation.gold.scores import ScoreDefaults, read_scores
    from reports.meta.gold import added, rated_of, read_gold

    given = ScoreDefaults(name, question, better, frozenset(), source)
    read_gold(gold)  # what is no gold data is said before a lock is put there
    with only_writer(gold):
        data = read_gold(gold)
        new = read_scores(scores, rated_of(data.export), given)
        data = added(data, new, replace=replace)
    questions = [q for q in data.questions if any(one.question in ("", q) for one in new)]
    _print_ranks(data, questions, resamples, seed, mark={one.name for one in new})


@meta.command()
@GOLD
@QUESTION
@click.option(
    "--statistic",
    type=click.Choice(["acc_eq", "spa", "pearson", "spearman", "kendall"]),
    default="acc_eq",
    show_default=True,
    help="By which they are ranked.",
)
@click.option(
    "--level",
    type=click.Choice(["item", "edits", "global", "system"]),
    default="edits",
    show_default=True,
    help="Of a correlation: within an edit, between the edits of a method, over all, over methods.",
)
@click.option(
    "--csv",
    type=Place("write", dir_okay=False),
    metavar="FILE",
    help="Also write all numbers, unrounded.",
)
@RESAMPLES
@SEED
def rank(
    gold: Path,
    question: str | None,
    statistic: str,
    level: Any,
    csv: Path | None,
    resamples: int,
    seed: int,
) -> None:
    """Rank the metrics on every question: intervals, clusters, and what people reach."""
    from dreamix.core.spreadsheet import write_csv
    from reports.meta.gold import read_gold

    data = read_gold(gold)
    rows = _print_ranks(data, _questions(data, question), resamples, seed, statistic, level)
    if csv:
        write_csv(csv, list(rows[0]), rows)
        click.echo(f"{csv}: {plural(len(rows), 'row')}")


@meta.command()
@GOLD
@click.argument("a")
@click.argument("b")
@QUESTION
@RESAMPLES
@SEED
def compare(gold: Path, a: str, b: str, question: str | None, resamples: int, seed: int) -> None:
    """Say whether metric A follows people better than metric B, both named beforehand."""
    from reports.meta.gold import read_gold
    from reports.meta.ranks import compared_lines, people_on

    data, how = read_gold(gold), _settings(resamples, seed)
    if not (questions := _questions(data, question)):
        raise UserError(f"{gold} has no metric: `dreamix meta add-metric` adds one")
    people = people_on(data, how)
    for one in questions:
        for line in compared_lines(data, people, one, a, b):
            click.echo(line)


@meta.command()
@GOLD
@click.argument("metric")
@QUESTION
@click.option(
    "--labelled",
    default="20,40,80",
    show_default=True,
    metavar="N[,N...]",
    help="Edits that people would have rated.",
)
@click.option(
    "--draws", type=click.IntRange(50), default=300, show_default=True, help="Of such parts."
)
@click.option(
    "--csv", type=Place("write", dir_okay=False), metavar="FILE", help="All pairs, unrounded."
)
@SEED
def saved(
    gold: Path,
    metric: str,
    question: str | None,
    labelled: str,
    draws: int,
    csv: Path | None,
    seed: int,
) -> None:
    """Say how many votes METRIC would have saved, had people rated a part of the edits.

    Parts are drawn again and again from the edits that were rated. --question success is about
    success rates (all of a rater's answers about an edit above the threshold), success:NAME with
    the metric as it is meant for one of the questions.
    """
    from dreamix.core.spreadsheet import write_csv
    from reports.meta.gold import read_gold
    from reports.people.outcome import SUCCESS

    data, rows = read_gold(gold), []
    is_success = (question or "").partition(":")[0] == SUCCESS
    asked = [str(question)] if is_success else _with_metric(data, metric, question)
    for one in asked:
        rows += _print_saved(data, metric, one, _sizes(labelled), draws, seed)
    if csv:
        write_csv(csv, list(rows[0]), rows)
        click.echo(f"{csv}: {plural(len(rows), 'row')}")


def _print_saved(
    data: "Gold", metric: str, question: str, sizes: tuple[int, ...], draws: int, seed: int
) -> list[dict[str, Any]]:
    """Print what a metric saves on a question; return a row for every pair and size."""
    from dreamix.core.progress import progress_bar
    from reports.meta.gold import gold_joint
    from reports.meta.ranks import people_on
    from reports.meta.saved import saved, saved_lines
    from reports.people.outcome import SUCCESS

    name, _, of = question.partition(":")
    is_success = name == SUCCESS
    asked = _with_metric(data, metric, of or None)[0] if is_success else question
    people = people_on(data, _settings(2000, seed))
    joint = gold_joint(data, people, asked, whole=is_success)
    what = SUCCESS if is_success else question
    with progress_bar(f"drawing parts, {question}") as told:
        found = saved(joint, metric, what, sizes, draws=draws, seed=seed, progress=told)
    label = f"{metric} as meant for {asked}" if is_success else metric
    click.echo("\n".join(saved_lines(label, found)))
    return [row._asdict() for row in found]


def _sizes(text: str) -> tuple[int, ...]:
    """Return the numbers of `--labelled`."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and 8 <= int(part) <= 100_000 for part in parts):
        raise UserError(f"--labelled {text}: whole numbers of at least 8, such as 20,40,80")
    return tuple(dict.fromkeys(map(int, parts)))


def _with_metric(data: "Gold", metric: str, question: str | None) -> list[str]:
    """Return the questions that have a metric, or the one that was asked for.

    Raises:
        UserError: if there is no such question, or it has no such metric.
    """
    asked = _questions(data, question)
    found = [q for q in asked if metric in {one.name for one in data.of_question(q)}]
    if not found:
        data.metric(metric, asked[0] if asked else data.questions[0])
    return found


@meta.command()
@GOLD
@click.option("--out", type=Place("write"), metavar="DIR", help="[default: GOLD/report]")
@RESAMPLES
@SEED
def report(gold: Path, out: Path | None, resamples: int, seed: int) -> None:
    """Write a page: what raters said, the league of metrics on every question, method by method."""
    from dreamix.core.places import inside
    from reports.meta.gold import read_gold
    from reports.meta.page import build_meta
    from reports.parts import grouped

    data = read_gold(gold)
    page, parts = build_meta(data, out or inside(gold, "report"), _settings(resamples, seed))
    for name, found in grouped(parts):
        for line in ("", f"{name}:", *found):
            click.echo(line)
    click.echo(f"report page: {page}")


def _questions(data: "Gold", question: str | None) -> list[str]:
    """Return the questions that have a metric, or the one that was asked for."""
    if question is None:
        return [one for one in data.questions if data.of_question(one)]
    if question not in data.questions:
        raise UserError(f"no question {question}: there are {listed(data.questions)}")
    return [question]


def _settings(resamples: int, seed: int) -> "IntervalSettings":
    from reports.summary import IntervalSettings

    return IntervalSettings(resamples=resamples, seed=seed)


def _print_ranks(
    data: "Gold",
    questions: list[str],
    resamples: int,
    seed: int,
    statistic: str = "acc_eq",
    level: Any = "edits",
    mark: set[str] | None = None,
) -> list[dict[str, Any]]:
    """Print the ranking of every question; return a row for every metric of each."""
    from reports.meta.ranks import people_on, rank_lines, ranked, statistic_of

    if not questions:
        raise UserError(f"{data.folder} has no metric: `dreamix meta add-metric` adds one")
    people = people_on(data, _settings(resamples, seed))
    rows = []
    for question in questions:
        one = ranked(data, people, question, statistic_of(statistic, level))
        click.echo("\n".join(rank_lines(data, one, mark or set())))
        rows += one.rows
    return rows
