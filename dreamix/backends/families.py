"""The families there are, and which of them fits a loaded pipeline."""

from typing import Any

from dreamix.backends.animatediff import AnimateDiff
from dreamix.backends.cogvideox import CogVideoX
from dreamix.backends.family import Family
from dreamix.backends.ltx import LTX
from dreamix.backends.unet3d import UNet3D
from dreamix.backends.wan import Wan
from dreamix.core.errors import UserError

FAMILIES: tuple[type[Family], ...] = (Wan, CogVideoX, LTX, UNet3D, AnimateDiff)


def family_of(pipe: Any) -> Family:
    """Return the family that fits a diffusers pipeline; there being none is a `UserError`."""
    return family_named(type(pipe).__name__)(pipe)


def family_named(kind: str) -> type[Family]:
    """Return the family of a pipeline class; there being none is a `UserError`."""
    for family in FAMILIES:
        if kind in family.pipelines:
            return family
    known = ", ".join(name for family in FAMILIES for name in family.pipelines)
    raise UserError(f"no family here fits a {kind}; these do: {known}")
