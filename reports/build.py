"""From a run folder to a report folder: tables, figures, browser copies of the clips, and the page.

The same run gives the same bytes: nothing here reads a clock, and every draw is seeded.
"""

from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.progress import Progress
from dreamix.core.records import write_whole
from evaluation.run.report_stamp import forget_stamp
from reports.figures.style import marks
from reports.loading import load_run
from reports.metrics.figures import run_drawings
from reports.metrics.frames import (
    categories_frame,
    clips_frame,
    gaps_frame,
    items_frame,
    remarks_frame,
    remarks_table,
    scores_frame,
)
from reports.metrics.glance import AXES, glance_part, metric_columns
from reports.metrics.results import all_tables, bounds_tables
from reports.metrics.sentences import summary_sentences
from reports.multiverse.part import multiverse_part
from reports.multiverse.protocols import Protocol
from reports.page.clips import Strip, make_copies, make_strip, write_strip
from reports.page.files import (
    Written,
    check_out,
    csv,
    markdown,
    results_of,
    saved,
    table_texts,
    utf8,
    write_paper,
    write_parts,
)
from reports.page.latex import latex
from reports.page.paper import Paragraph, Results, paragraph, run_lead
from reports.page.run_page import Content, gallery_data, page, title
from reports.page.shell import Plot
from reports.parts import ReportPart, grouped, stamped
from reports.people.build import NOBODY, Said, study_facts, study_lead, study_results
from reports.people.export import read_export
from reports.people.ordinal import Say
from reports.subjects import Of, made_with, parts_on
from reports.summary import IntervalSettings, RunSummary, summarize
from reports.tables import Table


class Report(NamedTuple):
    """What was written."""

    page: Path
    summary: RunSummary
    parts: list[ReportPart]  # of the rater study
    rankings: list[ReportPart]  # of methods by metrics alone


def build_report(
    run_folder: Path,
    out: Path,
    resampling: IntervalSettings,
    *,
    export: Path | None = None,
    ordinal: Say | None = None,
    helpers: tuple[str, ...] = (),
    protocols: tuple[Protocol, ...] = (),
    media: bool = True,
    progress: Progress | None = None,
    compared: Progress | None = None,
) -> Report:
    """Return the report on a run, written to the folder `out`; its page is out/index.html.

    export:  folder of the ratings of a study of this run's clips; None for metrics alone.
    ordinal: told where the fit of ordinal models of the ratings is; None leaves them out.
    helpers: metrics that were named to stand beside votes.
    protocols: under which the methods are compared anew; none leaves that out.
    compared: told of how many protocols the comparison is done.
    media:   make copies of the clips for the gallery; without them there is none.
    """
    check_out(out)
    forget_stamp(out)
    run = load_run(run_folder)
    summary = summarize(run, resampling)
    study = read_export(export) if export else None
    said_by = study_results(study, resampling, run, ordinal, helpers=helpers) if study else NOBODY
    parts = said_by.parts
    given: dict[Of, tuple[Any, ...]] = {"metrics": (summary,)}
    if not study:
        given["metrics alone"] = (summary,)
    rankings = parts_on(given)
    rankings += [multiverse_part(summary, protocols, compared)] if protocols else []
    lead = [*run_lead(summary), *(study_lead(study) if study else [])]
    said = paragraph(lead, [*parts, *rankings])
    glance = opening(summary, said_by, bool(study and study.simulated))
    copies = make_copies(run, out / "media", progress) if media else None
    strip = make_strip(run, copies, out / "media") if copies else None
    results = paper_results(summary, glance, said_by, rankings, strip)
    made = _write(summary, [glance, *parts, *rankings], said, results, out)
    gallery = gallery_data(summary, copies) if copies else None
    facts = study_facts(study, resampling) if study else run_facts(resampling)
    content = Content(summary, *made, gallery, facts, glance, strip, parts, rankings, said)
    with write_whole(out / "index.html") as file:
        file.write(utf8(page(content)))
    return Report(out / "index.html", summary, parts, rankings)


def opening(summary: RunSummary, said_by: Said, simulated: bool) -> ReportPart:
    """Return what the page opens with: what raters said, and metrics where they were not asked."""
    run = summary.run
    asked = [one.axis for one in said_by.columns]
    columns = [*said_by.columns, *metric_columns(summary, tuple(a for a in AXES if a not in asked))]
    columns.sort(key=lambda one: [*AXES, one.axis].index(one.axis))
    methods = {label: method.anchor for label, method in run.methods.items()}
    found = glance_part(columns, methods, marks(run) | said_by.look, len(run.edits))
    return stamped(found) if simulated else found


def paper_results(
    summary: RunSummary,
    glance: ReportPart,
    said_by: Said,
    rankings: list[ReportPart],
    strip: Strip | None,
) -> Results:
    """Return what the paper says first: what raters said, then what metrics say."""
    first, clips, *rest = summary_sentences(summary)
    rest += [sentence for part in rankings for sentence in part.found]
    groups = [*grouped(said_by.parts), ("What metrics say", rest)]
    return results_of(glance, f"{first} {clips} {said_by.lead}".rstrip(), groups, strip)


class _Made(NamedTuple):
    """What stands in the report's folder, but for the page and the clips."""

    tables: list[Table]  # of the run
    plots: list[Plot]  # of the run
    part_plots: dict[str, Plot]
    files: list[str]


def _write(
    summary: RunSummary, parts: list[ReportPart], said: Paragraph, results: Results, out: Path
) -> _Made:
    """Return what was written: tables, figures, methods paragraph and the LaTeX document."""
    noted = remarks_table(summary.run)
    tables = [*all_tables(summary), *bounds_tables(summary), *([noted] if noted else [])]
    plots = [saved(drawing, out / "figures") for drawing in run_drawings(summary)]
    ours = write_tables(summary, tables, out / "tables")
    theirs = write_parts(parts, out)
    named = {plot.name: plot for plot in plots}
    everything = Written(theirs.plots | named, [*theirs.files, *ours])
    write_strip(results.strip, out / "figures")
    papers = write_paper(title(summary.run), said, everything, results, out)
    return _Made(tables, plots, theirs.plots, [*everything.files, *papers])


def write_tables(summary: RunSummary, tables: list[Table], folder: Path) -> list[str]:
    """Write every table as Markdown and LaTeX, all numbers as CSV; return the paths."""
    texts = table_texts(tables) | {
        "all.md": "\n".join(markdown(table) for table in tables),
        "all.tex": "\n".join(latex(table) for table in tables),
        "scores.csv": csv(scores_frame(summary)),
        "categories.csv": csv(categories_frame(summary)),
        "items.csv": csv(items_frame(summary.run)),
        "gaps.csv": csv(gaps_frame(summary.run)),
        "remarks.csv": csv(remarks_frame(summary.run)),
        "clips.csv": csv(clips_frame(summary.run)),
    }
    for name, text in texts.items():
        with write_whole(folder / name) as file:
            file.write(utf8(text))
    return [f"{folder.name}/{name}" for name in sorted(texts)]


def run_facts(resampling: IntervalSettings) -> dict[str, dict[str, Any]]:
    """Return what a report without a study was made with."""
    return {"Report made with": made_with() | resampling.facts()}
