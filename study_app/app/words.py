"""Words for the player, from study.yaml."""

from typing import Any

from study_app.app.scene import Scene


def player_words(scene: Scene) -> dict[str, str]:
    """Return all that the player may have to say, in the rater's language."""
    texts = scene.texts
    return {
        **texts.buttons.model_dump(),
        **{f"note_{name}": text for name, text in texts.notes.model_dump().items()},
        "watch_first": texts.watch_first,
        "training_feedback": texts.training_feedback,
    }


def questions(scene: Scene) -> list[dict[str, Any]]:
    """Return the questions with the label of every answer, in the order in which they are asked."""
    study = scene.running.study
    if study.design == "absolute":
        return [
            {
                "name": axis,
                "ask": scene.texts.questions[axis].ask,
                "options": [
                    {"value": value, "label": label}
                    for value, label in enumerate(scene.texts.questions[axis].labels, start=1)
                ],
            }
            for axis in study.questions
        ]
    return [_pair_question(scene, axis) for axis in study.questions]


def _pair_question(scene: Scene, axis: str) -> dict[str, Any]:
    words = scene.texts.pair_questions[axis]
    labels = ((-1, words.left), (0, words.tie), (1, words.right))
    options = [{"value": value, "label": label} for value, label in labels]
    return {"name": axis, "ask": words.ask, "options": options}


def defects(scene: Scene) -> dict[str, Any] | None:
    """Return what the panel for faults shows; None where the study does not ask for them."""
    asked, words = scene.running.study.defects, scene.texts.defects
    if not asked.ask or words is None:
        return None
    severities = enumerate(words.severities, start=1)
    return {
        "words": words.model_dump(exclude={"kinds", "severities"}),
        "kinds": [{"value": kind, "label": words.kinds[kind]} for kind in asked.kinds],
        "severities": [{"value": value, "label": label} for value, label in severities],
    }
