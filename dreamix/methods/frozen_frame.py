"""Anchor: the first frame, held. Perfect consistency, no motion."""

import numpy as np

from dreamix.core.config import NoConfig
from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method


@method("frozen-frame", anchor=True, seeded=False)
def frozen_frame(request: EditRequest, backend: object, config: NoConfig) -> Video:
    """Returns the first frame of the source for its whole duration: what frozen outputs score."""
    source = request.source
    return Video(np.repeat(source.frames[:1], len(source), axis=0), source.fps, source.times)
