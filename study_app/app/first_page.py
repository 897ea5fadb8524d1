"""The page before anything else has come: in the rater's language, and with something to read.

Streamlit's own is empty, in English and called Streamlit until all of its scripts are there, which
takes ten seconds on a line of 1 Mbit/s.
"""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from streamlit import file_util

from study_app.app.component import PAGE_STYLE
from study_app.app.compression import accepts_gzip, compress
from study_app.declaration import Running
from study_app.enrollment import TOKEN
from study_app.spec.study import Study
from study_app.store.database import DATABASE_AWAY
from study_app.store.tables import Rater

_OPENING = Template(Path(__file__).with_suffix(".html").read_text(encoding="utf-8"))
# The font is fetched when there is text for it, after the scripts that all wait for; until it is
# there the text is drawn in another.
_FONT = re.compile(r"<link\s[^>]*href=\"(?P<url>[^\"]+)\"[^>]*as=\"font\"[^>]*>\s*")
_FACE = (
    "@font-face {{ font-family: 'Source Sans'; font-weight: 100 900; font-style: normal; "
    "font-display: swap; src: url({url}) format('woff2'); }}\n"
)
_HTML, _TITLE, _END = re.compile(r"<html[^>]*>"), re.compile(r"<title>.*?</title>"), "</body>"


def first_page(running: Running, request: Request) -> Response:
    """Return the page that a link opens."""
    page = page_in(running.study, _language(running, request), "admin" in request.query_params)
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if accepts_gzip(request.headers):
        return Response(
            compress(page), headers=headers | {"Content-Encoding": "gzip"}, media_type=_KIND
        )
    return Response(page, headers=headers, media_type=_KIND)


_KIND = "text/html"


def page_in(study: Study, language: str | None, admin: bool = False) -> bytes:
    """Return Streamlit's page with title, language, direction, style and a first word of ours.

    admin: for the researcher, whose page is in English.
    """
    code = study.closest_language(language)
    texts = study.words(code)
    tongue = f' lang="{escape(study.tag(code))}" dir="{study.direction(code)}"'
    whole = ' lang="en" dir="ltr"' if admin else tongue
    title = escape(texts.title)
    page = _streamlits()
    face = "".join(_FACE.format(url=found["url"]) for found in _FONT.finditer(page))
    says = escape(texts.notes.opening)
    opening = _OPENING.substitute(tongue=tongue, title=title, says=says, style=face + PAGE_STYLE)
    page = _FONT.sub("", page)
    page = _HTML.sub(lambda _: f"<html{whole}>", page, count=1)
    page = _TITLE.sub(lambda _: f"<title>{title}</title>", page, count=1)
    before, end, after = page.rpartition(_END)
    return f"{before}{opening}{end}{after}".encode()


@cache
def _streamlits() -> str:
    return (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")


def _language(running: Running, request: Request) -> str | None:
    """Return the language of the rater whose link it is, or the one that the link asks for."""
    token = request.query_params.get(TOKEN)
    asked = request.query_params.get("lang")
    if not token:
        return asked
    try:
        with running.database.reading() as session:
            mine = select(Rater.language).where(Rater.token == token)
            return session.scalar(mine) or asked
    except DATABASE_AWAY:
        return asked  # the page waits for the database by itself
