"""Which programs made a report."""

import importlib.metadata

LIBRARIES = ("dreamix-toolkit", "numpy", "scipy", "pandas", "matplotlib", "av")


def made_with() -> dict[str, str]:
    """Return what makes a report: version by name."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}
