"""Toybox scenes for the corruption ladder, of which the ideal edit is known."""

from dreamix.data.suite import Edit, Suite
from dreamix.toybox.world import Scene, render, truth
from evaluation.sample import Flow
from evaluation.score.ladder import Subject
from evaluation.score.truth import keep_mask


def toybox_subjects(suite: Suite, most: int = 8) -> list[Subject]:
    """Return Toybox scenes that move, in clear air, each with an edit whose outcome is known."""
    subjects: list[Subject] = []
    for edit in suite.edits:
        recipe = suite.videos[edit.video].recipe or {}
        plain = recipe["effect"] == recipe["style"] == "none"
        if edit.category not in ("object", "appearance") or not plain:
            continue
        if recipe["motion"] in ("resting", "spinning") or edit.video in {s.name for s in subjects}:
            continue
        subjects.append(_toybox_subject(suite, edit))
    return subjects[:: max(1, len(subjects) // most)][:most]


def _toybox_subject(suite: Suite, edit: Edit) -> Subject:
    entry = suite.videos[edit.video]
    scenes = [Scene.from_dict({**(entry.recipe or {}), **more}) for more in ({}, edit.recipe or {})]
    exact, goal = (truth(scene) for scene in scenes)
    return Subject(
        edit.video,
        render(scenes[0]),
        str(entry.caption),
        render(scenes[1]),
        edit.prompt,
        keep_mask(edit.category, [exact.masks, goal.masks]),
        Flow(exact.flow_forward, exact.flow_backward, exact.occluded_forward),
    )
