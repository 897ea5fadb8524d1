"""Footprints that were traced before and come with the toolkit, so that asking costs no time.

`python benchmarks/footprints.py` traces them again.
"""

import json
from pathlib import Path

from dreamix.backends.footprint import Footprint

TABLE = Path(__file__).with_name("footprints.json")


def known_footprints(file: Path = TABLE) -> dict[str, dict[str, Footprint]]:
    """Return what is known by backend, and by where it runs: "accelerator" or "processor"."""
    held = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: {where: Footprint.from_dict(found) for where, found in entry.items()}
        for name, entry in held.items()
    }
