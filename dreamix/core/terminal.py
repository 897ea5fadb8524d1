"""Text for any terminal: what its encoding lacks is written in characters that it has.

A minus sign becomes a hyphen, a letter loses its accent, anything else is shown as its number
(backslash, u, four digits); bytes of a file name that are no text come out as they went in.
"""

import codecs
import sys
import unicodedata

ERRORS, ASCII = "dreamix_plain", "dreamix_ascii"
LOOK_ALIKES = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{MIDDLE DOT}": ".",
    "\N{BULLET}": "*",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{UPWARDS ARROW}": "^",
    "\N{DOWNWARDS ARROW}": "v",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LEFTWARDS ARROW}": "<-",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{ALMOST EQUAL TO}": "~",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{DAGGER}": "+",
    "\N{FULL BLOCK}": "#",
}


def use_any_terminal() -> None:
    """Let standard output and standard error take every text, whatever their encoding."""
    codecs.register_error(ERRORS, _plain)
    codecs.register(_plain_ascii)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            ascii_ = codecs.lookup(stream.encoding).name == "ascii"
            # Click takes a stream called "ascii" for a mistake and writes UTF-8 to it.
            reconfigure(encoding=ASCII if ascii_ else stream.encoding, errors=ERRORS)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the first character that could not be encoded in ASCII, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    if 0xDC80 <= ord(character) <= 0xDCFF:
        return bytes([ord(character) - 0xDC00]), error.start + 1
    return _spelled(character), error.start + 1


def _spelled(character: str) -> str:
    if character in LOOK_ALIKES:
        return LOOK_ALIKES[character]
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return bare or character.encode("ascii", "backslashreplace").decode()


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under a name of its own."""
    if name != ASCII:
        return None
    found = codecs.lookup("ascii")
    return codecs.CodecInfo(
        name=ASCII,
        encode=found.encode,
        decode=found.decode,
        incrementalencoder=found.incrementalencoder,
        incrementaldecoder=found.incrementaldecoder,
        streamreader=found.streamreader,
        streamwriter=found.streamwriter,
    )
