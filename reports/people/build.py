"""From the export of a study to the parts of a report, and to a page of its own."""

from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from dreamix.core.records import write_whole
from reports.glance import glance_part
from reports.glance_figure import Column
from reports.loading import Run
from reports.methods import paragraph, paragraph_html
from reports.parts import Part, glance_html, grouped, part_html, stamped
from reports.people.export import Exported
from reports.people.glance import choice_columns, rated_edits, vote_columns
from reports.people.joint import join
from reports.people.lead import study_lead
from reports.people.ordinal import Say
from reports.people.outcome import people_of
from reports.people.pairs import pairs_of
from reports.people.parts import joint_parts, pairs_parts, people_parts
from reports.rendering import macros
from reports.shell import Section, shell
from reports.strip import NO_RUN
from reports.style import Mark, marks
from reports.summary import IntervalSettings
from reports.versions import made_with
from reports.wording import plural
from reports.writing import check_out, results_of, utf8, write_paper, write_parts

_PIECES = macros("pieces.html")


class Said(NamedTuple):
    """What a study adds to a report."""

    parts: list[Part]
    lead: str  # how much was asked of how many
    columns: list[Column]  # of the table that the report opens with
    look: dict[str, Mark]  # how methods are drawn


NOBODY = Said([], "", [], {})


def study_results(
    export: Exported, how: IntervalSettings, run: Run | None, ordinal: Say | None = None
) -> Said:
    """Return what a study adds to a report; with a run, also how its metrics follow the raters.

    ordinal: fit ordinal models too, and tell this of where the work is; None leaves them out.
    Choices between pairs are not votes on an edit: metrics are held against an absolute study only.
    """
    look = marks(run) if run else None
    if export.design == "pairwise":
        pairs = pairs_of(export, how, look)
        return Said(pairs_parts(pairs), _lead(export), choice_columns(pairs), pairs.look)
    people = people_of(export, how, look)
    parts = people_parts(people, ordinal)
    parts += joint_parts(join(run, people)) if run else []
    return Said(parts, _lead(export), vote_columns(people), people.look)


def build_study(
    export: Exported, out: Path, how: IntervalSettings, ordinal: Say | None = None
) -> tuple[Path, list[Part]]:
    """Return the page of a study alone, written to the folder `out`, and its parts."""
    check_out(out)
    parts, lead, columns, look = study_results(export, how, None, ordinal)
    methods = dict.fromkeys(export.methods, False)
    glance = glance_part(columns, methods, look, rated_edits(export.plan))
    glance = stamped(glance) if export.simulated else glance
    said = paragraph(study_lead(export), parts)
    written = write_parts([glance, *parts], out)
    results = results_of(glance, lead, grouped(parts))
    paper = write_paper(_title(export), said, written, results, out)
    first = glance_html(glance, written.plots)
    opening = Markup("\n").join([first, _PIECES.note(NO_RUN)])
    found = [sentence for part in parts for sentence in part.found]
    sections = [
        Section("glance", glance.title, opening, open=True),
        Section("summary", "Summary", _PIECES.findings(found)),
        *(Section(part.id, part.title, part_html(part, written.plots)) for part in parts),
        Section("methods", "Methods", paragraph_html(said)),
        Section("provenance", "Provenance", _PIECES.columns(study_facts(export, how))),
        Section("files", "Files", _PIECES.files([*written.files, *paper])),
    ]
    with write_whole(out / "index.html") as file:
        file.write(utf8(shell(_title(export), _heading(export), sections)))
    return out / "index.html", parts


def study_facts(export: Exported, how: IntervalSettings) -> dict[str, dict[str, Any]]:
    """Return what is known of where the numbers of a study come from."""
    study = {
        "name": export.name,
        "version": str(export.study.get("version", "")),
        "design": export.design,
        "raters": "SIMULATED" if export.simulated else "people",
        "ratings_long.parquet": export.ratings_sha256,
        "analysis plan": export.declared.get("hash", "not in the export"),
    }
    return {"Rater study": study, "Report made with": made_with() | how.facts()}


def _title(export: Exported) -> str:
    return f"{export.name}: what raters said"


def _lead(export: Exported) -> str:
    """Return how much was asked of how many."""
    own = export.own
    edits, videos = plural(own["edit"].nunique(), "edit"), own["video"].nunique()
    return (
        f"{plural(own['rater'].nunique(), 'rater')} gave {plural(len(own), 'answer')} about "
        f"{edits} of {plural(videos, 'source video')} by {plural(len(export.methods), 'method')}."
    )


def _heading(export: Exported) -> Markup:
    own = export.own
    facts = [
        (len(export.methods), "method", "methods"),
        (own["edit"].nunique(), "edit", "edits"),
        (own["video"].nunique(), "source video", "source videos"),
        (own["rater"].nunique(), "rater", "raters"),
        (len(own), "answer", "answers"),
    ]
    kicker = "Rater study (SIMULATED raters)" if export.simulated else "Rater study"
    return _PIECES.heading(kicker, export.name, str(export.study.get("version", "")), facts)
