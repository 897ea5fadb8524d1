"""Named seeds: a number that depends on what is drawn, never on when."""

import hashlib

import numpy as np


def seed_for(*names: str | int) -> int:
    """Return a 63-bit seed for the thing called `names`, such as ("dreamix", edit_id, 3).

    SHA-256 of the names, each with its length, so ("ab", "c") and ("a", "bc") differ.
    """
    text = "".join(f"{len(str(name))}:{name};" for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng_for(*names: str | int) -> np.random.Generator:
    """Return a generator seeded by `seed_for(*names)`."""
    return np.random.default_rng(seed_for(*names))
