"""Which packages of others our files import, and which of them pyproject.toml declares where."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements stand
OURS = {"dreamix", "evaluation", "reports", "study_app"}


def normal(name: str) -> str:
    """A distribution's name as indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(root: Path) -> dict[str, set[str]]:
    """Distributions that pyproject.toml names, by extra; "" has those that are always installed."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {normal(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines}
        for extra, lines in groups.items()
    }


def imported(path: Path) -> set[str]:
    """Top-level modules of others that a file imports when it is imported or run."""
    names = _names(ast.parse(path.read_text()))
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - OURS


def _names(node: ast.AST) -> Iterator[str]:
    """Modules that are imported below a node, but for those that only types need."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield str(node.module)
    elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        for block in _BLOCKS:
            for inner in getattr(node, block, ()):
                yield from _names(inner)


def distributions(module: str) -> set[str]:
    """Distributions that have a module; its own name where it is not installed here."""
    return {normal(name) for name in _installed().get(module, [module])}


@cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()  # reads every package's list of files: once is enough
