"""Which programs made a report."""

import importlib.metadata

from dreamix.core.packages import entries

LIBRARIES = ("dreamix-toolkit", "numpy", "scipy", "pandas", "matplotlib", "av")


def made_with() -> dict[str, str]:
    """Return what makes a report: version by name, packages that bring subjects of it included."""
    brought = [one.package for one in entries("dreamix.report_subjects") if one.package]
    ours = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return ours | {package.name: package.version for package in brought}
