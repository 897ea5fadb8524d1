"""Weights before training: random, from a name."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from dreamix.core.seeding import seed_for


@contextmanager
def weights_named(*names: str | int) -> Iterator[None]:
    """Make networks built in the block start from weights that depend on `names` alone.

    names: as of `seed_for`, such as ("weights", "toybox", "base").
    torch's layers draw from the global generator: its state is put back afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed_for(*names))
        yield
