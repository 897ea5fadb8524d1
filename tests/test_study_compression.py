"""Scripts and styles go out compressed, once and for all; clips and everything else as they are."""

import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import file_util

from study_app.app.compression import CompressedFiles, accepts_gzip

STATIC = Path(file_util.get_static_dir())


@pytest.fixture(scope="module")
def client() -> TestClient:
    def other(request: Request) -> Response:
        return PlainTextResponse(f"passed {request.url.path}")

    routes = [Route("/{path:path}", other, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(CompressedFiles)]))


def some_file(pattern: str) -> str:
    largest = max(STATIC.glob(pattern), key=lambda path: path.stat().st_size)
    return f"/{largest.relative_to(STATIC).as_posix()}"


@pytest.mark.parametrize("pattern", ["static/js/index.*.js", "static/css/index.*.css"])
def test_a_script_is_the_same_and_a_third_as_long(client: TestClient, pattern: str) -> None:
    path = some_file(pattern)
    whole = (STATIC / path[1:]).read_bytes()
    with client.stream("GET", path) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(sent) < 0.4 * len(whole)
    assert gzip.decompress(sent) == whole
    kind = "text/javascript" if pattern.endswith("js") else "text/css"
    assert answer.headers["content-type"].startswith(kind)
    assert "immutable" in answer.headers["cache-control"]


def test_whatever_else_is_asked_for_passes(client: TestClient) -> None:
    script = some_file("static/js/index.*.js")
    for path, headers in (
        (script, {"Accept-Encoding": "identity"}),
        (script, {"Accept-Encoding": "gzip;q=0, br"}),
        (script, {"Range": "bytes=0-9"}),
        (some_file("static/media/*.woff2"), {}),  # compressed by itself
        ("/static/js/nothing.js", {}),
        ("/static/../static/js/x.js", {}),
        ("/v/token/clip.mp4", {}),
    ):
        assert client.get(path, headers=headers).text.startswith("passed "), (path, headers)
    assert client.post(script).text.startswith("passed ")


@pytest.mark.parametrize(
    ("told", "reads"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.2", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=no", True),
        ("", False),
    ],
)
def test_what_a_browser_reads_is_what_it_says(told: str, reads: bool) -> None:
    """RFC 9110, 12.5.3: a weight of 0 means that it is not accepted."""
    assert accepts_gzip(Headers({"accept-encoding": told})) is reads
