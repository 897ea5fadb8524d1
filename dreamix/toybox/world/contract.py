"""Toybox as suites, methods and scores ask for it: see dreamix/data/worlds.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dreamix.core.shipped import shipped
from dreamix.core.video import Video
from dreamix.data.edit_questions import EditQuestion
from dreamix.data.worlds import AuditEdit, MeasuredCost, World
from dreamix.toybox.world.audit import audit_edit
from dreamix.toybox.world.benchmark import category_of
from dreamix.toybox.world.grammar import parse_caption
from dreamix.toybox.world.ground_truth import Truth, truth
from dreamix.toybox.world.instructions import instruction
from dreamix.toybox.world.questions import questions
from dreamix.toybox.world.renderer import render
from dreamix.toybox.world.scene import VALUES, Scene
from dreamix.toybox.world.stills import stills

_SOME_SCENE = {name: words[0] for name, words in VALUES.items()}  # a frame to try one field in
_CAMERAS = {
    "still": "none",
    "zooming in": "zoom-in",
    "zooming out": "zoom-out",
    "panning left": "pan-left",
    "panning right": "pan-right",
}


class ToyboxWorld(World):
    """Scenes of eight words and a seed."""

    title = "Toybox"
    cost = MeasuredCost(1.6e9, edit=0.1, finetune=0.5)  # benchmarks/README.md, "All 29 videos"

    def suites(self) -> dict[str, Path]:
        """Return the benchmark, whole and in short, and its two tracks."""
        folder = shipped("datasets") / "toybox"
        return {
            "toybox": folder / "suite.yaml",
            "toybox-quick": folder / "quick.yaml",
            "animate": folder / "animate.yaml",
            "subject": folder / "subject.yaml",
        }

    def whole(self, recipe: Mapping[str, Any]) -> dict[str, Any]:
        """Return the recipe with every field named.

        Raises:
            UserError: for what is no scene.
        """
        return Scene.from_dict(recipe).to_dict()

    def field_alone(self, field: str, value: object) -> None:
        """Raise a `UserError` where no scene has the field with that value."""
        Scene.from_dict({**_SOME_SCENE, field: value})

    def clip(self, recipe: Mapping[str, Any]) -> Video:
        """Return the clip of a scene, 16 frames of 96x160."""
        return render(Scene.from_dict(recipe))

    def stills(self, recipe: Mapping[str, Any], count: int) -> Video:
        """Return still pictures of a scene's subject."""
        return stills(Scene.from_dict(recipe), count)

    def truth(self, recipe: Mapping[str, Any]) -> Truth:
        """Return mask and flow of a scene's clip."""
        return truth(Scene.from_dict(recipe))

    def read(self, text: str) -> dict[str, Any]:
        """Return the words of a caption by field.

        Raises:
            UserError: for a caption outside the grammar.
        """
        return {**parse_caption(text)}

    def recipe(self, caption: str, seed: int) -> dict[str, Any]:
        """Return the recipe of a caption with a seed."""
        return {**parse_caption(caption), "seed": seed}

    def category(self, changes: Mapping[str, Any]) -> str:
        """Return the category of an edit that changes these words."""
        return category_of(changes)

    def camera(self, prompt: str) -> str:
        """Return the camera that a caption tells."""
        return _CAMERAS[parse_caption(prompt)["camera"]]

    def instruction(self, caption: str, prompt: str) -> str:
        """Return the words that ask for what differs between two captions."""
        before, after = (Scene.from_dict(parse_caption(text)) for text in (caption, prompt))
        return instruction(before, after)

    def audit_edit(self, number: int, seed: int) -> AuditEdit:
        """Return one of the edits that judges are examined with."""
        return audit_edit(number, seed)

    def detailed(self, recipe: Mapping[str, Any]) -> Video:
        """Return the clip of a scene, 16 frames of 432x720."""
        return render(Scene.from_dict(recipe), height=432, width=720)

    def questions(
        self, recipe: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> Sequence[EditQuestion]:
        """Return the checklist of an edit of a scene."""
        return questions(Scene.from_dict(recipe), changes)


TOYBOX = ToyboxWorld()
