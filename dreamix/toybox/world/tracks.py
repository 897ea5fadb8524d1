"""Two more suites of Toybox: still images to set in motion, and subjects to put elsewhere.

    animate  24 stills, each the first moment of a scene whose whole clip is known: the edit is to
             go on as the prompt says, and the exact clip is the truth
    subject  8 subjects of 4 stills each, two edits: another place, a motion; no truth but words

As in `benchmark`, an order that looks random is an order by `seed_for`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from dreamix.core.seeding import seed_for
from dreamix.toybox.world.benchmark import category_of, edited, reads_badly
from dreamix.toybox.world.grammar import caption
from dreamix.toybox.world.scene import CAMERAS, MOTIONS, VALUES, Scene
from dreamix.toybox.world.stills import still_scenes

_MOVES = [motion for motion in MOTIONS if motion != "resting"]
_VIEWS = [camera for camera in CAMERAS if camera != "still"]
# What the 24 stills are to do: every motion, every camera twice, and five of both.
_ASKED = [
    *({"motion": motion} for motion in _MOVES),
    *({"camera": camera} for camera in (*_VIEWS, *_VIEWS)),
    *({"motion": _MOVES[2 * i], "camera": _VIEWS[i % 4]} for i in range(5)),
]
SUBJECTS, STILLS, EDITS = 8, 4, 2


class Track(NamedTuple):
    """A suite, as rows."""

    videos: dict[str, Scene]
    captions: dict[str, str]
    stills: int
    edits: Sequence[tuple[str, str, str, dict[str, str] | None]]  # video, prompt, category, recipe


def track_yaml(name: str) -> str:
    """Return the text of datasets/toybox/NAME.yaml, for animate or subject."""
    track = {"animate": animate_track, "subject": subject_track}[name]()
    return "\n".join([*_head(name), *_videos(track), *_edits(track)]) + "\n"


def animate_track() -> Track:
    """Return 24 stills and what they are to do."""
    videos, captions, edits = {}, {}, []
    deal = _Dealer("animate")
    for i, changes in enumerate(_ASKED):
        still = deal.subject()
        scene = edited(still, changes)
        name = f"{i:02d}-{still.colour}-{still.shape}-{still.background}"
        videos[name], captions[name] = scene, caption(still)
        edits.append((name, caption(scene), category_of(changes), changes))
    return Track(videos, captions, 1, edits)


def subject_track() -> Track:
    """Return 8 subjects and two prompts of each, in places that none of its stills shows."""
    videos, captions, edits = {}, {}, []
    deal = _Dealer("subject")
    for i in range(SUBJECTS):
        scene = deal.subject()
        name = f"{i:02d}-{scene.colour}-{scene.shape}"
        videos[name], captions[name] = scene, caption(scene)
        seen = {one.background for one in still_scenes(scene, STILLS)}
        for k in range(EDITS):
            place = deal.word("background", partial(_fits, scene, seen))
            seen.add(place)
            motion = _MOVES[(EDITS * i + k) % len(_MOVES)]
            asked = edited(scene, {"motion": motion, "background": place})
            edits.append((name, caption(asked), "subject", None))
    return Track(videos, captions, STILLS, edits)


class _Dealer:
    """Deals words so that all are used about equally often."""

    def __init__(self, name: str) -> None:
        self.name, self._used = name, Counter[tuple[str, str]]()

    def subject(self) -> Scene:
        """Return a resting subject in some place that it can be told from."""
        recipe: dict[str, Any] = {"motion": "resting"}
        for field in ("colour", "shape", "background"):
            recipe[field] = self.word(field, partial(_goes_with, recipe))
        return Scene.from_dict({**recipe, "seed": seed_for("track", *recipe.values()) % 997})

    def word(self, field: str, fits: Callable[[str], bool]) -> str:
        """Return the word of a field that fits and was used least."""
        dealt = self._used.total()

        def rank(word: str) -> tuple[int, int]:
            return self._used[field, word], seed_for("track", self.name, field, dealt, word)

        chosen = min(filter(fits, VALUES[field]), key=rank)
        self._used[field, chosen] += 1
        return chosen


def _goes_with(recipe: dict[str, Any], word: str) -> bool:
    return not reads_badly({**recipe, "next": word})


def _fits(scene: Scene, seen: set[str], place: str) -> bool:
    return place not in seen and not reads_badly({"colour": scene.colour, "background": place})


def _head(name: str) -> Iterator[str]:
    yield f"name: toybox-{name}"
    yield "version: 1"
    yield "licence: Apache-2.0 (every picture is rendered from its recipe, no outside material)"
    yield "videos:"


def _videos(track: Track) -> Iterator[str]:
    for video, scene in track.videos.items():
        yield f"- id: {video}"
        yield f"  caption: {track.captions[video]}"
        yield f"  stills: {track.stills}"
        yield "  toybox:"
        yield from (f"    {field}: {value}" for field, value in scene.to_dict().items())


def _edits(track: Track) -> Iterator[str]:
    yield "edits:"
    numbers: dict[str, int] = {}
    for video, prompt, category, recipe in track.edits:
        numbers[video] = numbers.get(video, -1) + 1
        yield f"- id: {video}_{numbers[video]:02d}"
        yield f"  video: {video}"
        yield f"  prompt: {prompt}"
        yield f"  category: {category}"
        if recipe:
            yield "  toybox:"
            yield from (f"    {field}: {word}" for field, word in recipe.items())
