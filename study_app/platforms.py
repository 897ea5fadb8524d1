"""Recruiting platforms: how their links name people, and how those names look.

Somebody who comes twice is one person, however the link was copied: names are compared without
blanks around them, in one form of Unicode and one case. A name that is no name of the platform's,
or a placeholder that nobody filled, makes the link unknown: all who come by it would be one person.

Prolific: a participant's id has 24 hexadecimal digits (help: "Integrating with Prolific"). MTurk: a
worker's id begins with A, and a preview has ASSIGNMENT_ID_NOT_AVAILABLE (API: ExternalQuestion).
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

LONGEST = 200  # of a name; longer ones are forged
NEEDS_ID = ("prolific", "mturk")
PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
_PLACEHOLDER = re.compile(
    r".*(\{\{|\}\}|[$#]\{|%%|<%|%>).*"  # of a template, wherever it stands
    r"|[\[<{$%(].*[\]>}$%)]"  # in brackets
    r"|[$:]\w+"  # a variable
    r"|[!-/:-@\[-`{-~ ]*"  # signs alone, or nothing
)
# What programs write where there is nothing, and the names of the places, without signs.
_NOBODY = {
    *("undefined", "null", "nil", "none", "nan", "n/a", "false", "object object"),
    *("anonymous", "unknown", "prolific pid", "pid", "prolific id", "participant id"),
    *("workerid", "worker id", "your id", "your id here", "insert id here"),
}
# Letters and marks that are not drawn, and are no format characters to Unicode (its property
# Default_Ignorable_Code_Point): joiners of graphemes, fillers, selectors of variants.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)


class LinkParameters(NamedTuple):
    """What stands in a link, and how the name of a person looks."""

    person: str
    session: str
    study: str
    pattern: re.Pattern[str]
    looks: str  # the pattern in words
    case: Callable[[str], str]


PLATFORMS = {
    "prolific": LinkParameters(
        "PROLIFIC_PID", "SESSION_ID", "STUDY_ID",
        re.compile(r"[0-9a-f]{24}"), "24 hexadecimal digits", str.lower,
    ),
    "mturk": LinkParameters(
        "workerId", "assignmentId", "hitId",
        re.compile(r"A[0-9A-Z]{5,29}"), "an A and capital letters or digits", str.upper,
    ),
}  # fmt: skip


def person_id(kind: str, text: str | None) -> str | None:
    """Return a person's name as it is compared and kept; None if it can be nobody's.

    kind: of recruiting; one that is no platform takes any name.
    """
    found = clean_id(text)
    platform = PLATFORMS.get(kind)
    if found is None or platform is None:
        return found and unicodedata.normalize("NFKC", found.casefold())
    found = platform.case(found)
    return found if platform.pattern.fullmatch(found) else None


def clean_id(text: str | None) -> str | None:
    """Return a name without what cannot be seen; None if it is too long or a placeholder."""
    if text is None or len(text) > LONGEST:
        return None
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    seen = "".join(c for c in seen if unicodedata.category(c) != "Cf")
    found = " ".join(unicodedata.normalize("NFKC", seen).split())
    if is_placeholder(found) or found.upper() == PREVIEW:
        return None
    return found if found.isprintable() else None


def is_placeholder(text: str) -> bool:
    """Return True for what stands in a link that nobody filled, or filled with nothing."""
    while (plain := unquote(text)) != text:
        text = plain  # in percent, and that in percent once more
    return bool(_PLACEHOLDER.fullmatch(text)) or {text.lower(), _bare(text)} & _NOBODY != set()


def _bare(text: str) -> str:
    """Return a word without signs around it and between its parts."""
    return re.sub(r"[\W_]+", " ", text).strip().lower()
