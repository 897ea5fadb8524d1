"""Anchor: the source's frames in random order. Right pictures, broken motion."""

from dreamix.core.config import NoConfig
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method


@method("shuffled-frames", anchor=True, seeded=False)
def shuffled_frames(request: EditRequest, backend: object, config: NoConfig) -> Video:
    """Returns the source with its frames in a random order, the same for every edit of a clip.

    The order is drawn from the video's id, so that all edits of a clip share one anchor.
    """
    source = request.source
    order = rng_for("shuffled-frames", request.edit.video).permutation(len(source))
    return Video(source.frames[order], source.fps, source.times)
