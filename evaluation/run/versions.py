"""Versions of the code and of the libraries that decide numbers."""

import importlib.metadata
import importlib.util
from pathlib import Path

from dreamix.core.packages import brought

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
    ours = [f"{path.name} {path.stat().st_mtime_ns}" for path in files if path.is_file()]
    return [*ours, *state_of_packages()]


def state_of_packages() -> list[str]:
    """Return the same of other packages: which there are, and when their files were written."""
    told = [f"{entry.package} {entry.name} {entry.place}" for entry in brought()]
    tops = sorted({entry.module.partition(".")[0] for entry in brought()})
    files = sorted(path for top in tops for path in _modules(top))
    return [*told, *(f"{path} {path.stat().st_mtime_ns}" for path in files if path.is_file())]


def _modules(top: str) -> list[Path]:
    """Return the files of a package's first module, which is not imported for it."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    return files or [Path(spec.origin or "")]


def versions_of_packages() -> dict[str, str]:
    """Return the versions of the other packages that bring something."""
    return {entry.package.name: entry.package.version for entry in brought() if entry.package}


def spell_differences(these: dict[str, str], wanted: dict[str, str]) -> str:
    """Return "torch 2.6 (not 2.7)" for every version that is not as wanted, "" if all are."""
    other = [name for name in wanted if these.get(name) != wanted[name]]
    told = [(name, these.get(name, "not installed"), wanted[name]) for name in other]
    return ", ".join(f"{name} {here} (not {there})" for name, here, there in told)
