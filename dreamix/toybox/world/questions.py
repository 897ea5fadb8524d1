"""A checklist for an edit of a scene, with exact answers: is it as asked, is the rest as it was?

What the edit changes is asked three times: is it as asked (yes), is it still as in the source (no),
and which of up to four words is it. Of all that stays, some is asked: is it as it was (yes), is it
something else (no). So half of the yes-no questions expect yes. The subject is called the main
object, so that no question gives another's answer away. These words are never to change: scores
are of the questions that were asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dreamix.core.records import to_json
from dreamix.core.seeding import seed_for
from dreamix.data.edit_questions import EditQuestion
from dreamix.toybox.world.grammar import worded
from dreamix.toybox.world.instructions import MOTIONS_ORDERED
from dreamix.toybox.world.motion import WIDTH, camera_map, subject_map
from dreamix.toybox.world.scene import GREY, VALUES, Scene

KEPT = 4  # questions about what stays, half of them with yes expected
OPTIONS = 4
THIRDS = ("left", "middle", "right")
EDGE = 6  # units from the border between thirds, within which a place is not asked
TARGET, SOURCE, STAYS = "target", "source", "kept"  # what questions are about


class Wording(NamedTuple):
    """How a field of a scene is asked about."""

    whether: str  # the question that wants yes or no, {} for a word
    which: str  # the question that offers words
    words: Mapping[str, str]  # value of the field -> word


def _worded(field: str) -> dict[str, str]:
    """Return the words of captions, but for the value that those do not tell."""
    return {value: worded(field, value) for value in VALUES[field] if value != "none"}


_AIR = {value: f"full of {value}" for value in VALUES["effect"]} | {"none": "clear"}
_MOTIONS = {
    **MOTIONS_ORDERED,
    "resting": "rest without moving",
    "circling": "move in a circle",  # a circle may be a shape
}
_CAMERAS = {
    "still": "hold still",
    "panning left": "pan left",
    "panning right": "pan right",
    "zooming in": "zoom in",
    "zooming out": "zoom out",
}
WORDINGS = {
    "colour": Wording(
        "Is the main object {}?",
        "Which colour is the main object?",
        {colour: colour for colour in VALUES["colour"]},
    ),
    "shape": Wording(
        "Is the main object {}?",
        "What is the main object?",
        {shape: f"a {shape}" for shape in VALUES["shape"]},
    ),
    "motion": Wording("Does the main object {}?", "What does the main object do?", _MOTIONS),
    "background": Wording(
        "Is the main object {}?", "Where is the main object?", _worded("background")
    ),
    "effect": Wording("Is the air {}?", "What is the air like?", _AIR),
    "style": Wording(
        "Is the picture in {}?",
        "Which style is the picture in?",
        {"none": "plain flat colours", **_worded("style")},
    ),
    "camera": Wording("Does the camera {}?", "What does the camera do?", _CAMERAS),
}
_ALIKE: dict[str, tuple[set[str], ...]] = {  # what stills hardly tell apart is no wrong answer
    "colour": (
        {"red", "orange", "brown"},
        {"red", "pink"},
        {"orange", "yellow"},
        {"blue", "purple"},
        {"purple", "pink"},
    ),
    "motion": (
        {"resting", "shaking", "bouncing"},
        {"bouncing", "rising", "falling"},
        {"swinging", "circling", "shaking"},
        {"swinging", "sliding left", "sliding right"},
        {"swinging", "spinning"},
    ),
    "background": ({"desert", "beach", "sunset"}, {"mountains", "volcano"}, {"meadow", "forest"}),
    "style": ({"pencil", "sepia"}, {"none", "watercolor"}),
}
_SEEMS = {  # camera -> what it makes of a motion that is none
    "panning left": "sliding right",
    "panning right": "sliding left",
    "zooming in": "growing",
    "zooming out": "shrinking",
}


def questions(source: Scene, changes: Mapping[str, Any]) -> list[EditQuestion]:
    """Return the checklist of an edit that gives fields of a scene other values.

    A field that has its value already, as of a still that is to be set in motion, is asked too.
    """
    after = Scene.from_dict({**source.to_dict(), **changes})
    name = to_json([source.to_dict(), dict(changes)])
    asked = [field for field in VALUES if field in changes and _is_seen(field, after)]
    target = [one for field in asked for one in _target(field, source, after, name)]
    return [*target, *_kept(source, after, changes, name)]


def _is_seen(field: str, scene: Scene) -> bool:
    """Return True if a field can be seen: in grey styles there is no colour."""
    return field != "colour" or scene.style not in GREY


def _target(field: str, source: Scene, after: Scene, name: str) -> Iterator[EditQuestion]:
    """Yield what is asked of a field that the edit is about."""
    asked, now, before = WORDINGS[field], getattr(after, field), getattr(source, field)
    others = _others(field, after, name)
    wrong = [before, *others] if before != now else others
    yield _whether(f"is-{field}", field, now, True, TARGET)
    yield _whether(f"not-{field}", field, wrong[0], False, SOURCE if before != now else TARGET)
    offered = [now, *dict.fromkeys(wrong)][:OPTIONS]
    words = tuple(asked.words[value] for value in _mixed(offered, name, "offered", field))
    yield EditQuestion(asked.which, asked.words[now], words, f"which-{field}", TARGET)


def _kept(
    source: Scene, after: Scene, changes: Mapping[str, Any], name: str
) -> Iterator[EditQuestion]:
    """Yield what is asked of that which stays, alternately with yes and with no expected."""
    seen = [field for field in VALUES if all(_is_seen(field, one) for one in (source, after))]
    stays = [field for field in seen if field not in changes]
    drawn = _mixed([*stays, "count", *_placed(source, after, changes)], name, "kept")
    for number, field in enumerate(drawn[: min(KEPT, len(drawn) // 2 * 2)]):
        yield _stays(field, after, name, right=number % 2 == 0)


def _stays(field: str, after: Scene, name: str, *, right: bool) -> EditQuestion:
    if field == "count":
        text = "Is there exactly one main object?" if right else "Are there two main objects?"
        return EditQuestion(text, right, (), "kept-count", STAYS)
    if field == "place":
        place = str(_place(after))
        others = _mixed([third for third in THIRDS if third != place], name, "third")
        third = place if right else others[0]
        text = f"Is the main object in the {third} third of the first still?"
        return EditQuestion(text, right, (), "kept-place", STAYS)
    value = getattr(after, field) if right else _others(field, after, name)[0]
    return _whether(f"kept-{field}", field, value, right, STAYS)


def _whether(name: str, field: str, value: str, answer: bool, about: str) -> EditQuestion:
    """Return the question whether a field has a value."""
    asked = WORDINGS[field]
    return EditQuestion(asked.whether.format(asked.words[value]), answer, (), name, about)


def _others(field: str, scene: Scene, name: str) -> list[str]:
    """Return other values of a field, in a drawn order; look-alikes come last."""
    right = getattr(scene, field)
    alike = {value for group in _ALIKE.get(field, ()) if right in group for value in group}
    if field == "motion":
        alike |= {_SEEMS.get(scene.camera, right)}
    if field == "camera":
        alike |= {camera for camera, seems in _SEEMS.items() if seems == scene.motion}
    values = _mixed([value for value in VALUES[field] if value != right], name, "others", field)
    return sorted(values, key=alike.__contains__)


def _mixed(values: Sequence[str], *names: str) -> list[str]:
    """Return values in an order that hangs on the names alone."""
    return sorted(values, key=lambda value: seed_for("toybox-questions", *names, value))


def _placed(source: Scene, after: Scene, changes: Mapping[str, Any]) -> list[str]:
    """Return "place" where the subject begins in one and the same third, else nothing."""
    place, moves = _place(source), {"motion", "camera"} & {*changes}
    return ["place"] if place is not None and place == _place(after) and not moves else []


def _place(scene: Scene) -> str | None:
    """Return the third of the picture in which the subject begins; None near a border."""
    across = subject_map(scene, 0).then(camera_map(scene, 0)).x
    near = min(abs(across - WIDTH / 3), abs(across - WIDTH * 2 / 3))
    return None if near < EDGE else THIRDS[min(max(int(across // (WIDTH / 3)), 0), 2)]
