"""Pages of other sites are turned away before Streamlit sees them, and nobody is asked for it.

What browsers and proxies send: RFC 6454 and the Fetch standard (Origin, `null`), nginx's `$host`
and `$http_host`, X-Forwarded-Host as Caddy, Codespaces and Apache send it.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_rater import BrowserRater, chromium
from served_study import Server
from sqlalchemy.exc import IntegrityError
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from dreamix.core.errors import UserError
from study_app.app.security import OwnPagesOnly, origins_of

SITE = "https://study.example.org"
# Host and more, the page's origin, whether it is let in where nothing is declared and where SITE is
CASES = [
    ({"host": "study.example.org"}, SITE, True, True),
    ({"host": "STUDY.example.org:443"}, SITE, True, True),
    ({"host": "study.example.org."}, SITE, True, True),
    ({"host": "study.example.org"}, None, True, True),
    ({"host": "127.0.0.1:8501"}, None, True, True),
    ({"host": "127.0.0.1:8501"}, "http://127.0.0.1:8501", True, True),
    ({"host": "localhost:8501"}, "http://localhost:8501", True, True),
    ({"host": "[::1]:8501"}, "http://[::1]:8501", True, True),
    ({"host": "127.0.0.1:8501"}, "http://127.0.0.1:9999", False, False),
    ({"host": "127.0.0.1:8501"}, "http://127.0.0.1", False, False),
    ({"host": "127.0.0.1:8501"}, "http://localhost:8501", False, False),
    ({"host": "study.example.org"}, "http://evil.example", False, False),
    ({"host": "study.example.org"}, "https://study.example.org.evil.example", False, False),
    ({"host": "study.example.org"}, "https://evilstudy.example.org", False, False),
    ({"host": "study.example.org"}, "https://study.example.org@evil.example", False, False),
    ({"host": "study.example.org"}, "https://study.example.org:444", False, False),
    ({"host": "study.example.org"}, "https://study.example.org/", False, False),
    ({"host": "study.example.org"}, "https://study.example.org\u00a0", False, False),
    ({"host": "study.example.org"}, "chrome-extension://study.example.org", False, False),
    ({"host": "study.example.org"}, "file://", False, False),
    ({"host": "study.example.org"}, "", False, False),
    ({"host": "study.example.org"}, "null", False, False),
    ({"host": "study.example.org", "sec-fetch-site": "same-origin"}, "null", True, True),
    ({"host": "study.example.org", "sec-fetch-site": "cross-site"}, "null", False, False),
    # proxies: one that gives the name, one that gives none, one that leaves the port out
    ({"host": "127.0.0.1:8501", "x-forwarded-host": "study.example.org"}, SITE, True, True),
    ({"host": "app:8501", "x-forwarded-host": "study.example.org, cdn"}, SITE, True, True),
    ({"host": "127.0.0.1:8501", "x-forwarded-host": "x.org"}, "http://evil.example", False, False),
    ({"host": "127.0.0.1:8501"}, SITE, False, True),
    ({"host": "lab", "x-forwarded-proto": "https"}, "https://lab:8443", True, True),
    ({"host": "lab", "x-forwarded-proto": "https"}, "https://bal:8443", False, False),
    # without TLS, where the name is declared with it: whoever is on the way may have made the page
    ({"host": "study.example.org"}, "http://study.example.org", True, False),
    ({"host": "study.example.org:8501"}, "http://study.example.org:8501", True, False),
    ({"host": "127.0.0.1:8501", "x-forwarded-host": "study.example.org"},
     "http://study.example.org", True, False),
    # punycode is the name, and a name that looks like it is another
    ({"host": "xn--mnchen-3ya.example"}, "https://xn--mnchen-3ya.example", True, False),
    ({"host": "munchen.example"}, "https://xn--mnchen-3ya.example", False, False),
    # a stranger's name that leads here
    ({"host": "evil.example:8501"}, "http://evil.example:8501", True, False),
    ({"host": "evil.example:8501"}, None, True, False),
    ({"host": "127.0.0.1:8501", "x-forwarded-host": "evil.example"}, "http://evil.example", True,
     False),
]  # fmt: skip


def client(*urls: str) -> tuple[TestClient, list[str]]:
    """An application behind the check, and the hosts that it was asked for."""
    seen: list[str] = []

    def page(request: object) -> PlainTextResponse:
        seen.append(request.headers.get("host", ""))  # type: ignore[attr-defined]
        return PlainTextResponse("here")

    async def stream(socket_: WebSocket) -> None:
        seen.append(socket_.headers.get("host", ""))
        await socket_.accept()
        await socket_.close()

    routes = [
        Route("/{path:path}", page, methods=["GET", "POST", "OPTIONS"]),
        WebSocketRoute("/_stcore/stream", stream),
    ]
    check = Middleware(OwnPagesOnly, declared=origins_of(urls))
    return TestClient(Starlette(routes=routes, middleware=[check])), seen


@pytest.mark.slow
@pytest.mark.parametrize(("headers", "origin", "plain", "declared"), CASES)
def test_who_is_let_in(
    headers: dict[str, str], origin: str | None, plain: bool, declared: bool
) -> None:
    """By HTTP whatever is asked for, and by WebSocket; Streamlit then sees one host and origin."""
    sent = headers | ({} if origin is None else {"origin": origin})
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    for urls, right in (((), plain), ((SITE,), declared)):
        assert OwnPagesOnly(None, origins_of(urls)).lets_in(Headers(raw=raw)) is right  # type: ignore[arg-type]
        if (origin or "").isascii():
            _is_answered(sent, urls, right)


def _is_answered(sent: dict[str, str], urls: tuple[str, ...], right: bool) -> None:
    found, seen = client(*urls)
    for path in (
        "/",
        "/health",
        "/?admin",
        "/v/token/clip.mp4",
        "/media/x",
        "/_stcore/upload_file",
    ):
        assert found.get(path, headers=sent).status_code == (200 if right else 403)
    assert found.post("/api/beacon", headers=sent).status_code == (200 if right else 403)
    assert found.options("/", headers=sent).status_code == (200 if right else 403)
    if right:
        with found.websocket_connect("/_stcore/stream", headers=sent):
            pass
        if sent.get("origin", "null") != "null":
            assert seen[-1] == sent["origin"].partition("://")[2]
    else:
        with (
            pytest.raises(WebSocketDisconnect),
            found.websocket_connect("/_stcore/stream", headers=sent),
        ):
            pass
        assert seen == []


def test_two_origins_or_two_hosts_are_none() -> None:
    check = OwnPagesOnly(None)  # type: ignore[arg-type]
    twice = [(b"host", b"a.org"), (b"origin", b"http://a.org"), (b"origin", b"http://evil.example")]
    assert not check.lets_in(Headers(raw=twice))
    assert not check.lets_in(Headers(raw=[(b"host", b"a.org"), (b"host", b"evil.example")]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://study.example.org/", ("https", "study.example.org", 443)),
        ("HTTP://Lab:8080", ("http", "lab", 8080)),
        ("https://umfrage.münchen.example", ("https", "umfrage.xn--mnchen-3ya.example", 443)),
        ("http://[2001:db8::1]:80", ("http", "[2001:db8::1]", 80)),
    ],
)
def test_addresses_are_declared_as_people_write_them(
    url: str, origin: tuple[str, str, int]
) -> None:
    assert set(origins_of([url])) == {origin}


@pytest.mark.parametrize(
    "url", ["study.example.org", "https://", "ftp://x.org", "https://x.org/study", "https://u@x.org",
            "https://x.org:port", "https://x.org?x", "https://" + "x" * 64 + ".org", ""]
)  # fmt: skip
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(UserError, match="https://NAME"):
        origins_of([url])


# Python tells the hook of every look-up and connection that it makes: PEP 578.
WATCHED = """
import json, sys
names = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr",
         "socket.sendto", "urllib.Request", "http.client.connect")
