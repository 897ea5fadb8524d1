"""The shell of a report page: one HTML file with its style, script, figures and data inside."""

import base64
import hashlib
import re
from importlib import resources
from string import Template
from typing import Any, NamedTuple

from reports.markup import Html, escaped, join, json_script, tag

SCRIPTS = ("clips.js", "player.js", "row.js", "gallery.js", "folds.js")


class Plot(NamedTuple):
    """A figure on the page."""

    name: str  # of its files, without the ending
    svg: str
    inches: float  # its natural width
    alt: str
    caption: str


class Section(NamedTuple):
    """A part of the page, with an entry in its contents."""

    id: str
    title: str
    body: Html
    open: bool = False  # else it opens on a click, or on a link to anything in it


def shell(
    title: str, heading: Html, sections: list[Section], gallery: dict[str, Any] | None = None
) -> str:
    """Return a page as HTML; equal contents give equal text.

    Its content policy allows no network and no script but its own, so that nothing that a prompt
    or an error message contains can run.
    """
    script = "\n".join(_template(name) for name in SCRIPTS)
    return Template(_template("page.html")).substitute(
        title=escaped(title),
        policy=escaped(_policy(script)),
        style=_template("style.css"),
        heading=heading,
        contents=join(tag("a", s.title, href=f"#{s.id}") for s in sections),
        sections=join(_section(section) for section in sections),
        data=json_script("gallery-data", gallery) if gallery else "",
        script=script,
    )


def heading_html(kicker: str, name: str, version: str, facts: list[tuple[int, str, str]]) -> Html:
    """Return the head of a page: what it is of, and how much of what; facts: (n, one, many)."""
    items = (tag("li", tag("b", str(n)), f" {one if n == 1 else many}") for n, one, many in facts)
    return join(
        [
            tag("p", kicker, class_="kicker"),
            tag("h1", name, tag("span", f" version {version}")),
            tag("ul", *items, class_="facts"),
        ]
    )


def emphasised(text: str) -> Html:
    """Return the sentence with what stands before its first colon in bold."""
    topic, _, rest = text.partition(":")
    return join([tag("b", f"{topic}."), rest])


def plot_html(plot: Plot) -> Html:
    """Return a figure with its caption and its files."""
    attributes = f'role="img" aria-label="{escaped(plot.alt)}" style="max-width: {plot.inches}in"'
    own_ids = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{plot.name}-", plot.svg)
    svg = Html(own_ids.replace("<svg ", f"<svg {attributes} ", 1))
    links = [
        tag("a", kind.upper(), href=f"figures/{plot.name}.{kind}") for kind in ("svg", "pdf", "png")
    ]
    caption = tag("figcaption", plot.caption, " ", tag("span", *links, class_="links"))
    return tag("figure", tag("div", svg, class_="scroll"), caption, class_="plot")


def _section(section: Section) -> Html:
    title = tag("h2", section.title)
    if section.open:
        return tag("section", title, section.body, id=section.id)
    fold = tag("details", tag("summary", title), section.body, class_="fold")
    return tag("section", fold, id=section.id, class_="folded")


def _template(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return the content policy: nothing from elsewhere, no script but the one with this hash."""
    # The page's parser sees the line breaks around $script too.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
