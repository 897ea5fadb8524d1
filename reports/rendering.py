"""HTML from templates: Jinja2 escapes all text of others, unless it is `Markup` already.

All markup of pages is in `templates/`; a macro there stands for a part of a page.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dreamix.core.wording import plural
from reports.names import file_name


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
