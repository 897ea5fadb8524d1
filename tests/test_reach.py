"""One look tells in seconds whether a server can be reached; any answer of its counts."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from evaluation.features import reach
from evaluation.features.reach import unreachable


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[200, 403, 404, 405, 500])
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers so."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def test_any_answer_is_one(server: str) -> None:
    assert unreachable(server) is None


def test_a_proxy_that_answers_is_enough(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are looked up by the proxy, so that a machine without name server can download."""
    monkeypatch.setenv("http_proxy", server)
    assert unreachable("http://hub.invalid/") is None


def test_a_name_that_nobody_knows() -> None:
    """`.invalid` never exists (RFC 2606)."""
    assert "not known" in str(unreachable("https://hub.invalid"))


def test_nobody_at_the_door() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        assert "refused" in str(unreachable(f"http://127.0.0.1:{door.getsockname()[1]}"))


def test_a_server_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "PATIENCE", 0.2)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        assert "no answer" in str(unreachable(f"http://127.0.0.1:{door.getsockname()[1]}"))
