"""One backend as the user named it: its networks, its size, and what it takes."""

from pathlib import Path
from typing import NamedTuple

from dreamix.backends.base import spec_of
from dreamix.backends.blueprint import in_folders, published
from dreamix.backends.footprint import ACCELERATOR, PROCESSOR, Footprint, Size
from dreamix.backends.footprint_kinds import Plan, footprint_of
from dreamix.backends.hub import folders_of
from dreamix.backends.known_footprints import known_footprints
from dreamix.backends.names import stages_of
from dreamix.core.errors import UserError

SETUPS = {"accelerator": ACCELERATOR, "processor": PROCESSOR}


class Asked(NamedTuple):
    """What is to be traced."""

    plan: Plan
    size: Size
    known: dict[str, Footprint]  # from the table that comes with the toolkit, if it holds this


def asked(name: str) -> Asked:
    """Return what a backend's name means; configurations on this machine come before typed ones."""
    spec = spec_of(name)
    plan = _plan(spec.kind, spec.weights)
    size = usual = plan.usual_size
    if spec.size:
        width, height, frames = spec.size
        size = Size(width, height, frames or usual.frames)
    table = known_footprints()
    typed = spec.kind in table and as_published(spec.kind) == plan
    return Asked(plan, size, table[spec.kind] if typed and size == usual else {})


def as_published(name: str) -> Plan:
    """Return a named backend with the dimensions that were typed in."""
    plans = published()
    first, *second = stages_of(name)
    if not second:
        return Plan(name, plans[name])
    alone = next(other for other in plans if stages_of(other) == (first,))
    return Plan(name, plans[alone], plans[name])


def _plan(kind: str, weights: Path | None) -> Plan:
    """Return the networks of a backend: of its folder, of the hub's cache, or as published."""
    if weights is not None and kind != "toybox":
        return Plan(kind, in_folders(weights))
    stages = [folders_of(stage) for stage in stages_of(kind)]
    if stages and all(stages):
        return Plan(kind, *(in_folders(*found) for found in stages))
    if kind not in published():
        has = ", ".join(published())
        raise UserError(f"{kind} has no footprint to trace; these have: {has}, and any folder")
    return as_published(kind)


def traced(one: Asked, *, full: bool = False) -> dict[str, Footprint]:
    """Return the footprints on an accelerator and on the processor, as they are known or traced."""
    if one.known and not full:
        return one.known
    return {
        where: footprint_of(one.plan, one.size, setup, full=full) for where, setup in SETUPS.items()
    }
