"""The footprint of whatever a backend is: one pipeline, two in a row, or an image model."""

import json
from pathlib import Path
from typing import NamedTuple

from dreamix.backends.blueprint import Blueprint
from dreamix.backends.families import family_named
from dreamix.backends.footprint import Footprint, Phases, Setup, Size, edit_footprint, footprint
from dreamix.backends.hub import PICTURE_CLASS
from dreamix.backends.names import LARGER, pretrained

SECOND = "second "  # before the phases and parts of a second stage
PICTURES = Size(512, 512, 16)  # of an image model: any number of frames, these are counted


class BackendNetworks(NamedTuple):
    """The networks of a backend."""

    name: str
    first: Blueprint
    second: Blueprint | None = None  # enlarges what the first makes

    @property
    def source(self) -> str:
        """Where the configurations come from, in words."""
        stages = (self.first, self.second) if self.second else (self.first,)
        return " and ".join(dict.fromkeys(stage.source for stage in stages))

    @property
    def usual_size(self) -> Size:
        """What a clip is brought to where nothing is said."""
        if self.first.kind == PICTURE_CLASS:
            return PICTURES
        usual, known = family_named(self.first.kind).defaults, pretrained(self.name)
        return Size(*((known and known.size) or (usual.width, usual.height, usual.frames)))

    @property
    def usual_steps(self) -> int:
        """Denoising steps where nothing is said."""
        if self.first.kind == PICTURE_CLASS:
            return 50
        return family_named(self.first.kind).defaults.steps


def footprint_of(
    plan: BackendNetworks, size: Size, setup: Setup, *, full: bool = False
) -> Footprint:
    """Return what a backend takes; full: trace finetuning of all weights as well."""
    if plan.first.kind == PICTURE_CLASS:
        from dreamix.backends.footprint_pictures import picture_footprint

        return picture_footprint(plan.name, plan.first, size, setup)
    found = footprint(plan.first, size, setup, full=full)
    return found if plan.second is None else enlarging(found, plan.second, setup)


def enlarging(first: Footprint, plan: Blueprint, setup: Setup) -> Footprint:
    """Return the footprint of a pipeline and of a second one that enlarges what it makes.

    While the second works, the first one's clip and its enlargement are held. All steps are
    counted, as everywhere, though the second takes part of them.
    """
    width, height, frames = first.size
    larger = Size(_multiple(width), _multiple(height), frames)
    weights, edit = edit_footprint(plan, larger, setup)
    clips = 4 * 3 * frames * (width * height + larger.width * larger.height)
    return Footprint(
        size=first.size,
        weights=first.weights | {f"{SECOND}{part}": count for part, count in weights.items()},
        sequence=[*first.sequence, *(f"{SECOND}{part}" for part in first.sequence)],
        edit=_after(first.edit, edit, clips),
        finetune=first.finetune,
        full=first.full,
        trained=first.trained,
    )


def _multiple(side: int) -> int:
    """Return the height or width of the second stage, as `cascade.enlarged` has it."""
    return round(side * LARGER / 64) * 64


def _after(first: Phases, second: Phases, clips: int) -> Phases:
    """Return two edits as one, the second beside `clips` bytes."""
    calls = [call.partition(":") for call in second.order]
    order = [f"{SECOND}{phase}:{SECOND if part else ''}{part}" for phase, _, part in calls]
    held = {f"{SECOND}{phase}": count + clips for phase, count in second.held.items()}
    flops = {f"{SECOND}{phase}": count for phase, count in second.flops.items()}
    return Phases([*first.order, *order], first.held | held, first.flops | flops)


# -- footprints that were traced before and come along ------------------------------------------
TABLE = Path(__file__).with_name("footprints.json")


def known_footprints(file: Path = TABLE) -> dict[str, dict[str, Footprint]]:
    """Return what is known by backend, and by where it runs: "accelerator" or "processor"."""
    held = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: {where: Footprint.from_dict(found) for where, found in entry.items()}
        for name, entry in held.items()
    }
