"""Whether a file is whole, from its own structure, without decoding a frame.

FFmpeg takes the end of a file for the end of the clip: a WebM or GIF that was cut short simply
yields fewer frames. But every format read here says how long it is, in sizes or in an end mark, so
a cut shows by arithmetic on the bytes:

    mp4       boxes, each with its size       ISO/IEC 14496-12, 4.2; fragments: 8.16.3, 8.8.9
    matroska  elements, each with its size    RFC 8794 (EBML), RFC 9559 (Matroska, WebM)
    gif       blocks, then a trailer          GIF89a specification, appendix A
    png       chunks with checksums, IEND     PNG (third edition), 5
    jpeg      marker segments, then EOI       ITU-T T.81, annex B
"""

import mmap
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.codec.codec import UnknownCodecError

from dreamix.core.errors import NotWhole, Oversized, TooLarge, Unsupported, UserError
from dreamix.core.records import open_file

Data = bytes | mmap.mmap

_STARTS = {
    "mp4": re.compile(rb".{4}(ftyp|moov|mdat|free|skip|wide|pnot|styp)", re.DOTALL),
    "matroska": re.compile(rb"\x1aE\xdf\xa3"),
    "gif": re.compile(rb"GIF8[79]a"),
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
}
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # not stuffing, not a restart, not filling


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what goes wrong while reading `path` into a `UserError` that names it."""
    try:
        yield
    except NotWhole as error:
        raise UserError(
            f"{path} is cut short or damaged: {error}; copy or download it again"
        ) from error
    except Unsupported as error:
        raise UserError(f"{path} {error}") from error
    except Oversized as error:
        raise TooLarge(f"{path} {error}") from error
    except av.FFmpegError as error:
        raise UserError(
            f"{path} cannot be decoded ({error.strerror}): it is damaged, or of a kind that "
            "FFmpeg does not read; copy it again or convert it to MP4"
        ) from error
    except UnknownCodecError as error:
        raise UserError(f"{path} needs {error}, which this FFmpeg is built without") from error
    except MemoryError as error:
        raise TooLarge(
            f"{path} is too large for the memory that is free: close programs, or cut it"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def kind_of(path: Path, other: str = "convert it to MP4") -> str:
    """Return "mp4" (MOV too), "matroska" (WebM too), "gif", "png" or "jpeg" by the first bytes.

    Names are not trusted. Raises `UserError` for anything else, an empty or an unreadable file.
    other: what is said to do with anything else.
    """
    with naming(path):
        with open_file(path) as file:
            head = file.read(12)
        if not head:
            raise Unsupported("is empty (0 bytes)")
        for kind, start in _STARTS.items():
            if start.match(head):
                return kind
        raise Unsupported(
            f"is none of MP4, MOV, WebM, MKV, GIF, PNG, JPEG by its first bytes: {other}"
        )


def stated_frames(path: Path, kind: str) -> int:
    """Return how many frames the structure of a whole video file states; 0 = it has no such number.

    MP4 keeps its number in the sample table, which FFmpeg reads and reports. Raises `UserError` for
    a file that is cut short, and for one that does not say how long it is, such as the recording of
    a program that was killed.
    """
    count = {"mp4": _mp4_frames, "matroska": _matroska_frames, "gif": _gif_frames}[kind]
    with (
        naming(path),
        open_file(path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            return count(data)
        except (IndexError, struct.error) as error:  # the walk ran off the end
            raise NotWhole(f"it ends at byte {len(data)}, in the middle of a part") from error


_NO_LENGTH = (
    "does not say how long it is (a live recording, or one cut short), so frames may be missing: "
    "if it is whole, repack it with `ffmpeg -i IN -c copy OUT`"
)


def _check_end(end: int, data: Data) -> None:
    """Check that a part which states that it ends at byte `end` does so inside the file."""
    if end > len(data):
        raise NotWhole(f"a part of it should end at byte {end}, the file ends at {len(data)}")


# MP4 and MOV


def _boxes(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, first byte of the body, end) of every top-level box."""
    start = 0
    while start < len(data):
        # Filled up with ones, a header that was cut states an end past the end of the file.
        length, name, long_length = struct.unpack(
            ">I4sQ", data[start : start + 16].ljust(16, b"\xff")
        )
        header = 16 if length == 1 else 8
        length = long_length if length == 1 else length
        end = start + max(length, header) if length else len(data)
        yield name, start + header, end
        start = end


def _mp4_frames(data: Data) -> int:
    """Return 0 after checking that every box ends inside the file and an index is there."""
    boxes = list(_boxes(data))
    _check_end(boxes[-1][2], data)
    names = Counter(name for name, _, _ in boxes)
    if not names[b"moov"]:
        raise NotWhole("it has no index (no 'moov' part)")
    if names[b"moof"] and not names[b"mfra"]:
        _check_fragments(data, [box for box in boxes if box[0] == b"sidx"])
    return 0


def _check_fragments(data: Data, indexes: list[tuple[bytes, int, int]]) -> None:
    """Check that the one segment index of a fragmented file ends inside the file."""
    if len(indexes) != 1:
        raise Unsupported(_NO_LENGTH)
    _, body, end = indexes[0]
    wide = data[body] > 0  # version 1 has 64-bit times and offset
    fields = struct.Struct(">QQHH" if wide else ">IIHH")
    _, offset, _, count = fields.unpack_from(data, body + 12)
    first = body + 12 + fields.size
    sizes = (struct.unpack_from(">I", data, first + 12 * i)[0] & 0x7FFFFFFF for i in range(count))
    _check_end(end + offset + sum(sizes), data)


