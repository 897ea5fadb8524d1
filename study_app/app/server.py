"""`dreamix study serve`: pages, clips and notes of one study, from one process."""

import logging
import socket
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
import streamlit as st
import uvicorn
from sqlalchemy.exc import DBAPIError
from starlette.middleware import Middleware
from streamlit.web import bootstrap

from dreamix.core.errors import UserError
from study_app.allocation import replace_retired
from study_app.app.app_state import LANGUAGE, Site, current_site, open_site, set_site
from study_app.app.compression import CompressedFiles
from study_app.app.messages import MessageFilter
from study_app.app.routes import routes
from study_app.app.security import OwnPagesOnly, SecurityHeaders, WebOrigin, origins_of
from study_app.open_study import being_served
from study_app.prepare.media import check_media

SCRIPT = Path(__file__).with_name("page.py")
ADDRESS, PORT = "127.0.0.1", 8501
SETTINGS = {
    "browser.gatherUsageStats": False,
    "browser.serverAddress": "localhost",  # else Streamlit looks it up
    "client.showErrorDetails": "none",
    "client.showSidebarNavigation": False,
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "logger.enableRich": False,  # it colours every traceback, which costs more than the page
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # a quarter of the time of a page; Python collects by itself
    "server.corsAllowedOrigins": [],  # `OwnPagesOnly` decides, before Streamlit does
    "server.disconnectedSessionTTL": 120,  # seconds; beyond that the store knows where they were
    "server.enableCORS": True,
    "server.enableStaticServing": False,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxMessageSize": 5,  # MB
    "server.maxWidgetStateSize": 1,  # MB; a ledger has a hundredth of it
    "server.maxUploadSize": 1,  # MB; nothing is uploaded
    "server.runOnSave": False,
    # White on it, and it on white or black, can be told apart.
    "theme.light.primaryColor": "#2563eb",
    "theme.dark.primaryColor": "#2563eb",
}


def serve(
    folder: Path,
    *,
    address: str = ADDRESS,
    port: int = PORT,
    database_url: str | None = None,
    admin_token: str | None = None,
    urls: Sequence[str] = (),
) -> None:
    """Serve the study in `folder` until the process is stopped, and print where.

    port:        0 takes one that is free.
    urls:        where raters find it; without any, wherever the browser's host is the page's.
    admin_token: opens the researcher's page at /?admin; without one nobody gets in by token.

    Raises:
        UserError: if the port is in use, the study is not built or the database cannot be opened.
    """
    origins = origins_of(urls)
    site = open_site(folder, database_url, admin_token)
    with being_served(folder):
        _serve(site, address, port, origins)


def _serve(site: Site, address: str, port: int, origins: frozenset[WebOrigin]) -> None:
    check_media(site.running.folder, site.running.plan)
    with site.running.database.writing(alone=True) as session:
        replace_retired(session, site.running.plan)
    bound = _bind(address, port)
    app = make_app(site, origins)
    host = f"[{address}]" if ":" in address else address
    click.echo(f"{site.running.study.name}: http://{host}:{bound.getsockname()[1]}")
    settings = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws_per_message_deflate=False,
    )
    uvicorn.Server(settings).run(sockets=[bound])


def make_app(site: Site, origins: frozenset[WebOrigin] = frozenset()) -> st.App:
    """Return the web application of a study; a process can have one.

    origins: where its pages are found; empty: wherever the browser says that it asks.
    """
    set_site(site)
    for late in ("study_app.app.drawing", "scipy.optimize"):  # the first rater need not wait
        import_module(late)
    bootstrap.load_config_options(SETTINGS)
    return st.App(
        SCRIPT,
        routes=routes(site),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(OwnPagesOnly, declared=origins),
            Middleware(MessageFilter),
            Middleware(CompressedFiles),
        ],
        on_script_error=_tell_trouble,
    )


def _bind(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=2048)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"cannot listen at {address} port {port}: {why}; try --port") from None


def _tell_trouble(error: Exception) -> bool:
    """Log what failed and tell the rater what to do, in their language; no more is shown.

    What a database says of a row is not logged: PostgreSQL repeats the values that it refused.
    """
    lines = "".join(traceback.format_tb(error.__traceback__))
    what = type(error).__name__ if isinstance(error, DBAPIError) else repr(error)
    logging.getLogger(__name__).error("a page failed: %s\n%s", what, lines)
    texts = current_site().running.study.words(st.session_state.get(LANGUAGE, ""))
    st.error(texts.trouble)
    return True
