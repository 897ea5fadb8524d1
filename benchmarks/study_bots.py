"""Raters for load tests: they go through the real pages and note what the server acknowledged.

Every one is a websocket session of its own (streamlit_client.py) that also fetches the clips. An
answer counts as acknowledged when the page shows what comes after it.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit_client import Lost, Part, Tab

from study_app.plan import Plan
from study_app.spec.study import Study

DEVICE = {"plays": True, "said": True, "width": 1280, "height": 800, "ratio": 1, "phone": False}


@dataclass
class Notes:
    """What all raters saw, from their side."""

    seconds: list[float] = field(default_factory=list)  # from answer to next trial
    acknowledged: dict[int, dict[str, int]] = field(default_factory=dict)  # trial -> answers
    sent: dict[int, dict[str, int]] = field(default_factory=dict)  # answers nobody confirmed
    refused: int = 0
    lost: int = 0  # connections
    finished: int = 0
    bytes: int = 0  # of clips
    errors: list[str] = field(default_factory=list)

    def confirm(self, trial: int, answers: dict[str, int]) -> None:
        """Note that the page went on after an answer."""
        self.sent.pop(trial, None)
        self.acknowledged[trial] = answers


class Judge:
    """Answers as a rater would who knows what is expected, and likes some methods more."""

    def __init__(self, plan: Plan, means: dict[str, float]) -> None:
        self.items = {frozenset((item.left, item.right)): item for item in plan.items}
        self.means = means

    def vote(self, names: list[str], question: str, rng: random.Random) -> int:
        """Return a vote from 1 to 5 on the clips of these names."""
        item = self.items[frozenset(names)]
        if item.expected and question in item.expected:
            return item.expected[question]
        mean = self.means.get(item.methods[-1], 3.0)
        return min(5, max(1, round(rng.gauss(mean, 0.9))))


@dataclass
class Bot:
    """One rater. think: mean seconds from the end of the clips to the answer."""

    number: int
    http: str
    study: Study
    think: float
    notes: Notes
    until: float  # monotonic time at which to leave
    judge: "Judge | None" = None  # whom an answer comes from; left out, from chance

    def __post_init__(self) -> None:
        self.rng = random.Random(self.number)
        query = urlencode({"PROLIFIC_PID": f"{self.number:024x}", "SESSION_ID": "load"})
        self.tab = Tab("ws" + self.http.removeprefix("http"), query)

    async def live(self) -> None:
        """Come, rate until the list or the time is over; come back whenever the page is lost."""
        connected = False
        while time.monotonic() < self.until:
            try:
                if not connected:
                    await self.tab.open()
                    connected = True
                if not await self._step():
                    break
            except Lost:
                self.notes.lost += 1
                connected = False
                self.tab.come_back()
                await asyncio.sleep(0.5 + self.rng.random())
        await self.tab.close()

    async def _step(self) -> bool:
        """Do what the page asks for; return False at its end."""
        player = self.tab.find("dreamix_player")
        if player:
            await self._play(player)
        elif self.tab.find("text_area"):
            await self._press()
            self.notes.finished += 1
        elif self.tab.find("radio"):
            await self._press(**dict(self._quiz()))
        elif self.tab.find("button"):
            await self._press()
        else:
            return False
        return True

    async def _press(self, **values: int | str) -> None:
        """Press the button that leads on: the first that is not a way out."""
        words = self.study.texts[next(iter(self.study.texts))].buttons
        for label in (words.agree, words.next):
            if button := self.tab.find("button", label):
                await self.tab.press(button, **values)
                return
        self.notes.errors.append(f"no way on: {[part.label for part in self.tab.parts]}")
        self.until = 0

    def _quiz(self) -> Iterator[tuple[str, str]]:
        asked = self.study.quiz(next(iter(self.study.texts)))
        radios = [part for part in self.tab.parts if part.kind == "radio"]
        for part, question in zip(radios, asked, strict=True):
            yield part.id, question.options[question.answer - 1]

    async def _play(self, player: Part) -> None:
        """Watch what the player shows, in real time, and answer."""
        data, mode = player.data, player.data["mode"]
        if mode == "check":
            await self._say(player, kind="device", device=DEVICE)
        elif mode == "feedback":
            await self._say(player, kind="seen", trial=data["trial"])
        else:
            await self._watch(data)
            await self._answer(player, data)

    async def _watch(self, data: dict[str, Any]) -> None:
        for clip in data["clips"]:
            self.notes.bytes += await fetched(self.http, clip["url"])
        await asyncio.sleep(data["seconds"] + self.rng.expovariate(1 / self.think))

    async def _answer(self, player: Part, data: dict[str, Any]) -> None:
        trial, seconds = data["trial"], data["seconds"]
        answers = {
            str(question): self._vote(str(question), data) for question in self.study.questions
        }
        stretch = {"start": 0, "end": seconds, "took": seconds}
        ledger = {"stretches": [stretch], "plays": 1, "width": 600}
        self.notes.sent.setdefault(trial, answers)
        answers = self.notes.sent[trial]  # after a loss the same answers are given again
        began = time.monotonic()
        await self._say(player, kind="answer", trial=trial, answers=answers, ledger=ledger)
        after = self.tab.find("dreamix_player")
        if after and after.data["mode"] == "trial" and after.data["trial"] == trial:
            self.notes.refused += 1
            return
        self.notes.seconds.append(time.monotonic() - began)
        self.notes.confirm(trial, answers)

    def _vote(self, question: str, data: dict[str, Any]) -> int:
        if not self.judge:
            return self.rng.randint(1, 5)
        names = [Path(urlsplit(clip["url"]).path).stem for clip in data["clips"]]
        return self.judge.vote(names, question, self.rng)

    async def _say(self, player: Part, **saying: Any) -> None:
        nonce = f"{self.rng.getrandbits(64):x}"
        await self.tab.say(player, {"said": {"nonce": nonce, **saying}})


async def fetched(http: str, path: str) -> int:
    """Return the number of bytes of a clip, fetched whole as the player does."""
    place = urlsplit(http)
    try:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        ask = f"GET /{path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(ask.encode())
        await writer.drain()
        answer = await reader.read()
        writer.close()
    except OSError as error:
        raise Lost(str(error)) from None
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Lost(f"a clip was answered with {answer[:40]!r}")
    return len(answer)
