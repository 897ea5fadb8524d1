"""Parts of the page that are tables and lists: results, failures, definitions, provenance."""

import json
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from evaluation.settings import TOYBOX_CLIP
from reports.loading import AXES, Run
from reports.rendering import macros
from reports.summary import Summary, gaps
from reports.tables import AXIS_TITLES, Table
from reports.wording import plural

FEW_VIDEOS = 20  # below this the measured coverage of a 95% interval is under 93%
_PIECES, _RESULTS = macros("pieces.html"), macros("results.html")
NONE = Markup("")


def table_html(table: Table, titled: bool = True) -> Markup:
    """Return a table that scrolls within the page, its heads and first column in view."""
    return _PIECES.table(table, titled)


def caution(summary: Summary) -> Markup:
    """Return the warning about intervals that rest on few videos, empty with enough of them."""
    return _RESULTS.caution(len(summary.run.videos), FEW_VIDEOS)


def small_clip(run: Run) -> Markup:
    """Return what a reader must know if CLIP was Toybox's own small one, empty if it was not."""
    models = [facts.models.get("clip", "") for facts in run.metrics.values()]
    is_small = any(model.startswith(f"clip {TOYBOX_CLIP} ") for model in models)
    return _RESULTS.small_clip(TOYBOX_CLIP) if is_small else NONE


def idle(run: Run) -> Markup:
    """Return which metrics apply to no clip of the run, and why; empty if there are none."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in run.idle.items():
        by_reason.setdefault(reason, []).append(name)
    return _RESULTS.idle(len(run.idle), by_reason) if by_reason else NONE


def failures(run: Run, linked: bool) -> Markup:
    """Return every reason for a missing number, with how many clips it concerns.

    linked: whether the page has a gallery in which the example can be looked at.
    """
    rows = []
    for gap in gaps(run):
        method, edit, _seed = gap.example.split("/")
        named = {
            "methods": "all" if len(gap.methods) == len(run.methods) else ", ".join(gap.methods),
            "metrics": "all" if len(gap.metrics) == len(run.metrics) else ", ".join(gap.metrics),
        }
        rows.append(gap._asdict() | named | {"edit": edit, "example": f"{method} / {edit}"})
    return _RESULTS.failures(rows, linked)


def remarks_html(table: Table | None) -> Markup:
    """Return what is remarked of how clips were read, folded; empty if nothing."""
    if table is None:
        return NONE
    clips = sum(int(row.cells[1].main) for row in table.rows)
    kinds = f" of {plural(len(table.rows), 'kind')}" if len(table.rows) > 1 else ""
    return _RESULTS.remarks(f"{table.title}: {plural(clips, 'remark')}{kinds}", table)


def notes(run: Run) -> Markup:
    """Return what a reader must know of some values, and of how many; empty if nothing."""
    found = run.scores["note"].dropna().value_counts()
    return _RESULTS.notes({str(text): int(n) for text, n in found.items()}) if len(found) else NONE


def definitions(run: Run) -> Markup:
    """Return the definition of every metric of the tables."""
    axes = ((AXIS_TITLES[axis], run.on_axis(axis)) for axis in AXES)
    return _RESULTS.definitions([(title, found) for title, found in axes if found])


def provenance(summary: Summary, more: dict[str, dict[str, Any]]) -> Markup:
    """Return all that is known about how the numbers came to be, and `more` blocks of facts."""
    run, info = summary.run, summary.run.info
    blocks: dict[str, Any] = {
        "Suite": asdict(info.suite),
        "Clips made with": info.versions,
        "Scores computed with": info.scored_with | {"scores.jsonl": run.scores_sha256},
        "Model settings": _settings(run),
        **more,
    }
    methods = [
        (label, entry, json.dumps(entry.config, indent=1, sort_keys=True, ensure_ascii=False))
        for label, entry in info.methods.items()
    ]
    return _RESULTS.provenance(blocks, methods)


def _settings(run: Run) -> dict[str, Any]:
    """Return the settings that the metrics share; where they differ, every one with its metrics."""
    by_text: dict[str, list[str]] = {}
    for name, facts in run.info.metrics.items():
        by_text.setdefault(json.dumps(facts.settings, sort_keys=True), []).append(name)
    if len(by_text) == 1:
        found: dict[str, Any] = json.loads(next(iter(by_text)))
        return found
    return {", ".join(names): text for text, names in by_text.items()}
