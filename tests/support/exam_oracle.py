"""Scripted judges of an audit, and an oracle that reads scenes off the pictures it is sent.

The oracle knows how every scene of the exam is rendered. It finds out which of them the stills
show, and answers from the words of those scenes; it knows nothing of what a question is called.
"""

import base64
import io
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from chat_server import Script, is_probe, reply, words_of
from PIL import Image

from dreamix.core.video import Video
from dreamix.data.worlds import AuditEdit, Recipe
from dreamix.toybox.world.contract import ToyboxWorld

ROWS, COLUMNS, RATE = 8, 13, 8
FAR = 8.0  # mean distance in levels, beyond which stills show no scene that is known


class SmallToybox(ToyboxWorld):
    """Shows judges the clips as small as they are made, for speed."""

    def detailed(self, recipe: Recipe) -> Video:
        return self.clip(recipe)


class Seen(NamedTuple):
    """What a clip shows."""

    words: Mapping[str, Any]  # of its scene; empty where it shows none
    is_held: bool = False
    is_in_order: bool = True


def answered(number: float) -> dict[str, Any]:
    """A sure score."""
    text = str(round(number))
    return reply(text, {text: 0.98, "the": 0.01})


def chosen(text: str) -> dict[str, Any]:
    return reply(text, {text: 0.98, "the": 0.01})


def canary(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answers to what is no question of the exam: a probe, and the canary."""
    if is_probe(body):
        return reply("Earth", {"Earth": 0.98})
    return answered(3) if "make the square red" in words_of(body) else None


class Oracle:
    """Answers from exact truth."""

    def __init__(self, edits: Sequence[AuditEdit], world: ToyboxWorld | None = None) -> None:
        self._edits, self._world = edits, world or SmallToybox()

    def __call__(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if (known := canary(body)) is not None:
            return known
        words = words_of(body)
        asked = self._asked(words)
        clips = {name: self._seen(stills) for name, stills in _stills_by_name(body).items()}
        if "Edit A" in clips:
            return chosen(self._better(clips, asked))
        if "one word" in words or "one letter" in words:
            return chosen(self._option(words, _alignment(clips, asked) == 5))
        if "visible defects" in words:
            return answered(5 if clips["Edit"].is_in_order else 2)
        if "How far is the requested" in words:
            return answered(_alignment(clips, asked))
        return answered(_fidelity(clips, asked))

    def _asked(self, words: str) -> dict[str, Any]:
        """The fields that a request names, with their words."""
        told = re.search(r'The requested change: "(.*)"\.', words)
        for edit in self._edits if told else ():
            assert told
            if told[1] in edit.wordings:
                return _changed(edit.source, edit.exact)
            if told[1] == edit.both_wording:
                return _changed(edit.source, edit.both)
        return {}

    def _better(self, clips: Mapping[str, Seen], asked: Mapping[str, Any]) -> str:
        a, b = (_alignment({"Edit": clips[f"Edit {letter}"]}, asked) for letter in "AB")
        return "A" if a > b else "B" if b > a else "C"

    def _option(self, words: str, is_there: bool) -> str:
        if "missing" in words:
            return "No" if is_there else "Yes"
        if "A for yes" in words:
            return "A" if is_there else "B"
        if "A for no" in words:
            return "B" if is_there else "A"
        return "Yes" if is_there else "No"

    def _seen(self, stills: Sequence[tuple[int, np.ndarray]]) -> Seen:
        """What some stills show, each with the number of the frame that it stands for."""
        pictures = np.array([picture for _, picture in stills])
        held = bool((np.abs(pictures - pictures[0]).mean(axis=(1, 2, 3)) < 1).all())
        names, films = self._films
        # (scenes, stills, frames): distance of each still to each frame of each scene
        distance = np.abs(films[:, None] - pictures[None, :, None]).mean(axis=(3, 4, 5))
        cost = distance[:, 0].min(axis=1) if held else distance.min(axis=2).mean(axis=1)
        place = int(cost.argmin())
        if cost[place] > FAR:
            return Seen({}, held)
        right = [distance[place, k, number] for k, (number, _) in enumerate(stills)]
        best = distance[place].min(axis=1)
        return Seen(names[place], held, held or bool(np.mean(right - best) < 1.0))

    @cached_property
    def _films(self) -> tuple[list[Recipe], np.ndarray]:
        """All scenes of the exam, and their frames as thumbnails, int16."""
        recipes: dict[str, Recipe] = {}
        for edit in self._edits:
            for one in (edit.source, edit.exact, edit.extra, edit.other, edit.both):
                recipes[str(one)] = one
        films = [
            [_small(frame) for frame in self._world.clip(one).frames] for one in recipes.values()
        ]
        return [*recipes.values()], np.array(films)


def biased(oracle: Script, bias: Callable[[Mapping[str, Any], dict[str, Any]], Any]) -> Script:
    """A judge that knows all, and has one bias: what it says, by question and true answer."""

    def script(body: dict[str, Any]) -> Mapping[str, Any]:
        if (known := canary(body)) is not None:
            return known
        return bias(body, dict(oracle(body)))

    return script


def _alignment(clips: Mapping[str, Seen], asked: Mapping[str, Any]) -> float:
    seen = clips.get("Edit", Seen({}))
    moving = ("motion", "camera")
    made = [
        seen.words.get(name) == word and not (seen.is_held and name in moving)
        for name, word in asked.items()
    ]
    return 1 + 4 * float(np.mean(made)) if made else 1.0


def _fidelity(clips: Mapping[str, Seen], asked: Mapping[str, Any]) -> float:
    source, edit = clips["Source"], clips["Edit"]
    other = [name for name in source.words if name not in asked]
    lost = sum(source.words[name] != edit.words.get(name) for name in other)
    return max(1.0, 5.0 - 2 * lost - 2 * edit.is_held)


def _changed(before: Recipe, after: Recipe) -> dict[str, Any]:
    return {name: after[name] for name in after if after[name] != before[name]}


def _stills_by_name(body: Mapping[str, Any]) -> dict[str, list[tuple[int, np.ndarray]]]:
    """The stills of each clip that is shown, with the frames that they stand for."""
    found: dict[str, list[tuple[int, np.ndarray]]] = {}
    label = ""
    for part in body["messages"][0]["content"]:
        if part["type"] == "text":
            label = part["text"]
            continue
        name, _, moment = label.rpartition(", ")
        data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
        frame = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        number = round(float(moment.removesuffix(" s")) * RATE)
        found.setdefault(name, []).append((number, _small(frame)))
    return found


def _small(frame: np.ndarray) -> np.ndarray:
    """A thumbnail without the foot of the picture, where a caption may stand."""
    kept = frame[: frame.shape[0] * 8 // 9]
    return np.asarray(
        Image.fromarray(kept).resize((COLUMNS, ROWS), Image.Resampling.BOX), dtype=np.int16
    )
