"""Arguments that commands of a study share."""

from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)
STUDY = click.argument("study", type=PATH)
DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Of the ratings: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME  "
    "[default: DREAMIX_DATABASE, or ratings.sqlite in STUDY]",
)


def setting(name: str, kind: click.ParamType, default: Any, text: str, **more: Any) -> Any:
    """Return an option that has a default, which its help says."""
    return click.option(name, type=kind, default=default, show_default=True, help=text, **more)
