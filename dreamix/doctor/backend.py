"""One backend as the user named it: its networks, its size, and what it takes."""

from pathlib import Path
from typing import NamedTuple

from dreamix.backends.base import spec_of
from dreamix.backends.blueprint import in_folders, published
from dreamix.backends.footprint import ACCELERATOR, PROCESSOR, Footprint, Size
from dreamix.backends.footprint_kinds import BackendNetworks, footprint_of, known_footprints
from dreamix.backends.hub import folders_of
from dreamix.backends.names import is_of_world, stages_of
from dreamix.core.errors import UserError

SETUPS = {"accelerator": ACCELERATOR, "processor": PROCESSOR}


class TraceRequest(NamedTuple):
    """What is to be traced."""

    plan: BackendNetworks
    size: Size
    known: dict[str, Footprint]  # from the table that comes with the toolkit, if it holds this


def asked(name: str) -> TraceRequest:
    """Return what a backend's name means; configurations on this machine come before typed ones."""
    spec = spec_of(name)
    plan = _plan(spec.kind, spec.weights)
    size = usual = plan.usual_size
    if spec.size:
        width, height, frames = spec.size
        size = Size(width, height, frames or usual.frames)
    table = known_footprints()
    typed = spec.kind in table and as_published(spec.kind) == plan
    return TraceRequest(plan, size, table[spec.kind] if typed and size == usual else {})


def as_published(name: str) -> BackendNetworks:
    """Return a named backend with the dimensions that were typed in."""
    plans = published()
    first, *second = stages_of(name)
    if not second:
        return BackendNetworks(name, plans[name])
    alone = next(other for other in plans if stages_of(other) == (first,))
    return BackendNetworks(name, plans[alone], plans[name])


def _plan(kind: str, weights: Path | None) -> BackendNetworks:
    """Return the networks of a backend: of its folder, of the hub's cache, or as published."""
    if weights is not None and not is_of_world(kind):
        return BackendNetworks(kind, in_folders(weights))
    stages = [folders_of(stage) for stage in stages_of(kind)]
    if stages and all(stages):
        return BackendNetworks(kind, *(in_folders(*found) for found in stages))
    if kind not in published():
        has = ", ".join(published())
        raise UserError(f"{kind} has no footprint to trace; these have: {has}, and any folder")
    return as_published(kind)


def traced(one: TraceRequest, *, full: bool = False) -> dict[str, Footprint]:
    """Return the footprints on an accelerator and on the processor, as they are known or traced."""
    if one.known and not full:
        return one.known
    return {
        where: footprint_of(one.plan, one.size, setup, full=full) for where, setup in SETUPS.items()
    }
