"""Which clips of a run are rated: every edit that all methods made, by every method or pair."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.seeding import rng_for, seed_for
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.prepare.media import MediaFolder
from study_app.spec.study import Study


class ChosenEdits(NamedTuple):
    """The edits of a study, and why others are not in it."""

    edits: list[Edit]
    left_out: dict[str, str]


def choose_edits(study: Study, run: RunFolder) -> ChosenEdits:
    """Return the edits that every method made.

    An edit that one method failed at is left out for all: people should compare like with like.

    Raises:
        UserError: for a method that the run lacks.
    """
    known = list(run.info.methods)
    for method in study.methods:
        if method not in known:
            hint = near_misses(method, known)
            raise UserError(
                f"{run.path} has no method {method!r}{hint} (it has {', '.join(known)})"
            )
    asked = [edit for edit in run.edits if _is_asked(edit.id, study)]
    missing = {edit.id: first_missing(edit, study.methods, run) for edit in asked}
    left_out = {edit: f"no clip of {method}" for edit, method in missing.items() if method}
    edits = [edit for edit in asked if edit.id not in left_out]
    if not edits:
        raise UserError(f"{run.path} has no edit that every method of the study made")
    return ChosenEdits(_drawn(edits, study), left_out)


def _drawn(edits: list[Edit], study: Study) -> list[Edit]:
    """Return as many edits as the study wants, in the suite's order.

    Sources take turns in a random order, each with a random one of its edits that are left: what is
    said of the drawn edits is said of all of them.
    """
    if study.size.edits is None or study.size.edits >= len(edits):
        return edits
    rng = rng_for("edits of the study", study.seed)
    turns: dict[str, int] = {}
    keyed: list[tuple[int, int, str]] = []
    for edit in [edits[k] for k in rng.permutation(len(edits))]:
        turns[edit.video] = turn = turns.get(edit.video, 0) + 1
        keyed.append((turn, len(keyed), edit.id))
    kept = {name for _, _, name in sorted(keyed)[: study.size.edits]}
    return [edit for edit in edits if edit.id in kept]


def _is_asked(edit: str, study: Study) -> bool:
    return any(fnmatchcase(edit, part) for part in study.edits)


def first_missing(edit: Edit, methods: Sequence[str], run: RunFolder) -> str | None:
    """Return the first method without a clip of the edit."""
    rows = {method: run.clip_row(run.first_cell(method, edit.id)) for method in methods}
    return next((method for method, row in rows.items() if row is None or row.status != "ok"), None)


def rating_items(study: Study, run: RunFolder, edits: list[Edit], media: MediaFolder) -> list[Item]:
    """Return what is rated for its own sake, one item a cell of the design."""
    size = 1 if study.design == "absolute" else 2
    items = []
    for edit in edits:
        source = source_clip(run, "rating", edit, media)
        clips = {
            method: edited_clip(run, "rating", method, edit.id, media) for method in study.methods
        }
        for methods in combinations(study.methods, size):
            left = source if size == 1 else clips[methods[0]]
            items.append(
                Item(
                    key=item_key(study, "rating", edit.id, *methods),
                    kind="rating",
                    video=edit.video,
                    edit=edit.id,
                    methods=methods,
                    category=edit.category,
                    prompt=request_of(study, edit),
                    left=left,
                    right=clips[methods[-1]],
                    seconds=media.longest(source, *(clips[name] for name in methods)),
                    reference=None if size == 1 else source,
                )
            )
    return items


def request_of(study: Study, edit: Edit) -> str:
    """Return what raters read of an edit: what the study says, or the only text that there is."""
    wanted = edit.instruction if study.request == "instruction" else edit.prompt
    return wanted or edit.request


def source_clip(run: RunFolder, kind: str, edit: Edit, media: MediaFolder) -> str:
    """Return the media name of an edit's source in trials of a kind."""
    role, colour = f"{kind} source {edit.id}", run.suite.colour
    return media.of_file(run.source(edit.video), role, colour, source=True)


def edited_clip(run: RunFolder, kind: str, method: str, edit: str, media: MediaFolder) -> str:
    """Return the media name of an edit that was made, in trials of a kind."""
    row = run.clip_row(run.first_cell(method, edit))
    if row is None or row.status != "ok":
        raise UserError(f"{run.path} has no clip of {method} for {edit}")
    return media.of_file(run.clip_path(row), f"{kind} {method} {edit}", run.colour(method))


def item_key(study: Study, *names: str) -> str:
    """Return a key that tells nothing and is the same at every build."""
    return f"{seed_for('study', study.name, study.seed, *names) % 2**64:016x}"
