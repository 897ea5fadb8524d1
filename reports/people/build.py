"""From the export of a study to the parts of a report, and to a page of its own."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from dreamix.core.errors import UserError
from dreamix.core.records import write_whole
from dreamix.core.wording import listed, plural
from reports.figures.style import MarkerStyle, marks
from reports.loading import Run
from reports.metrics.glance import GlanceColumn, glance_part
from reports.page.clips import NO_RUN
from reports.page.files import check_out, results_of, utf8, write_paper, write_parts
from reports.page.paper import paragraph, paragraph_html
from reports.page.shell import Section, glance_html, macros, part_html, shell
from reports.parts import FOLLOW, ReportPart, grouped, stamped
from reports.people.elsewhere import in_unit, origin_facts, origin_lead, part_in_unit
from reports.people.export import RULES, StudyExport, rule_words
from reports.people.fewer_votes import check_helpers
from reports.people.joint import Joint, join
from reports.people.mos import vote_columns
from reports.people.ordinal import Say
from reports.people.outcome import People, people_of
from reports.people.pairs import Pairs, choice_columns, pairs_of, rated_edits
from reports.subjects import Of, made_with, parts_on
from reports.summary import IntervalSettings

DESIGNS = {
    "absolute": "rated one edit at a time, beside its source and request, from 1 to 5 with a "
    "verbal label on every point",
    "pairwise": "chose between two edits of one source, beside it and the request, with no "
    "difference as a third answer",
}
Follow = Callable[[People], list[ReportPart]]
_PIECES = macros("pieces.html")


def study_lead(export: StudyExport) -> list[str]:
    """Return what was asked of whom, on what terms, and who was left out by which rules."""
    if export.origin:
        return [in_unit(text, export) for text in origin_lead(export)]
    return [_asked(export), _took_part(export), _rules(export), _declared(export)]


def _asked(export: StudyExport) -> str:
    plan = export.plan[export.plan["kind"] == "rating"]
    unit = "clip" if export.design == "absolute" else "pair"
    edits = f"{plural(plan['edit'].nunique(), 'edit')} of "
    edits += plural(plan["video"].nunique(), "source video")
    return (
        f"In the study {export.name}, raters {DESIGNS[export.design]}; the questions were about "
        f"{listed(export.questions)}. There were {plural(len(plan), unit)} to rate, of {edits} by "
        f"{listed(export.methods)}, dealt in balanced incomplete blocks with rotated methods."
    )


def _took_part(export: StudyExport) -> str:
    raters, own = export.raters, export.own
    who = "simulated rater" if export.simulated else "rater"
    counted = own[~own["excluded"]]
    out = int(raters["excluded"].sum())
    return (
        f"Of {plural(len(raters), who)} who began, {int(raters['finished'].sum())} finished; "
        f"{out or 'none'} {'were' if out > 1 else 'was'} excluded, and "
        f"{plural(len(counted), 'answer')} of {plural(counted['rater'].nunique(), 'rater')} "
        f"{'counts' if len(counted) == 1 else 'count'}; training, traps, trials with a known "
        "answer and repeats are not among them."
    )


def _rules(export: StudyExport) -> str:
    rules: dict[str, Any] = export.study.get("exclusion", {})
    said = [rule_words(k, rules[k]) for k in RULES if rules.get(k)]
    playback = export.study.get("playback", {}).get("coverage")
    part = f"{100 * playback:g}% of it" if playback else ""
    watched = f" A clip could be rated once {part} had been played." if part else ""
    if not said:
        return f"No rule of exclusion was declared.{watched}"
    text = f"{', '.join(said[:-1])} or {said[-1]}" if said[1:] else said[0]
    return f"Raters were to be excluded for {text}.{watched}"


def _declared(export: StudyExport) -> str:
    """Return when the plan was declared, and what changed since: when, why, after how much."""
    declared = export.declared
    if not declared:
        return "The export does not say when the plan of the analysis was declared."
    first = declared.get("first") or declared
    votes = int(first["ratings"])
    since = f"after {plural(votes, 'rated trial')}" if votes else "before the first vote"
    kept = f"was kept on {_day(first)}, {since}"
    text = f"The plan of the analysis (hash {str(first['hash'])[:12]}) {kept}."
    changes = [one for one in declared.get("amendments", ()) if not one.get("automatic")]
    return " ".join([text, *map(_change, changes), *_apart(export)])


def _change(entry: dict[str, Any]) -> str:
    """Return an amendment as a sentence; the reason is the researcher's."""
    reason = str(entry.get("reason", "")).strip().rstrip(".")
    after = plural(int(entry.get("ratings", 0)), "rated trial")
    return f"It was amended on {_day(entry)} after {after}, for this reason: {reason}."


def _apart(export: StudyExport) -> list[str]:
    """Return how many votes are under which declaration, and how many are kept apart."""
    said, own = [], export.own
    if "declared" in own and own["declared"].nunique() > 1:
        counts = own.drop_duplicates("trial")["declared"].value_counts(sort=False)
        parts = [f"{count} under {digits}" for digits, count in counts.items()]
        said.append(f"Of the trials that are analysed, {listed(parts)} were rated.")
    gone = int((export.wide["kind"] == "retired").sum())
    if gone:
        trials = "trial was" if gone == 1 else "trials were"
        said.append(
            f"{gone} rated {trials} of clips that were made anew or taken out since, and "
            f"{'is' if gone == 1 else 'are'} left out."
        )
    return said


def _day(entry: dict[str, Any]) -> str:
    return datetime.fromtimestamp(int(entry["at"]) / 1000, UTC).strftime("%Y-%m-%d")


