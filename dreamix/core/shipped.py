"""Suites and pages that come with the toolkit, in a checkout and in an installed package alike."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_INSTALLED = _PACKAGE / "shipped"  # setup.py puts them there


def shipped(name: str) -> Path:
    """Return a file or folder of the repository that installed packages have too.

    name: its path there, such as datasets/davis/suite.yaml or docs/metrics.md.
    """
    return (_INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent) / name
