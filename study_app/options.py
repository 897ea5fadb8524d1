"""Arguments that commands of a study share."""

from pathlib import Path

import click

PATH = click.Path(path_type=Path)
STUDY = click.argument("study", type=PATH)
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Of the ratings: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME  "
    "[default: DREAMIX_DATABASE, or ratings.sqlite in STUDY]",
)
