"""What a study showed before it was built anew: clips that changed are other items.

The key of an item hangs on its request and on the content of its clips. So a clip that is made anew
is another item, and the votes for the old one stay with the old one, which is retired: known, never
dealt, never pooled. A key that an earlier version made from names alone stays while its clips do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dreamix.core.places import inside
from dreamix.core.records import MOST, read_bytes
from dreamix.core.typed import as_typed, parse_typed
from study_app.plan import FILE, Clip, Item
from study_app.prepare.cells import item_key
from study_app.spec.study import Study

Clips = Mapping[str, Clip]


@dataclass(frozen=True)
class Before:
    """The plan of the build before, of any version: its items, those it had retired, its clips."""

    items: tuple[Item, ...] = ()
    retired: tuple[Item, ...] = ()
    clips: Clips = field(default_factory=dict)


def read_before(folder: Path) -> Before:
    """Return the plan that stands in a study's folder; one that is damaged is a `UserError`."""
    path = folder / FILE
    if not path.exists():
        return Before()
    found = parse_typed(read_bytes(inside(folder, FILE), MOST), dict[str, Any], str(path))
    return Before(
        as_typed(found.get("items", []), tuple[Item, ...], f"{path}: items"),
        as_typed(found.get("retired", []), tuple[Item, ...], f"{path}: retired"),
        as_typed(found.get("clips", {}), dict[str, Clip], f"{path}: clips"),
    )


def with_keys(
    study: Study, items: Sequence[Item], clips: Clips, before: Before
) -> tuple[Item, ...]:
    """Return the items under keys of their own: that of before, if they were there already."""
    known = {_shown(item, before.clips): item.key for item in (*before.retired, *before.items)}
    return tuple(replace(item, key=_key(study, item, clips, known)) for item in items)


def retired(items: Sequence[Item], before: Before) -> tuple[Item, ...]:
    """Return what was shown, or could have been, and is not among the items any more."""
    keys = {item.key for item in items}
    gone = {item.key: item for item in (*before.retired, *before.items) if item.key not in keys}
    return tuple(gone.values())


def clips_of(gone: Sequence[Item], before: Before) -> dict[str, Clip]:
    """Return the clips of retired items; of versions that kept no content all but that is known."""
    return {
        name: before.clips.get(name) or Clip(item.seconds, "")
        for item in gone
        for name in item.clips
    }


def _key(study: Study, item: Item, clips: Clips, known: Mapping[Any, str]) -> str:
    content = [clips[name].sha256 for name in item.clips]
    own = item_key(study, item.key, item.prompt, *content)
    by_names = known.get(_shown(item, {}))  # of a plan that kept no content
    return known.get(_shown(item, clips)) or by_names or own


def _shown(item: Item, clips: Clips) -> tuple[Any, ...]:
    """Return what tells an item from all others, but for its key."""
    content = tuple(clips[name].sha256 if name in clips else "" for name in item.clips)
    expected = tuple(sorted((item.expected or {}).items()))
    return *item.place, item.prompt, item.clips, expected, content
