"""The commands of `dreamix study` for what raters gave, and the arguments all commands share."""

from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from dreamix.core.wording import command, plural
from dreamix.remote.place_type import Place

PATH = Place()
STUDY = click.argument("study", type=Place("here"))
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Of the ratings: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME  "
    "[default: DREAMIX_DATABASE, or ratings.sqlite in STUDY]",
)


def option_with_default(
    name: str, kind: click.ParamType, default: Any, text: str, **more: Any
) -> Any:
    """Return an option that has a default, which its help says."""
    return click.option(name, type=kind, default=default, show_default=True, help=text, **more)


@click.command()
@STUDY
@DATABASE
@click.option(
    "--out", type=Place("write"), metavar="DIR", help="[default: a new folder in STUDY/exports]"
)
@click.option("--payment", is_flag=True, help="Also payment.csv, with the platform's ids.")
@click.option("--comments", is_flag=True, help="Also comments.csv, with what raters wrote.")
def export(
    study: Path, database: str | None, out: Path | None, payment: bool, comments: bool
) -> None:
    """Write answers, raters, exclusions, plan, codebook and an R script, under pseudonyms."""
    from study_app.export.writing import export as write_export
    from study_app.open_study import opened
    from study_app.store.database import now

    with opened(study, database) as running:
        done = write_export(running, out, now(), payment=payment, comments=comments)
    rows = ", ".join(f"{name} {count}" for name, count in done.rows.items())
    said = "SIMULATED raters; " if done.raters == "simulated" else ""
    click.echo(f"{done.folder}: {said}{rows}")


@click.command()
@STUDY
@click.argument("rater", metavar="PID|TOKEN", required=False)
@DATABASE
@click.option("--answers", is_flag=True, help="Also all that they answered.")
@click.option("--everyone", is_flag=True, help="All raters: when the time of keeping is over.")
@click.option("--rest", is_flag=True, help="Only overwrite what an erasure could not.")
def erase(
    study: Path, rater: str | None, database: str | None, answers: bool, everyone: bool, rest: bool
) -> None:
    """Erase what tells who a rater is: platform's id, link, comment, device."""
    from study_app.erasure import erase as erase_raters
    from study_app.erasure import files_containing, identifying_texts
    from study_app.open_study import opened
    from study_app.pseudonyms import all_raters, named_rater
    from study_app.store.database import now
    from study_app.store.secure_delete import overwrite_erased

    if bool(rater) + everyone + rest != 1:
        raise UserError("name one rater by PID, token or pseudonym, or say --everyone or --rest")
    with opened(study, database) as running:
        if rest:
            _tell_left(overwrite_erased(running.database), study)
            click.echo("nothing that was erased is left in the database and its journal")
            return
        found = all_raters(running) if everyone else [named_rater(running, str(rater))]
        texts = identifying_texts(found)
        left = erase_raters(running, found, now(), answers=answers)
        files = files_containing(running.folder, running.database, texts)
    too = ", and so are their answers" if answers else ""
    click.echo(
        f"what identifies {plural(len(found), 'rater')} is erased{too}; exports and backups made "
        "before still have it"
    )
    for path in files:
        click.echo(f"still in {path}: delete it")
    _tell_left(left, study)


def _tell_left(left: list[str], study: Path) -> None:
    """Raise a `UserError` if bytes of what was erased may be left."""
    if left:
        raise UserError(
            f"erased from the tables, but not yet overwritten: {'; '.join(left)}; then run "
            f"{command('study', 'erase', study, '--rest')}"
        )


@click.command()
@STUDY
@DATABASE
@click.option(
    "--out", type=Place("here"), required=True, metavar="FILE", help="A file that is not there."
)
def backup(study: Path, database: str | None, out: Path) -> None:
    """Copy the database while the study goes on."""
    from study_app.open_study import opened
    from study_app.store.backup import backup as copy_database

    with opened(study, database) as running:
        size = copy_database(running.database, out)
    click.echo(f"{out}: {size:,} bytes; STUDY/secret and STUDY/media are not in it")


@click.command()
@STUDY
@click.argument("rater", metavar="RATER")
@DATABASE
@click.option("--reason", required=True, help="Kept with the exclusion.")
def reject(study: Path, rater: str, database: str | None, reason: str) -> None:
    """Exclude a rater, and let others rate again what they rated. Payment is not touched."""
    from study_app.exclusion import reject as reject_rater
    from study_app.open_study import opened
    from study_app.pseudonyms import named_rater
    from study_app.store.database import now

    with opened(study, database) as running:
        reject_rater(running, named_rater(running, rater), reason, now())
    click.echo("rejected: the votes go to the next raters; payment is a decision of its own")


@click.command()
@STUDY
@click.argument("rater", metavar="RATER")
@DATABASE
def unreject(study: Path, rater: str, database: str | None) -> None:
    """Let a rejected rater count again."""
    from study_app.exclusion import unreject as unreject_rater
    from study_app.open_study import opened
    from study_app.pseudonyms import named_rater

    with opened(study, database) as running:
        unreject_rater(running, named_rater(running, rater))
    click.echo("counts again; where others rated the same since, there are more votes than wanted")


COMMANDS = (export, erase, backup, reject, unreject)
