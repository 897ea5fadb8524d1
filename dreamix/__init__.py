"""Dreamix and its baselines: videos, suites, methods; `DreamixPipeline` for diffusers models."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dreamix.backends.pipeline import DreamixPipeline

__all__ = ["DreamixPipeline", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Return `DreamixPipeline`, imported at its first use: it needs torch, the rest does not."""
    if name == "DreamixPipeline":
        from dreamix.backends.pipeline import DreamixPipeline

        return DreamixPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
