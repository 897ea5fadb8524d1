"""The page of a run: its results, its gallery, and what people said of its clips."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from markupsafe import Markup

from dreamix.core.wording import plural
from dreamix.data.suite import Edit
from evaluation.settings import OWN_CLIPS
from reports.loading import AXES, Run
from reports.metrics.results import AXIS_TITLES, decimals
from reports.metrics.sentences import summary_sentences
from reports.page.clips import FRAMES, NO_CLIPS, RULE, Copies, Strip
from reports.page.paper import Paragraph, paragraph_html
from reports.page.shell import Plot, Section, glance_html, macros, part_html, shell, table_html
from reports.parts import ReportPart, grouped
from reports.summary import RunSummary, gaps
from reports.tables import Table, is_number

FEW_VIDEOS = 20  # below this the measured coverage of a 95% interval is under 93%
_PIECES, _RESULTS = macros("pieces.html"), macros("results.html")
_STRIP = macros("strip.html")
NONE = Markup("")


def caution(summary: RunSummary) -> Markup:
    """Return the warning about intervals that rest on few videos, empty with enough of them."""
    return _RESULTS.caution(len(summary.run.videos), FEW_VIDEOS)


def small_clip(run: Run) -> Markup:
    """Return what a reader must know if CLIP was a world's own small one, empty if it was not."""
    models = {facts.models.get("clip", "") for facts in run.metrics.values()}
    small = (
        clip
        for clip in OWN_CLIPS.each()
        if any(model.startswith(f"clip {clip.name} ") for model in models)
    )
    return Markup().join(_RESULTS.small_clip(clip) for clip in small)


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


def provenance(summary: RunSummary, more: dict[str, dict[str, Any]]) -> Markup:
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
        if facts.elsewhere:
            continue
        by_text.setdefault(json.dumps(facts.settings, sort_keys=True), []).append(name)
    if len(by_text) == 1:
        found: dict[str, Any] = json.loads(next(iter(by_text)))
        return found
    return {", ".join(names): text for text, names in by_text.items()}


class Content(NamedTuple):
    """What the page shows."""

    summary: RunSummary
    tables: list[Table]
    plots: list[Plot]
    part_plots: dict[str, Plot]  # the drawings of parts and rankings
    files: list[str]  # written beside the page, relative to it
    gallery: dict[str, Any] | None  # None: made without media
    facts: dict[str, dict[str, Any]]  # for the provenance: what made the report, and the study
    glance: ReportPart  # what the page opens with
    strip: Strip | None
    parts: list[ReportPart]  # of a rater study; none without one
    rankings: list[ReportPart]  # of methods by metrics alone; none with a study
    methods: Paragraph


def page(content: Content) -> str:
    """Return the page as HTML; equal contents give equal text."""
    summary = content.summary
    heading = _heading(summary)
    data = {"gallery-data": content.gallery} if content.gallery else None
    return shell(title(summary.run), heading, _sections(content), data=data)


def title(run: Run) -> str:
    """Return what a report on a run is called."""
    suite = run.info.suite
    count = len(run.ranked)
    who = f"{count} methods compared" if count > 1 else plural(count, "method")
    return f"{who} on {suite.name}, version {suite.version}"


def _heading(summary: RunSummary) -> Markup:
    run = summary.run
    suite = run.info.suite
    facts = [
        (len(run.ranked), "method", "methods"),
        (len(run.edits), "edit", "edits"),
        (len(run.videos), "source video", "source videos"),
        (len(run.metrics) - len(run.idle), "metric", "metrics"),
        (int((run.scores["status"] == "failed").sum()), "failed score", "failed scores"),
    ]
    return _PIECES.heading("Video editing report", suite.name, str(suite.version), facts)


def _sections(content: Content) -> list[Section]:
    summary, run = content.summary, content.summary.run
    tables = {table.name: table for table in content.tables}
    linked = content.gallery is not None
    lost = [table_html(tables["counts"]), failures(run, linked)]
    lost += [remarks_html(tables.get("remarks")), notes(run)]
    defined = [definitions(run), _RESULTS.not_run(run.info.not_run)]
    return [
        Section("glance", content.glance.title, _glance(content), open=True),
        Section("summary", "Summary", _summary(content)),
        *_part_sections(content.parts, content.part_plots),
        *_results(content),
        *_part_sections(content.rankings, content.part_plots),
        Section("gallery", "Gallery", _gallery(content)),
        Section("failures", "Failures", _joined(lost)),
        Section("cost", "Cost", table_html(tables["cost"], titled=False)),
        Section("methods", "Methods", paragraph_html(content.methods)),
        Section("metrics", "Metrics", _joined(defined)),
        Section("provenance", "Provenance", provenance(summary, content.facts)),
        Section("files", "Files", _PIECES.files(content.files)),
    ]


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _glance(content: Content) -> Markup:
    """Return what stands open: the first table and figure, and the strip."""
    first = glance_html(content.glance, content.part_plots)
    return _joined([first, caution(content.summary), _strip(content.strip)])


