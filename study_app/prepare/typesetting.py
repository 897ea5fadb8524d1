"""Sets words as lines of the largest letters that fit into a box."""

import re
from bisect import bisect_left
from itertools import groupby
from typing import Any, NamedTuple

from PIL import ImageFont

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from study_app.prepare.lettering import Lettering, Token, face, has_layout
from study_app.prepare.line_breaking import TextPart, cut

_TAG = re.compile(r"[A-Za-z0-9-]{2,35}")  # of a language, such as zh-Hant
LEAST = 12  # pixels of the letters: smaller ones cannot be read in every script
WIDTH, HEIGHT = 0.94, 0.9  # shares of the box that the ink may take


class TypesetPiece(NamedTuple):
    """A part of a line in one font, and how far right of the line's start it stands."""

    text: str
    font: ImageFont.FreeTypeFont
    at: float


class TypesetLine(NamedTuple):
    """A line, and the box of its ink around the start of its baseline."""

    pieces: tuple[TypesetPiece, ...]
    left: float
    top: float
    right: float
    bottom: float


class TypesetPage(NamedTuple):
    """Lines of letters of one size, how far apart they stand, and how Pillow is to set them."""

    lines: list[TypesetLine]
    pitch: float
    options: dict[str, Any]

    @property
    def height(self) -> float:
        """Return the height of all ink."""
        return self.pitch * (len(self.lines) - 1) + self.lines[-1].bottom - self.lines[0].top


def typeset(words: Lettering, width: int, height: int) -> TypesetPage:
    """Return words in the largest letters that fit into a box.

    Words are broken only where they are too long for a line even in the smallest letters.

    Raises:
        UserError: if there is no room for them.
    """
    tokens = _Typesetter(words, LEAST).short(words.tokens, WIDTH * width)

    def fitting(size: int) -> TypesetPage | None:
        found = _Typesetter(words, size).page(tokens, WIDTH * width)
        return found if found is not None and found.height <= HEIGHT * height else None

    sizes = range(LEAST, max(LEAST, height // 4) + 1)
    too_large = bisect_left(sizes, True, key=lambda size: fitting(size) is None)
    if too_large and (largest := fitting(sizes[too_large - 1])):
        return largest
    text = "".join((token.gap or "") + token.text for token in words.tokens).strip()
    raise UserError(
        f"there is no room for {shown(text)} on a clip of {width} x {height} pixels: shorten it, "
        "or raise display_height"
    )


class _Typesetter:
    """Sets words in letters of one size."""

    def __init__(self, words: Lettering, size: int) -> None:
        self.fonts = {token.font: face(token.font, size) for token in words.tokens}
        direction = "rtl" if words.is_right_to_left else "ltr"
        tag = words.language if _TAG.fullmatch(words.language) else None
        options: dict[str, Any] = {"direction": direction, "language": tag}
        self.options = options if has_layout() else {}

    def page(self, tokens: list[Token], room: float) -> TypesetPage | None:
        """Return words as lines, or None if one of them is wider than the room."""
        lines: list[TypesetLine] = []
        begun: list[Token] = []
        for group in _unbroken(tokens):
            if begun and self.width([*begun, *group]) > room:
                lines.append(self.line(begun))
                begun = []
            begun = [*begun, *group]
            if self.width(begun) > room:
                return None
        lines.append(self.line(begun))
        heights = [sum(font.getmetrics()) for font in self.fonts.values()]
        ink = max(line.bottom for line in lines) - min(line.top for line in lines)
        return TypesetPage(lines, max(*heights, ink), self.options)

    def short(self, tokens: tuple[Token, ...], room: float) -> list[Token]:
        """Return words, those that are wider than the room in their smallest parts."""
        found: list[Token] = []
        for group in _unbroken(tokens):
            if self.width(group) <= room:
                found += group
            else:
                found += [
                    Token(*part, t.font) for t in group for part in cut(TextPart(t.text, t.gap))
                ]
        return found

    def width(self, tokens: list[Token]) -> float:
        """Return how wide the ink of a line is."""
        line = self.line(tokens)
        return line.right - line.left

    def line(self, tokens: list[Token]) -> TypesetLine:
        """Return words as one line: parts in several fonts stand in the direction of reading."""
        pieces, boxes, at = [], [], 0.0
        for text, font in self._parts(tokens):
            pieces.append(TypesetPiece(text, font, at))
            left, top, right, bottom = font.getbbox(text, anchor="ls", **self.options)
            boxes.append((at + left, top, at + right, bottom))
            at += font.getlength(text, **self.options)
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return TypesetLine(tuple(pieces), min(lefts), min(tops), max(rights), max(bottoms))

    def _parts(self, tokens: list[Token]) -> list[tuple[str, ImageFont.FreeTypeFont]]:
        """Return the parts of a line in one font each, from left to right."""
        grouped = [(font, list(group)) for font, group in groupby(tokens, lambda t: t.font)]
        texts = ["".join((t.gap or "") + t.text for t in group) for _, group in grouped]
        texts[0] = texts[0].lstrip(" ")
        parts = [(text, self.fonts[font]) for text, (font, _) in zip(texts, grouped, strict=True)]
        return parts[::-1] if self.options.get("direction") == "rtl" else parts


def _unbroken(tokens: tuple[Token, ...] | list[Token]) -> list[list[Token]]:
    """Return words in groups within which no line ends."""
    found: list[list[Token]] = []
    for token in tokens:
        if token.gap is None and found:
            found[-1].append(token)
        else:
            found.append([token])
    return found
