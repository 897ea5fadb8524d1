"""Fixtures that every test file can use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of real test footage that does not belong to the project; skips where it is absent."""
    folder = Path(os.environ.get("DREAMIX_SHARED", ROOT.parent / "shared"))
    if not (folder / "realset" / "suite.yaml").exists():
        pytest.skip(f"no real footage at {folder} (set DREAMIX_SHARED to a folder that holds it)")
    return folder
