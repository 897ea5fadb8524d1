"""The report page: one HTML file with its style, script, figures and data inside."""

import base64
import hashlib
import re
from importlib import resources
from string import Template
from typing import Any, NamedTuple

from reports.loading import Run
from reports.markup import Html, escaped, join, json_script, tag
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
    small_clip,
    table_html,
)
from reports.summary import Summary
from reports.tables import Table
from reports.wording import plural, summary_sentences

SCRIPTS = ("clips.js", "player.js", "row.js", "gallery.js")


class Plot(NamedTuple):
    """A figure on the page."""

    name: str  # of its files, without the ending
    svg: str
    inches: float  # its natural width
    alt: str
    caption: str


class Section(NamedTuple):
    """A part of the page, with an entry in its contents."""

    id: str
    title: str
    body: Html


class Content(NamedTuple):
    """What the page shows."""

    summary: Summary
    tables: list[Table]
    plots: list[Plot]
    gallery: dict[str, Any] | None  # None: made without media
    files: list[str]  # written beside the page, relative to it
    made_with: dict[str, str]  # what made the report: version by name


def page(content: Content) -> str:
    """Return the page as HTML; equal contents give equal text.

    Its content policy allows no network and no script but its own, so that nothing that a prompt
    or an error message contains can run.
    """
    script = "\n".join(_template(name) for name in SCRIPTS)
    sections = _sections(content)
    return Template(_template("page.html")).substitute(
        title=escaped(_title(content.summary.run)),
        policy=escaped(_policy(script)),
        style=_template("style.css"),
        heading=_heading(content.summary),
        contents=join(tag("a", s.title, href=f"#{s.id}") for s in sections),
        sections=join(_section(section) for section in sections),
        data=json_script("gallery-data", content.gallery) if content.gallery else "",
        script=script,
    )


def _template(name: str) -> str:
    return resources.files("reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Return the content policy: nothing from elsewhere, no script but the one with this hash."""
    # The page's parser sees the line breaks around $script too.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _title(run: Run) -> str:
    suite = run.info["suite"]
    return f"{suite['name']} {suite['version']}: {plural(len(run.ranked), 'method')} compared"


def _heading(summary: Summary) -> Html:
    run = summary.run
    suite = run.info["suite"]
    facts = (
        (len(run.ranked), "method", "methods"),
        (len(run.edits), "edit", "edits"),
        (len(run.videos), "source video", "source videos"),
        (len(run.metrics) - len(run.idle), "metric", "metrics"),
        (int((run.scores["status"] == "failed").sum()), "failed score", "failed scores"),
    )
    return join(
        [
            tag("p", "Video editing report", class_="kicker"),
            tag("h1", str(suite["name"]), tag("span", f" version {suite['version']}")),
            tag(
                "ul",
                *(
                    tag("li", tag("b", str(n)), f" {one if n == 1 else many}")
                    for n, one, many in facts
                ),
                class_="facts",
            ),
        ]
    )


def _sections(content: Content) -> list[Section]:
    summary, run = content.summary, content.summary.run
    tables = {table.name: table for table in content.tables}
    plots = {plot.name: plot for plot in content.plots}
    axes = [table for table in content.tables if run.on_axis(table.name)]
    why = failures(run, linked=content.gallery is not None)
    found = [
        Section("summary", "Summary", _summary(summary)),
        Section(
            "results",
            "Results",
            join([how_to_read(summary), small_clip(run), *map(table_html, axes), idle(run)]),
        ),
    ]
    if "trade_off" in plots:
        found.append(Section("trade-off", "Trade-off", plot_html(plots["trade_off"])))
    if "categories" in plots:
        found.append(Section("categories", "Edit categories", _categories(content, plots)))
    if "quality" in plots:
        found.append(Section("quality-delta", "Against the source", plot_html(plots["quality"])))
    return [
        *found,
        Section("gallery", "Gallery", _gallery(content)),
        Section("failures", "Failures", join([table_html(tables["counts"]), why, notes(run)])),
        Section("cost", "Cost", table_html(tables["cost"], titled=False)),
        Section("metrics", "Metrics", join([definitions(run), not_run(run)])),
        Section("provenance", "Provenance", provenance(summary, content.made_with)),
        Section("files", "Files", files(content.files)),
    ]


def _section(section: Section) -> Html:
    return tag("section", tag("h2", section.title), section.body, id=section.id)


def _summary(summary: Summary) -> Html:
    first, clips, *rest = summary_sentences(summary)
    return join(
        [
            tag("p", f"{first} {clips}", class_="lead"),
            tag("ul", *(tag("li", _emphasised(text)) for text in rest), class_="findings"),
            caution(summary),
        ]
    )


def _emphasised(text: str) -> Html:
    """Return the sentence with what stands before its first colon in bold."""
    axis, _, rest = text.partition(":")
    return join([tag("b", f"{axis}."), rest])


def _categories(content: Content, plots: dict[str, Plot]) -> Html:
    tables = [table for table in content.tables if table.name.startswith("category_")]
    folded = [tag("details", tag("summary", t.title), table_html(t, titled=False)) for t in tables]
    return join([plot_html(plots["categories"]), *folded])


def plot_html(plot: Plot) -> Html:
    """Return a figure with its caption and its files."""
    attributes = f'role="img" aria-label="{escaped(plot.alt)}" style="max-width: {plot.inches}in"'
    own_ids = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{plot.name}-", plot.svg)
    svg = Html(own_ids.replace("<svg ", f"<svg {attributes} ", 1))
    links = [
        tag("a", kind.upper(), href=f"figures/{plot.name}.{kind}") for kind in ("svg", "pdf", "png")
    ]
    caption = tag("figcaption", plot.caption, " ", tag("span", *links, class_="links"))
    return tag("figure", tag("div", svg, class_="scroll"), caption, class_="plot")


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
