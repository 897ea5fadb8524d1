"""What a backend is: a family of video models behind one set of names, opened on demand.

`toybox` is the embedded cascade; `toybox:FOLDER` is the same cascade with other weights.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses

WORLD = "the world"  # `Backend.knows` of a model that was trained on real footage


class Backend(Protocol):
    """A model that methods edit with. Opening is cheap: weights are read at their first use."""

    name: str  # as the user wrote it, such as "toybox"
    identity: str  # changes when the weights do; kept in run.json, so that runs are never mixed
    knows: str  # what it was trained on, in words: WORLD, or "Toybox scenes"
    cache: Path | None  # folder where finetuned weights are kept; None keeps them in memory


Opener = Callable[[str, Path | None, Path | None], Backend]  # (name, weights, cache)

# name -> module:attribute of its Opener; imported when it is opened, not before
BACKENDS: dict[str, str] = {
    "toybox": "dreamix.backends.toybox.backend:open_toybox",
}


def check_backend(name: str) -> str:
    """Return `name` with an absolute path; one that is not in BACKENDS is a `UserError`."""
    kind, colon, weights = name.partition(":")
    if kind not in BACKENDS:
        hint = near_misses(kind, [*BACKENDS])
        raise UserError(f"unknown backend {kind!r}{hint} (known: {', '.join(BACKENDS)})")
    if colon and not Path(weights).exists():
        raise UserError(f"backend {name}: there is nothing at {weights or 'an empty path'}")
    return f"{kind}:{Path(weights).resolve()}" if colon else kind


def open_backend(name: str, cache: Path | None = None) -> Backend:
    """Return the backend called `name`: NAME, or NAME:PATH for other weights than its own.

    cache: folder where methods keep finetuned weights.
    An unknown name, weights that are not there and packages that are missing are a `UserError`.
    """
    kind, _, weights = check_backend(name).partition(":")
    module, _, attribute = BACKENDS[kind].partition(":")
    try:
        opener: Opener = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("dreamix"):
            raise
        raise UserError(
            f"backend {kind} needs the package {error.name}: pip install {error.name}"
        ) from None
    return opener(name, Path(weights).resolve() if weights else None, cache)
