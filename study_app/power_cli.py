"""`dreamix study power`: what a study would find, and how many raters a difference takes."""

from pathlib import Path

import click

from study_app.options import PATH, STUDY

SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command()
@STUDY
@click.option("--pilot", type=PATH, metavar="EXPORT", help="Export of a study that was rated.")
@click.option(
    "--difference",
    type=click.FloatRange(0, min_open=True),
    help="Points between two methods that should be found: says how many raters that takes.",
)
@click.option("--power", "wanted", type=SHARE, default=0.8, show_default=True, help="Chance of it.")
@click.option("--level", type=SHARE, default=0.05, show_default=True, help="Of the test.")
def power(
    study: Path, pilot: Path | None, difference: float | None, wanted: float, level: float
) -> None:
    """Tell how small a difference between methods a study finds, from a pilot's variances.

    STUDY has to be built; nothing in it is changed.
    """
    from study_app.plan import read_plan
    from study_app.planning import Aim, planning_lines, read_pilot
    from study_app.spec.reading import read_study

    known = read_pilot(pilot) if pilot else None
    aim = Aim(difference, wanted, level)
    for line in planning_lines(read_study(study), read_plan(study), known, aim):
        click.echo(line)