def hook(event, arguments):
    if event in names:
        with open(sys.argv[4], "a") as file:
            file.write(json.dumps([event, repr(arguments)]) + "\\n")
sys.addaudithook(hook)
from pathlib import Path
from study_app.app.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), admin_token=sys.argv[3])
"""
TOKEN = "0123456789abcdef"


class WatchedServer(Server):
    """A server that writes down what it asks of the network."""

    @property
    def asked(self) -> Path:
        return self.folder.parent / f"asked-{self.port}"

    @property
    def command(self) -> list[str]:
        place = [str(self.folder), str(self.port), TOKEN, str(self.asked)]
        return [sys.executable, "-c", WATCHED, *place]

    def network(self) -> list[str]:
        """What it asked so far."""
        return self.asked.read_text().splitlines() if self.asked.exists() else []


@pytest.fixture(scope="module")
def server(built_study: Path) -> Iterator[WatchedServer]:
    found = WatchedServer(built_study)
    found.start()
    yield found
    found.kill()


def handshake(port: int, origin: str, host: str | None = None) -> str:
    """The first line of the answer to a WebSocket's handshake."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        lines = [
            "GET /_stcore/stream HTTP/1.1",
            f"Host: {host or f'127.0.0.1:{port}'}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            f"Origin: {origin}",
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection.recv(200).decode().splitlines()[0]


