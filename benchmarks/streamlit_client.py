"""A browser tab without a browser: one websocket session with a Streamlit server.

It speaks Streamlit's own messages (protobuf): it runs the page, collects what was drawn, presses
buttons, chooses, fills in, and says what a component would say. No part of the page is skipped on
the server's side: every step is a run of the page's script in a session of its own.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

LONGEST = 60.0  # seconds that a run of the page may take


class Lost(Exception):
    """The connection is gone, or the server does not answer."""


class Part(NamedTuple):
    """A part of the page: which kind, its id, what stands on it, and a component's data."""

    kind: str
    id: str
    label: str
    data: dict[str, Any]


@dataclass
class Tab:
    """An open page. `parts` is what it shows after the last run of its script."""

    url: str  # ws://HOST:PORT
    query: str = ""
    parts: list[Part] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # component id -> JSON of its state
    socket: ClientConnection | None = None

    async def open(self) -> None:
        """Connect and run the page."""
        try:
            self.socket = await connect(
                f"{self.url}/_stcore/stream",
                subprotocols=["streamlit"],  # type: ignore[list-item]
                max_size=None,
                compression=None,
                open_timeout=LONGEST,
                ping_interval=None,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise Lost(str(error)) from None
        self.kept.clear()
        await self._run(BackMsg())

    async def close(self) -> None:
        """Close the tab."""
        if self.socket:
            await self.socket.close()

    def find(self, kind: str, label: str = "") -> Part | None:
        """Return the first part of a kind, with a label if one is asked for."""
        fits = (part for part in self.parts if part.kind == kind and label in ("", part.label))
        return next(fits, None)

    async def press(self, button: Part, **values: int | str) -> None:
        """Press a button; `values` are what was chosen or filled in, by the id of its part."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = button.id, True
        for name, value in values.items():
            state = message.rerun_script.widget_states.widgets.add()
            state.id = name
            if isinstance(value, int):
                state.int_value = value
            else:
                state.string_value = value
        await self._run(message)

    async def say(self, component: Part, state: dict[str, Any]) -> None:
        """Let a component say something."""
        self.kept[component.id] = json.dumps(state)
        await self._run(BackMsg())

    async def _run(self, message: BackMsg) -> None:
        """Send a message and read what is drawn until the script has ended."""
        message.rerun_script.query_string = self.query
        for component, state in self.kept.items():
            widget = message.rerun_script.widget_states.widgets.add()
            widget.id, widget.json_value = component, state
        assert self.socket
        try:
            await self.socket.send(message.SerializeToString())
            async with asyncio.timeout(LONGEST):
                await self._drawn()
        except (ConnectionClosed, TimeoutError, OSError) as error:
            raise Lost(str(error)) from None

    async def _drawn(self) -> None:
        assert self.socket
        parts: list[Part] = []
        while True:
            raw = await self.socket.recv()
            assert isinstance(raw, bytes)
            message = ForwardMsg.FromString(raw)
            kind = message.WhichOneof("type")
            if kind == "delta":
                parts += _parts(message)
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "script_finished":
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    self.parts = parts
                    return
                parts = []

    @property
    def token(self) -> str:
        """The rater's token, which the page put into the address."""
        return parse_qs(self.query).get("t", [""])[0]

    def come_back(self) -> None:
        """Forget all but the address, as a refresh does."""
        self.query = urlencode({"t": self.token}) if self.token else self.query


def _parts(message: ForwardMsg) -> list[Part]:
    """Return what one message draws of the kinds that a rater can act on."""
    if message.delta.WhichOneof("type") != "new_element":
        return []
    element = message.delta.new_element
    kind = element.WhichOneof("type")
    if kind in ("button", "radio", "text_area"):
        found = getattr(element, kind)
        return [Part(kind, found.id, found.label, {})]
    if kind == "bidi_component":
        found = element.bidi_component
        text = found.json or found.mixed.json
        return [Part(found.component_name, found.id, "", json.loads(text or "{}"))]
    return []
