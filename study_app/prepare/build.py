"""`dreamix study build`: from study.yaml and a run folder to all that is served."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from evaluation.run.folder import RunFolder
from study_app.design.blocks import longest_list
from study_app.plan import Item, Plan, write_plan
from study_app.prepare.cells import choose_edits, rating_items
from study_app.prepare.checks import check_items
from study_app.prepare.media import Media, others_in
from study_app.prepare.pair_checks import pair_check_items
from study_app.prepare.retiring import clips_of, read_before, retired, with_keys
from study_app.prepare.traps import trap_words
from study_app.serving import is_served
from study_app.spec.declared import declared_hash
from study_app.spec.reading import read_study
from study_app.spec.study import Study


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
    run = RunFolder((folder / study.run).resolve())
    chosen = choose_edits(study, run)
    check_length(study, [edit.video for edit in chosen.edits])
    traps = trap_words(study, folder)  # before anything is made: a font may lack letters
    media = Media(folder, study.display_height)
    items = rating_items(study, run, chosen.edits, media)
    checks = check_items if study.design == "absolute" else pair_check_items
    items += checks(study, run, chosen.edits, media, traps)
    before = read_before(folder)
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


def raters_needed(study: Study, cells: int) -> int:
    """Return how many raters give every cell its votes if none drops out."""
    return math.ceil(cells * study.size.votes / study.size.trials)
