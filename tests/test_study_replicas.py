"""Two servers of one study behind nginx: a rater outlives the one that served them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser_rater import BrowserRater, chromium
from postgres import free_port
from proxied import nginx_with
from served_study import Server, make_run, make_study, running_server
from store_of_study import kept, new_rater_at_trials
from study_database import new_database

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHORT = {
    "trials: 20": "trials: 4",
    "break_after: 12": "break_after: 50",
    "training: 3": "training: 0",
    "traps: 1": "traps: 0",
    "gold: 1": "gold: 0",
    "repeats: 1": "repeats: 0",
}


def settings(root: Path, port: int, servers: list[Server]) -> str:
    """The shipped nginx files, with the ports of this test and without TLS: what a certificate
    needs is left out."""
    upstream = (root / "docs/hosting/nginx-replicas.conf").read_text()
    for given, server in zip((8501, 8502), servers, strict=True):
        assert f"127.0.0.1:{given}" in upstream
        upstream = upstream.replace(f"127.0.0.1:{given}", f"127.0.0.1:{server.port}")
    site = (root / "docs/hosting/nginx.conf").read_text()
    before, _, rest = site.partition("server {\n    listen 80;")
    main = rest.partition("server {\n    listen 443 ssl http2;")[2]
    kept_lines = [line for line in main.splitlines() if "ssl_certificate" not in line]
    main = "\n".join(kept_lines).replace("http://127.0.0.1:8501", "http://study")
    main = main.replace("study.example.org", "localhost")
    assert "proxy_pass http://study;" in main
    return f"{upstream}\n{before}\nserver {{\n    listen 127.0.0.1:{port};{main}"


@contextmanager
def nginx(root: Path, folder: Path, servers: list[Server]) -> Iterator[str]:
    """Give the address of an nginx in front of the servers."""
    port = free_port()
    with nginx_with(folder, settings(root, port, servers), port):
        yield f"http://127.0.0.1:{port}"


def used_by(server: Server) -> bool:
    """Whether a connection to the server stands: Linux's table of them, state 01."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)


def test_a_rater_goes_on_at_the_other_server(
    root: Path, tmp_path: Path, postgres_server: str
) -> None:
    """Four trials; after the second the server that the rater is connected to is killed. All four
    are saved once, in one database, and the code is shown."""
    url = new_database(postgres_server)
    study = make_study(tmp_path / "study", make_run(tmp_path / "run", root, videos=4), **SHORT)
    token = new_rater_at_trials(study, url)
    with running_server(study, url) as one, running_server(study, url) as other:
        with nginx(root, tmp_path, [one, other]) as address, chromium() as browser:
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            rater = BrowserRater(page, address)
            rater.arrive(f"?t={token}")
            rater.ready()
            for number in (1, 2):
                rater.answer()
                rater.left(f"{number} of 4")
            mine = next(server for server in (one, other) if used_by(server))
            assert not used_by(other if mine is one else one), "a page has one server"
            mine.kill()
            page.locator(".progress span", has_text="3 of 4").wait_for()
            rater.ready()
            assert rater.finish() == 2
            rater.press("Next")
            rater.sees("DONE-4711")
    found = kept(study, token, url)
    assert found.states == ["rated"] * 4
    assert list(found.answers.values()) == [{"alignment": 4, "fidelity": 3, "quality": 5}] * 4
