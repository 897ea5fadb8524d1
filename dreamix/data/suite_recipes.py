"""Whether the Toybox recipes of a suite are scenes, and whether its edits change them."""

from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.yaml_typed import Findings
from dreamix.data.suite_rows import SuiteRow
from dreamix.toybox.world.scene import VALUES, Scene

_SOME_SCENE = {name: words[0] for name, words in VALUES.items()}  # A frame to try one field in.


def check_recipes(
    videos: list[SuiteRow], edits: list[SuiteRow], by_id: dict[str, SuiteRow], found: Findings
) -> None:
    """Report every field that no scene has, every incomplete scene, every edit without effect."""
    scenes = {row.place: _scene(row, {}, found) for row in videos}
    bases = {place: scene.to_dict() for place, scene in scenes.items() if scene}
    for row in (row for row in edits if "toybox" in row.values):
        video = by_id.get(row.values.get("video", ""))
        if video is not None and "toybox" not in video.given:
            found.add(row.at("toybox"), f"its video {row.values['video']!r} has no `toybox`")
            continue
        original = scenes[video.place] if video is not None else None
        edited = _scene(row, bases[video.place] if video and original else _SOME_SCENE, found)
        # Its stills may be what an edit goes on from.
        stills = video is not None and "stills" in video.given
        if edited is not None and edited == original and not stills:
            found.add(row.at("toybox"), "the edit changes nothing of its video's scene")


def _scene(row: SuiteRow, base: dict[str, Any], found: Findings) -> Scene | None:
    """Return the scene of a row's recipe laid over `base`, or None after reporting."""
    if "toybox" not in row.values:
        return None
    recipe: dict[str, Any] = row.values["toybox"]
    whole = {**base, **recipe}
    if not (reason := _why_no_scene(whole)):
        return Scene.from_dict(whole)
    reasons = {key: _why_no_scene({**_SOME_SCENE, key: value}) for key, value in recipe.items()}
    for key, why in reasons.items():
        if why:
            found.add(row.at("toybox", key), why)
    if not any(reasons.values()):
        found.add(row.at("toybox"), reason)
    return None


def _why_no_scene(recipe: dict[str, Any]) -> str | None:
    """Return the words of the UserError that the recipe raises, or None if it is a scene."""
    try:
        Scene.from_dict(recipe)
    except UserError as error:
        return str(error)
    return None
