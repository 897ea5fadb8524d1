"""Scripts and styles of the pages, sent compressed: on a slow line they are what one waits for.

Streamlit sends them as they are, since compressing at every request would cost more than it saves
on a fast line. Here each file is compressed once and kept. Clips are compressed already and pass.
"""

import gzip
import mimetypes
from functools import cache
from pathlib import Path
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import file_util

LEVEL = 9
LEAST = 500  # bytes; less would not become shorter
_KINDS = (".js", ".css", ".json", ".svg")
_FOREVER = "public, immutable, max-age=31536000"  # as Streamlit does: their names change with them
_one_at_a_time = Lock()


class CompressedFiles:
    """Answers requests for Streamlit's files with what is compressed; all others pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.files = app, _files(Path(file_util.get_static_dir()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        path = self.files.get(scope["path"]) if scope["type"] == "http" else None
        if path is None or not _wants_compressed(scope):
            await self.app(scope, receive, send)
            return
        body = await run_in_threadpool(_compressed, path)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind = "text/javascript" if path.suffix == ".js" else kind
        headers = {"Cache-Control": _FOREVER, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        await Response(body, headers=headers, media_type=kind)(scope, receive, send)


def accepts_gzip(headers: Headers) -> bool:
    """Return True if the browser reads what is compressed by gzip (RFC 9110, 12.5.3)."""
    codings = headers.get("accept-encoding", "").lower().split(",")
    weights = dict(_weight(part) for part in codings)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def compress(content: bytes) -> bytes:
    """Return bytes compressed by gzip; the same bytes always give the same."""
    return gzip.compress(content, LEVEL, mtime=0)


def _files(folder: Path) -> dict[str, Path]:
    """Return the files that become shorter, by their address."""
    found = [path for path in folder.glob("static/**/*") if path.suffix in _KINDS]
    return {
        f"/{path.relative_to(folder).as_posix()}": path
        for path in found
        if path.is_file() and path.stat().st_size >= LEAST
    }


def _wants_compressed(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["method"] == "GET" and "range" not in headers and accepts_gzip(headers)


def _compressed(path: Path) -> bytes:
    with _one_at_a_time:  # of thirty who come together, one waits for each file and not thirty
        return _cached(path)


@cache
def _cached(path: Path) -> bytes:
    return compress(path.read_bytes())


def _weight(part: str) -> tuple[str, float]:
    """Return a coding and its weight, such as 0.5 of `gzip;q=0.5`."""
    name, _, quality = part.partition(";")
    try:
        return name.strip(), float(quality.partition("=")[2]) if quality.strip() else 1.0
    except ValueError:
        return name.strip(), 1.0
