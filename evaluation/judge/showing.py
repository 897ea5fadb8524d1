"""From the clips of a run to the stills that a judge is shown; the last ones are held."""

import threading
from collections import OrderedDict
from typing import NamedTuple

from dreamix.core.media import read_clip
from dreamix.core.video import Video
from evaluation.judge.frames import FramePolicy, Stills, stills_of_both, stills_of_edit
from evaluation.run.folder import RunFolder
from evaluation.schema import ClipRow

FPS = 24.0  # of a source that states none
MOST_HELD = 256 << 20  # bytes of stills


class _Shown(NamedTuple):
    both: Stills
    alone: Stills

    @property
    def size(self) -> int:
        parts = (*self.both.source, *self.both.edited, *self.alone.edited)
        return sum(still.pixels.nbytes for still in parts)


class Showing:
    """Gives stills to many threads; one clip is decoded at a time, so that two fill no memory."""

    def __init__(self, run: RunFolder, policy: FramePolicy, align: str) -> None:
        self._run, self._policy, self._align = run, policy, align
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str | None, str], _Shown] = OrderedDict()
        self._size = 0
        self._source: tuple[str, Video] | None = None  # the last

    def stills(self, clip: ClipRow, sees_source: bool) -> Stills:
        """Return what is shown of a clip.

        Raises:
            UserError: if the run has lost a file, or it cannot be read.
        """
        video = self._run.suite.edit(clip.edit).video
        key = video, clip.sha256, clip.method
        with self._lock:
            found = self._held.get(key) or self._made(key, clip)
            self._held.move_to_end(key)
        return found.both if sees_source else found.alone

    def _made(self, key: tuple[str, str | None, str], clip: ClipRow) -> _Shown:
        source = self._source_of(key[0])
        path, colour = self._run.clip_path(clip), self._run.colour(clip.method)
        edited = read_clip(path, source.fps, colour).video
        both = stills_of_both(source, edited, self._policy, self._align)
        found = _Shown(both, stills_of_edit(edited, self._policy))
        self._held[key] = found
        self._size += found.size
        while self._size > MOST_HELD and len(self._held) > 1:
            self._size -= self._held.popitem(last=False)[1].size
        return found

    def _source_of(self, video: str) -> Video:
        if self._source is None or self._source[0] != video:
            fps = self._run.suite.videos[video].fps or FPS
            self._source = None  # first, so that two never stand in memory
            found = read_clip(self._run.source(video), fps, self._run.suite.colour).video
            self._source = video, found
        return self._source[1]
