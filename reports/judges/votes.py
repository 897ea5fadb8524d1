"""Clips of a run that all their raters called a success, or all a failure."""

from collections import defaultdict

from dreamix.core.errors import UserError
from evaluation.judge.audit.clips import VotedClip
from evaluation.run.folder import RunFolder
from reports.people.export import StudyExport

FEWEST = 3  # raters of a clip
TOP, BOTTOM = 0.75, 0.25  # of the scale: every vote from there on


def voted_clips(export: StudyExport, run: RunFolder) -> dict[str, list[VotedClip]]:
    """Return the clips of a run that raters were of one mind about, by source video.

    All votes of a success on the first question are in the top quarter of the scale, those of a
    failure in the lowest; at least three raters gave one.

    Raises:
        UserError: if there are no single votes of people on absolute scales, or none of this run.
    """
    if export.simulated or export.means or export.design != "absolute":
        raise UserError(
            f"{export.folder}: an audit takes single votes of people on one edit at a time"
        )
    question, (low, high) = export.questions[0], export.scale
    own = export.own
    votes = own[(own["question"] == question) & ~own["excluded"]]
    found: dict[str, list[VotedClip]] = defaultdict(list)
    edits = {edit.id: edit for edit in run.suite.edits}
    for (name, method), group in votes.groupby(["edit", "method"], sort=True):
        edit, values = edits.get(str(name)), (group["value"] - low) / (high - low)
        is_good, is_bad = bool((values >= TOP).all()), bool((values <= BOTTOM).all())
        known = edit is not None and str(method) in run.info.methods
        if edit and known and group["rater"].nunique() >= FEWEST and (is_good or is_bad):
            seed = run.first_cell(str(method), edit.id).seed
            told = edit.prompt or "", edit.instruction or ""
            found[edit.video].append(VotedClip(edit.id, str(method), seed, is_good, *told))
    if not found:
        raise UserError(
            f"{export.folder}: no clip of the run has {FEWEST} votes or more that are all in the "
            f"top or all in the lowest quarter of the scale on {question}"
        )
    return found
