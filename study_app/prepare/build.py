"""`dreamix study build`: from study.yaml and a run folder to all that is served."""

import math
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from evaluation.runs import RunFolder
from study_app.design.blocks import longest_list
from study_app.plan import Plan, write_plan
from study_app.prepare.cells import choose_edits, rating_items
from study_app.prepare.checks import check_items
from study_app.prepare.media import Media
from study_app.prepare.pair_checks import pair_check_items
from study_app.prepare.traps import trap_words
from study_app.spec.reading import analysis_hash, read_study
from study_app.spec.study import Study


class Built(NamedTuple):
    """What a build made."""

    study: Study
    plan: Plan
    clips: int


def build(folder: Path) -> Built:
    """Return the plan of the study in `folder`, with every clip of it ready for browsers.

    It can be called again: what is there is kept, the same study gives the same plan.
    """
    study = read_study(folder)
    run = RunFolder((folder / study.run).resolve())
    chosen = choose_edits(study, run)
    check_length(study, [edit.video for edit in chosen.edits])
    trap_words(study, folder)  # letters that no font has are found before anything is made
    media = Media(folder, study.display_height)
    items = rating_items(study, run, chosen.edits, media)
    checks = check_items if study.design == "absolute" else pair_check_items
    items += checks(study, run, chosen.edits, media)
    plan = Plan(
        study.name,
        analysis_hash(study),
        run.info.suite.sha256,
        tuple(items),
        chosen.left_out,
        dict(sorted(media.clips.items())),
    )
    write_plan(folder, plan)
    media.remove_others()
    return Built(study, plan, len(media.clips))


def check_length(study: Study, videos: list[str]) -> None:
    """Raise a `UserError` if a list is longer than its sources allow."""
    most = longest_list(videos)
    if study.size.trials > most:
        raise UserError(
            f"size.trials: {study.size.trials} are too many: a rater meets each source once, and "
            f"{len(set(videos))} sources with {len(videos)} edits allow {most}"
        )


def raters_needed(study: Study, cells: int) -> int:
    """Return how many raters give every cell its votes if none drops out."""
    return math.ceil(cells * study.size.votes / study.size.trials)
