"""What a page and Streamlit may say to each other.

A page may ask to be drawn, and no more: for developers, Streamlit also lists uncommitted files,
empties caches, installs packages, accepts uploads and reports figures of the process to any client.
Nor does a page learn where the toolkit is on this machine.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

_ALLOWED = ("rerun_script", "app_heartbeat", "stop_script")
_WITHHELD = ("git_info_changed",)
_CLOSED = ("metrics", "upload_file", "agent", "script-health-check")  # below /_stcore/


class MessageFilter:
    """Passes on what pages need, and takes paths out of what they are told."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.paths = app, _paths()
        self._marks = [path.encode() for path in self.paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a connection on."""
        if scope["type"] == "http" and _is_closed(scope["path"]):
            await Response(status_code=404)(scope, receive, send)
            return
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return

        async def receive_allowed() -> Event:
            while not _is_allowed(event := await receive()):
                pass
            return event

        async def send_filtered(event: Event) -> None:
            if event["type"] != "websocket.send" or (event := self.plain(event)):
                await send(event)

        await self.app(scope, receive_allowed, send_filtered)

    def plain(self, event: Event) -> Event:
        """Return what a page is told without paths of this machine; nothing if it is not to be."""
        content = event.get("bytes") or b""
        if not content:
            return event
        message = ForwardMsg.FromString(content)
        if message.WhichOneof("type") in _WITHHELD:
            return {}
        if any(mark in content for mark in self._marks):
            _remove_paths(message, self.paths)
            return {**event, "bytes": message.SerializeToString()}
        return event


def _paths() -> list[str]:
    """Return the folders of the toolkit and of Streamlit, as they may be written."""
    places = (Path(__file__).parents[1], Path(streamlit.__file__).parent)
    return sorted({str(form) for place in places for form in (place.absolute(), place.resolve())})


def _is_closed(path: str) -> bool:
    """Return True for what Streamlit serves to developers."""
    parts = [part for part in path.split("/") if part]
    return parts[:1] == ["_stcore"] and bool(set(parts[1:2]) & set(_CLOSED))


def _is_allowed(event: Event) -> bool:
    if event["type"] != "websocket.receive":
        return True
    try:
        return BackMsg.FromString(event.get("bytes") or b"").WhichOneof("type") in _ALLOWED
    except DecodeError:
        return False


def _remove_paths(message: Message, paths: Iterable[str]) -> None:
    """Take paths out of every text of a message."""
    for field, value in message.ListFields():
        if isinstance(value, str | bytes):
            setattr(message, field.name, _without(value, paths))
            continue
        if isinstance(value, Message):
            parts: Iterable[Any] = [value]
        elif hasattr(value, "items"):
            parts = _of_map(value, paths)
        elif hasattr(value, "__len__"):
            parts = _of_list(value, paths)
        else:
            parts = ()
        for part in parts:
            _remove_paths(part, paths)


def _of_map(value: Any, paths: Iterable[str]) -> list[Message]:
    """Return the messages of a map, its texts mended."""
    for key, part in list(value.items()):
        if isinstance(part, str | bytes):
            value[key] = _without(part, paths)
    return [part for part in value.values() if isinstance(part, Message)]


def _of_list(value: Any, paths: Iterable[str]) -> list[Message]:
    """Return the messages of a list, its texts mended."""
    if value and isinstance(value[0], str | bytes):
        value[:] = [_without(part, paths) for part in value]
    return [part for part in value if isinstance(part, Message)]


def _without(text: str | bytes, paths: Iterable[str]) -> str | bytes:
    """Return a text, or bytes, in which a dot stands for each of these paths."""
    for path in paths:
        if isinstance(text, bytes):
            text = text.replace(path.encode(), b".")
        else:
            text = text.replace(path, ".")
    return text
