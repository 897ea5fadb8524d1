"""Which of a study's languages is meant, and which way it is written."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Direction = Literal["ltr", "rtl"]
# Living languages that are written from right to left unless their code names another script
# (Unicode CLDR 46, likely subtags; `iw` and `ji` are the old codes of Hebrew and Yiddish).
_LANGUAGES = re.compile(
    "acm|aeb|aii|ajp|apc|ar|ara|arb|arc|arq|ars|ary|arz|ayl|azb|bal|bgn|bqi|brh|ckb|dcc|div|dv|fa|"
    "fas|glk|haz|he|heb|iw|ji|kas|khw|ks|lki|lrc|luz|mzn|nqo|pbt|pbu|per|pes|pnb|prs|ps|pus|rhg|sd|"
    "sdh|skr|snd|syc|syr|ug|uig|ur|urd|uzs|yi|yid"
)
_SCRIPTS = re.compile("adlm|arab|aran|hebr|mand|mend|nkoo|rohg|samr|syrc|thaa|yezi")
_SCRIPT = re.compile(r"[a-z]{4}")


def closest(asked: str | None, codes: Iterable[str]) -> str | None:
    """Return the code that is meant by one that is asked for; None if none is near.

    However it is spelled (`PT_br`), then without its last parts (`ar-EG`: `ar`; RFC 4647, 3.4),
    then the first of the same language (`pt`: `pt-BR`).
    """
    known: dict[str, str] = {}
    for code in codes:
        if code == asked:
            return code
        known.setdefault(_plain(code), code)
    parts = _plain(asked or "").split("-")
    for length in range(len(parts), 0, -1):
        if found := known.get("-".join(parts[:length])):
            return found
    alike = (code for plain, code in known.items() if plain.split("-")[0] == parts[0])
    return next(alike, None)


def _plain(code: str) -> str:
    return code.strip().replace("_", "-").lower()


def direction_of(code: str, text: str) -> Direction:
    """Return the direction of a language with this code (BCP 47), of which `text` is a sample."""
    language, *rest = re.split("[-_]", code.lower())
    script = next((part for part in rest if _SCRIPT.fullmatch(part)), None)
    if script:
        return "rtl" if _SCRIPTS.fullmatch(script) else "ltr"
    known = _LANGUAGES.fullmatch(language)
    return "rtl" if known or is_rightwards(text) else "ltr"


def is_rightwards(text: str) -> bool:
    """Return True if most letters run from right to left (Unicode, UAX 9: classes R and AL)."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return kinds.count("R") + kinds.count("AL") > kinds.count("L")
