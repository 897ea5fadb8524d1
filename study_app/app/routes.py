"""What is served beside Streamlit's pages: the first page, a rater's clips, telemetry, health."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from study_app.app.app_state import Site, device_check_clip
from study_app.app.first_page import first_page
from study_app.app.player_events import TelemetryEvent, keep_telemetry
from study_app.store.database import now, retry
from study_app.store.tables import Rater, Trial

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
LARGEST_EVENT = 8192  # bytes
CLIP_RETRY_SECONDS = 10.0  # seconds that a clip waits for a database that is away
# In place of the time at which a file was made: files are made method by method.
CACHED = {
    "Cache-Control": "private, max-age=86400, immutable",
    "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
}
_WHY_NOT = {"unknown": 404, "too many": 429}


class ClipAccess:
    """The clips of a study, behind the tokens of its raters; no token is remembered here."""

    def __init__(self, site: Site) -> None:
        self.site, plan = site, site.running.plan
        training = [name for item in plan.of_kind("training") for name in item.clips]
        self._first = frozenset({device_check_clip(site.running), *training})
        self._items: dict[str, list[str]] = {}  # name of a clip -> keys of what shows it
        for item in plan.items:
            for name in item.clips:
                self._items.setdefault(name, []).append(item.key)

    def path(self, token: str, name: str) -> Path | None:
        """Return the file of a clip; None if there is none that this rater may see.

        What cannot be a token and what is no name of a clip cost no look into the store.
        """
        if not _TOKEN.fullmatch(token) or name not in self._items:
            return None
        if not self._may_see(token, name):
            return None
        path = self.site.media / f"{name}.mp4"
        return path if path.is_file() else None

    def _may_see(self, token: str, name: str) -> bool:
        """Return True if the rater consented and the clip is one of the first or in their list."""
        asked = select(Rater.id).where(Rater.token == token, Rater.consented.is_not(None))
        if name not in self._first:
            asked = asked.join(Trial, Trial.rater_id == Rater.id)
            asked = asked.where(Trial.item.in_(self._items[name])).limit(1)
        with self.site.running.database.reading() as session:
            return session.scalar(asked) is not None


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of a study."""
    clips = ClipAccess(site)

    def clip(request: Request) -> Response:
        asked = (request.path_params["token"], request.path_params["name"])
        path = retry(lambda: clips.path(*asked), CLIP_RETRY_SECONDS)
        if path is None:
            return _nothing(404)
        headers = {**CACHED, "ETag": f'"{path.stem}"'}
        return FileResponse(path, media_type="video/mp4", headers=headers)

    async def beacon(request: Request) -> Response:
        body = await _body(request, LARGEST_EVENT)
        if body is None:
            return _nothing(413)
        try:
            note = TelemetryEvent.model_validate_json(body)
        except ValidationError:
            return _nothing(400)
        refused = await run_in_threadpool(keep_telemetry, site.running.database, note, now())
        return _nothing(_WHY_NOT[refused] if refused else 204)

    def health(_request: Request) -> Response:
        try:
            with site.running.database.reading() as session:
                session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return JSONResponse({"status": "the database does not answer"}, 503)
        return JSONResponse({"status": "ok"})

    return [
        Route("/", partial(first_page, site.running), methods=["GET"]),
        Route("/v/{token}/{name}.mp4", clip, methods=["GET"]),
        Route("/api/beacon", beacon, methods=["POST"]),
        Route("/health", health, methods=["GET"]),
    ]


async def _body(request: Request, most: int) -> bytes | None:
    """Return the body, or None if it is larger than `most` bytes; no more than that is read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return body


def _nothing(status: int) -> Response:
    """Return an answer that tells nothing but its number."""
    return Response(status_code=status, headers={"Cache-Control": "no-store"})
