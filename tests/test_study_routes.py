"""Clips, notes and health over HTTP: what a rater may have, and what nobody gets."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_study import ANCHORS, METHODS, running_server
from sqlalchemy import delete, func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from study_app import flow
from study_app.app.app_state import Site, device_check_clip
from study_app.app.player_events import MOST_EVENTS
from study_app.app.routes import LARGEST_EVENT, routes
from study_app.app.security import SecurityHeaders
from study_app.enrollment import EntryLink, enroll
from study_app.erasure import erase
from study_app.store.tables import Event, Rater, Trial

FINE = {"plays": True, "width": 1200, "phone": False}


@pytest.fixture
def client(site: Site) -> TestClient:
    app = Starlette(routes=list(routes(site)), middleware=[Middleware(SecurityHeaders)])
    return TestClient(app, raise_server_exceptions=False)


def come(site: Site, *, consents: bool = True) -> Rater:
    rater = enroll(site.running, EntryLink(), 1)
    assert rater
    if consents:
        flow.consent(site.running, rater.id, True, 2)
        flow.report_device(site.running, rater.id, FINE, 3)
    return rater


def to_trials(site: Site) -> Rater:
    """A rater with a list, without the practice."""
    rater = come(site)
    with site.running.database.writing(alone=True) as session:
        session.get_one(Rater, rater.id).screen = "quiz"
    assert flow.answer_quiz(site.running, rater.id, [1, 2], 4)
    return rater


def clips_of(site: Site, rater: Rater) -> set[str]:
    with site.running.database.reading() as session:
        keys = session.scalars(select(Trial.item).where(Trial.rater_id == rater.id)).all()
    return {name for key in keys for name in site.running.plan.by_key[key].clips}


def note(token: str, **more: object) -> str:
    return json.dumps({"token": token, "kind": "stall", **more})


def events(site: Site) -> int:
    with site.running.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Event)) or 0


def test_a_rater_gets_the_clips_of_their_list_whole_and_in_parts(
    site: Site, client: TestClient
) -> None:
    rater = to_trials(site)
    names = clips_of(site, rater)
    assert len(names) >= 6
    for name in names:
        answer = client.get(f"/v/{rater.token}/{name}.mp4")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
        assert answer.headers["cache-control"].startswith("private")
        assert "content-disposition" not in answer.headers
    part = client.get(f"/v/{rater.token}/{name}.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, answer.content[10:20])


def test_headers_of_clips_do_not_tell_when_which_was_made(site: Site, client: TestClient) -> None:
    """Files are made method by method: their order in time would tell one from the other."""
    rater = to_trials(site)
    told = [client.get(f"/v/{rater.token}/{name}.mp4").headers for name in clips_of(site, rater)]
    assert {headers["last-modified"] for headers in told} == {"Thu, 01 Jan 1970 00:00:00 GMT"}
    assert len({headers["etag"] for headers in told}) == len(told)


def test_who_has_not_agreed_gets_no_clip_and_who_has_gets_the_first_ones(
    site: Site, client: TestClient
) -> None:
    name = device_check_clip(site.running)
    rater = come(site, consents=False)
    assert client.get(f"/v/{rater.token}/{name}.mp4").status_code == 404
    flow.consent(site.running, rater.id, True, 2)
    assert client.get(f"/v/{rater.token}/{name}.mp4").status_code == 200
    for item in site.running.plan.of_kind("training"):
        assert client.get(f"/v/{rater.token}/{item.right}.mp4").status_code == 200


def test_another_raters_clip_is_not_there(site: Site, client: TestClient) -> None:
    first, second = to_trials(site), to_trials(site)
    others = clips_of(site, second) - clips_of(site, first)
    assert others, "lists differ"
    for name in others:
        assert client.get(f"/v/{first.token}/{name}.mp4").status_code == 404
        assert client.get(f"/v/{second.token}/{name}.mp4").status_code == 200


def test_the_address_of_a_clip_dies_with_its_rater(site: Site, client: TestClient) -> None:
    """At the next request, in a process that served it before: it remembers no token."""
    rater = to_trials(site)
    name = min(clips_of(site, rater))
    assert client.get(f"/v/{rater.token}/{name}.mp4").status_code == 200
    erase(site.running, [rater], 9)
    assert client.get(f"/v/{rater.token}/{name}.mp4").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/v/{token}/../secret.mp4",
        "/v/{token}/..%2fsecret.mp4",
        "/v/{token}/..%5c..%5cstudy.yaml",
        "/v/{token}/%2e%2e/%2e%2e/study.yaml",
        "/v/{token}/%00.mp4",
        "/v/{token}/" + "0" * 32 + ".mp4",
        "/v/{token}/" + "g" * 32 + ".mp4",
        "/v/{token}/" + "a" * 5000 + ".mp4",
        "/v/..%2f..%2fmedia/{name}.mp4",
        "/v//{name}.mp4",
        "/v/{name}/{token}.mp4",
        "/v/' OR 1=1 --/{name}.mp4",
        "/v/{token}x/{name}.mp4",
        "/v/{token}%0a/{name}.mp4",
        "/media/{name}.mp4",
        "/app/static/{name}.mp4",
    ],
)
def test_guessing_and_climbing_find_nothing(site: Site, client: TestClient, path: str) -> None:
    rater = to_trials(site)
    name = min(clips_of(site, rater))
    answer = client.get(path.format(token=rater.token, name=name))
    assert (answer.status_code, answer.headers.get("content-type")) != (200, "video/mp4")
    assert answer.status_code == 404
    assert not {*METHODS, *ANCHORS} & set(answer.text.split())


def test_every_refusal_of_a_clip_reads_the_same(site: Site, client: TestClient) -> None:
    """An unknown token, a known one without the clip, a clip that does not exist."""
    rater = come(site)
    name = min(clips_of(site, to_trials(site)) - {device_check_clip(site.running)})
    paths = [f"/v/{'A' * 32}/{name}.mp4", f"/v/{rater.token}/{name}.mp4"]
    told = {
        (answer.status_code, answer.content, tuple(sorted(answer.headers.items())))
        for answer in (client.get(path) for path in [*paths, f"/v/{rater.token}/{'0' * 32}.mp4"])
    }
    assert len(told) == 1


@pytest.mark.slow
def test_a_bad_token_is_refused_without_a_look_into_the_store(
    site: Site, client: TestClient
) -> None:
    """Guessing costs the database nothing: what has not the form of a token is never asked for."""
    name = min(clips_of(site, to_trials(site)))
    looks = []
    engine = site.running.database.engine
    from sqlalchemy import event

    event.listen(engine, "before_cursor_execute", lambda *_: looks.append(1))
    for number in range(200):
        assert client.get(f"/v/bad{number}/{name}.mp4").status_code == 404
    assert not looks
    for number in range(100):
        assert client.get(f"/v/{number:032d}/{name}.mp4").status_code == 404
    assert len(looks) <= 200


def test_a_note_of_the_page_is_kept(site: Site, client: TestClient) -> None:
    rater = to_trials(site)
    with site.running.database.reading() as session:
        trial = flow.current_trial(session, session.get_one(Rater, rater.id))
    assert trial
    body = note(rater.token, trial=trial.id, data={"why": "<script>alert(1)</script>"})
    assert client.post("/api/beacon", content=body).status_code == 204
    with site.running.database.reading() as session:
        (kept,) = session.scalars(select(Event).where(Event.rater_id == rater.id)).all()
    assert (kept.kind, (kept.data or {})["trial"]) == ("stall", trial.id)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b"{" * 4000, 400),
        ('{"token": "TOKEN", "kind": "rated"}', 400),
        ('{"token": "TOKEN", "kind": "unplayable"}', 400),
        ('{"token": "TOKEN", "kind": "stall", "at": 0}', 400),
        ('{"token": "TOKEN", "kind": "stall", "data": {"a": {"b": 1}}}', 400),
        ('{"token": "TOKEN", "kind": "stall", "data": {"a": NaN}}', 400),
        ('{"token": "TOKEN", "kind": "stall", "trial": -1}', 400),
        ('{"token": "TOKEN", "kind": "stall", "trial": 99999999999999999999}', 400),
        ('{"token": "TOKEN\' OR 1=1", "kind": "stall"}', 400),
        ('{"token": "%s", "kind": "stall"}' % ("A" * 32), 404),
        ('{"token": "TOKEN", "kind": "stall", "trial": 987654}', 404),
    ],
)
def test_forged_notes_are_refused(
    site: Site, client: TestClient, body: str | bytes, status: int
) -> None:
    rater = to_trials(site)
    text = body if isinstance(body, bytes) else body.replace("TOKEN", rater.token)
    answer = client.post("/api/beacon", content=text)
    assert (answer.status_code, answer.content) == (status, b"")
    assert events(site) == 0


def test_a_note_about_another_raters_trial_is_refused(site: Site, client: TestClient) -> None:
    mine, other = to_trials(site), to_trials(site)
    with site.running.database.reading() as session:
        trial = session.scalars(select(Trial).where(Trial.rater_id == other.id)).first()
    assert trial
    assert client.post("/api/beacon", content=note(mine.token, trial=trial.id)).status_code == 404
    assert events(site) == 0


def test_a_large_body_is_not_read_to_its_end(site: Site, client: TestClient) -> None:
    rater = come(site)
    assert client.post("/api/beacon", content=b" " * (LARGEST_EVENT + 1)).status_code == 413
    read = []

    def endless() -> Iterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield note(rater.token).encode() + b" " * 1000

    assert client.post("/api/beacon", content=endless()).status_code == 413
    assert events(site) == 0


def test_a_rater_cannot_fill_the_store_with_notes(site: Site, client: TestClient) -> None:
    rater, other = come(site), come(site)
    with site.running.database.writing() as session:
        rows = [
            Event(rater_id=rater.id, at=1, kind="stall", data=None) for _ in range(MOST_EVENTS - 1)
        ]
        session.add_all(rows)
    statuses = [client.post("/api/beacon", content=note(rater.token)).status_code for _ in "abc"]
    assert statuses == [204, 429, 429]
    assert client.post("/api/beacon", content=note(other.token)).status_code == 204
    with site.running.database.writing() as session:
        session.execute(delete(Event))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_clips_are_read_only(site: Site, client: TestClient, method: str) -> None:
    rater = to_trials(site)
    name = min(clips_of(site, rater))
    assert client.request(method, f"/v/{rater.token}/{name}.mp4").status_code == 405


def test_health_says_whether_the_database_answers(site: Site, client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    with site.running.database.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    site.running.database.engine.dispose()
    object.__setattr__(site.running.database, "engine", _broken())
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database does not answer"})


def _broken() -> object:
    from sqlalchemy import create_engine

    return create_engine("sqlite:////nowhere/at/all.sqlite")


def test_every_answer_bears_the_headers(site: Site, client: TestClient) -> None:
    rater = come(site)
    for path in ("/health", f"/v/{rater.token}/{device_check_clip(site.running)}.mp4", "/nothing"):
        headers = client.get(path).headers
        assert headers["referrer-policy"] == "no-referrer", "the token stands in the URL"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    evil = client.get("/health", headers={"Host": "a; script-src *"}).headers
    assert "script-src *" not in evil["content-security-policy"]


@pytest.mark.slow
def test_the_whole_server_keeps_its_headers_cookies_and_files(built_study: Path) -> None:
    """The real server as a process: paths that a client would tidy are sent as they are."""
    with running_server(built_study) as server:
        pages = {path: _get(server.port, path) for path in ("/", "/_stcore/health", "/health")}
        for path in (
            "/v/../../study.yaml",
            "/v/%2e%2e/%2e%2e/plan.json",
            "/..%2fplan.json",
            "/app/static/plan.json",
            "/static/..%2f..%2f..%2fplan.json",
            "//etc/passwd",
        ):
            status, _, body = _get(server.port, path)
            assert b"expected" not in body and b"root:" not in body, path
            assert status in (200, 400, 403, 404), (
                path
            )  # 200 is the page itself, which holds nothing
        for status, headers, body in pages.values():
            assert status == 200
            assert headers["referrer-policy"] == "no-referrer"
            assert "default-src 'self'" in headers["content-security-policy"]
            assert not any(name.encode() in body for name in (*METHODS, "alpha"))
        for cookie in pages["/"][1].get("set-cookie", "").split("\n"):
            assert not cookie or "samesite" in cookie.lower()
        assert "server" not in pages["/"][1] or "uvicorn" not in pages["/"][1]["server"]


def _get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    connection.close()
    return answer.status, headers, body
