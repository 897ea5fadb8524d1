"""Versions of the code and of the libraries that decide numbers."""

import importlib.metadata
from pathlib import Path

LIBRARIES = (
    "av",
    "numpy",
    "opencv-python-headless",
    "torch",
    "torchvision",
    "open_clip_torch",
    "lpips",
    "diffusers",
    "transformers",
)


def versions() -> dict[str, str]:
    """Return the versions of the code and of the libraries that decide numbers."""
    found = {"dreamix-toolkit": importlib.metadata.version("dreamix-toolkit")}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def state_of_code() -> list[str]:
    """Return the state of the code, which may change between two versions where it is worked on."""
    root = Path(__file__).parents[2]
    files = sorted([*(root / "reports").rglob("*"), *(root / "evaluation").rglob("*.py")])
    return [f"{path.name} {path.stat().st_mtime_ns}" for path in files if path.is_file()]


def spell_differences(these: dict[str, str], wanted: dict[str, str]) -> str:
    """Return "torch 2.6 (not 2.7)" for every version that is not as wanted, "" if all are."""
    other = [name for name in wanted if these.get(name) != wanted[name]]
    return ", ".join(f"{name} {these.get(name)} (not {wanted[name]})" for name in other)
