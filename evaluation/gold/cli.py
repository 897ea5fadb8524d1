"""`dreamix study import`: ratings collected elsewhere become an export, as of a study of ours."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.core.wording import command, listed, plural
from dreamix.remote.place_type import Place
from evaluation.gold.base import (
    RATING_FORMATS,
    GatheredRatings,
    ImportSettings,
    RatingFormat,
    RatingScale,
    scale_of,
)
from evaluation.gold.checking import ALONE, checked
from evaluation.gold.writing import RatingsOrigin

PATH = Place()
BESIDE = Place(whole=True)  # scores lie beside ratings
LONGEST_TEXT = 2000  # characters of a licence or an address


class FormatsCommand(click.Command):
    """A command whose help lists the formats, those of other packages too."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line a format."""
        known = [RATING_FORMATS.get(name) for name in RATING_FORMATS.names()]
        with formatter.section("Formats"):
            formatter.write_dl([(one.name, one.line) for one in known])


def rating_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with the options that say how a file of ratings is to be read."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--scale",
        required=True,
        metavar="LOW:HIGH",
        help="Ends of the scale, such as 1:5; or grades, worst first: 'bad<fair<good'.",
    ),
    click.option(
        "--out", type=Place("write"), required=True, metavar="DIR", help="Folder to write."
    ),
    click.option("--name", metavar="TEXT", help="Of the study.  [default: the file's name]"),
    click.option("--licence", default="", metavar="TEXT", help="Of the ratings, such as MIT."),
    click.option("--source", default="", metavar="TEXT", help="Where they were published."),
    click.option(
        "--success",
        type=float,
        metavar="VALUE",
        help="An edit succeeds above this.  [default: the middle of the scale; 2.5 on 1:5]",
    ),
    click.option(
        "--unit",
        type=click.Choice(["video", "image"]),
        help="What was edited.  [default: video, or what the format is of]",
    ),
    click.option(
        "--source-pattern",
        default="",
        metavar="REGEX",
        help="Its group is the source in the id of an edit: '(.+)_[0-9]+[.]jpg'.  [default: the "
        "column source; without one every edit is its own]",
    ),
    click.option(
        "--name-pattern",
        default="",
        metavar="REGEX",
        help="Groups edit and method in the names of clips, where a format has only names.",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=THEIRS",
        help="How a file calls a column, such as edit=uid.",
    ),
    click.option(
        "--question",
        "questions",
        multiple=True,
        metavar="THEIRS=OURS",
        help="What to call a question, such as SC=alignment.",
    ),
    click.option("--drop", multiple=True, metavar="NAME", help="A column or question to skip."),
    click.option("--simulated", is_flag=True, help="A program made the votes: everything says so."),
    click.option("--skip-empty", is_flag=True, help="An empty cell is an edit that was not rated."),
)


@click.command("import", cls=FormatsCommand)
@click.argument("format", metavar="FORMAT")
@click.argument("path", type=BESIDE)
@rating_options
def import_ratings(format: str, path: Path, out: Path, **options: Any) -> None:
    """Read ratings collected elsewhere: EXPORT is what `study export` writes, for `study analyze`.

    A vote is an edit, a method, a rater, a question and a value; without raters values are mean
    scores, and what needs single votes says so. Raters get pseudonyms; personal columns are left
    out.
    """
    from evaluation.gold.writing import write_ratings

    found, asked, origin = gathered(format, path, options)
    rows = write_ratings(found, asked, origin, out)
    for line in summary_lines(found, origin):
        click.echo(line)
    click.echo(
        f"{out}: {plural(len(rows), 'rating')}; {command('study', 'analyze', out)} analyses them"
    )


