"""The shell of a report page: one HTML file with its style, script, figures and data inside.

All markup is in `templates/`: Jinja2 escapes all text of others, unless it is `Markup` already; a
macro there stands for a part of a page.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dreamix.core.wording import plural
from reports.parts import WARNING, ReportPart
from reports.tables import Table, file_name

SCRIPTS = ("clips.js", "player.js", "row.js", "gallery.js", "folds.js")
STYLES = ("style.css",)


@cache
def environment() -> Environment:
    """Return the templates of reports; a name that they lack is an error, not an empty text."""
    found = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Equal data give equal text; NaN is no JSON. `tojson` lets no text end its script.
    dumps = {"sort_keys": True, "separators": (",", ":"), "allow_nan": False}
    found.policies["json.dumps_kwargs"] = dumps
    found.filters |= {"plural": plural, "file_name": file_name}
    return found


def macros(template: str) -> Any:
    """Return the macros of a template as functions that return `Markup`."""
    return environment().get_template(template).module


def rendered(template: str, **facts: Any) -> Markup:
    """Return a template filled with facts."""
    return Markup(environment().get_template(template).render(**facts))


class Plot(NamedTuple):
    """A figure on the page."""

    name: str  # of its files, without the ending
    svg: str
    inches: float  # its natural width
    alt: str
    caption: str

    @property
    def inline(self) -> Markup:
        """The drawing as a part of a page, with ids that no other drawing has."""
        own_ids = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", self.svg)
        attributes = Markup('<svg role="img" aria-label="{}" style="--natural: {}in" ')
        return Markup(own_ids.replace("<svg ", attributes.format(self.alt, self.inches), 1))


class Section(NamedTuple):
    """A part of the page, with an entry in its contents."""

    id: str
    title: str
    body: Markup
    open: bool = False  # else it opens on a click, or on a link to anything in it


def shell(
    title: str,
    heading: Markup,
    sections: list[Section],
    *,
    data: dict[str, dict[str, Any]] | None = None,
    scripts: Sequence[str] = SCRIPTS,
    styles: Sequence[str] = STYLES,
) -> str:
    """Return a page as HTML; equal contents give equal text.

    data: what scripts read, by the id under which they find it.

    Its content policy allows no network and no script but its own, so that nothing that a prompt
    or an error message contains can run.
    """
    script = "\n".join(_own(name) for name in scripts)
    return rendered(
        "page.html",
        title=title,
        policy=_policy(script),
        style=Markup("\n".join(_own(name) for name in styles)),
        heading=heading,
        sections=sections,
        data=data or {},
        script=Markup(script),
    )


def _own(name: str) -> str:
    """Return a file of the page as it is; a script is no template."""
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return the content policy: nothing from elsewhere, no script but the one with this hash."""
    # The page's parser sees the line breaks around the script too.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


_PIECES, _PARTS = macros("pieces.html"), macros("parts.html")


def part_html(part: ReportPart, plots: dict[str, Plot]) -> Markup:
    """Return the body of a part's section; plots by the names of its drawings."""
    return _PARTS.body(part, plots, WARNING)


def glance_html(part: ReportPart, plots: dict[str, Plot]) -> Markup:
    """Return the part that a page opens with: its tables and its figures side by side."""
    return _PARTS.glance(part, plots, WARNING)


def table_html(table: Table, titled: bool = True) -> Markup:
    """Return a table that scrolls within the page, its heads and first column in view."""
    return _PIECES.table(table, titled)
