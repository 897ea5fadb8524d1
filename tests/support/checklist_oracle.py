"""Who answers checklists on Toybox: one that knows the scene of a clip, and ones that do not look.

The oracle reads the words of a question by rules of its own and holds them against the scene and
its rendered mask: it shares no table with what wrote the questions.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chat_server import Script, is_probe, pictures_of, reply, words_of

from dreamix.toybox.world import Scene, truth

PLACES = {
    "meadow": "meadow", "beach": "beach", "desert": "desert", "city": "city", "sea": "sea",
    "mountains": "mountains", "forest": "forest", "room": "room", "space": "space",
    "sunset": "sunset", "volcano": "volcano", "stage": "stage",
}  # fmt: skip


def asked_of(body: Mapping[str, Any]) -> str:
    """The question of a request, without its quotes; empty if it is none of a checklist."""
    found = re.search(r'^(".*")$', words_of(body), re.MULTILINE)
    return json.loads(found[1]) if found else ""


def letters_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The options of a request by letter; none for yes and no."""
    return {
        letter: json.loads(text)
        for letter, text in re.findall(r'^([A-Z]): (".*")$', words_of(body), re.MULTILINE)
    }


def said(body: Mapping[str, Any], answer: str | Mapping[str, float]) -> dict[str, Any]:
    """A reply of one answer, or of a distribution, in the form that was asked for."""
    chances = {answer: 1.0} if isinstance(answer, str) else answer
    best = max(chances, key=lambda name: chances[name])
    if "logprobs" in body:
        return reply(best, chances)
    return reply(json.dumps({"answer": best}))


def unseeing(yes_no: str | Mapping[str, float], letter: str | Mapping[str, float]) -> Script:
    """Says the same whatever it is shown and asked."""

    def script(body: dict[str, Any]) -> dict[str, Any]:
        if is_probe(body):
            return reply("Earth", {"Earth": 1.0})
        return said(body, letter if letters_of(body) else yes_no)

    return script


def truth_teller(scenes: Mapping[str, Scene], *, masked: bool = False) -> Script:
    """Answers from the exact truth.

    scenes: by the first picture of the clip. masked: it has no log-probabilities to tell of.
    """

    def script(body: dict[str, Any]) -> dict[str, Any]:
        if is_probe(body):
            return reply("3", {"3": 1.0}) if masked else reply("Earth", {"Earth": 1.0})
        question = asked_of(body)
        if not question:  # the canary
            return reply("3", {"3": 1.0})
        scene = scenes[pictures_of(body)[0]]
        if options := letters_of(body):
            return said(body, chosen(question, options, scene))
        is_so = holds(question, scene)
        return said(body, "Yes" if is_so != ('Is "No" the right' in words_of(body)) else "No")

    return script


def chosen(question: str, options: Mapping[str, str], scene: Scene) -> str:
    true = [letter for letter, text in options.items() if _is(question, text, scene)]
    (only,) = true  # else the question has two right answers, or none
    return only


def holds(question: str, scene: Scene) -> bool:
    """Whether yes is the right answer."""
    if "two main objects" in question:
        return False
    if "exactly one" in question:
        return True
    if found := re.search(r"(left|middle|right) third", question):
        return _third(scene) == found[1]
    head, words = next(_split(question))
    return _is(head, words, scene)


def _split(question: str) -> Iterator[tuple[str, str]]:
    for head in ("Is the main object", "Does the main object", "Does the camera", "Is the air",
                 "Is the picture in"):  # fmt: skip
        if question.startswith(head):
            yield head, question.removeprefix(head).strip(" ?")
    raise AssertionError(question)


def _is(head: str, words: str, scene: Scene) -> bool:
    """Whether words say what a scene shows, of what the head of a question is about."""
    parts = words.split()
    if "camera" in head:
        return _moves(parts, scene.camera)
    if "object do" in head or head.startswith("Does"):
        return _moves(parts, scene.motion)
    if "air" in head:
        return scene.effect == {"clear": "none"}.get(words, parts[-1])
    if "picture" in head:
        return scene.style == {"plain": "none"}.get(parts[0], parts[0])
    if parts[0] in ("in", "on", "under", "at", "near"):
        return any(PLACES.get(part) == scene.background for part in parts)
    return parts[-1] in ((scene.shape,) if len(parts) == 2 else (scene.colour,))


def _moves(words: Sequence[str], motion: str) -> bool:
    """Whether "slide right" is "sliding right"."""
    told = motion.split()
    if told[0] == "still" or "still" in words:
        return told[0] == words[-1]
    if words[0] == "move":
        return told[0][:4] == words[-1][:4]  # in a circle
    return told[0][:3] == words[0][:3] and (len(told) == 1 or told[1] == words[1])


def _third(scene: Scene) -> str:
    """Where the middle of the mask is in the first frame."""
    mask = truth(scene, frames=1).masks[0]
    across = mask.nonzero()[1].mean() + 0.5
    return ("left", "middle", "right")[int(across * 3 // mask.shape[1])]
