"""Fonts of this machine, and which characters they have."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from matplotlib import get_data_path
from matplotlib.font_manager import findSystemFonts, get_font

OWN = "DejaVu Sans"  # comes with matplotlib
# The first look at these: they have whole scripts, and are easy to read.
PREFERRED = ("Noto Sans", "Source Han Sans", "WenQuanYi", "PingFang", "Microsoft YaHei", "Arial")
NO_FONT = ("Last Resort", ".LastResort", "Adobe Blank", "Unicode BMP Fallback")  # boxes for all
UPRIGHT = ("Regular", "Book", "Roman", "Normal", "Medium")
_NOT_READ = (OSError, RuntimeError, ValueError)  # what reading a file that is no font raises


class Font(NamedTuple):
    """A font that is installed."""

    name: str
    path: str


def own_font() -> str:
    """Return the path of the font that comes with matplotlib, upright and of regular weight."""
    return str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@lru_cache(maxsize=16384)
def has(path: str, character: str) -> bool:
    """Return True if a font has a character; a file that is no font has none."""
    try:
        return bool(get_font(path).get_char_index(ord(character)) != 0)
    except _NOT_READ:
        return False


def place(name: str) -> int:
    """Return how early a font is tried: its number among the preferred ones."""
    last = len(PREFERRED) + ("Unifont" in name)  # which has the letters, and does not join them
    return next((k for k, start in enumerate(PREFERRED) if name.startswith(start)), last)


@lru_cache(maxsize=1)
def installed() -> tuple[Font, ...]:
    """Return the fonts that are installed now, the best place to look first.

    matplotlib keeps a list from its first start; what was installed since is found here too.
    Pictures of letters (colour emoji) are left out, and so are fonts that show boxes.
    """
    found = [entry for path in sorted(findSystemFonts()) if (entry := _entry(path))]
    return tuple(Font(name, path) for _, _, name, path in sorted(found))


def _entry(path: str) -> tuple[int, bool, str, str] | None:
    """Return (place, slanted or heavy, name, path) of a font in outlines."""
    try:
        font = get_font(path)
    except _NOT_READ:
        return None
    if not font.scalable or font.family_name.startswith(NO_FONT):
        return None
    return place(font.family_name), font.style_name not in UPRIGHT, font.family_name, path
