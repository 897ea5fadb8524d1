"""The page of a run: its results, its gallery, and what people said of its clips."""

from typing import Any, NamedTuple

from reports.loading import AXES, Run
from reports.markup import Html, join, tag
from reports.methods import Paragraph, paragraph_html
from reports.parts import Part, glance_html, grouped, part_html
from reports.sections import (
    caution,
    definitions,
    failures,
    files,
    how_to_read,
    idle,
    not_run,
    notes,
    provenance,
    remarks_html,
    small_clip,
    table_html,
)
from reports.shell import Plot, Section, emphasised, heading_html, plot_html, shell
from reports.strip import NO_CLIPS, Strip, strip_or_why
from reports.summary import Summary
from reports.tables import Table
from reports.wording import plural, summary_sentences


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
    suite = run.info["suite"]
    count = len(run.ranked)
    who = f"{count} methods compared" if count > 1 else plural(count, "method")
    return f"{who} on {suite['name']}, version {suite['version']}"


def _heading(summary: Summary) -> Html:
    run = summary.run
    suite = run.info["suite"]
    facts = [
        (len(run.ranked), "method", "methods"),
        (len(run.edits), "edit", "edits"),
        (len(run.videos), "source video", "source videos"),
        (len(run.metrics) - len(run.idle), "metric", "metrics"),
        (int((run.scores["status"] == "failed").sum()), "failed score", "failed scores"),
    ]
    return heading_html("Video editing report", str(suite["name"]), suite["version"], facts)


def _sections(content: Content) -> list[Section]:
    summary, run = content.summary, content.summary.run
    tables = {table.name: table for table in content.tables}
    linked = content.gallery is not None
    why = failures(run, linked), remarks_html(tables.get("remarks")), notes(run)
    return [
        Section("glance", content.glance.title, _glance(content), open=True),
        Section("summary", "Summary", _summary(content)),
        *_part_sections(content.parts, content.part_plots),
        *_results(content),
        *_part_sections(content.rankings, content.part_plots),
        Section("gallery", "Gallery", _gallery(content)),
        Section("failures", "Failures", join([table_html(tables["counts"]), *why])),
        Section("cost", "Cost", table_html(tables["cost"], titled=False)),
        Section("methods", "Methods", paragraph_html(content.methods)),
        Section("metrics", "Metrics", join([definitions(run), not_run(run)])),
        Section("provenance", "Provenance", provenance(summary, content.facts)),
        Section("files", "Files", files(content.files)),
    ]


def _glance(content: Content) -> Html:
    """Return what stands open: the first table and figure, and the strip."""
    first = glance_html(content.glance, content.part_plots)
    strip = strip_or_why(content.strip, NO_CLIPS)
    return join([first, caution(content.summary), strip])


def _part_sections(parts: list[Part], plots: dict[str, Plot]) -> list[Section]:
    """Return a section a part. What people said comes before metrics, which stand in for them."""
    return [Section(part.id, part.title, part_html(part, plots)) for part in parts]


def _results(content: Content) -> list[Section]:
    """Return the sections of the metrics."""
    summary, run = content.summary, content.summary.run
    plots = {plot.name: plot for plot in content.plots}
    named = {table.name: table for table in content.tables}
    axes = [named[name] for axis in AXES for name in (axis, f"bounds_{axis}") if name in named]
    body = join([how_to_read(summary), small_clip(run), *map(table_html, axes), idle(run)])
    found = [Section("results", "Results", body)]
    if "trade_off" in plots:
        found.append(Section("trade-off", "Trade-off", plot_html(plots["trade_off"])))
    if "categories" in plots:
        found.append(Section("categories", "Edit categories", _categories(content, plots)))
    if "quality" in plots:
        found.append(Section("quality-delta", "Against the source", plot_html(plots["quality"])))
    return found


def _summary(content: Content) -> Html:
    first, clips, *rest = summary_sentences(content.summary)
    rest += [sentence for part in content.rankings for sentence in part.found]
    said = [join([tag("h3", name), _bullets(found)]) for name, found in grouped(content.parts)]
    metrics = [tag("h3", "What metrics say") if said else Html(), _bullets(rest)]
    lead = tag("p", f"{first} {clips}", class_="lead")
    return join([lead, *said, *metrics])


def _bullets(sentences: list[str]) -> Html:
    return tag("ul", *(tag("li", emphasised(text)) for text in sentences), class_="findings")


def _categories(content: Content, plots: dict[str, Plot]) -> Html:
    tables = [table for table in content.tables if table.name.startswith("category_")]
    folded = [tag("details", tag("summary", t.title), table_html(t, titled=False)) for t in tables]
    return join([plot_html(plots["categories"]), *folded])


def _gallery(content: Content) -> Html:
    if content.gallery is None:
        return tag("p", "This report was made with --no-media.", class_="note")
    keys = "Space plays and stops the row under the pointer, ← and → step by one frame, 0 rewinds."
    return join(
        [
            tag("p", "Clips of a row run on one clock, whatever their lengths and rates. ", keys),
            tag("noscript", tag("p", "The gallery needs JavaScript.", class_="note")),
            tag("form", id="gallery-tools", aria_label="Choose what the gallery shows"),
            tag("div", id="gallery-rows"),
        ]
    )
