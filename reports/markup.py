"""HTML that cannot be injected into: text is escaped unless it was made by `tag`."""

import html
import json
from collections.abc import Iterable
from typing import Any

VOID = ("img",)  # elements without content and end tag


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Return `text` as HTML that shows it literally; `Html` comes back unchanged."""
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


def tag(name: str, *content: str, **attributes: str | None) -> Html:
    """Return an element with the contents, each escaped unless it is `Html`.

    Attributes: a trailing underscore is dropped (class_), others become hyphens (aria_label);
    None leaves the attribute out.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value, quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{join(content)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Return the parts one after the other, each escaped unless it is `Html`."""
    return Html("".join(escaped(part) for part in parts))


def json_script(identifier: str, value: Any) -> Html:
    """Return a data block for scripts; no text in it can end the block or begin another."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return tag("script", Html(text), type="application/json", id=identifier)
