"""The proxies of docs/hosting as they are written; names, ports and certificates are the test's.

A lab of thirty people behind one address gets every request of the first page.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from browser_rater import BrowserRater, chromium
from proxied import caddy_in_front, nginx_in_front, trusting
from served_study import Server, running_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEOPLE = 30
CONNECTIONS = 6  # of one browser to one address, over HTTP/1.1
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "streamlit",
}


@pytest.fixture(scope="module")
def server(built_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hosted") / "study"
    with running_server(shutil.copytree(built_study, folder)) as started:
        yield started


@pytest.fixture(scope="module")
def nginx(root: Path, tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("nginx") / "here"
    with nginx_in_front(root, folder, server.port) as port:
        yield port


class Page(NamedTuple):
    """What a browser asked for until it showed the first screen."""

    paths: list[str]
    sockets: list[str]


def first_page(port: int) -> Page:
    """A real browser opens the link."""
    with chromium() as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        paths: list[str] = []
        sockets: list[str] = []
        answers: list[tuple[int, str]] = []
        page.on("request", lambda request: paths.append(request.url))
        page.on("response", lambda response: answers.append((response.status, response.url)))
        page.on("websocket", lambda socket: sockets.append(socket.url))
        rater = BrowserRater(page, f"https://localhost:{port}")
        rater.arrive()
        rater.sees("I agree")
    assert {status for status, _ in answers} == {200}
    return Page([urlsplit(url).path for url in paths if url.startswith("http")], sockets)


async def asked(port: int, path: str, headers: dict[str, str], stream: Any = None) -> int:
    """The status of a request, over a connection of its own or one that is open."""
    reader, writer = stream or await asyncio.open_connection(
        "127.0.0.1", port, ssl=trusting(), server_hostname="localhost"
    )
    told = {"Host": f"localhost:{port}", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if stream:
        await whole_body(reader, head.lower())
    else:
        writer.close()
    return int(head.split(" ", 2)[1])


async def whole_body(reader: asyncio.StreamReader, head: str) -> None:
    """Read what follows the head of an answer."""
    if "content-length: " in head:
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


async def person(port: int, page: Page) -> Counter[int]:
    """What one person's browser is answered: files over six connections, then the WebSocket."""

    async def connection(paths: list[str]) -> list[int]:
        stream = await asyncio.open_connection(
            "127.0.0.1", port, ssl=trusting(), server_hostname="localhost"
        )
        found = [await asked(port, path, {}, stream) for path in paths]
        stream[1].close()
        return found

    parts = [page.paths[number::CONNECTIONS] for number in range(CONNECTIONS)]
    found = await asyncio.gather(*(connection(part) for part in parts))
    own = {"Origin": f"https://localhost:{port}", **HANDSHAKE}
    opened = await asked(port, urlsplit(page.sockets[0]).path, own)
    return Counter([status for part in found for status in part] + [opened])


def test_thirty_people_of_one_address_get_every_request(nginx: int) -> None:
    """With 30 requests a second and 120 at once, nobody of three saw the page (22 x 503)."""
    page = first_page(nginx)
    assert len(page.paths) > 40 and len(page.sockets) == 1

    async def lab() -> list[Counter[int]]:
        return await asyncio.gather(*(person(nginx, page) for _ in range(PEOPLE)))

    wanted = Counter({200: len(page.paths), 101: 1})
    assert asyncio.run(lab()) == [wanted] * PEOPLE


def test_what_costs_is_limited_and_strangers_are_turned_away(nginx: int) -> None:
    """Of 500 handshakes at once 300, and 20 for each second, come through; here a stranger's, which
    the study refuses."""

    async def flood() -> tuple[Counter[int], float]:
        foreign, begun = {"Origin": "https://evil.example", **HANDSHAKE}, time.monotonic()
        found: Counter[int] = Counter()
        for _ in range(5):
            hundred = (asked(nginx, "/_stcore/stream", foreign) for _ in range(100))
            found += Counter(await asyncio.gather(*hundred))
        return found, time.monotonic() - begun

    time.sleep(2)  # what the test before has used comes back: 20 a second
    found, seconds = asyncio.run(flood())
    assert set(found) == {403, 429}
    assert 260 <= found[403] <= 301 + 20 * seconds


def test_a_browser_comes_to_the_first_trial_through_caddy(
    root: Path, tmp_path: Path, server: Server
) -> None:
    with caddy_in_front(root, tmp_path / "caddy", server.port) as port:
        with chromium() as browser:
            page = browser.new_context(ignore_https_errors=True).new_page()
            rater = BrowserRater(page, f"https://localhost:{port}")
            rater.arrive()
            rater.consent()
        own = {"Origin": f"https://localhost:{port}", **HANDSHAKE}
        assert asyncio.run(asked(port, "/_stcore/stream", own)) == 101
        foreign = {"Origin": "https://evil.example", **HANDSHAKE}
        assert asyncio.run(asked(port, "/_stcore/stream", foreign)) == 403
