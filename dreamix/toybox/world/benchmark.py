"""The Toybox suite: 29 videos and 127 edits, dealt out so that every word gets its share.

Nothing here is drawn by a generator whose stream could change: an order that looks random is an
order by `seed_for`, so the suite comes out the same everywhere and for ever.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from dreamix.core.seeding import seed_for
from dreamix.toybox.world.grammar import caption
from dreamix.toybox.world.scene import VALUES, Scene

VIDEOS = 29
# Edits of each category, dealt to the videos in this order; together 127.
SHARES = {
    "motion": 34,
    "object": 20,
    "appearance": 17,
    "background": 17,
    "style": 13,
    "effect": 10,
    "multiple": 10,
    "camera": 6,
}
FIELD = {
    "motion": "motion",
    "object": "shape",
    "appearance": "colour",
    "background": "background",
    "style": "style",
    "effect": "effect",
    "camera": "camera",
}
_MULTIPLE = (
    ("colour", "motion"),
    ("shape", "motion"),
    ("motion", "background"),
    ("colour", "shape"),
    ("shape", "background"),
    ("motion", "style"),
    ("background", "effect"),
    ("shape", "style"),
    ("motion", "camera"),
    ("colour", "shape", "background"),
)
# Sources are mostly plain; ten of them have something in the air, a style or a moving camera.
_DRESSED = (
    ("effect", "snow"),
    ("effect", "rain"),
    ("effect", "fog"),
    ("effect", "fireflies"),
    ("style", "neon"),
    ("style", "watercolor"),
    ("camera", "panning left"),
    ("camera", "panning right"),
    ("camera", "zooming in"),
    ("camera", "zooming out"),
)
# Pairs that render well enough but read badly: hardly any contrast, or weather where there is none.
_BAD_PAIRS = {
    "meadow": {"green"},
    "beach": {"yellow"},
    "desert": {"orange", "brown"},
    "city": {"black"},
    "sea": {"blue", "snow", "rain", "fog"},
    "mountains": {"white"},
    "forest": {"green", "brown"},
    "room": {"brown", "snow", "rain"},
    "space": {"black", "purple", "snow", "rain", "fog"},
    "sunset": {"orange", "purple"},
    "volcano": {"black", "red", "orange"},
    "stage": {"red"},
    "fireflies": {"black"},
    "fog": {"white"},
}

# Six plain videos, no two alike in colour, shape, motion or place, with two edits each: all eight
# categories in about the shares they have above.
QUICK = (
    "blue-ball-falling-room_02",
    "blue-ball-falling-room_04",
    "brown-box-resting-space_00",
    "brown-box-resting-space_02",
    "green-ring-bouncing-sea_03",
    "green-ring-bouncing-sea_04",
    "purple-heart-growing-desert_00",
    "purple-heart-growing-desert_01",
    "red-cross-shrinking-mountains_02",
    "red-cross-shrinking-mountains_03",
    "white-crescent-sliding-right-sunset_00",
    "white-crescent-sliding-right-sunset_01",
)


class Row(NamedTuple):
    """One edit: its video, its category, and the fields of the scene that it changes."""

    video: str
    category: str
    changes: dict[str, str]


def suite_yaml() -> str:
    """Return the text of datasets/toybox/suite.yaml, every scalar on a line of its own."""
    videos = suite_videos()
    return _yaml("toybox", videos, _numbered(suite_edits(videos)))


def quick_yaml() -> str:
    """Return the text of datasets/toybox/quick.yaml: 12 edits of the suite, under the same ids."""
    videos = suite_videos()
    rows = {name: row for name, row in _numbered(suite_edits(videos)).items() if name in QUICK}
    used = {row.video for row in rows.values()}
    return _yaml("toybox-quick", {v: scene for v, scene in videos.items() if v in used}, rows)


def suite_videos() -> dict[str, Scene]:
    """Return the 29 source scenes by id; no two show a subject of the same colour and shape."""
    decks = {field: _Deck(field) for field in ("background", "colour", "shape", "motion")}
    scenes: list[Scene] = []
    for i in range(VIDEOS):
        recipe: dict[str, Any] = {"seed": i}
        if i % 3 == 1:
            recipe |= [_DRESSED[i // 3]]
        for field, deck in decks.items():
            recipe[field] = deck.take(partial(_is_new, recipe, scenes, field))
        scenes.append(Scene.from_dict(recipe))
    return dict(sorted((_video_id(scene), scene) for scene in scenes))


def suite_edits(videos: dict[str, Scene]) -> list[Row]:
    """Return the 127 edits, sorted by video."""
    dealt = [category for category, share in SHARES.items() for _ in range(share)]
    used: Counter[tuple[str, ...]] = Counter()
    rows = []
    for i, category in enumerate(dealt):
        video = [*videos][i % len(videos)]
        fields = _MULTIPLE[i % len(_MULTIPLE)] if category == "multiple" else (FIELD[category],)
        changes = _changes(videos[video], category, fields, used)
        rows.append(Row(video, category, changes))
        for field, word in changes.items():
            used[category, field, word] += 1
            used[video, field, word] += len(dealt)  # More than any count: never the same again.
    return sorted(rows, key=lambda row: row.video)


def category_of(changes: Mapping[str, str]) -> str:
    """Return the category of an edit that changes these fields of a scene."""
    if len(changes) > 1:
        return "multiple"
    return next(category for category, field in FIELD.items() if field in changes)


def edited(scene: Scene, changes: dict[str, str]) -> Scene:
    """Return the scene with some of its words changed, the seed kept."""
    return Scene.from_dict({**scene.to_dict(), **changes})


def _changes(
    scene: Scene, category: str, fields: Sequence[str], used: Counter[tuple[str, ...]]
) -> dict[str, str]:
    """Return new words for `fields`: those that this video and category have used least."""
    recipe, changes, video = scene.to_dict(), {}, _video_id(scene)
    for field in fields:
        words = [word for word in VALUES[field] if word not in ("none", "still", recipe[field])]
        rank = {
            word: (
                used[category, field, word] + used[video, field, word],
                _shuffle(category, field, scene.seed, word),
            )
            for word in words
            if not reads_badly({**recipe, field: word})
        }
        recipe[field] = changes[field] = min(rank, key=lambda word: rank[word])
    return changes


class _Deck:
    """The words of one field, dealt in shuffled rounds so that all are used equally often."""

    def __init__(self, field: str) -> None:
        self.field = field
        self._rounds = 0
        self._cards: list[str] = []

    def take(self, fits: Callable[[str], bool]) -> str:
        """Return the next card that fits, and put it aside; the others wait for their turn."""
        card = next(filter(fits, self._cards), None)
        while card is None:
            self._rounds += 1
            words = VALUES[self.field]
            self._cards += sorted(words, key=lambda w: _shuffle(self.field, self._rounds, w))
            card = next(filter(fits, self._cards), None)
        self._cards.remove(card)
        return card


def _is_new(recipe: dict[str, Any], scenes: list[Scene], field: str, word: str) -> bool:
    """Return whether `word` goes with the recipe and makes a subject that no scene has yet."""
    wanted = {**recipe, field: word}
    subjects = {(scene.colour, scene.shape) for scene in scenes}
    return not reads_badly(wanted) and (wanted.get("colour"), wanted.get("shape")) not in subjects


def _shuffle(*names: str | int) -> int:
    return seed_for("toybox-suite", 98, *names)  # Of 300 orders, 98 repeats the fewest pairs.


def reads_badly(recipe: Mapping[str, Any]) -> bool:
    """Return whether words of the recipe read badly together, such as a green ball in a meadow."""
    words = {word for word in recipe.values() if isinstance(word, str)}
    return any(words & _BAD_PAIRS[word] for word in words if word in _BAD_PAIRS)


def _video_id(scene: Scene) -> str:
    words = f"{scene.colour} {scene.shape} {scene.motion} {scene.background}"
    return words.replace(" ", "-")


def _numbered(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the edits by id: the video's, and a number that counts its edits."""
    numbers: Counter[str] = Counter()
    found = {}
    for row in rows:
        found[f"{row.video}_{numbers[row.video]:02d}"] = row
        numbers[row.video] += 1
    return found


def _yaml(name: str, videos: dict[str, Scene], rows: dict[str, Row]) -> str:
    return "\n".join([*_video_lines(name, videos), *_edit_lines(videos, rows)]) + "\n"


def _video_lines(name: str, videos: dict[str, Scene]) -> Iterator[str]:
    yield from (
        f"name: {name}",
        "version: 1",
        "licence: Apache-2.0 (every clip is rendered from its recipe, no outside material)",
        "videos:",
    )
    for video, scene in videos.items():
        yield f"- id: {video}"
        yield f"  caption: {caption(scene)}"
        yield "  toybox:"
        yield from (f"    {field}: {value}" for field, value in scene.to_dict().items())


def _edit_lines(videos: dict[str, Scene], rows: dict[str, Row]) -> Iterator[str]:
    yield "edits:"
    for name, row in rows.items():
        yield f"- id: {name}"
        yield f"  video: {row.video}"
        yield f"  prompt: {caption(edited(videos[row.video], row.changes))}"
        yield f"  category: {row.category}"
        yield "  toybox:"
        yield from (f"    {field}: {word}" for field, word in row.changes.items())
