"""One backend as the user named it: its networks, its size, and what it takes."""

from pathlib import Path
from typing import NamedTuple

from dreamix.backends.base import spec_of
from dreamix.backends.blueprint import Blueprint, in_folders, published
from dreamix.backends.families import family_named
from dreamix.backends.footprint import ACCELERATOR, PROCESSOR, Footprint, Size, footprint
from dreamix.backends.known_footprints import known_footprints, usual_size
from dreamix.core.errors import UserError
from dreamix.doctor.judgement import where_weights_are


class Asked(NamedTuple):
    """What is to be traced."""

    plan: Blueprint
    size: Size
    steps: int
    known: dict[str, Footprint]  # from the table that comes with the toolkit, if it holds this


def asked(name: str) -> Asked:
    """Return what a backend's name means; configurations on this machine come before typed ones."""
    spec = spec_of(name)
    plan = _plan(spec.kind, spec.weights)
    usual = usual_size(plan)
    size = usual
    if spec.size:
        width, height, frames = spec.size
        size = Size(width, height, frames or usual.frames)
    typed = published().get(spec.kind) == plan
    known = known_footprints().get(spec.kind, {}) if typed and size == usual else {}
    return Asked(plan, size, family_named(plan.kind).defaults.steps, known)


def _plan(kind: str, weights: Path | None) -> Blueprint:
    """Return the networks of a backend: of its folder, of the hub's cache, or as published."""
    if weights is not None and kind != "toybox":
        return in_folders(weights)
    if kind not in published():
        has = ", ".join(published())
        raise UserError(f"{kind} has no footprint to trace; these have: {has}, and any folder")
    folders = where_weights_are(kind)
    return in_folders(*folders) if folders else published()[kind]


def traced(one: Asked) -> dict[str, Footprint]:
    """Return the footprints on an accelerator and on the processor, known or traced now."""
    if one.known:
        return one.known
    setups = {"accelerator": ACCELERATOR, "processor": PROCESSOR}
    return {where: footprint(one.plan, one.size, setup) for where, setup in setups.items()}
