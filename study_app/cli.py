"""`dreamix study`: write, build and serve a study, and watch it."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from dreamix.core.errors import UserError
from study_app.data_cli import COMMANDS
from study_app.options import DATABASE, PATH, STUDY, setting
from study_app.power_cli import power

TOKEN = "DREAMIX_ADMIN_TOKEN"
SHORTEST = 16  # characters of the token of the admin page
DESIGN = click.Choice(["absolute", "pairwise"])
DEVIATION, SHARE = click.FloatRange(0), click.FloatRange(0, 1)
SECONDS = click.FloatRange(0, min_open=True)


class NeedsExtra(click.Group):
    """A group whose commands say in one line what is to be installed, if something is."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        needed = ("alembic", "pydantic", "sqlalchemy", "streamlit")
        if missing := [name for name in needed if find_spec(name) is None]:
            raise UserError(
                f"the rater study needs {', '.join(missing)}: pip install 'dreamix-toolkit[study]'"
            )
        return super().invoke(ctx)


@click.group(cls=NeedsExtra)
def study() -> None:
    """Let people rate the edits of a run."""


@study.command()
@click.argument("run", type=PATH)
@click.option("--out", type=PATH, required=True, metavar="STUDY", help="Folder of the study.")
@setting("--design", DESIGN, "absolute", "Each edit rated from 1 to 5, or two edits compared.")
def new(run: Path, out: Path, design: str) -> None:
    """Write a commented study.yaml about the methods of a run."""
    from study_app.spec.template import new_study

    path = new_study(run, out, design)
    click.echo(f"{path}: read it and change what you like, then `dreamix study build {out}`")


@study.command()
@STUDY
@DATABASE
@click.option("--amend", metavar="REASON", help="Why the declared analysis changes after votes.")
def build(study: Path, database: str | None, amend: str | None) -> None:
    """Check study.yaml, prepare clips and checks, and keep the hash of the analysis plan."""
    from study_app.building import build_and_declare

    for line in build_and_declare(study, database, amend):
        click.echo(line)


@study.command()
@STUDY
@DATABASE
@setting("--address", click.STRING, "127.0.0.1", "To listen at.")
@setting("--port", click.IntRange(0, 65535), 8501, "0 takes a free one.")
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="Where raters find it, such as https://study.example.org: no other name is served.",
)
@click.option(
    "--admin-token",
    metavar="TOKEN",
    help=f"Opens the admin page at /?admin.  [default: {TOKEN}, which other users cannot see]",
)
def serve(
    study: Path,
    database: str | None,
    address: str,
    port: int,
    urls: tuple[str, ...],
    admin_token: str | None,
) -> None:
    """Open the study in browsers, until the program is stopped."""
    from study_app.app.server import serve as serve_study
    from study_app.opening import database_url

    token = os.environ.get(TOKEN) or None if admin_token is None else admin_token
    if token is not None and len(token) < SHORTEST:
        raise UserError(
            f"the admin token has {len(token)} characters, {SHORTEST} are the least; "
            "`openssl rand -hex 16` makes a good one"
        )
    url = database_url(study, database)
    serve_study(study, address=address, port=port, database_url=url, admin_token=token, urls=urls)


@study.command()
@STUDY
@DATABASE
def status(study: Path, database: str | None) -> None:
    """Tell how the study stands: votes, raters, pace, checks, and when it will be done."""
    from study_app.monitor import watch
    from study_app.opening import opened
    from study_app.store.database import now
    from study_app.telling import status_lines

    with opened(study, database) as running:
        for line in status_lines(running.study.name, watch(running, now()), now()):
            click.echo(line)


@study.command()
@STUDY
@DATABASE
@click.option("--count", type=click.IntRange(1, 10_000), required=True, help="Number of raters.")
@setting(
    "--address",
    click.STRING,
    "http://127.0.0.1:8501",
    "Where raters find the study.",
    metavar="URL",
)
def invite(study: Path, database: str | None, count: int, address: str) -> None:
    """Print personal links, one a rater; whoever has one is that rater."""
    from study_app.invite import invite as invite_raters
    from study_app.opening import opened
    from study_app.store.database import now

    with opened(study, database) as running:
        for link in invite_raters(running, count, address, now()):
            click.echo(link)


@study.command()
@STUDY
@DATABASE
def pause(study: Path, database: str | None) -> None:
    """Deal no lists for the time being; what raters have done is kept."""
    _change_state(study, database, "paused")


@study.command()
@STUDY
@DATABASE
def resume(study: Path, database: str | None) -> None:
    """Go on after a pause, or open a closed study again."""
    _change_state(study, database, "open")


@study.command()
@STUDY
@DATABASE
def close(study: Path, database: str | None) -> None:
    """Let nobody new in; whoever has a list may finish it."""
    _change_state(study, database, "closed")


def _change_state(folder: Path, database: str | None, name: Any) -> None:
    from study_app.opening import opened
    from study_app.state import change_state
    from study_app.store.database import now

    with opened(folder, database) as running:
        before = change_state(running.database, name, now())
    was = f"was {before.name}" if before.name != name else "as it was"
    click.echo(f"{running.study.name} is {name} ({was})")


@study.command()
@STUDY
@click.option(
    "--database",
    metavar="URL",
    help="Never that of people.  [default: simulated.sqlite in STUDY]",
)
@setting("--raters", click.IntRange(1), 100, "How many.")
@setting("--seed", click.IntRange(0), 0, "Of all they do.")
@setting("--bias", DEVIATION, 0.4, "Deviation between raters, points.")
@setting("--noise", DEVIATION, 0.8, "Deviation of answers, points.")
@setting("--fatigue", click.FLOAT, 0.0, "Points lost by the end of a list.")
@setting("--careless", SHARE, 0.05, "Share who answer anything.")
@setting("--drop-out", SHARE, 0.1, "Share who leave.")
@setting("--between", SECONDS, 30.0, "Mean seconds between arrivals.")
@setting("--trial", SECONDS, 20.0, "Mean seconds of a trial.")
@click.option(
    "--merit",
    "merits",
    multiple=True,
    metavar="METHOD=MEAN",
    help="What raters think of a method.  [default: 3]",
)
@click.option(
    "--follow",
    multiple=True,
    metavar="QUESTION=METRIC",
    help="What raters think of a clip follows a metric of the run, instead.",
)
def simulate(
    study: Path,
    database: str | None,
    seed: int,
    merits: tuple[str, ...],
    follow: tuple[str, ...],
    **crowd: Any,
) -> None:
    """Let simulated raters do the study, in a database of their own."""
    from study_app.simulation import run_simulation

    for line in run_simulation(study, database, seed, merits, follow, crowd):
        click.echo(line)


for command in (*COMMANDS, power):
    study.add_command(command)
