"""study.yaml as an export has it: without the codes by which raters are paid."""

import re
from typing import Any
from urllib.parse import quote

import yaml

WITHHELD = "withheld"
_CODES = ("completion_code", "screen_out_code", "completion_url")
_IN_URL = re.compile(r"[?&;](?:cc|code|token|key|secret|password)=([^&#\s]+)", re.IGNORECASE)
_SHORT = 4  # characters; a shorter code may be any number of the file


def public_study(text: str) -> str:
    """Return the text of a study.yaml with `withheld` for every code, wherever it stands.

    Codes are those of `recruiting`, and what a completion URL has as its code. Comments and the
    order of the file stay; where that cannot be done without a doubt they go, and the codes too.
    """
    codes = codes_of(text)
    if not codes:
        return text
    found = yaml.safe_load(text)
    block = found["recruiting"]
    known = {name: WITHHELD for name in _CODES if block.get(name)}
    public = without_codes(found, codes)
    public["recruiting"] = without_codes(block, codes) | known
    edited = _replaced(_edited(text), codes)
    return edited if _says(edited, public) else yaml.safe_dump(public, sort_keys=False)


def codes_of(text: str) -> list[str]:
    """Return the codes that a study.yaml has, those in its completion URL too."""
    found = yaml.safe_load(text)
    block: dict[str, Any] = (isinstance(found, dict) and found.get("recruiting")) or {}
    codes = [str(block[name]).strip() for name in _CODES if block.get(name)]
    return codes + [match for code in codes for match in _IN_URL.findall(code)]


def _edited(text: str) -> str:
    """Return the text with the values of the codes replaced where they stand."""
    spans = [
        (value.start_mark.index, value.end_mark.index)
        for key, block in getattr(yaml.compose(text, yaml.SafeLoader), "value", ())
        if key.value == "recruiting"
        for name, value in block.value
        if name.value in _CODES and value.tag != "tag:yaml.org,2002:null"
    ]
    for start, end in sorted(spans, reverse=True):
        trailing = text[start:end][len(text[start:end].rstrip()) :]
        text = text[:start] + WITHHELD + trailing + text[end:]
    return text


def without_codes(value: Any, codes: list[str]) -> Any:
    """Return a value of which no text has a code."""
    if isinstance(value, dict):
        return {key: without_codes(item, codes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_codes(item, codes) for item in value]
    return _replaced(value, codes) if isinstance(value, str) else value


def _replaced(text: str, codes: list[str]) -> str:
    """Return a text with `withheld` for codes as they are and as URLs have them."""
    forms = {form for code in codes for form in (code, quote(code), quote(code, safe=""))}
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= _SHORT:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", WITHHELD, text)
    return text


def _says(text: str, wanted: Any) -> bool:
    try:
        return bool(yaml.safe_load(text) == wanted)
    except yaml.YAMLError:
        return False
