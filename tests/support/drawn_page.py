"""A rater's page as Streamlit draws it, without a browser: what it says and takes."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import streamlit.testing.v1 as testing

from study_app.app.app_state import Site, set_site
from study_app.app.server import SCRIPT

_nonces = count()


class DrawnPage:
    """One tab. `clock` gives the time in milliseconds, for trials that take time."""

    def __init__(self, site: Site, **query: str) -> None:
        set_site(site)
        self.app = testing.AppTest.from_file(str(SCRIPT), default_timeout=30)
        for name, value in query.items():
            self.app.query_params[name] = value
        self.run()

    def run(self) -> "DrawnPage":
        self.app.run()
        assert not self.app.exception, self.app.exception[0].value
        return self

    @property
    def token(self) -> str:
        found = self.app.query_params["t"]
        return found if isinstance(found, str) else str(found[0])

    @property
    def text(self) -> str:
        """Everything that is sent to the browser."""
        return "\n".join(_read(node) for node in self.app.main)

    def press(self, label: str) -> "DrawnPage":
        (button,) = [found for found in self.app.button if found.label == label]
        button.click()
        return self.run()

    @property
    def player(self) -> dict[str, Any]:
        """What the player was told."""
        found = [part for part in self._parts("dreamix_player") if "mode" in part]
        return found[0] if found else {}

    @property
    def page(self) -> dict[str, Any]:
        (found,) = self._parts("dreamix_page")
        return found

    def _parts(self, name: str) -> list[dict[str, Any]]:
        parts = [part.proto for part in self.app.get("bidi_component")]
        return [json.loads(part.json) for part in parts if part.component_name == name]

    def say(self, kind: str, *, nonce: str | None = None, **more: Any) -> "DrawnPage":
        """Do what the player does when it says something."""
        said = {"kind": kind, "nonce": nonce or f"n{next(_nonces)}", **more}
        self.app.session_state["player"] = {"said": said}
        return self.run()

    def check_device(self, **changes: Any) -> "DrawnPage":
        device = {"plays": True, "width": 1280, "height": 800, "ratio": 1, "phone": False}
        return self.say("device", device=device | changes)

    def answer(self, wait: Callable[[float], None], value: int = 3, **changes: Any) -> "DrawnPage":
        """Watch the clips to their end and answer every question with `value`."""
        player = self.player
        wait(player["seconds"])
        ledger = {"stretches": [watched(player["seconds"])], "plays": 1}
        answers = {question["name"]: value for question in player["questions"]}
        told = {"trial": player["trial"], "answers": answers, "ledger": ledger}
        return self.say("answer", **(told | changes))


def watched(seconds: float, **changes: Any) -> dict[str, Any]:
    """Return a stretch from the start to the end of a clip."""
    return {"start": 0, "end": seconds, "rate": 1, "seen": True, "took": seconds} | changes


def _read(node: Any) -> str:
    proto = getattr(node, "proto", None)
    return "" if proto is None else str(proto)
