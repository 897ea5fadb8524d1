"""One language for captions and prompts: a scene has one sentence, a sentence one scene.

A COLOUR SHAPE MOTION PLACE[, EFFECT][, STYLE][, CAMERA], such as
"an orange ring bouncing on a beach, in the snow, pencil sketch style, camera zooming in".
The seed is not told.
"""

import re

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.toybox.world.scene import CAMERAS, COLOURS, MOTIONS, SHAPES, Scene

Phrases = dict[str, str]  # words as written -> value of the scene's field

_PLACES: Phrases = {
    "in a meadow": "meadow",
    "on a beach": "beach",
    "in a desert": "desert",
    "in a city at night": "city",
    "under the sea": "sea",
    "in the mountains": "mountains",
    "in a forest": "forest",
    "in a room": "room",
    "in space": "space",
    "at sunset": "sunset",
    "near a volcano": "volcano",
    "on a stage": "stage",
}

_HEAD: dict[str, Phrases] = {
    "article": {"a": "a", "an": "an"},
    "colour": {word: word for word in COLOURS},
    "shape": {word: word for word in SHAPES},
    "motion": {words: words for words in MOTIONS},
    "background": _PLACES,
}

_CLAUSES: dict[str, Phrases] = {
    "effect": {
        "in the snow": "snow",
        "in the rain": "rain",
        "in thick fog": "fog",
        "among fireflies": "fireflies",
    },
    "style": {
        "pencil sketch style": "pencil",
        "sepia photo style": "sepia",
        "neon style": "neon",
        "watercolor style": "watercolor",
    },
    "camera": {f"camera {words}": words for words in CAMERAS if words != "still"},
}

_DEFAULTS = {"effect": "none", "style": "none", "camera": "still"}

VOCABULARY: tuple[str, ...] = tuple(
    sorted(
        {
            word
            for table in (*_HEAD.values(), *_CLAUSES.values())
            for p in table
            for word in p.split()
        }
    )
)


def caption(scene: Scene) -> str:
    """Return the sentence that tells all of a scene but its seed."""
    article = "an" if scene.colour[0] in "aeiou" else "a"
    place = _words_for(_PLACES, scene.background)
    head = f"{article} {scene.colour} {scene.shape} {scene.motion} {place}"
    told = [
        _words_for(phrases, getattr(scene, field))
        for field, phrases in _CLAUSES.items()
        if getattr(scene, field) != _DEFAULTS[field]
    ]
    return ", ".join([head, *told])


def parse_caption(text: str) -> dict[str, str]:
    """Return the scene's fields but the seed, such that `caption` gives the sentence back.

    Capitals, spaces and a full stop do not matter, nor does the order after the first comma.

    Raises:
        UserError: for words that the grammar does not know, and known ones out of place.
    """
    head, *clauses = [part.split() for part in text.lower().strip().rstrip(".").split(",")]
    _check_words([*head, *(word for clause in clauses for word in clause)])
    found = _parse_head(head, text)
    for clause in clauses:
        field, value = _parse_clause(" ".join(clause), text)
        if field in found:
            raise UserError(f"caption {text!r} tells its {field} twice")
        found[field] = value
    return {**_DEFAULTS, **found}


def phrases() -> dict[str, tuple[str, ...]]:
    """Return, for each field of a scene, its values as captions word them."""
    tables = {name: table for name, table in _HEAD.items() if name != "article"}
    return {name: tuple(table) for name, table in {**tables, **_CLAUSES}.items()}


def worded(field: str, value: str) -> str:
    """Return a value of a scene's field as captions word it, such as "on a beach"."""
    return _words_for({**_HEAD, **_CLAUSES}[field], value)


def _words_for(phrases: Phrases, value: str) -> str:
    return next(words for words, meaning in phrases.items() if meaning == value)


def _check_words(words: list[str]) -> None:
    unknown = [word for word in words if word not in VOCABULARY]
    if unknown:
        hint = near_misses(unknown[0], list(VOCABULARY))
        raise UserError(f"Toybox does not know the words {', '.join(map(repr, unknown))}{hint}")


def _parse_head(words: list[str], text: str) -> dict[str, str]:
    """Return colour, shape, motion and background of the words before the first comma."""
    rest, found = " ".join(words), {}
    for field, phrases in _HEAD.items():
        match = re.match(rf"({'|'.join(phrases)})(?: |$)", rest)
        if match is None:
            known = ", ".join(phrases)
            raise UserError(f"caption {text!r}: {rest!r} should begin with one of: {known}")
        found[field], rest = phrases[match[1]], rest[match.end() :]
    if rest:
        raise UserError(f"caption {text!r}: {rest!r} should follow a comma or be left out")
    return {field: value for field, value in found.items() if field != "article"}


def _parse_clause(clause: str, text: str) -> tuple[str, str]:
    for field, phrases in _CLAUSES.items():
        if clause in phrases:
            return field, phrases[clause]
    known = ", ".join(words for phrases in _CLAUSES.values() for words in phrases)
    raise UserError(f"caption {text!r}: {clause!r} is none of {known}")
