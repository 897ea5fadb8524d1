"""Footprints that were traced before and come with the toolkit, so that asking costs no time.

`python benchmarks/footprints.py` traces them again.
"""

import json
from pathlib import Path

from dreamix.backends.blueprint import Blueprint
from dreamix.backends.families import family_named
from dreamix.backends.footprint import Footprint, Size

TABLE = Path(__file__).with_name("footprints.json")


def usual_size(plan: Blueprint) -> Size:
    """Return the size that a clip is brought to where nothing is said: see `Family.defaults`."""
    usual = family_named(plan.kind).defaults
    return Size(usual.width, usual.height, usual.frames)


def known_footprints(file: Path = TABLE) -> dict[str, dict[str, Footprint]]:
    """Return what is known by backend, and by where it runs: "accelerator" or "processor"."""
    held = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: {where: Footprint.from_dict(found) for where, found in entry.items()}
        for name, entry in held.items()
    }
