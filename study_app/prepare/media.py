"""Clips as browsers play them, under names that cannot be guessed, in files that tell nothing else.

Two clips of one picture have other bytes and another size: the quality is drawn between that of
16 and of 18 (x264's crf, nothing of which is seen), and a box of zeros follows that players skip.
What the encoder writes of its settings is blotted out. All of it hangs on the name of the clip, so
that a clip made again is the same, and nobody without the study's secret can tell what was drawn.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, sha256_file
from dreamix.core.media_write import lossy, write_mp4
from dreamix.core.places import inside, own_folder
from dreamix.core.records import read_bytes, write_whole
from dreamix.core.video import Video
from study_app.plan import SECRET, SECRET_BYTES, Plan, ServedClip

_SOURCES, _EDITS = 16.0, 17.5  # crf, from which it is drawn: a step of the quantiser lies between
_STEPS = 50  # of a hundredth each
_SETTINGS = re.compile(rb"x264 - core [\x20-\x7e]*")
FOLDER = "media"
_RECIPE = "2"  # goes into every name: a clip made otherwise is another file


def write_clip(path: Path, video: Video, drawn: bytes, *, source: bool) -> None:
    """Write a clip for browsers, whole or not at all.

    drawn:  random bytes, eight or more, that are this clip's own.
    source: a source and an edit never have the same settings or size, whatever was drawn.
    """
    quality = _SOURCES if source else _EDITS
    quality += int.from_bytes(drawn[:4], "big") % _STEPS / 100
    settings = lossy(18)
    options = settings.options | {"crf": f"{quality:.2f}"}
    unfinished = path.with_name(f".{path.stem}.part.mp4")
    try:
        write_mp4(unfinished, video, settings._replace(options=options))
        content = _SETTINGS.sub(lambda found: b" " * len(found[0]), unfinished.read_bytes())
        with write_whole(path) as file:
            file.write(content + _zeros(len(content), drawn, even=source))
    finally:
        unfinished.unlink(missing_ok=True)


def _zeros(size: int, drawn: bytes, *, even: bool) -> bytes:
    """Return a `free` box (ISO/IEC 14496-12) of up to a fifth of the file, or 4 kB if that is more.

    Its length is eight bytes of head and at least one; `even` says which sizes a file may have.
    """
    many = 9 + int.from_bytes(drawn[4:8], "big") % max(4096, size // 5)
    many += (size + many + (not even)) % 2
    return many.to_bytes(4, "big") + b"free" + bytes(many - 8)


class MediaFolder:
    """The media folder of a study; a clip that is there already is not made again."""

    def __init__(self, folder: Path, height: int) -> None:
        is_new = not (folder / FOLDER).exists()
        self.folder, self.height = own_folder(folder / FOLDER), height
        if is_new:
            self.folder.chmod(0o700)
        self.secret = _secret(folder / SECRET)
        self.clips: dict[str, ServedClip] = {}  # all that were named
        self._sources: dict[str, Path] = {}  # content -> a source that has it

    def longest(self, *names: str) -> float:
        """Return the seconds of the longest of some clips."""
        return max(self.clip(name).seconds for name in names)

    def clip(self, name: str) -> ServedClip:
        """Return what is known of a clip that was made."""
        if name not in self.clips:
            path = self.folder / f"{name}.mp4"
            seconds = probe(path).duration or read_video(path).duration
            self.clips[name] = ServedClip(seconds, sha256_file(path))
        return self.clips[name]

    def of_file(
        self, path: Path, role: str, colour: str | None = None, *, source: bool = False
    ) -> str:
        """Return the name under which a clip is served.

        role:   what it is shown as. One clip in two roles has two names and other bytes: a source
                that also stands as an edit is not known by its address nor by its size.
        colour: see `read_video`.
        source: it is shown as a source; those of one video may be the same bytes.
        """
        content = " ".join(filter(None, (sha256_file(path), colour)))
        return self._kept(content, role, lambda: read_video(path, colour=colour), source)

    def of_video(self, name: str, role: str, video: Video) -> str:
        """Return the name of a clip that is no file; `name` says which it is."""
        return self._kept(name, role, lambda: video, False)

    def _kept(self, content: str, role: str, load: Callable[[], Video], source: bool) -> str:
        text = f"{_RECIPE}:{self.height}:{role}:{content}"
        name = self._drawn(text).hex()[:32]
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            self._make(path, content, load, source)
        if source:
            self._sources.setdefault(content, path)
        self.clip(name)
        return name

    def _make(self, path: Path, content: str, load: Callable[[], Video], source: bool) -> None:
        """Write a clip; a source is what another of the same video is, if links are possible."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if source and content in self._sources:
            with suppress(OSError):
                os.link(self._sources[content], path)
                return
        drawn = self._drawn(f"settings of {content if source else path.stem}")
        write_clip(path, at_height(load(), self.height), drawn, source=source)

    def _drawn(self, text: str) -> bytes:
        """Return bytes that hang on a text and on the study's secret."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).digest()


def others_in(folder: Path, plan: Plan) -> list[Path]:
    """Return the clips of a study's folder that its plan does not name."""
    return [path for path in (folder / FOLDER).glob("*.mp4") if path.stem not in plan.clips]


def check_media(folder: Path, plan: Plan) -> None:
    """Raise a `UserError` if a clip that raters are shown is not the one that was declared."""
    for name in dict.fromkeys(name for item in plan.items for name in item.clips):
        path = folder / FOLDER / f"{name}.mp4"
        if not path.is_file() or sha256_file(path) != plan.clips[name].sha256:
            what = "has changed since" if path.is_file() else "is gone, it was there when"
            raise UserError(
                f"{path} {what} the study was built: restore it, or run `dreamix study build "
                f"{folder}` again"
            )


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
    return read_bytes(inside(path.parent, path.name), SECRET_BYTES)
