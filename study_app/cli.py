"""`dreamix study`: write, build and serve a study, watch it, and plan its size."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dreamix.core.errors import UserError
from dreamix.core.wording import command
from dreamix.remote.place_type import Place
from study_app.data_cli import COMMANDS, DATABASE, PATH, STUDY, option_with_default

if TYPE_CHECKING:
    from study_app.state import StateName

TOKEN = "DREAMIX_ADMIN_TOKEN"
SHORTEST = 16  # characters of the token of the admin page
DESIGN = click.Choice(["absolute", "pairwise"])
DEVIATION, SHARE = click.FloatRange(0), click.FloatRange(0, 1)
SECONDS = click.FloatRange(0, min_open=True)
PROBABILITY = click.FloatRange(0, 1, min_open=True, max_open=True)


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
@click.option(
    "--out", type=Place("here"), required=True, metavar="STUDY", help="Folder of the study."
)
@option_with_default(
    "--design", DESIGN, "absolute", "Each edit rated from 1 to 5, or two edits compared."
)
def new(run: Path, out: Path, design: str) -> None:
    """Write a commented study.yaml about the methods of a run."""
    from study_app.spec.template import new_study

    path = new_study(run, out, design)
    click.echo(f"{path}: read it and change what you like, then {command('study', 'build', out)}")


@study.command()
@STUDY
@DATABASE
@click.option("--amend", metavar="REASON", help="Why the declared analysis changes after votes.")
def build(study: Path, database: str | None, amend: str | None) -> None:
    """Check study.yaml, prepare clips and checks, and keep the hash of the analysis plan."""
    from study_app.build_command import build_and_declare

    for line in build_and_declare(study, database, amend):
        click.echo(line)


@study.command()
@STUDY
@DATABASE
@option_with_default("--address", click.STRING, "127.0.0.1", "To listen at.")
@option_with_default("--port", click.IntRange(0, 65535), 8501, "0 takes a free one.")
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="Where raters find it, such as https://study.example.org: no other name is served.",
)
@click.option(
    "--adaptive",
    is_flag=True,
    help="Only if study.yaml declares `adaptive:`, by which votes go where they decide most.",
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
    adaptive: bool,
    admin_token: str | None,
) -> None:
    """Open the study in browsers, until the program is stopped.

    A study whose file has `adaptive:` is served so; --adaptive makes sure that it is.
    """
    from study_app.app.server import serve as serve_study
    from study_app.open_study import database_url, refuse_fixed

    token = os.environ.get(TOKEN) or None if admin_token is None else admin_token
    if token is not None and len(token) < SHORTEST:
        raise UserError(
            f"the admin token has {len(token)} characters, {SHORTEST} are the least; "
            "`openssl rand -hex 16` makes a good one"
        )
    if adaptive:
        refuse_fixed(study)
    url = database_url(study, database)
    serve_study(study, address=address, port=port, database_url=url, admin_token=token, urls=urls)


@study.command()
@STUDY
@DATABASE
def status(study: Path, database: str | None) -> None:
    """Tell how the study stands: votes, raters, pace, checks, and when it will be done."""
    from study_app.monitor import study_status
    from study_app.open_study import opened
    from study_app.status_text import status_lines
    from study_app.store.database import now

    with opened(study, database) as running:
        for line in status_lines(running.study.name, study_status(running, now()), now()):
            click.echo(line)


@study.command()
@STUDY
@DATABASE
@click.option("--count", type=click.IntRange(1, 10_000), required=True, help="Number of raters.")
@option_with_default(
    "--address",
    click.STRING,
    "http://127.0.0.1:8501",
    "Where raters find the study.",
    metavar="URL",
)
def invite(study: Path, database: str | None, count: int, address: str) -> None:
    """Print personal links, one a rater; whoever has one is that rater."""
    from study_app.enrollment import invite as invite_raters
    from study_app.open_study import opened
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


def _change_state(folder: Path, database: str | None, name: "StateName") -> None:
    from study_app.open_study import opened
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
@option_with_default("--raters", click.IntRange(1), 100, "How many.")
@option_with_default("--seed", click.IntRange(0), 0, "Of all they do.")
@option_with_default("--bias", DEVIATION, 0.4, "Deviation between raters, points.")
@option_with_default("--noise", DEVIATION, 0.8, "Deviation of answers, points.")
@option_with_default("--fatigue", click.FLOAT, 0.0, "Points lost by the end of a list.")
@option_with_default("--careless", SHARE, 0.05, "Share who answer anything.")
@option_with_default("--drop-out", SHARE, 0.1, "Share who leave.")
@option_with_default("--between", SECONDS, 30.0, "Mean seconds between arrivals.")
@option_with_default("--trial", SECONDS, 20.0, "Mean seconds of a trial.")
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
    from study_app.simulate_command import run_simulation

    for line in run_simulation(study, database, seed, merits, follow, crowd):
        click.echo(line)


@click.command()
@STUDY
@click.option("--pilot", type=PATH, metavar="EXPORT", help="Export of a study that was rated.")
@click.option(
    "--difference",
    type=click.FloatRange(0, min_open=True),
    help="Points between two methods that should be found: says how many raters that takes.",
)
@click.option(
    "--power", "wanted", type=PROBABILITY, default=0.8, show_default=True, help="Chance of it."
)
@click.option("--level", type=PROBABILITY, default=0.05, show_default=True, help="Of the test.")
@click.option(
    "--r",
    "follows",
    type=click.FloatRange(0, 1, max_open=True),
    help="How far a metric's differences follow those of votes, for `study analyze --with`.",
)
@click.option(
    "--edits", type=click.IntRange(1), help="That the metric has values on, rated or not."
)
def power(
    study: Path,
    pilot: Path | None,
    difference: float | None,
    wanted: float,
    level: float,
    follows: float | None,
    edits: int | None,
) -> None:
    """Tell how small a difference between methods a study finds, from a pilot's variances.

    STUDY has to be built; nothing in it is changed.
    """
    from study_app.plan import read_plan
    from study_app.power import Aim, planning_lines, read_pilot
    from study_app.spec.study import read_study

    known = read_pilot(pilot) if pilot else None
    aim = Aim(difference, wanted, level, follows, edits)
    for line in planning_lines(read_study(study), read_plan(study), known, aim):
        click.echo(line)


for one in (*COMMANDS, power):
    study.add_command(one)
