"""A server of OpenAI's chat route with scripted answers, and faults on demand."""

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any]], Mapping[str, Any]]
MODEL = "made-up-vlm"


def reply(
    text: str,
    chances: Mapping[str, float] | None = None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    model: str = MODEL,
) -> dict[str, Any]:
    """A whole reply; chances: of the first token."""
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text, "refusal": refusal},
    }
    if chances is not None:
        top = [{"token": one, "logprob": math.log(chance)} for one, chance in chances.items()]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    usage = {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}
    return {"model": model, "system_fingerprint": "fp", "choices": [choice], "usage": usage}


def words_of(body: Mapping[str, Any]) -> str:
    """All words of a request."""
    parts = body["messages"][0]["content"]
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def pictures_of(body: Mapping[str, Any]) -> list[str]:
    """The pictures of a request, as data addresses."""
    parts = body["messages"][0]["content"]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def is_probe(body: Mapping[str, Any]) -> bool:
    return "planet" in words_of(body)


def graded(body: Mapping[str, Any]) -> dict[str, Any]:
    """A sure answer that depends on the whole request: 1 to 5 by its hash, .75 / .25."""
    if is_probe(body):
        return reply("Earth", {"Earth": 0.98, "The": 0.01})
    digest = int(digest_of(body)[:8], 16)
    one, other = str(1 + digest % 5), str(1 + (digest + 1) % 5)
    if "logprobs" not in body:
        return reply(json.dumps({"score": int(one)}))
    return reply(one, {one: 0.75, other: 0.25})


def digest_of(body: Mapping[str, Any]) -> str:
    """Hash of what was asked: words and pictures."""
    told = [body["model"], words_of(body), pictures_of(body), "logprobs" in body]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class Fault:
    """What a server does in the place of an answer."""

    def __init__(self, status: int = 200, body: Any = None, **headers: str) -> None:
        self.status, self.body, self.headers = status, body, headers


HANG, HALF, DROP = Fault(), Fault(), Fault()  # says nothing; half an answer; hangs up


def error(status: int, message: str, code: str = "", **headers: str) -> Fault:
    return Fault(status, {"error": {"message": message, "code": code}}, **headers)


class ChatServer:
    """What was asked of it, and what it says."""

    def __init__(self, script: Script, seconds: float = 0.0, *, keeps: bool = True) -> None:
        self.script, self.seconds, self._keeps = script, seconds, keeps
        self.requests = 0
        self.faults: list[Fault] = []  # for the next requests, in order
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.keys: list[str | None] = []
        self.most_together = self._together = 0
        self._lock = threading.Lock()
        self.url = ""

    def take(self, body: dict[str, Any], key: str | None) -> Fault | None:
        with self._lock:
            self.requests += 1
            if self._keeps:
                self.bodies.append(body)
                self.keys.append(key)
                self.times.append(time.monotonic())
            self._together += 1
            self.most_together = max(self.most_together, self._together)
            return self.faults.pop(0) if self.faults else None

    def done(self) -> None:
        with self._lock:
            self._together -= 1


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_POST(self) -> None:
        state = self.server.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = state.take(body, self.headers.get("Authorization"))
        self.server.over.wait(state.seconds)
        state.done()  # before it is answered: who asked may ask again at once
        with suppress(OSError):  # who asked is gone
            self._answer(body, fault)

    def _answer(self, body: dict[str, Any], fault: Fault | None) -> None:
        if fault is HANG:
            self.server.over.wait(30)
        elif fault is HALF or fault is None:
            self._say(200, dict(self.server.state.script(body)), {}, half=fault is HALF)
        elif fault is not DROP:
            self._say(fault.status, fault.body, fault.headers)

    def _say(
        self, status: int, held: Any, headers: Mapping[str, str], *, half: bool = False
    ) -> None:
        data = json.dumps(held).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, state: ChatServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state, self.over = state, threading.Event()


@contextmanager
def chat_server(
    script: Script = graded, seconds: float = 0.0, *, keeps: bool = True
) -> Iterator[ChatServer]:
    """A server that runs as long as the block.

    seconds: that an answer takes. keeps: what was asked, for those who look at it.
    """
    state = ChatServer(script, seconds, keeps=keeps)
    server = _Server(state)
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
