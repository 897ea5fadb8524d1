"""What is served beside Streamlit's: the first page, clips, a place for notes, and health."""

from collections.abc import Sequence
from functools import partial

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from study_app.app.clips import Clips
from study_app.app.first_page import first_page
from study_app.app.served import Site
from study_app.notes import Note, keep_note
from study_app.store.database import now
from study_app.store.patience import patiently

LARGEST_NOTE = 8192  # bytes
CLIP_PATIENCE = 10.0  # seconds that a clip waits for a database that is away
# In place of the time at which a file was made: files are made method by method.
CACHED = {
    "Cache-Control": "private, max-age=86400, immutable",
    "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT",
}
_WHY_NOT = {"unknown": 404, "too many": 429}


def routes(site: Site) -> Sequence[Route]:
    """Return the routes of a study."""
    clips = Clips(site)

    def clip(request: Request) -> Response:
        asked = (request.path_params["token"], request.path_params["name"])
        path = patiently(lambda: clips.path(*asked), CLIP_PATIENCE)
        if path is None:
            return _nothing(404)
        headers = {**CACHED, "ETag": f'"{path.stem}"'}
        return FileResponse(path, media_type="video/mp4", headers=headers)

    async def beacon(request: Request) -> Response:
        body = await _body(request, LARGEST_NOTE)
        if body is None:
            return _nothing(413)
        try:
            note = Note.model_validate_json(body)
        except ValidationError:
            return _nothing(400)
        refused = await run_in_threadpool(keep_note, site.running.database, note, now())
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
