"""Still pictures of a Toybox subject: what image-to-video and subject-driven editing start from."""

import numpy as np

from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.toybox.world.benchmark import reads_badly
from dreamix.toybox.world.renderer import render
from dreamix.toybox.world.scene import BACKGROUNDS, Scene

SECONDS, FRAMES = 2.0, 16  # of a scene


def stills(scene: Scene, count: int) -> Video:
    """Return `count` still pictures as a clip of 2 s, uint8 (frames, 96, 160, 3).

    The first is the first moment of the scene. The others show a subject of the same colour and
    shape, resting in other places, in another size and light. Several pictures are a frame each; a
    single one is held for the 16 frames of a scene, so that an edit has frames to be held against.
    """
    pictures = [render(one, frames=1).frames[0] for one in still_scenes(scene, count)]
    if count == 1:
        pictures *= FRAMES
    return Video(np.stack(pictures), len(pictures) / SECONDS)


def still_scenes(scene: Scene, count: int) -> list[Scene]:
    """Return the scenes whose first moments are the stills, `scene` itself first."""
    subject = {"colour": scene.colour, "shape": scene.shape, "motion": "resting"}
    places = [
        place
        for place in sorted(BACKGROUNDS, key=lambda name: seed_for("stills", scene.seed, name))
        if place != scene.background and not reads_badly({**subject, "background": place})
    ]
    others = [
        Scene.from_dict({**subject, "background": place, "seed": seed_for("still", scene.seed, i)})
        for i, place in enumerate(places[: count - 1])
    ]
    return [scene, *others]
