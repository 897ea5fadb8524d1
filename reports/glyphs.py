"""Fonts of figures for characters that DejaVu Sans, which comes with matplotlib, does not have.

A character is drawn in the first font installed here that has it. One that none has is drawn as a
box, and the caption of the figure says so: `lacking` returns it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from dreamix.core.fonts import NO_FONT, OWN, has, installed, own_font, place


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out matplotlib's warnings of glyphs that no font has: a caption says it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)Glyph .* missing from", module="")
        yield


def give_fonts(drawing: Figure) -> str:
    """Give every text of a figure the fonts it needs; return the characters that none has."""
    written = [text for text in drawing.findobj(Text) if isinstance(text, Text)]
    for text in written:
        if len(names := families(text.get_text())) > 1:
            text.set_fontfamily(names)
    return "".join(dict.fromkeys(c for text in written for c in lacking(text.get_text())))


def families(text: str) -> list[str]:
    """Return the fonts in which a text can be drawn, the common one first."""
    return [OWN, *dict.fromkeys(name for c in _foreign(text) if (name := font_with(c)))]


def lacking(text: str) -> list[str]:
    """Return the characters of a text that no installed font has."""
    return [c for c in _foreign(text) if not font_with(c)]


def _foreign(text: str) -> list[str]:
    return [c for c in text if not c.isspace() and not has(own_font(), c)]


def boxes_note(characters: str) -> str:
    """Return what a caption says of characters that are drawn as boxes."""
    if not characters:
        return ""
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in characters[:5])
    more = f" and {len(characters) - 5} more" if len(characters) > 5 else ""
    return (
        f" Boxes in the figure stand for {named}{more}, which no font has where this report was "
        "made; with a Noto font of the script there, a new report shows them."
    )


@lru_cache(maxsize=4096)
def font_with(character: str) -> str | None:
    """Return the name of an installed font that has a character, preferred ones first."""
    return next((name for name, path in _fonts() if has(path, character)), None)


@lru_cache(maxsize=1)
def _fonts() -> tuple[tuple[str, str], ...]:
    """Return (name, path) of upright fonts, one a name, the best place to look first.

    matplotlib keeps a list from its first start: fonts that were installed since are added to it.
    """
    known = {one.fname for one in fontManager.ttflist}
    for font in installed():
        if font.path not in known:
            fontManager.addfont(font.path)
    named = {
        one.name: one.fname
        for one in sorted(fontManager.ttflist, key=lambda one: (one.name, one.weight != 400))[::-1]
        if one.style == "normal" and not one.name.startswith(NO_FONT)
    }
    return tuple(sorted(named.items(), key=lambda pair: (place(pair[0]), pair[0])))
