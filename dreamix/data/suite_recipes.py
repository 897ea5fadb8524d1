"""Whether the recipes of a suite are such of their worlds, and whether its edits change them."""

from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.yaml_typed import Findings
from dreamix.data.suite_rows import SuiteRow
from dreamix.data.worlds import WORLDS, why_no_recipe


def check_recipes(
    videos: list[SuiteRow], edits: list[SuiteRow], by_id: dict[str, SuiteRow], found: Findings
) -> None:
    """Report every unknown field, every incomplete recipe, every edit without effect."""
    for world in WORLDS.names():
        _check_world(world, videos, [row for row in edits if world in row.values], by_id, found)


def _check_world(
    world: str,
    videos: list[SuiteRow],
    edits: list[SuiteRow],
    by_id: dict[str, SuiteRow],
    found: Findings,
) -> None:
    scenes = {row.place: _scene(world, row, {}, found) for row in videos}
    for row in edits:
        video = by_id.get(row.values.get("video", ""))
        if video is not None and world not in video.given:
            found.add(row.at(world), f"its video {row.values['video']!r} has no `{world}`")
            continue
        original = scenes[video.place] if video is not None else None
        edited = _scene(world, row, original, found)
        # Its stills may be what an edit goes on from.
        stills = video is not None and "stills" in video.given
        if edited is not None and edited == original and not stills:
            found.add(row.at(world), "the edit changes nothing of its video's scene")


def _scene(
    world: str, row: SuiteRow, base: dict[str, Any] | None, found: Findings
) -> dict[str, Any] | None:
    """Return the whole recipe of a row laid over `base`, or None after reporting.

    base: None where nothing is known of what lies below; then its fields are looked at alone.
    """
    if world not in row.values:
        return None
    recipe: dict[str, Any] = row.values[world]
    whole = {**(base or {}), **recipe}
    if base is not None and not (reason := why_no_recipe(world, whole)):
        return WORLDS.get(world).whole(whole)
    reasons = {key: _why_no_field(world, key, value) for key, value in recipe.items()}
    for key, why in reasons.items():
        if why:
            found.add(row.at(world, key), why)
    if base is not None and not any(reasons.values()):
        found.add(row.at(world), str(reason))
    return None


def _why_no_field(world: str, field: str, value: object) -> str | None:
    """Return the words of the `UserError` that a field alone raises, or None."""
    try:
        WORLDS.get(world).field_alone(field, value)
    except UserError as error:
        return str(error)
    return None
