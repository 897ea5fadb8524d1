"""Edits to examine judges with: made from a number, so that there is no end of them.

Two in five ask for a motion and one in ten for a camera, which most judges of stills miss; the rest
is shared by what changes the look. Every change can be seen: no ball that spins, no red that turns
orange, no colour in a sepia photograph.
"""

from collections.abc import Mapping, Sequence

from dreamix.core.seeding import seed_for
from dreamix.data.worlds import AuditEdit
from dreamix.toybox.world.benchmark import FIELD, category_of, edited, reads_badly
from dreamix.toybox.world.grammar import caption, worded
from dreamix.toybox.world.instructions import MOTIONS_ORDERED, instruction
from dreamix.toybox.world.scene import GREY, VALUES, Scene

Names = tuple[int | str, ...]
ORDER = (
    "motion", "object", "motion", "appearance", "background",
    "motion", "style", "effect", "motion", "camera",
)  # fmt: skip
EXTRAS = ("background", "colour", "shape", "effect")
LOOKS_ALIKE = (
    {"red", "orange"}, {"red", "brown"}, {"red", "pink"}, {"orange", "yellow"},
    {"orange", "brown"}, {"yellow", "white"}, {"pink", "purple"}, {"blue", "purple"},
    {"pink", "white"}, {"black", "brown"}, {"ring", "ball"}, {"desert", "beach"},
    {"desert", "sunset"}, {"meadow", "forest"}, {"bouncing", "swinging"},
    {"circling", "swinging"}, {"rising", "bouncing"}, {"falling", "bouncing"},
)  # fmt: skip
UNSEEN = ("resting", "shaking")  # motions whose stills have no order
MOST = 100  # scenes to try
ROUND = ("ball", "ring")  # shapes of which no turn can be seen


def audit_edit(number: int, seed: int) -> AuditEdit:
    """Return an edit of a new scene, with all that may be shown in its place."""
    field = FIELD[ORDER[number % len(ORDER)]]
    for attempt in range(MOST):
        if found := _edit(field, number, (seed, number, attempt)):
            return found
    raise AssertionError(f"no scene of {MOST} goes with a change of {field}")


def _edit(field: str, number: int, names: Names) -> AuditEdit | None:
    """Return the edit of a drawn scene; None where one of its changes could not be seen."""
    source = _source(names)
    exact = source and _changed(source, field, (*names, "asked"))
    if source is None or exact is None:
        return None
    both = _changed(exact, _second(exact, field), (*names, "second"))
    extra = _changed(exact, _extra(exact, field, names), (*names, "extra"))
    other = _other(source, exact, field, names)
    if both is None or extra is None or other is None:
        return None
    return AuditEdit(
        id=f"{names[0]}-{number:05d}",
        category=category_of({field: getattr(exact, field)}),
        prompt=caption(exact),
        wordings=(instruction(source, exact), *_other_wordings(source, exact, field)),
        source=source.to_dict(),
        exact=exact.to_dict(),
        extra=extra.to_dict(),
        other=other.to_dict(),
        both=both.to_dict(),
        both_wording=instruction(source, both),
        is_motion=field in ("motion", "camera"),
        has_order=exact.motion not in UNSEEN,
    )


def _source(names: Names) -> Scene | None:
    """Return a plain scene in which something moves; None if it cannot be seen well."""
    words = {name: _picked(VALUES[name], (*names, "source", name)) for name in VALUES}
    words |= {"effect": "none", "style": "none", "camera": "still"}
    if words["motion"] in UNSEEN or not _is_seen(words):
        return None
    return Scene.from_dict({**words, "seed": seed_for("toybox-audit", "place", *names) % 2**31})


def _changed(scene: Scene, field: str, names: Names) -> Scene | None:
    """Return the scene with another word in a field; None where none can be seen."""
    recipe = scene.to_dict()
    fits = [
        word
        for word in VALUES[field]
        if word not in (recipe[field], "none", "still", *UNSEEN)
        and {word, recipe[field]} not in LOOKS_ALIKE
        and _is_seen({**recipe, field: word})
    ]
    return edited(scene, {field: _picked(fits, (*names, field))}) if fits else None


def _second(exact: Scene, field: str) -> str:
    """Return the field of the second change of two that are asked for."""
    return "background" if field in ("colour", "shape") or exact.style in GREY else "colour"


def _extra(exact: Scene, field: str, names: Names) -> str:
    """Return the field of a change that nobody asked for."""
    may = [one for one in EXTRAS if one != field]
    may = [one for one in may if one != "colour" or exact.style not in GREY]
    indoors = exact.background in ("sea", "room", "space") or exact.effect != "none"
    may = [one for one in may if one != "effect" or not indoors]
    return _picked(may, (*names, "extra field"))


def _other(source: Scene, exact: Scene, field: str, names: Names) -> Scene | None:
    """Return a scene that shares with the exact edit what was asked for, and nothing else."""
    kept = [name for name in ("colour", "shape", "motion", "background") if name != field]
    for attempt in range(MOST):
        if found := _source((*names, "other", attempt)):
            words = {**found.to_dict(), field: getattr(exact, field)}
            if _is_seen(words) and not any(_same(words, source, name) for name in kept):
                return Scene.from_dict(words)
    return None


def _same(words: Mapping[str, object], source: Scene, name: str) -> bool:
    word = getattr(source, name)
    return words[name] == word or {words[name], word} in LOOKS_ALIKE


def _is_seen(words: Mapping[str, object]) -> bool:
    turns_unseen = words["motion"] == "spinning" and words["shape"] in ROUND
    return not (turns_unseen or reads_badly(words))


def _picked(words: Sequence[str], names: Names) -> str:
    return words[seed_for("toybox-audit", *names) % len(words)]


def _other_wordings(before: Scene, after: Scene, field: str) -> tuple[str, str]:
    """Return two more ways to ask for what has changed in a field."""
    it, word = f"the {before.colour} {before.shape}", getattr(after, field)
    if field == "colour":
        return f"change the colour of {it} to {word}", f"{it} should be {word}"
    if field == "shape":
        return (
            f"replace {it} with {_article(after.colour)} {after.colour} {word}",
            f"{_article(after.colour)} {after.colour} {word} should be where {it} is",
        )
    if field == "motion":
        return f"make {it} {MOTIONS_ORDERED[word]}", f"{it} should be {word}"
    if field == "camera":
        return f"film it with the camera {word}", f"the camera should be {word}"
    seen = worded(field, word)
    if field == "background":
        return f"change the background so that {it} is {seen}", f"{it} should be {seen}"
    if field == "effect":
        return f"put the scene {seen}", f"the scene should be {seen}"
    return f"redraw the whole clip in {seen}", f"the whole clip should be in {seen}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
