"""The families there are, and which of them fits a loaded pipeline."""

from collections.abc import Iterator

from dreamix.backends.family import Family
from dreamix.backends.names import BACKENDS
from dreamix.core.errors import UserError


def families() -> Iterator[type[Family]]:
    """Yield the families among the backends, ours first; each is imported when it is its turn."""
    found = (one for one in BACKENDS.each() if isinstance(one, type) and issubclass(one, Family))
    seen: set[type[Family]] = set()
    for one in found:
        if one not in seen:
            seen.add(one)
            yield one


def family_of(pipe: object) -> Family:
    """Return the family that fits a diffusers pipeline.

    Raises:
        UserError: if no family does.
    """
    return family_named(type(pipe).__name__)(pipe)


def family_named(kind: str) -> type[Family]:
    """Return the family of a pipeline class.

    Raises:
        UserError: if no family has it.
    """
    for family in families():
        if kind in family.pipelines:
            return family
    known = ", ".join(name for family in families() for name in family.pipelines)
    raise UserError(f"no family here fits a {kind}; these do: {known}")
