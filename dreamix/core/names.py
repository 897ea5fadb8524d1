"""Names: those that may become files, how they are shown, and what is meant by a wrong one."""

import os
import unicodedata
from functools import lru_cache

PATH, NAME = 4000, 255  # bytes
LENGTH = 200  # bytes; leaves room for `.json` and a temporary suffix in the 255 of a file name
ODD = '/\\<>:"|?*'  # some system takes them for something else than a letter of a name
MOST_KNOWN, MOST_LETTERS = 2000, 200  # beyond these no name is guessed


@lru_cache(4096)
def why_not_plain(name: str) -> str | None:
    """Return why `name` cannot name a file in a folder on every system; None where it can."""
    if not name:
        return "it is empty"
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in name):
        return "it holds a character that cannot be seen"
    if len(name.encode()) > LENGTH:
        return f"it is longer than {LENGTH} bytes"
    if found := [sign for sign in ODD if sign in name]:
        return f"it holds {found[0]}"
    if name[0] in ".- " or name[-1] in ". ":
        return "it starts with a dot, a dash or a space, or ends with a dot or a space"
    return None


def plain_name(name: str) -> str:
    """Return `name`; one that cannot name a file in a folder is a `ValueError` that says why."""
    if why := why_not_plain(name):
        raise ValueError(f"{shown(name)} cannot name a file: {why}")
    return name


def why_no_path(text: str) -> str | None:
    """Return why `text` is a path on no system; None where there may be such a place."""
    if "\0" in text:
        return "a path holds no NUL character"
    if len(os.fsencode(text)) > PATH or any(len(os.fsencode(x)) > NAME for x in text.split("/")):
        return f"it is longer than the {PATH} bytes of a path or the {NAME} of a name"
    return None


def shown(value: object, most: int = 60) -> str:
    """Return a value in quotes for a message of one line, shortened."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def one_line(text: str) -> str:
    """Return text of whatever origin as one line that any terminal can show."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(sign: str) -> str:
    """Return a character; a line break as a space; what cannot be shown as its code."""
    if sign.isprintable() or unicodedata.category(sign) == "Zs":
        return sign
    return " " if sign.isspace() else ascii(sign)[1:-1]


def near_misses(name: str, known: list[str]) -> str:
    """Return ", did you mean a or b?" for the names closest to `name`, or an empty string."""
    if len(known) > MOST_KNOWN or len(name) > MOST_LETTERS:
        return ""  # comparing all with all would take longer than reading the list
    import difflib  # costs what is for mistakes only

    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f", did you mean {' or '.join(close)}?" if close else ""