def gathered(
    format: str, path: Path, options: dict[str, Any]
) -> tuple[GatheredRatings, ImportSettings, RatingsOrigin]:
    """Return the ratings of a file or folder, checked, how they were asked for, and their origin.

    options: of `rating_options`, by name.

    Raises:
        UserError: with everything that is wrong with the ratings.
    """
    reader, asked = RATING_FORMATS.get(format), _asked(options)
    package = RATING_FORMATS.brought_by(format)
    for name in ("licence", "source", "name"):
        text = options[name] or ""
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise UserError(f"--{name}: one line of at most {LONGEST_TEXT} characters")
    origin = RatingsOrigin(
        name=options["name"] or path.resolve().stem or "ratings",
        format=f"{format} ({package})" if package else format,
        source=options["source"],
        licence=options["licence"],
        success=_success(options["success"], asked.scale),
        unit=options["unit"] or reader.unit,
        simulated=options["simulated"],
    )
    return checked(_read(reader, path, asked), asked), asked, origin


def _read(reader: RatingFormat, path: Path, asked: ImportSettings) -> GatheredRatings:
    """Return what a format reads; one of another package that fails is a `UserError`."""
    package = RATING_FORMATS.brought_by(reader.name)
    try:
        return reader.read(path, asked)
    except UserError:
        raise
    except Exception as error:
        if package is None:
            raise
        why = f"{type(error).__name__}: {error}"
        raise UserError(f"package {package}: format {reader.name} failed: {why}") from error


def _asked(options: dict[str, Any]) -> ImportSettings:
    for name, groups in (("source_pattern", 1), ("name_pattern", 2)):
        _check_pattern(f"--{name.replace('_', '-')}", options[name], groups)
    return ImportSettings(
        scale=scale_of(options["scale"]),
        columns=_pairs("--column", options["columns"]),
        drop=frozenset(options["drop"]),
        questions=_pairs("--question", options["questions"]),
        skip_empty=options["skip_empty"],
        source_pattern=options["source_pattern"],
        name_pattern=options["name_pattern"],
    )


def _check_pattern(option: str, text: str, groups: int) -> None:
    if not text:
        return
    try:
        found = re.compile(text)
    except re.error as error:
        raise UserError(f"{option}: {error} in {text}") from None
    if found.groups < groups:
        raise UserError(f"{option}: it has {found.groups} groups ( ), {groups} are wanted")
    if groups == 2 and not {"edit", "method"} <= set(found.groupindex):
        raise UserError(f"{option}: its groups should be (?P<edit>...) and (?P<method>...)")


def _pairs(option: str, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(part.strip() for part in one.split("=", 1)) for one in given]
    for pair, text in zip(pairs, given, strict=True):
        if len(pair) != 2 or not all(pair):
            raise UserError(f"{option} {text}: write two names with = between them")
    return tuple((one[0], one[1]) for one in pairs)


def _success(given: float | None, scale: RatingScale) -> float:
    """Return the threshold of success: ours on 1 to 5, else the middle if none is given."""
    if given is None:
        return 2.5 if scale[:2] == (1, 5) else (scale.low + scale.high) / 2
    if not scale.low <= given < scale.high:
        raise UserError(f"--success {given:g} is not on the scale {scale.low:g} to {scale.high:g}")
    return given


def summary_lines(found: GatheredRatings, origin: RatingsOrigin) -> list[str]:
    """Return what was read, and what was taken as what."""
    rows = found.rows
    edits, sources = len({row.edit for row in rows}), len({row.source for row in rows})
    alone = ALONE in found.remarks
    questions = listed(list(dict.fromkeys(row.question for row in rows)))
    who = "mean scores" if found.means else plural(len({row.rater for row in rows}), "rater")
    said = [
        f"{origin.name}: {who}, {plural(edits, 'edit')} of {plural(sources, 'source')} by "
        f"{plural(len({row.method for row in rows}), 'method')}, on {questions}",
        *found.remarks,
    ]
    if alone:
        said.append(
            "where several edits share a source, a column source or --source-pattern should say "
            "so: intervals come out too narrow otherwise"
        )
    if found.means:
        said.append("no rater is told: values are mean scores, and what needs single votes says so")
    if not origin.licence:
        said.append("no licence is stated: --licence keeps it with the ratings")
    return said
