"""What to change in a scene, as an order: "make the blue ball red and let it spin".

Of the words of the grammar where it has them. One difference of two scenes has one instruction,
and these words are never to change: runs are of the suites as they were read.
"""

from collections.abc import Iterator

from dreamix.toybox.world.grammar import worded
from dreamix.toybox.world.scene import Scene

MOTIONS_ORDERED = {  # motion of a scene -> what to let the subject do
    "resting": "rest",
    "sliding right": "slide right",
    "sliding left": "slide left",
    "bouncing": "bounce",
    "rising": "rise",
    "falling": "fall",
    "spinning": "spin",
    "swinging": "swing",
    "circling": "circle",
    "growing": "grow",
    "shrinking": "shrink",
    "shaking": "shake",
}
_EFFECTS = {"snow": "snow", "rain": "rain", "fog": "thick fog", "fireflies": "fireflies"}
_CAMERAS = {
    "still": "hold the camera still",
    "panning left": "pan the camera left",
    "panning right": "pan the camera right",
    "zooming in": "zoom the camera in",
    "zooming out": "zoom the camera out",
}


def instruction(before: Scene, after: Scene) -> str:
    """Return the order that makes one scene of another; scenes that are alike give no words."""
    orders = [*_of_subject(before, after), *_of_the_rest(before, after)]
    return ", ".join(orders[:-1]) + f"{' and ' if orders[:-1] else ''}{''.join(orders[-1:])}"


def _of_subject(before: Scene, after: Scene) -> Iterator[str]:
    """Yield what is to become of the subject; it is named once."""
    old, named = f"the {before.colour} {before.shape}", True
    article = "an" if after.colour[0] in "aeiou" else "a"
    if before.shape != after.shape and before.colour != after.colour:
        yield f"replace {old} with {article} {after.colour} {after.shape}"
    elif before.shape != after.shape:
        yield f"turn {old} into a {after.shape}"
    elif before.colour != after.colour:
        yield f"make {old} {after.colour}"
    else:
        named = False
    if before.motion != after.motion:
        yield f"let {'it' if named else old} {MOTIONS_ORDERED[after.motion]}"
        named = True
    if before.background != after.background:
        yield f"show {'it' if named else old} {worded('background', after.background)}"


def _of_the_rest(before: Scene, after: Scene) -> Iterator[str]:
    """Yield what is to become of the weather, the style and the camera."""
    old, new = (_EFFECTS.get(scene.effect) for scene in (before, after))
    if old != new:
        added, swapped = f"add {new}", f"replace the {_bare(old)} with {new}"
        yield f"take the {_bare(old)} away" if new is None else swapped if old else added
    if before.style != after.style:
        is_plain = after.style == "none"
        words = worded("style", before.style if is_plain else after.style)
        yield f"take the {words} away" if is_plain else f"show all of it in {words}"
    if before.camera != after.camera:
        yield _CAMERAS[after.camera]


def _bare(effect: str | None) -> str:
    return str(effect).removeprefix("thick ")
