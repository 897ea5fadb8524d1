"""What a file tells besides its picture: nothing by which raters could know one clip from another.

Two clips of one picture have other bytes and another size: the quality is drawn between that of
16 and of 18 (x264's crf, nothing of which is seen), and a box of zeros follows that players skip.
What the encoder writes of its settings is blotted out. All of it hangs on the name of the clip, so
that a clip made again is the same, and nobody without the study's secret can tell what was drawn.
"""

import re
from pathlib import Path

from dreamix.core.media_write import lossy, write_mp4
from dreamix.core.records import write_whole
from dreamix.core.video import Video

_SOURCES, _EDITS = 16.0, 17.5  # crf, from which it is drawn: a step of the quantiser lies between
_STEPS = 50  # of a hundredth each
_SETTINGS = re.compile(rb"x264 - core [\x20-\x7e]*")


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
