"""What developer tools of a browser show: no path of this machine, no clip known by its file."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit
from browser_rater import BrowserRater, chromium
from drawn_page import DrawnPage
from drawn_visit import Clock, to_trials
from served_study import Server, make_study, running_server
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import study_app
from dreamix.core.media import read_video
from dreamix.core.video import Video
from study_app.app.app_state import Site
from study_app.app.messages import MessageFilter
from study_app.prepare.build import build
from study_app.prepare.media import write_clip

HERE = str(Path(study_app.__file__).parent)
FOLDERS = (HERE, str(Path(streamlit.__file__).parent))


def boxes(content: bytes) -> dict[bytes, bytes]:
    """The boxes of an MP4 file by their names: ISO/IEC 14496-12, four bytes of size and a name."""
    found, at = {}, 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        found[content[at + 4 : at + 8]] = content[at + 8 : at + size]
        at += size
    assert at == len(content)
    return found


@pytest.fixture(scope="module")
def clips(built_study: Path) -> list[tuple[str, bytes, bytes]]:
    """Kind and methods of each item, and the bytes of its two clips."""
    items = json.loads((built_study / "plan.json").read_text())["items"]
    read = {path.stem: path.read_bytes() for path in (built_study / "media").glob("*.mp4")}
    return [(f"{i['kind']} {i['methods']}", read[i["left"]], read[i["right"]]) for i in items]


def test_source_and_edit_never_have_the_same_bytes_nor_size(
    clips: list[tuple[str, bytes, bytes]],
) -> None:
    """Gold and practice with the unedited source among them: also their coded pictures differ."""
    assert len([what for what, *_ in clips if "unedited" in what]) >= 2
    for what, left, right in clips:
        assert len(left) != len(right), what
        for box in (b"mdat", b"moov", b"free"):
            assert boxes(left)[box] != boxes(right)[box], what
        assert len(boxes(left)[b"mdat"]) != len(boxes(right)[b"mdat"]), what


def test_what_is_seen_is_the_same(built_study: Path) -> None:
    """Unedited against its source: over 40 dB, beyond which nobody sees a difference."""
    items = json.loads((built_study / "plan.json").read_text())["items"]
    (item, *_) = [i for i in items if i["methods"] == ["unedited"]]
    one, other = (
        read_video(built_study / "media" / f"{item[side]}.mp4").frames.astype(float)
        for side in ("left", "right")
    )
    error = ((one - other) ** 2).mean()
    assert 10 * np.log10(255**2 / error) > 40


def test_a_clip_says_nothing_of_how_and_when_it_was_made(
    clips: list[tuple[str, bytes, bytes]],
) -> None:
    heads = set()
    for _, *both in clips:
        for content in both:
            words = b" ".join(re.findall(rb"[\x21-\x7e]{5,}", content.partition(b"mdat")[0]))
            assert b"x264 - core" not in content and b"crf=" not in content
            heads.add(words)
            moov = boxes(content)[b"moov"]
            assert moov[4 + 8 : 4 + 16] == bytes(4) + moov[16:20], "made in 1904, as far as it says"
    assert len(heads) == 1, "one muxer, one handler, one brand"


@pytest.mark.slow
def test_a_study_built_anew_has_the_same_bytes(built_study: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in (built_study / "media").glob("*.mp4")}
    for name in ("study.yaml", "secret"):
        (tmp_path / name).write_bytes((built_study / name).read_bytes())
    build(tmp_path)
    assert {p.name: p.read_bytes() for p in (tmp_path / "media").glob("*.mp4")} == before


@pytest.mark.slow
def test_settings_are_the_clips_own_and_sources_never_have_those_of_edits(tmp_path: Path) -> None:
    """Twenty draws of each, of noise and of a black clip: no coded pictures shared, many sizes."""
    noise = np.random.default_rng(0).integers(0, 255, (3, 48, 64, 3), np.uint8)
    for frames in (noise, np.zeros_like(noise)):
        _draw_twenty(tmp_path, Video(frames, 8.0))


def _draw_twenty(tmp_path: Path, video: Video) -> None:
    coded: dict[bool, set[bytes]] = {True: set(), False: set()}
    sizes: dict[bool, set[int]] = {True: set(), False: set()}
    for number in range(20):
        for source in (True, False):
            drawn = number.to_bytes(4, "big") + (number * 2654435761 % 2**32).to_bytes(4, "big")
            write_clip(tmp_path / "x.mp4", video, drawn, source=source)
            content = (tmp_path / "x.mp4").read_bytes()
            coded[source].add(boxes(content)[b"mdat"])
            sizes[source].add(len(content))
    assert not coded[True] & coded[False]
    assert not sizes[True] & sizes[False] and min(map(len, sizes.values())) > 15
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"]


def test_clips_are_fetched_in_an_order_that_tells_nothing(site: Site, clock: Clock) -> None:
    """Not source, first method, second method: by their names, which are drawn."""
    page = to_trials(DrawnPage(site), clock)
    told = page.page["fetch"]
    assert len(told) > 1 and told == sorted(told, key=lambda url: url.rpartition("/")[2])


@pytest.mark.parametrize(
    "kind",
    ["load_git_info", "clear_cache", "set_run_on_save", "debug_shutdown_runtime",
     "debug_disconnect_websocket", "file_urls_request", "backend_operation_request", "", "damaged"],
)  # fmt: skip
def test_a_page_can_ask_for_nothing_but_itself(kind: str) -> None:
    """What Streamlit does for developers never reaches it; what comes next does."""
    heard: list[bytes] = []

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        heard.append(await socket.receive_bytes())
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/", stream)], middleware=[Middleware(MessageFilter)])
    asked, wanted = BackMsg(), BackMsg()
    if kind in BackMsg.DESCRIPTOR.fields_by_name:
        field = BackMsg.DESCRIPTOR.fields_by_name[kind]
        getattr(asked, kind).SetInParent() if field.message_type else setattr(asked, kind, True)
    wanted.rerun_script.query_string = "t=x"
    with TestClient(app).websocket_connect("/") as page:
        page.send_bytes(b"\xff\xff" if kind == "damaged" else asked.SerializeToString())
        page.send_bytes(wanted.SerializeToString())
        page.receive()
    assert heard == [wanted.SerializeToString()]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_stcore/metrics", 404),
        ("//_stcore//upload_file/a/b", 404),
        ("/_stcore/agent/mcp", 404),
        ("/_stcore/health", 200),
        ("/_stcore/host-config", 200),
        ("/v/metrics/x.mp4", 200),
    ],
)
def test_what_streamlit_serves_to_developers_is_not_there(path: str, status: int) -> None:
    routes = [Route("/{path:path}", lambda _: PlainTextResponse("here"), methods=["GET", "PUT"])]
    app = Starlette(routes=routes, middleware=[Middleware(MessageFilter)])
    for method in ("GET", "PUT"):
        answer = TestClient(app).request(method, f"http://testserver{path}")
        assert answer.status_code == status


def test_paths_are_taken_out_of_whatever_a_page_is_told() -> None:
    """Of texts, lists, maps and messages within; a frame without one is passed on as it is."""
    told = ForwardMsg()
    told.new_session.main_script_path = f"{HERE}/app/page.py"
    told.new_session.app_pages.add().page_name = f"at {HERE} and {FOLDERS[1]}/x"
    delta = ForwardMsg()
    delta.delta.new_element.exception.stack_trace.extend(["a", f'File "{HERE}/x.py"'])
    frames = MessageFilter(None)  # type: ignore[arg-type]
    for message in (told, delta):
        event = {"type": "websocket.send", "bytes": message.SerializeToString()}
        plain = frames.plain(event)["bytes"]
        assert not [path for path in FOLDERS if path.encode() in plain]
    assert ForwardMsg.FromString(plain).delta.new_element.exception.stack_trace[:] == [
        "a", 'File "./x.py"'
    ]  # fmt: skip
    same = {"type": "websocket.send", "bytes": ForwardMsg(script_finished=1).SerializeToString()}
    assert frames.plain(same) is same
    git = ForwardMsg()
    git.git_info_changed.uncommitted_files.append("runs/secret-method.mp4")
    assert frames.plain({"type": "websocket.send", "bytes": git.SerializeToString()}) == {}


@pytest.fixture(scope="module")
def server(rated_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    changes = {"trials: 20": "trials: 2", "training: 3": "training: 1", "repeats: 1": "repeats: 0"}
    folder = make_study(tmp_path_factory.mktemp("blind") / "study", rated_run, **changes)
    with running_server(folder) as server:
        yield server


@pytest.mark.browser
@pytest.mark.slow
def test_nothing_that_a_browser_is_told_has_a_path_of_this_machine(server: Server) -> None:
    """Frames, pages, headers and scripts of a whole visit, and of the page that is closed."""
    told: list[bytes] = []

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda content: told.append(_bytes(content)))

    def answer(response: Any) -> None:
        told.append(f"{response.url} {response.all_headers()}".encode())
        if "mp4" not in response.url:
            told.append(response.body())

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("websocket", listen)
        page.on("requestfinished", lambda request: answer(request.response()))
        rater = BrowserRater(page, server.url)
        rater.to_trials()
        rater.finish()
        told.append(page.content().encode())
        page.goto(f"{server.url}/?admin")
        page.get_by_text("Study administration").first.wait_for()
        told.append(page.content().encode())
        page.close()
    everything = b"\n".join(told)
    assert len(everything) > 1_000_000 and b"page.py" in everything
    places = {*FOLDERS, str(server.folder), str(Path.cwd()), str(Path.home() / ".")}
    places = {place for place in places if len(place) > 5}
    for place in places:
        at = everything.find(place.encode())
        assert at < 0, everything[at - 80 : at + 80]


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def test_no_two_neighbours_of_a_list_are_told_apart_by_their_names(
    clips: list[tuple[str, bytes, bytes]], built_study: Path
) -> None:
    """Names are drawn: their order is not that of the plan."""
    names = [i["left"] for i in json.loads((built_study / "plan.json").read_text())["items"]]
    rises = [one < other for one, other in pairwise(names)]
    assert 0 < sum(rises) < len(rises)
