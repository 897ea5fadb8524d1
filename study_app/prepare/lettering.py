"""Which fonts draw a text, in any script; a text that none can draw is refused.

Fonts are tried in this order: those that study.yaml names (`checks.font`), the one that comes with
matplotlib (Latin, Greek, Cyrillic, Hebrew, Arabic), those of the machine. One that has all of a
text goes before several. Scripts that are joined, stacked or read from the right need a layout
engine: Raqm with HarfBuzz and FriBiDi, which Pillow has where it finds FriBiDi on the machine.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import ImageFont, features

from dreamix.core.errors import UserError
from dreamix.core.fonts import has, installed, own_font
from dreamix.core.media import sha256_file
from study_app.prepare.line_breaking import TextPart, needs_layout, text_parts
from study_app.spec.texts import is_right_to_left

_TRIED = 32  # pixels at which letters are looked at
_WAYS = (
    "install one that has (Noto fonts have every script), or name its file in study.yaml as "
    "checks.font"
)


class Token(NamedTuple):
    """A part of a text (see `TextPart`) and the font that draws it."""

    text: str
    gap: str | None
    font: str


class Lettering(NamedTuple):
    """How one text is drawn."""

    language: str
    is_right_to_left: bool
    tokens: tuple[Token, ...]

    def identity(self) -> str:
        """Return a text that differs if the fonts do: with others it is another picture."""
        return " ".join(sha256_file(Path(font)) for font in sorted({t.font for t in self.tokens}))


def lettering(text: str, language: str = "", named: Sequence[Path] = ()) -> Lettering:
    """Return how a text is drawn; a `UserError` names the letters that nothing here can draw.

    language: a tag such as zh-Hant: where languages write a letter differently, it decides.
    named:    fonts to try first.
    """
    units = text_parts(text)
    written = [c for c in dict.fromkeys("".join(unit.text for unit in units)) if _is_seen(c)]
    if needs_layout(text) and not has_layout():
        raise UserError(_no_layout(written))
    fonts = [*(str(path) for path in named), own_font()]
    tokens = _tokens(units, fonts, written)
    return Lettering(language, is_right_to_left(text), tuple(tokens))


def has_layout() -> bool:
    """Return True if Pillow can join letters and set them from the right."""
    return bool(features.check("raqm") and features.check("fribidi"))


def check_fonts(named: Iterable[Path]) -> None:
    """Raise a `UserError` for a file that is no font."""
    for path in named:
        if not path.is_file():
            raise UserError(f"checks.font: there is no file {path}")
        try:
            face(str(path), _TRIED)
        except OSError as error:
            raise UserError(
                f"checks.font: {path} is not a font that can be used: {error}"
            ) from None


def face(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font at a size in pixels; of a variable one, its regular weight."""
    font = ImageFont.truetype(path, size)
    try:
        if b"Regular" in font.get_variation_names():
            font.set_variation_by_name("Regular")
    except OSError:  # it has one weight
        pass
    return font


def _tokens(units: list[TextPart], fonts: list[str], written: list[str]) -> list[Token]:
    """Return a text in one font, or each part in the first that has it."""
    everywhere = [*fonts, *(font.path for font in installed())]
    if whole := _font_for(written, fonts) or _font_for(written, everywhere):
        return [Token(*unit, whole) for unit in units]
    if missing := [c for c in written if not _font_for(c, everywhere)]:
        raise UserError(f"no font here has {_listed(missing)}: {_WAYS}")
    return [token for unit in units for token in _of_unit(unit, everywhere)]


def _of_unit(unit: TextPart, fonts: list[str]) -> Iterator[Token]:
    """Give a part in one font, or its letters in one and its figures and marks in another."""
    if font := _font_for(filter(_is_seen, unit.text), fonts):
        yield Token(*unit, font)
        return
    gap = unit.gap
    for text in _apart(unit.text):
        font = _font_for(filter(_is_seen, text), fonts)
        if font is None:
            raise UserError(f"no one font here has all letters of {text}: {_WAYS}")
        yield Token(text, gap, font)
        gap = None


def _apart(text: str) -> Iterator[str]:
    """Give the letters of a text together, which may join, and each figure and mark by itself."""
    for is_alone, group in groupby(text, _alone):
        letters = "".join(group)
        yield from letters if is_alone else (letters,)


def _alone(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSN"


def _font_for(characters: Iterable[str], fonts: Iterable[str]) -> str | None:
    """Return the first font that draws all of some characters."""
    wanted = {*characters, " "}
    return next((font for font in fonts if _draws(font, frozenset(wanted))), None)


@lru_cache(maxsize=1024)
def _draws(font: str, characters: frozenset[str]) -> bool:
    """Return True if a font has all of some characters, and its letters can be told apart."""
    if not all(has(font, character) for character in characters):
        return False
    letters = [c for c in characters if unicodedata.category(c)[0] in "LN"]
    try:
        drawn = face(font, _TRIED)
        shapes = [bytes(drawn.getmask(letter)) for letter in letters]
    except OSError:
        return False
    return all(map(any, shapes)) and (len(letters) < 2 or 2 * len({*shapes}) > len(letters))


def _is_seen(character: str) -> bool:
    """Return True for what a font has to have: not for joiners and selectors of variants."""
    name = unicodedata.name(character, "")
    return unicodedata.category(character) != "Cf" and not name.startswith("VARIATION SELECTOR")


def _no_layout(written: list[str]) -> str:
    letters = [c for c in written if needs_layout(c)]
    return (
        f"{_listed(letters)} cannot be set here: Pillow finds no FriBiDi, which joins letters and "
        "reads them from the right: install it (Debian: libfribidi0; macOS: brew install fribidi)"
    )


def _listed(characters: Sequence[str]) -> str:
    """Return characters as a message names them: eight of them, and how many more."""
    codes = [f"U+{ord(character):04X}" for character in characters[:8]]
    shown = ", ".join(
        f"{character} ({code})" if character.isprintable() else code
        for character, code in zip(characters, codes, strict=False)
    )
    return shown + (f" and {len(characters) - 8} more" if len(characters) > 8 else "")
