"""Whether the Toybox recipes of a suite are scenes, and whether its edits change them."""

from typing import Any

from dreamix.core.errors import UserError
from dreamix.data.suite_yaml import Record, Report
from dreamix.data.toybox.scene import VALUES, Scene

_SOME_SCENE = {name: words[0] for name, words in VALUES.items()}  # A frame to try one field in.


def check_recipes(
    videos: list[Record], edits: list[Record], by_id: dict[str, Record], report: Report
) -> None:
    """Report every field that no scene has, every incomplete scene, every edit without effect."""
    scenes = {id(row): _scene(row, {}, report) for row in videos}
    for row in (row for row in edits if "toybox" in row.values):
        video = by_id.get(row.values.get("video", ""))
        if video is not None and "toybox" not in video.lines:
            report.add(row.lines["toybox"], f"its video {row.values['video']!r} has no `toybox`")
            continue
        original = scenes[id(video)] if video is not None else None
        edited = _scene(row, original.to_dict() if original else _SOME_SCENE, report)
        if edited is not None and edited == original and "stills" not in video_keys(video):
            report.add(row.lines["toybox"], "the edit changes nothing of its video's scene")


def video_keys(video: Record | None) -> set[str]:
    """Return the keys of a video's row; its stills may be what an edit goes on from."""
    return set(video.lines) if video is not None else set()


def _scene(row: Record, base: dict[str, Any], report: Report) -> Scene | None:
    """Return the scene of a row's recipe laid over `base`, or None after reporting."""
    if "toybox" not in row.values:
        return None
    recipe: Record = row.values["toybox"]
    reasons = {
        key: _why_no_scene({**_SOME_SCENE, key: recipe.values[key]}) for key in recipe.values
    }
    for key in (key for key, reason in reasons.items() if reason):
        report.add(recipe.lines[key], f"toybox: {reasons[key]}")
    if any(reasons.values()):
        return None
    if reason := _why_no_scene({**base, **recipe.values}):
        report.add(row.lines["toybox"], f"toybox: {reason}")
        return None
    return Scene.from_dict({**base, **recipe.values})


def _why_no_scene(recipe: dict[str, Any]) -> str | None:
    """Return the words of the UserError that the recipe raises, or None if it is a scene."""
    try:
        Scene.from_dict(recipe)
    except UserError as error:
        return str(error)
    return None
