"""The study that this process serves."""

from pathlib import Path
from typing import NamedTuple

from study_app.flow import Running
from study_app.opening import Opened, open_study
from study_app.prepare.media import FOLDER


class Site(NamedTuple):
    """An open study, where its clips are, and what opens the researcher's page."""

    running: Opened
    media: Path
    admin_token: str | None = None


_served: list[Site] = []  # at most one: Streamlit's script finds it here


def open_site(
    folder: Path, database_url: str | None = None, admin_token: str | None = None
) -> Site:
    """Return the study in `folder`, open; one that is not built is a `UserError`.

    database_url: where the ratings are; by default an SQLite file in `folder`.
    """
    running = open_study(folder, database_url)
    return Site(running, (folder / FOLDER).resolve(), admin_token)


def serve_here(site: Site) -> None:
    """Make `site` the one that this process serves."""
    _served[:] = [site]


def served() -> Site:
    """Return the study that this process serves."""
    return _served[0]


def first_clip(running: Running) -> str:
    """Return the name of the clip by which a rater's device is tried: a source."""
    item = next(iter(running.plan.of_kind("training") or running.plan.items))
    return item.reference or item.left
