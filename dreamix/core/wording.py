"""Counts and lists in sentences."""

import re
import shlex
from collections.abc import Sequence


def command(*words: object) -> str:
    """Return a call of the program as a message names it, to be copied as it is."""
    return f"`{shlex.join(['dreamix', *map(str, words)])}`"


def plural(count: int, noun: str) -> str:
    """Return "1 video", "2 videos", "2 entries"; of a longer noun the first word is changed."""
    head, _, rest = noun.partition(" of ")
    if count != 1:
        head = f"{head[:-1]}ies" if re.search("[^aeiou]y$", head) else f"{head}s"
    return f"{count} {head}{f' of {rest}' if rest else ''}"


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def is_are(count: int) -> str:
    """Return the verb after so many."""
    return "is" if count == 1 else "are"


def percent(part: float, whole: float) -> str:
    """Return "12%"; what is neither none nor all is neither 0% nor 100%."""
    share = part / whole
    if 0 < share < 0.01:
        return "under 1%"
    return "over 99%" if 0.99 < share < 1 else f"{share:.0%}"


def titled(text: str) -> str:
    """Return a text whose first letter is a capital; the others stay as they are."""
    return text[:1].upper() + text[1:]
