"""Where lines of a text may end, in any script, and how it is read.

Words end at blanks. Chinese and Japanese have none: a line may end after any character, but closing
marks and small kana do not begin one and opening marks do not end one (Unicode's UAX 14, without
its dictionaries). Of Thai, Lao, Khmer and Burmese only the blanks and U+200B are known; in Tibetan
a line may end after a tsheg.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")  # without those that hold words together
_MAY_END = "\u200b"
_TSHEG = "\u0f0b"  # ends a syllable of Tibetan
_CLOSING, _OPENING = ("Pe", "Pf", "Po"), ("Ps", "Pi")  # categories of marks
_NOT_FIRST = frozenset("ー々ゝゞヽヾぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ")
_MARKS = ("Mn", "Mc", "Me", "Cf")
_VIRAMA = 9  # its combining class
_MARKS_BY_NATURE = frozenset("\u0e33\u0eb3")  # Thai and Lao "am": letters to Unicode
_BEFORE_ITS_LETTER = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")
_JOINED_WITHOUT_MARKS = ("MONGOLIAN", "PHAGS-PA", "MANICHAEAN", "SOGDIAN", "CHORASMIAN")


class TextPart(NamedTuple):
    """A part of a text that stands on one line.

    gap: what is before it: a blank, nothing, or None where no line may end.
    """

    text: str
    gap: str | None


def text_parts(text: str) -> list[TextPart]:
    """Return the parts of a text between which a line may end."""
    composed = unicodedata.normalize("NFC", text).replace("\u00ad", "")
    found: list[TextPart] = []
    for word in filter(None, _BLANKS.split(composed)):
        pieces = [piece for bit in word.split(_MAY_END) for piece in _pieces(bit)]
        found += [TextPart(piece, "" if number else " ") for number, piece in enumerate(pieces)]
    return found


def _pieces(word: str) -> list[str]:
    """Return a word, cut around the characters of scripts without blanks."""
    found: list[str] = []
    for one in clusters(word):
        if found and _holds(found[-1], one):
            found[-1] += one
        else:
            found.append(one)
    return found


def _holds(before: str, after: str) -> bool:
    """Return True if no line may end between two parts of a word."""
    last, first = before[-1], after[0]
    if last == _TSHEG:
        return first == _TSHEG or unicodedata.category(first) in _CLOSING
    if first in _NOT_FIRST or unicodedata.category(first) in _CLOSING:
        return True
    if unicodedata.category(last) in _OPENING:
        return True
    return not (_is_wide(last) or _is_wide(first))


def _is_wide(character: str) -> bool:
    """Return True for a character of Chinese or Japanese; Korean has blanks."""
    is_wide = unicodedata.east_asian_width(character) in ("W", "F")
    return is_wide and not unicodedata.name(character, "").startswith("HANGUL")


def clusters(text: str) -> list[str]:
    """Return the characters of a text, each with its marks and what a virama joins to it."""
    found: list[str] = []
    for character in text:
        if found and (_is_mark(character) or _joins(found[-1][-1])):
            found[-1] += character
        else:
            found.append(character)
    return found


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS or character in _MARKS_BY_NATURE


def _joins(character: str) -> bool:
    """Return True for a virama, a joiner, and a vowel that is written before its letter."""
    return (
        unicodedata.combining(character) == _VIRAMA
        or character == "\u200d"
        or character in _BEFORE_ITS_LETTER
    )


def cut(part: TextPart) -> Iterator[TextPart]:
    """Give a part in its smallest ones; the last resort where a word is too long for a line."""
    for number, one in enumerate(clusters(part.text)):
        yield TextPart(one, "" if number else part.gap)


def needs_layout(text: str) -> bool:
    """Return True if letters change with their neighbours, or are not one after the other."""
    return any(
        unicodedata.bidirectional(character) in ("R", "AL", "AN")
        or _is_mark(character)
        or unicodedata.name(character, "").startswith(_JOINED_WITHOUT_MARKS)
        for character in text
    )
