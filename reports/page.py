"""The page of a run: its results, its gallery, and what people said of its clips."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from markupsafe import Markup

from reports.loading import AXES, Run
from reports.methods import Paragraph, paragraph_html
from reports.parts import Part, glance_html, grouped, part_html
from reports.rendering import macros
from reports.sections import (
    caution,
    definitions,
    failures,
    idle,
    notes,
    provenance,
    remarks_html,
    small_clip,
    table_html,
)
from reports.shell import Plot, Section, shell
from reports.strip import NO_CLIPS, Strip, strip_or_why
from reports.summary import Summary
from reports.tables import Table
from reports.wording import plural, summary_sentences

_PIECES, _RESULTS = macros("pieces.html"), macros("results.html")


class Content(NamedTuple):
    """What the page shows."""

    summary: Summary
    tables: list[Table]
    plots: list[Plot]
    part_plots: dict[str, Plot]  # the drawings of parts and rankings
    files: list[str]  # written beside the page, relative to it
    gallery: dict[str, Any] | None  # None: made without media
    facts: dict[str, dict[str, Any]]  # for the provenance: what made the report, and the study
    glance: Part  # what the page opens with
    strip: Strip | None
    parts: list[Part]  # of a rater study; none without one
    rankings: list[Part]  # of methods by metrics alone; none with a study
    methods: Paragraph


def page(content: Content) -> str:
    """Return the page as HTML; equal contents give equal text."""
    summary = content.summary
    heading = _heading(summary)
    return shell(title(summary.run), heading, _sections(content), content.gallery)


def title(run: Run) -> str:
    """Return what a report on a run is called."""
    suite = run.info.suite
    count = len(run.ranked)
    who = f"{count} methods compared" if count > 1 else plural(count, "method")
    return f"{who} on {suite.name}, version {suite.version}"


def _heading(summary: Summary) -> Markup:
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
    return _joined([first, caution(content.summary), strip_or_why(content.strip, NO_CLIPS)])


def _part_sections(parts: list[Part], plots: dict[str, Plot]) -> list[Section]:
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
