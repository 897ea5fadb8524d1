"""Clips as browsers play them, under names that cannot be guessed and tell nothing."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from dreamix.core.media import probe, read_video, sha256_file, write_video
from dreamix.core.records import write_whole
from dreamix.core.video import Video
from study_app.plan import SECRET

FOLDER = "media"
_RECIPE = "1"  # goes into every name: a clip made otherwise is another file


class Media:
    """The media folder of a study; a clip that is there already is not made again."""

    def __init__(self, folder: Path, height: int) -> None:
        self.folder, self.height = folder / FOLDER, height
        self.secret = _secret(folder / SECRET)
        self.used: set[str] = set()
        self._made: dict[str, Path] = {}  # content -> a clip of it

    def seconds(self, name: str) -> float:
        """Return how long a clip is."""
        path = self.folder / f"{name}.mp4"
        return probe(path).duration or read_video(path).duration

    def of_file(self, path: Path, role: str) -> str:
        """Return the name under which a clip is served.

        role: what it is shown as. One clip in two roles has two names: a source that also stands
        as an edit is not known by its address.
        """
        return self._kept(sha256_file(path), role, lambda: read_video(path))

    def of_video(self, name: str, role: str, video: Video) -> str:
        """Return the name of a clip that is no file; `name` says which it is."""
        return self._kept(name, role, lambda: video)

    def _kept(self, content: str, role: str, load: Callable[[], Video]) -> str:
        text = f"{_RECIPE}:{self.height}:{role}:{content}"
        name = hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()[:32]
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            self._make(path, content, load)
        self._made.setdefault(content, path)
        self.used.add(path.name)
        return name

    def _make(self, path: Path, content: str, load: Callable[[], Video]) -> None:
        """Write a clip, or give one of the same content this name too where links are possible."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.link(self._made[content], path)
        except (KeyError, OSError):
            write_video(path, at_height(load(), self.height))

    def remove_others(self) -> None:
        """Remove clips that the plan does not name any more."""
        for path in self.folder.glob("*.mp4"):
            if path.name not in self.used:
                path.unlink()


def at_height(video: Video, height: int) -> Video:
    """Return the clip about `height` pixels high.

    Small clips are enlarged by a whole factor, pixel by pixel, so that nothing is smoothed away;
    large ones are reduced by area means. What is left to its height the browser does.
    """
    if video.height > height:
        size = (max(2, round(video.width * height / video.height / 2) * 2), height)
        smaller = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in video.frames]
        return Video(np.stack(smaller), video.fps, video.times)
    factor = height // video.height
    larger = video.frames.repeat(factor, axis=1).repeat(factor, axis=2)
    return Video(larger, video.fps, video.times)


def _secret(path: Path) -> bytes:
    """Return the secret that names are made with, drawn at the first build."""
    if not path.exists():
        with write_whole(path, private=True) as file:
            file.write(secrets.token_hex(32).encode())
    return path.read_bytes()
