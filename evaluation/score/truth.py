"""What is known exactly about an edit: the pixels it should leave alone, the ideal edit, the flow.

Which pixels an edit should keep follows from its category and the subject's mask:

- object, appearance   everything but the subject
- background           the subject
- other categories     nothing can be said; masked metrics do not apply

A rim of `RIM` pixels around the subject's edge belongs to neither: there both surfaces mix.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from dreamix.data.suite import Edit
from dreamix.data.worlds import WORLDS, Exact
from evaluation.metrics.base import Metric
from evaluation.run.folder import RunFolder
from evaluation.sample import Flow, Models, Sample, View

RIM = 2  # pixels
KEEPS_SURROUNDINGS = ("object", "appearance")
KEEPS_SUBJECT = ("background",)
MISSING = {  # input of a metric -> what to say where a suite does not have it
    "caption": "the suite gives no caption of the source",
    "prompt": "the edit has an instruction, and no prompt",
    "instruction": "the edit has a prompt, and no instruction",
    "phrases": "the edit does not name what is to change, and into what",
    "footage": "it knows real footage only, and this clip is rendered",
    "rendered": "it knows rendered clips only, and this clip is real",
    "ideal": "the suite does not know the ideal edit",
    "true_flow": "the suite does not know the exact flow",
    "moving": "the source is a still picture, which has no motion",
    "keep": "nothing says which pixels this edit should keep",
}


def keep_mask(category: str, masks: list[np.ndarray]) -> np.ndarray | None:
    """Return the pixels that an edit should keep, bool (frames, height, width), or None.

    masks: where the subject is, bool (frames, height, width): in the source and, if known, in the
    ideal edit. What is subject in either is not surroundings; subject is what is so in both.
    """
    if not masks or category not in KEEPS_SURROUNDINGS + KEEPS_SUBJECT:
        return None
    if category in KEEPS_SURROUNDINGS:
        return ~grow(np.logical_or.reduce(masks), RIM)
    return ~grow(~np.logical_and.reduce(masks), RIM)


def grow(mask: np.ndarray, pixels: int) -> np.ndarray:
    """Return bool (frames, height, width): `mask` and all within `pixels` of it (square)."""
    grown = mask
    for axis in (1, 2):
        padding = [(0, 0)] * 3
        padding[axis] = (pixels, pixels)
        padded = np.pad(grown, padding)
        size = mask.shape[axis]
        shifted = [padded.take(range(i, i + size), axis) for i in range(2 * pixels + 1)]
        grown = np.logical_or.reduce(shifted)
    return grown


class GroundTruth:
    """What is known exactly about one source video of a run and its edits.

    needs: inputs that the metrics to be computed ask for; what none asks for is not prepared.
    """

    def __init__(self, run: RunFolder, video: str, features: Models, needs: set[str]) -> None:
        self.entry = run.suite.videos[video]
        self.world = run.suite.world_of(video)
        self.run = run
        self.features = features
        self.needs = needs
        self._ideals: dict[str, Ideal] = {}

    def obstacle(self, metric: Metric, edit: Edit) -> str | None:
        """Return why a metric does not apply to an edit, as far as that is known beforehand."""
        if edit.category in metric.not_for:
            return f"misleading for {edit.category} edits"
        if metric.world not in (None, self.entry.world):
            return _of_another_world(str(metric.world), self.entry.world)
        rendered = self.entry.recipe is not None
        moving = rendered and self.entry.stills is None
        exact = rendered and edit.recipe is not None
        masked = moving or self._has_mask
        there = {
            "caption": self.entry.caption is not None,
            "prompt": edit.prompt is not None,
            "instruction": edit.instruction is not None,
            "phrases": None not in (edit.from_phrase, edit.to_phrase),
            "footage": not rendered,
            "rendered": rendered,
            "ideal": exact,
            "true_flow": moving,
            "moving": self.entry.stills is None,
            "keep": masked and edit.category in KEEPS_SURROUNDINGS + KEEPS_SUBJECT,
        }
        missing = [need for need in metric.needs if not there.get(need, True)]
        return MISSING[missing[0]] if missing else None

    def sample(self, edit: Edit, edited: View, source: View, policy: str) -> Sample:
        """Return the sample of one edit, with all that is known about it and asked for."""
        ideal = self._ideal(edit) if {"keep", "ideal"} & self.needs else None
        return Sample(
            edited,
            source,
            edit.prompt or "",
            self.entry.caption,
            edit.category,
            policy,
            keep=self._keep(edit, ideal) if "keep" in self.needs else None,
            ideal=ideal.view if ideal else None,
            true_flow=self._flow if "true_flow" in self.needs else None,
            instruction=edit.instruction,
            phrases=(edit.from_phrase, edit.to_phrase),
        )

    def _keep(self, edit: Edit, ideal: "Ideal | None") -> np.ndarray | None:
        known = [self._mask, ideal.mask if ideal else None]
        return keep_mask(edit.category, [mask for mask in known if mask is not None])

    @property
    def _exact(self) -> Exact | None:
        """What the source's world knows of it; not kept: it is large."""
        world, recipe = self.world, self.entry.recipe
        return None if world is None or recipe is None else world.truth(recipe)

    @cached_property
    def _has_mask(self) -> bool:
        return self.run.has_mask(self.entry.id)

    @cached_property
    def _mask(self) -> np.ndarray | None:
        """Where the subject of the source is, bool (frames, height, width)."""
        if self.entry.stills is not None:
            return None
        if (exact := self._exact) is not None:
            return exact.masks
        return self.run.subject_mask(self.entry.id)

    @cached_property
    def _flow(self) -> Flow | None:
        """The exact flow of the source."""
        exact = self._exact
        if exact is None or self.entry.stills is not None:
            return None
        return Flow(exact.flow_forward, exact.flow_backward, exact.occluded_forward)

    def _ideal(self, edit: Edit) -> "Ideal | None":
        world, recipe = self.world, self.run.suite.ideal_recipe(edit)
        if world is None or recipe is None:
            return None
        if edit.id not in self._ideals:
            view = View(lambda: world.clip(recipe), f"ideal {edit.id}", self.features)
            self._ideals[edit.id] = Ideal(view, world.truth(recipe).masks)
        return self._ideals[edit.id]


def _of_another_world(known: str, own: str | None) -> str:
    kind = f"of {WORLDS.get(own).title}" if own else "real"
    return f"it knows {WORLDS.get(known).title} clips only, and this clip is {kind}"


class Ideal(NamedTuple):
    """The exact edit, and where its subject is."""

    view: View
    mask: np.ndarray  # bool (frames, height, width)
