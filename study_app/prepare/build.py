"""Builds a study: from study.yaml, a run folder and the earlier plan to all that is served.

The key of an item hangs on its request and on the content of its clips. So a clip that is made anew
is another item, and the votes for the old one stay with the old one, which is retired: known, never
allocated, never pooled. A key that an earlier version made from names alone stays while its clips
do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import MOST, read_bytes
from dreamix.core.typed import as_typed, parse_typed
from dreamix.core.wording import plural
from dreamix.remote.place_type import beside
from evaluation.run.folder import RunFolder
from study_app.declaration import declared_hash
from study_app.design import longest_list
from study_app.open_study import is_served
from study_app.plan import PLAN_FILE, Item, Plan, ServedClip, write_plan
from study_app.prepare.cells import choose_edits, item_key, rating_items
from study_app.prepare.checks import check_items, pair_check_items
from study_app.prepare.media import MediaFolder, others_in
from study_app.prepare.traps import trap_texts
from study_app.spec.study import Study, read_study

Clips = Mapping[str, ServedClip]


@dataclass(frozen=True)
class EarlierPlan:
    """The plan of the build before, of any version: its items, those it had retired, its clips."""

    items: tuple[Item, ...] = ()
    retired: tuple[Item, ...] = ()
    clips: Clips = field(default_factory=dict)


def read_earlier_plan(folder: Path) -> EarlierPlan:
    """Return the plan that stands in a study's folder.

    Raises:
        UserError: if the plan is damaged.
    """
    path = folder / PLAN_FILE
    if not path.exists():
        return EarlierPlan()
    found = parse_typed(read_bytes(inside(folder, PLAN_FILE), MOST), dict[str, Any], str(path))
    return EarlierPlan(
        as_typed(found.get("items", []), tuple[Item, ...], f"{path}: items"),
        as_typed(found.get("retired", []), tuple[Item, ...], f"{path}: retired"),
        as_typed(found.get("clips", {}), dict[str, ServedClip], f"{path}: clips"),
    )


def with_keys(
    study: Study, items: Sequence[Item], clips: Clips, before: EarlierPlan
) -> tuple[Item, ...]:
    """Return the items under keys of their own: that of before, if they were there already."""
    known = {_shown(item, before.clips): item.key for item in (*before.retired, *before.items)}
    return tuple(replace(item, key=_key(study, item, clips, known)) for item in items)


def retired(items: Sequence[Item], before: EarlierPlan) -> tuple[Item, ...]:
    """Return what was shown, or could have been, and is not among the items any more."""
    keys = {item.key for item in items}
    gone = {item.key: item for item in (*before.retired, *before.items) if item.key not in keys}
    return tuple(gone.values())


def clips_of(gone: Sequence[Item], before: EarlierPlan) -> dict[str, ServedClip]:
    """Return the clips of retired items; of versions that kept no content all but that is known."""
    return {
        name: before.clips.get(name) or ServedClip(item.seconds, "")
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


class Built(NamedTuple):
    """What a build made."""

    study: Study
    plan: Plan
    clips: int
    kept: int = 0  # clips of before that stay, for somebody may be watching them


def build(folder: Path, *, has_raters: bool = False) -> Built:
    """Return the plan of the study in `folder`, with every clip of it ready for browsers.

    It can be called again: what is there is kept, the same study gives the same plan.
    """
    return finish(folder, draft(folder, has_raters=has_raters))


def draft(folder: Path, *, has_raters: bool) -> Built:
    """Return what a build would make; clips are made, the plan that is there stays.

    has_raters: somebody may have been shown what the plan before had: it is not forgotten.
    """
    study = read_study(folder)
    run = RunFolder(beside(folder, study.run))
    chosen = choose_edits(study, run)
    check_length(study, [edit.video for edit in chosen.edits])
    traps = trap_texts(study, folder)  # before anything is made: a font may lack letters
    media = MediaFolder(folder, study.display_height)
    items = rating_items(study, run, chosen.edits, media)
    checks = check_items if study.design == "absolute" else pair_check_items
    items += checks(study, run, chosen.edits, media, traps)
    before = read_earlier_plan(folder)
    keyed = with_keys(study, items, media.clips, before)
    gone = retired(keyed, before) if has_raters or is_served(folder) else ()
    check_design(study, gone)
    plan = Plan(
        study.name,
        "",
        run.info.suite.sha256,
        keyed,
        chosen.left_out,
        dict(sorted((clips_of(gone, before) | media.clips).items())),
        gone,
    )
    plan = replace(plan, declared=declared_hash(study, plan))
    return Built(study, plan, len(media.clips))


def finish(folder: Path, built: Built) -> Built:
    """Write the plan that was drafted; clips that nothing shows go, unless the study is served."""
    write_plan(folder, built.plan)
    served = is_served(folder)
    others = others_in(folder, built.plan)
    for path in () if served else others:
        path.unlink()
    shown = {name for item in built.plan.items for name in item.clips}
    return built._replace(kept=len(others) + len(set(built.plan.clips) - shown) if served else 0)


def check_length(study: Study, videos: list[str]) -> None:
    """Raise a `UserError` if a list is longer than its sources allow."""
    most = longest_list(videos)
    if study.size.trials > most:
        raise UserError(
            f"size.trials: {study.size.trials} are too many: a rater meets each source once, and "
            f"{plural(len(set(videos)), 'source')} with {plural(len(videos), 'edit')} allow {most}"
        )


def check_design(study: Study, gone: Sequence[Item]) -> None:
    """Raise a `UserError` if raters were shown items of the other design."""
    if any(len(item.methods) != study.methods_of(item.kind) for item in gone):
        raise UserError(
            f"study.yaml: design is {study.design}, and raters were shown the other one: put it "
            "back, or begin another study"
        )


def raters_for_quota(study: Study, cells: int) -> int:
    """Return how many raters give every cell its votes if none drops out."""
    return math.ceil(cells * study.size.votes / study.size.trials)