def _strip(strip: Strip | None) -> Markup:
    """Return the strip, or the line that says why there is none."""
    found: Markup = _STRIP.strip(strip, RULE, FRAMES) if strip else _PIECES.note(NO_CLIPS)
    return found


def _part_sections(parts: list[ReportPart], plots: dict[str, Plot]) -> list[Section]:
    """Return a section a part. What people said comes before metrics, which stand in for them."""
    return [Section(part.id, part.title, part_html(part, plots)) for part in parts]


def _results(content: Content) -> list[Section]:
    """Return the sections of the metrics."""
    summary, run = content.summary, content.summary.run
    plots = {plot.name: plot for plot in content.plots}
    named = {table.name: table for table in content.tables}
    axes = [named[name] for axis in AXES for name in (axis, f"bounds_{axis}") if name in named]
    how = _RESULTS.how_to_read(summary.resampling)
    body = _joined([how, small_clip(run), *map(table_html, axes), idle(run)])
    found = [Section("results", "Results", body)]
    if "trade_off" in plots:
        found.append(Section("trade-off", "Trade-off", _PIECES.plot(plots["trade_off"])))
    if "categories" in plots:
        tables = [table for table in content.tables if table.name.startswith("category_")]
        categories = _RESULTS.categories(plots["categories"], tables)
        found.append(Section("categories", "Edit categories", categories))
    if "quality" in plots:
        found.append(Section("quality-delta", "Against the source", _PIECES.plot(plots["quality"])))
    return found


def _summary(content: Content) -> Markup:
    first, clips, *rest = summary_sentences(content.summary)
    rest += [sentence for part in content.rankings for sentence in part.found]
    found: Markup = _RESULTS.summary(f"{first} {clips}", grouped(content.parts), rest)
    return found


def _gallery(content: Content) -> Markup:
    if content.gallery is None:
        return _PIECES.note("This report was made with --no-media.")
    return _RESULTS.gallery()


def gallery_data(summary: RunSummary, copies: Copies) -> dict[str, Any]:
    """Return what the gallery shows, as JSON can hold it.

    metrics: name, arrow, sign (1 higher is better, -1 lower, 0 neither), digits, headline
    methods: label, anchor, seeds as text: scripts hold numbers to 53 bits only
    videos:  id -> caption and clip
    edits:   id, video, prompt, category, tags; instruction where there is a prompt as well
    clips:   method -> edit -> one entry a seed: the clip, and `scores` in the order of metrics
    A clip has a file and its frames a second, or the reason why there is none. A score is a number,
    or the place of its reason in `reasons`, as text. `partial` marks a clip that is never best.
    """
    run, reasons = summary.run, _Reasons()
    return {
        "metrics": _metrics(summary),
        "methods": [
            {"label": label, "anchor": m.anchor, "seeds": list(map(str, m.seeds))}
            for label, m in run.methods.items()
        ],
        "videos": {
            video.id: {"caption": video.caption, **copies.sources[video.id].to_dict()}
            for video in run.files.suite.videos.values()
            if video.id in copies.sources
        },
        "edits": [_edit(edit) for edit in run.edits.values()],
        "clips": _clips(run, copies, reasons),
        "reasons": reasons.texts,
    }


def _edit(edit: Edit) -> dict[str, Any]:
    told = {name: getattr(edit, name) for name in ("id", "video", "category")}
    both = edit.instruction if edit.prompt else None
    return {**told, "prompt": edit.request, "instruction": both, "tags": [*edit.tags]}


class _Reasons:
    """Texts that occur often, each kept once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))

    @property
    def texts(self) -> list[str]:
        return list(self.places)


def _metrics(summary: RunSummary) -> list[dict[str, Any]]:
    headlines = {summary.headline(axis) for axis in ("alignment", "fidelity", "quality")}
    return [
        {
            "name": facts.name,
            "arrow": facts.arrow,
            "sign": facts.sign,
            "digits": decimals(summary.column(facts.name)),
            "headline": facts.name in headlines,
        }
        for facts in summary.run.metrics.values()
    ]


def _clips(run: Run, copies: Copies, reasons: _Reasons) -> dict[str, Any]:
    scores = _scores(run, reasons)
    found: dict[str, dict[str, list[Any]]] = {}
    for cell in run.cells:
        method, edit, _seed = cell
        entry = copies.clips[cell].to_dict() | {"scores": scores[cell]}
        if cell in run.partial_clips:
            entry["partial"] = True
        found.setdefault(method, {}).setdefault(edit, []).append(entry)
    return found


def _scores(run: Run, reasons: _Reasons) -> dict[tuple[str, str, int], list[float | str]]:
    """Return by clip five significant digits of each value, or the place of why there is none."""
    names = ("method", "edit", "seed", "value", "status", "reason")
    found: dict[tuple[str, str, int], list[float | str]] = {}
    for method, edit, seed, value, status, reason in zip(
        *(run.scores[name].tolist() for name in names), strict=True
    ):
        told = f"{status}: {reason}" if reason else str(status)
        shown = float(f"{value:.5g}") if is_number(value) else str(reasons.place(told))
        found.setdefault((method, edit, seed), []).append(shown)
    return found