# Matroska and WebM

_SEGMENT, _CLUSTER, _BLOCK_GROUP, _BLOCK, _SIMPLE_BLOCK = 0x18538067, 0x1F43B675, 0xA0, 0xA1, 0xA3
_TRACKS, _TRACK_ENTRY, _TRACK_NUMBER, _TRACK_TYPE = 0x1654AE6B, 0xAE, 0xD7, 0x83
_NESTED = (_SEGMENT, _CLUSTER, _BLOCK_GROUP, _TRACKS, _TRACK_ENTRY)  # looked into, not skipped
_VIDEO = 1  # track type


def _variable_int(data: Data, start: int) -> tuple[int, int]:
    """Return the EBML number at `start`, its length marker kept, and its length in bytes."""
    length = 9 - data[start].bit_length()
    if length > 8:
        raise NotWhole(f"byte {start} starts no element")
    return int.from_bytes(data[start : start + length], "big"), length


def _element(data: Data, start: int) -> tuple[int, int, int]:
    """Return (identifier, first byte of the body, end) of the element at `start`."""
    identifier, width = _variable_int(data, start)
    size, size_width = _variable_int(data, start + width)
    body = start + width + size_width
    ones = (1 << 7 * size_width) - 1
    if (size := size & ones) == ones and body <= len(data):
        raise Unsupported(_NO_LENGTH)
    _check_end(body + size, data)
    return identifier, body, body + size


def _matroska_frames(data: Data) -> int:
    """Return the number of blocks of the first video track."""
    blocks: Counter[int] = Counter()
    tracks: list[dict[int, int]] = []
    start = 0
    while start < len(data):
        identifier, body, end = _element(data, start)
        if identifier in (_BLOCK, _SIMPLE_BLOCK):
            number, width = _variable_int(data, body)
            blocks[number & ((1 << 7 * width) - 1)] += 1
        elif identifier == _TRACK_ENTRY:
            tracks.append({})
        elif identifier in (_TRACK_NUMBER, _TRACK_TYPE) and tracks:
            tracks[-1][identifier] = int.from_bytes(data[body:end], "big")
        start = body if identifier in _NESTED else end
    video = [track.get(_TRACK_NUMBER, 0) for track in tracks if track.get(_TRACK_TYPE) == _VIDEO]
    return blocks[video[0]] if video else 0


# GIF


def _palette_bytes(flags: int) -> int:
    """Return the size of the colour table that `flags` announce, in bytes."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _gif_frames(data: Data) -> int:
    """Return the number of images between the header and the trailer."""
    images, start = 0, 13 + _palette_bytes(data[10])
    while (block := data[start]) != 0x3B:
        if block == 0x2C:  # image: descriptor, palette, one byte of code size
            images += 1
            start += 11 + _palette_bytes(data[start + 9])
        elif block == 0x21:  # extension: its label
            start += 2
        else:
            raise NotWhole(f"byte {start} starts no block")
        while data[start]:  # sub-blocks, each after its length; a zero ends them
            start += 1 + data[start]
        start += 1
    return images


# Still pictures: these return the EXIF block, for the orientation of the camera


def picture_size(data: bytes, kind: str) -> tuple[int, int]:
    """Return width and height as the header of a PNG or JPEG states them; (0, 0) if none does."""
    if kind == "png":
        return struct.unpack_from(">II", data.ljust(24, b"\0"), 16)
    start = 2
    while found := _MARKER.search(data, start):
        marker, start = data[found.end() - 1], found.end()
        length = int.from_bytes(data[start : start + 2], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            height, width = struct.unpack(">HH", data[start + 3 : start + 7].ljust(4, b"\0"))
            return width, height
        start += 0 if marker == 0x01 else length
    return 0, 0


def png_exif(data: bytes) -> bytes:
    """Return the EXIF block of a whole PNG, empty if there is none; else raise `NotWhole`."""
    exif, start, name = b"", 8, b""
    while name != b"IEND":
        if start + 12 > len(data):
            raise NotWhole(f"it ends at byte {len(data)} without an IEND chunk")
        length, name = struct.unpack_from(">I4s", data, start)
        end = start + 8 + length
        if data[end : end + 4] != struct.pack(">I", zlib.crc32(data[start + 4 : end])):
            raise NotWhole(f"the checksum of its {name.decode('latin-1')!r} chunk is wrong")
        if name == b"acTL":
            raise Unsupported("is an animated PNG: convert it to GIF or MP4")
        exif = data[start + 8 : end] if name == b"eXIf" else exif
        start = end + 4
    return exif


def jpeg_exif(data: bytes) -> bytes:
    """Return the EXIF block of a whole JPEG, empty if there is none; else raise `NotWhole`."""
    exif, start = b"", 2
    while found := _MARKER.search(data, start):
        marker, start = data[found.end() - 1], found.end()
        if marker == 0xD9:  # end of image
            return exif
        if marker == 0x01:  # the one other marker without a length
            continue
        body = data[start + 2 : start + int.from_bytes(data[start : start + 2], "big")]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            exif = body[6:]
        start += 2 + len(body)
    raise NotWhole(f"it ends at byte {len(data)} without an end mark")


def exif_orientation(exif: bytes) -> int:
    """Return the EXIF orientation, 1 to 8 (TIFF 6.0, tag 274); 1 = upright, also if not stated."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        entries = [
            struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * i) for i in range(count)
        ]
    except struct.error:  # a broken block states nothing
        return 1
    stated = [value for tag, _, _, value in entries if tag == 274 and 1 <= value <= 8]
    return stated[0] if stated else 1