@pytest.mark.slow
def test_fifty_strangers_cost_nothing_and_nobody_is_asked(server: WatchedServer) -> None:
    """Each is answered 403 by a real server that made no look-up and no connection."""
    for number in range(50):
        answer = handshake(server.port, f"http://evil{number}.example")
        assert answer.split()[1] == "403", answer
        with urllib.request.urlopen(f"{server.url}/health", timeout=5) as health:
            assert json.load(health) == {"status": "ok"}
    for path in (
        "/",
        "/health",
        "/_stcore/health",
        "/?admin",
        "/v/a/b.mp4",
        "/_stcore/host-config",
    ):
        asked = urllib.request.Request(server.url + path, headers={"Origin": "http://evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(asked, timeout=5)
    assert handshake(server.port, server.url).split()[1] == "101"
    assert handshake(server.port, "https://s.org", "s.org").split()[1] == "101", "behind a proxy"
    assert handshake(server.port, "null").split()[1] == "403"
    ours = handshake(server.port, "null\r\nSec-Fetch-Site: same-origin")
    assert ours.split()[1] == "101", "which Streamlit refused, after it had asked two servers"
    assert server.network() == []


def test_the_hook_hears_what_streamlit_would_ask(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    line = WATCHED.partition("from pathlib")[0] + (
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    )
    heard = tmp_path / "heard"
    subprocess.run([sys.executable, "-c", line, "", "", "", str(heard)], check=True)
    assert "socket.connect" in heard.read_text()


@pytest.mark.browser
@pytest.mark.slow
def test_a_visit_and_the_admin_page_ask_nobody(server: WatchedServer) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        rater = BrowserRater(page, server.url)
        rater.arrive()
        rater.consent()
        rater.check_device()
        page.goto(f"{server.url}/?admin")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Enter").click()
        page.get_by_text("Votes by edit and method").wait_for()
        time.sleep(1)
        page.close()
    assert server.network() == []


def test_what_fails_is_logged_without_the_values_of_a_row(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL says which key it refused, with its values; where it failed is still logged."""
    from study_app.app import server

    monkeypatch.setattr(server, "current_site", lambda: (_ for _ in ()).throw(LookupError))
    refused = Exception("duplicate key\nDETAIL:  Key (platform_id)=(5f1e0a9c7b) already exists.")
    with pytest.raises(LookupError):
        server._tell_trouble(IntegrityError("INSERT", {}, refused))
    assert "IntegrityError" in caplog.text and "5f1e0a9c7b" not in caplog.text