def people_parts(people: People, ordinal: Say | None = None) -> list[ReportPart]:
    """Return what raters said, stamped if they were simulated.

    ordinal: told where the fit of ordinal models is; None leaves them out.
    """
    given: dict[Of, tuple[Any, ...]] = {"raters": (people,)}
    if not people.export.means:
        given["single votes"] = (people,)
    elif ordinal:
        raise UserError("--ordinal models single votes, and only mean scores are known here")
    if ordinal:
        given["ordinal"] = people, ordinal
    return finished(parts_on(given), people.export)


def pairs_parts(pairs: Pairs) -> list[ReportPart]:
    """Return what raters chose, stamped if they were simulated."""
    return finished(parts_on({"pairs": (pairs,)}), pairs.export)


def joint_parts(joint: Joint, helpers: tuple[str, ...] = ()) -> list[ReportPart]:
    """Return how far metrics follow the raters, stamped if they were simulated.

    helpers: metrics that were named to stand beside votes.
    """
    given: dict[Of, tuple[Any, ...]] = {"metrics and raters": (joint,)}
    if helpers:
        given["helped"] = joint, helpers
    parts = finished(parts_on(given), joint.people.export)
    return [part._replace(group=FOLLOW) for part in parts]


def finished(parts: list[ReportPart], export: StudyExport) -> list[ReportPart]:
    """Return parts in the words for what was rated, with the stamp of simulated raters."""
    found = [part_in_unit(part, export) for part in parts]
    return [stamped(part) for part in found] if export.simulated else found


class Said(NamedTuple):
    """What a study adds to a report."""

    parts: list[ReportPart]
    lead: str  # how much was asked of how many
    columns: list[GlanceColumn]  # of the table that the report opens with
    look: dict[str, MarkerStyle]  # how methods are drawn


NOBODY = Said([], "", [], {})


def study_results(
    export: StudyExport,
    how: IntervalSettings,
    run: Run | None,
    ordinal: Say | None = None,
    follow: Follow | None = None,
    helpers: tuple[str, ...] = (),
) -> Said:
    """Return what a study adds to a report; with a run, also how its metrics follow the raters.

    ordinal: fit ordinal models too, and tell this of where the work is; None leaves them out.
    follow: returns how metrics follow these people that are in no run.
    helpers: metrics of the run that were named to stand beside votes.
    Choices between pairs are not votes on an edit: metrics are held against an absolute study only.
    """
    look = marks(run) if run else None
    check_helpers(run, export, helpers)
    if export.design == "pairwise":
        pairs = pairs_of(export, how, look)
        return Said(pairs_parts(pairs), _lead(export), choice_columns(pairs), pairs.look)
    people = people_of(export, how, look)
    parts = people_parts(people, ordinal)
    parts += joint_parts(join(run, people), helpers) if run else []
    parts += follow(people) if follow else []
    return Said(parts, _lead(export), vote_columns(people), people.look)


def build_study(
    export: StudyExport,
    out: Path,
    how: IntervalSettings,
    ordinal: Say | None = None,
    follow: Follow | None = None,
) -> tuple[Path, list[ReportPart]]:
    """Return the page of a study without a run, written to the folder `out`, and its parts.

    follow: returns how metrics follow the people of the study, where scores of some are at hand.
    """
    check_out(out)
    parts, lead, columns, look = study_results(export, how, None, ordinal, follow)
    methods = dict.fromkeys(export.methods, False)
    glance = glance_part(columns, methods, look, rated_edits(export.plan))
    (glance,) = finished([glance], export)
    said = paragraph(study_lead(export), parts)
    written = write_parts([glance, *parts], out)
    results = results_of(glance, lead, grouped(parts))
    paper = write_paper(_title(export), said, written, results, out)
    first = glance_html(glance, written.plots)
    opening = Markup("\n").join([first, _PIECES.note(in_unit(NO_RUN, export))])
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


def study_facts(export: StudyExport, how: IntervalSettings) -> dict[str, dict[str, Any]]:
    """Return what is known of where the numbers of a study come from."""
    study = {
        "name": export.name,
        "version": str(export.study.get("version", "")),
        "design": export.design,
        "raters": "SIMULATED" if export.simulated else "people",
        "ratings_long.parquet": export.ratings_sha256,
        "analysis plan": export.declared.get("hash", "not in the export"),
    }
    if export.origin:
        del study["analysis plan"], study["version"]
        study |= origin_facts(export)
    return {"Rater study": study, "Report made with": made_with() | how.facts()}


def _title(export: StudyExport) -> str:
    return f"{export.name}: what raters said"


def _lead(export: StudyExport) -> str:
    """Return how much was asked of how many."""
    own = export.own
    edits, videos = plural(own["edit"].nunique(), "edit"), own["video"].nunique()
    who = f"{plural(own['rater'].nunique(), 'rater')} gave {plural(len(own), 'answer')} about "
    if export.means:
        who = f"A panel's {plural(len(own), 'mean score')} are about "
    of = f"{edits} of {plural(videos, 'source video')} by {plural(len(export.methods), 'method')}."
    return in_unit(who + of, export)


def _heading(export: StudyExport) -> Markup:
    own = export.own
    facts = [
        (len(export.methods), "method", "methods"),
        (own["edit"].nunique(), "edit", "edits"),
        (own["video"].nunique(), *(in_unit(x, export) for x in ("source video", "source videos"))),
        *([] if export.means else [(own["rater"].nunique(), "rater", "raters")]),
        (len(own), "mean score", "mean scores")
        if export.means
        else (len(own), "answer", "answers"),
    ]
    kicker = "Rater study (SIMULATED raters)" if export.simulated else "Rater study"
    kicker = "Ratings collected elsewhere" if export.origin else kicker
    return _PIECES.heading(kicker, export.name, str(export.study.get("version", "")), facts)
