"""What a run has to be to be entered: every reason against it, and the entries that it makes.

Clips are what their rows say, to the byte; every edit of the suite has a clip or a reason for every
seed, every clip a score or a reason on every metric of the run; and a licence is stated. Nothing is
written to the run folder.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.names import shown
from dreamix.core.wording import listed, plural
from dreamix.data.suite import Suite
from evaluation.run.folder import RunFolder
from evaluation.schema import Cell, ClipRow, Status, finetune_seconds
from reports.leaderboard.entry import (
    BoardEdit,
    BoardSuite,
    Entry,
    EntryClip,
    SubmissionFacts,
    entry_id,
    public_metric,
    without_folders,
)
from reports.leaderboard.submission_file import SubmissionForm, read_submission
from reports.loading import Run, load_run

FEW = 3  # places that a reason names
T = TypeVar("T")
Step = Callable[[], None]  # is told of each clip that was looked at


class CheckedRun(NamedTuple):
    """A run as it was found: what it would enter, and why it may not."""

    path: Path
    suite: BoardSuite | None  # None: not even that could be read
    entries: tuple[Entry, ...]
    reasons: tuple[str, ...]


def check_run(path: Path, licence: str, step: Step) -> CheckedRun:
    """Return what a run folder would enter, with every reason against that.

    licence: where its submission.yaml states none; "" for none.
    """
    folder, reasons = RunFolder(path), list[str]()
    if _attempt(lambda: folder.info, reasons) is None:
        return CheckedRun(path, None, (), tuple(reasons))
    form = _attempt(lambda: read_submission(path), reasons)
    suite = _attempt(lambda: folder.suite, reasons)
    if suite is None:
        return CheckedRun(path, None, (), tuple(reasons))
    about = board_suite(suite)
    run = _attempt(lambda: load_run(path), reasons)
    labels = _labels(folder, form, reasons)
    sources = _sources(folder, reasons)
    for label in labels:
        _check_clips(folder, label, suite, reasons, step)
    if run is None or form is None:
        return CheckedRun(path, about, (), tuple(reasons))
    reasons += [why for label in labels for why in _scores(run, label)]
    facts = {label: form.facts(label, licence) for label in labels}
    reasons += _licences(path, facts)
    entries = [_entry(run, about, label, facts[label], sources) for label in labels]
    entries += _anchors(run, suite, about, sources, step)
    return CheckedRun(path, about, tuple(entries), tuple(reasons))


def _attempt(read: Callable[[], T], reasons: list[str]) -> T | None:
    """Return what can be read; None where it cannot, with all that is wrong among the reasons."""
    try:
        return read()
    except UserError as error:
        reasons += [line for line in error.lines if line not in reasons]
        return None


def board_suite(suite: Suite) -> BoardSuite:
    """Return what a site keeps of a suite."""
    edits = [BoardEdit(one.id, one.video, one.category, one.tags) for one in suite.edits]
    ordered = tuple(sorted(edits, key=lambda edit: edit.id))
    return BoardSuite(suite.name, str(suite.version), suite.licence, suite.sha256, ordered)


def _labels(folder: RunFolder, form: SubmissionForm | None, reasons: list[str]) -> list[str]:
    """Return the methods that are entered: those named, else all but anchors."""
    competing = [label for label in folder.info.ordered if not folder.info.methods[label].anchor]
    named = (form.methods if form else None) or None
    if named is None:
        if not competing:
            reasons.append("methods: there are none but anchors, which are not ranked")
        return competing
    for label in named:
        if label not in competing:
            known = f"it has {listed(competing)}" if competing else "it has anchors only"
            reasons.append(f"methods: the run has no method {shown(label)} to enter: {known}")
    return [label for label in competing if label in named]


def _sources(folder: RunFolder, reasons: list[str]) -> dict[str, str]:
    """Return the content of every source clip that the run keeps, by video."""
    found = {}
    for video in sorted({edit.video for edit in folder.suite.edits}):
        path = _attempt(lambda video=video: folder.source(video), reasons)  # type: ignore[misc]
        if path is not None:
            found[video] = sha256_file(path)
            wanted = folder.suite.videos[video].sha256
            if wanted and found[video] != wanted:
                reasons.append(f"hashes: {path} is not the clip that the suite names")
    return found


def _check_clips(
    folder: RunFolder, label: str, suite: Suite, reasons: list[str], step: Step
) -> None:
    """Add to the reasons which clips of a method are missing without one, or altered."""
    lost, altered, seeds = list[str](), list[str](), folder.info.methods[label].seeds
    for cell in (Cell(label, edit.id, seed) for edit in suite.edits for seed in seeds):
        row = _attempt(lambda cell=cell: folder.clip_row(cell), reasons)  # type: ignore[misc]
        step()
        if row is None:
            lost.append(f"{cell.edit} (seed {cell.seed})")
        elif row.status == "ok" and not _is_intact(folder, row):
            altered.append(f"{cell.edit} (seed {cell.seed})")
    if lost:
        total = len(suite.edits) * len(seeds)
        reasons.append(
            f"coverage: {label} has neither a clip nor a reason for {len(lost)} of {total} places "
            f"(edits x seeds): {_some(lost)}; `dreamix bench run` goes on with them"
        )
    if altered:
        reasons.append(
            f"hashes: {label} has {plural(len(altered), 'clip')} gone or of another SHA-256 than "
            f"the row beside it says: {_some(altered)}"
        )


def _is_intact(folder: RunFolder, row: ClipRow) -> bool:
    """Return whether a clip is there and what its row says."""
    try:
        path = folder.clip_path(row)
        return path.is_file() and sha256_file(path) == row.sha256
    except (UserError, OSError):
        return False


def _some(names: list[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")


def _scores(run: Run, label: str) -> list[str]:
    """Return which scores of clips are missing."""
    rows = run.scores
    due = rows[(rows["method"] == label) & (rows["status"] == "missing") & rows["made"]]
    counts = Counter(zip(due["metric"], due["reason"], strict=True))
    return [
        f"scores: {label} lacks {plural(count, 'score')} on {metric}: {reason}"
        for (metric, reason), count in sorted(counts.items())
    ]


def _licences(path: Path, facts: dict[str, SubmissionFacts]) -> list[str]:
    without = sorted(label for label, one in facts.items() if not one.licence)
    if not without:
        return []
    return [
        f"licence: none is stated for {listed(without)}: write `licence: ...` into "
        f"{path / 'submission.yaml'}, or name one for all with --licence"
    ]


def _anchors(
    run: Run, suite: Suite, about: BoardSuite, sources: dict[str, str], step: Step
) -> Iterable[Entry]:
    """Yield the anchors of which nothing is missing; others are left out without a word."""
    for label in run.anchors:
        reasons = list[str]()
        _check_clips(run.files, label, suite, reasons, step)
        if not reasons and not _scores(run, label):
            yield _entry(run, about, label, SubmissionFacts(label), sources)


def _entry(
    run: Run, suite: BoardSuite, label: str, facts: SubmissionFacts, sources: dict[str, str]
) -> Entry:
    method = run.methods[label]
    clips = _clips(run, label)
    hidden = method.beside or {}
    config = {name: value for name, value in method.config.items() if name not in hidden}
    return Entry(
        id=entry_id(label, suite.sha256, method.config_hash, clips),
        label=label,
        anchor=method.anchor,
        facts=facts,
        suite=suite.sha256,
        method=method.name,
        config=without_folders(config),
        definition=method.definition,
        seeds=method.seeds,
        backend=method.backend,
        package=method.package,
        versions=run.info.versions,
        scored_with=run.info.scored_with,
        metrics={name: public_metric(one) for name, one in run.info.metrics.items()},
        sources=sources,
        clips=clips,
    )


def _clips(run: Run, label: str) -> tuple[EntryClip, ...]:
    """Return the clips of a method with all of their scores, in the order of edit and seed."""
    rows = run.scores[run.scores["method"] == label]
    scores: dict[Cell, list[dict[str, Any]]] = {}
    for one in rows.to_dict("records"):
        told = {str(name): value for name, value in one.items()}
        scores.setdefault(Cell(label, told["edit"], told["seed"]), []).append(told)
    cells = sorted(cell for cell in run.clips if cell.method == label)
    return tuple(_clip(run.clips[cell], scores.get(cell, [])) for cell in cells)


def _clip(row: ClipRow, scores: list[dict[str, Any]]) -> EntryClip:
    values = {
        one["metric"]: float(one["value"])
        for one in scores
        if one["status"] == "ok" and np.isfinite(one["value"])
    }
    covers = [float(one["covers"]) for one in scores if np.isfinite(one["covers"])]
    made_here = row.origin is None and row.status == "ok"
    return EntryClip(
        edit=row.edit,
        seed=row.seed,
        status=row.status,
        reason=row.reason and without_folders(row.reason),
        sha256=row.sha256 if row.status == "ok" else None,
        seconds=row.seconds if made_here else None,
        finetune_seconds=finetune_seconds(row.facts) if made_here else 0.0,
        peak_memory_mb=row.peak_memory_mb if made_here else None,
        covers=covers[0] if covers else None,
        values=values,
        lacks={one["metric"]: _why(one) for one in scores if one["metric"] not in values},
    )


def _why(score: dict[str, Any]) -> tuple[Status, str]:
    """Return why a clip has no value on a metric."""
    status: Status = "n/a" if score["status"] == "n/a" else "failed"
    return status, without_folders(str(score["reason"] or "no reason given"))
