"""Parts of the page that are tables and lists: results, failures, definitions, provenance."""

import json
from typing import Any

from evaluation.settings import TOYBOX_CLIP
from reports.loading import AXES, MetricFacts, Run
from reports.markup import Html, escaped, join, tag
from reports.names import file_name
from reports.summary import Gap, Summary, gaps
from reports.tables import AXIS_TITLES, Cell, Head, Row, Table
from reports.wording import plural

FEW_VIDEOS = 20  # below this the measured coverage of a 95% interval is under 93%


def table_html(table: Table, titled: bool = True) -> Html:
    """Return a table that scrolls within the page, its heads and first column in view."""
    head = tag("tr", tag("th", table.first, scope="col"), *map(_head, table.head))
    first_anchor = next((row for row in table.rows if row.anchor), None)
    rows = [_row(row, row is first_anchor) for row in table.rows]
    body = tag("table", tag("thead", head), tag("tbody", *rows))
    parts = [
        tag("h3", table.title) if titled else Html(),
        tag("div", body, class_="scroll", tabindex="0", role="region", aria_label=table.title),
        tag("p", table.caption, " ", _links(table.name), class_="caption"),
    ]
    return tag("div", *parts, class_="table", id=f"table-{table.name}")


def _links(name: str) -> Html:
    file = file_name(name)
    kinds = [tag("a", kind, href=f"tables/{file}.{end}") for kind, end in
             (("Markdown", "md"), ("LaTeX", "tex"))]  # fmt: skip
    return tag("span", *kinds, class_="links")


def _head(head: Head) -> Html:
    if not head.code:
        return tag("th", head.text, scope="col", title=head.hint, class_="plain")
    name = tag("a", tag("code", head.text), href=f"#metric-{head.text}")
    return tag("th", name, " ", tag("span", head.arrow), scope="col", title=head.hint)


def _row(row: Row, first_anchor: bool) -> Html:
    names = ["anchor"] * row.anchor + ["first"] * first_anchor
    label = tag("th", row.label, scope="row")
    return tag("tr", label, *map(_cell, row.cells), class_=" ".join(names) or None)


def _cell(cell: Cell) -> Html:
    main = tag("b", cell.main) if cell.best else tag("span", cell.main)
    mark = tag("sup", cell.mark) if cell.mark else Html()
    small = tag("small", cell.small) if cell.small else Html()
    best = "best" if cell.best else None
    return tag("td", main, mark, small, title=cell.hint or None, class_=best)


def how_to_read(summary: Summary) -> Html:
    """Return what the numbers in the tables mean."""
    how = summary.resampling
    return tag(
        "p",
        "A value is the mean over edits (of the mean over an edit's seeds). Below it stands its "
        f"{100 * how.level:g}% interval: a percentile bootstrap over source videos, each "
        f"resampled with all of its edits, {how.resamples} times, seed {how.seed}. ",
        "↑ higher is better, ↓ lower is better, · only describes. The best method is ",
        tag("b", "bold"),
        ", as are all that share its mean; anchors, whose place is known beforehand, are grey and "
        "never bold. Methods are compared on the edits that all of them have, and a method whose "
        "first place depends on values it lacks is not bold. n is given where some edits that the "
        "metric is meant for have no value; hover over a value to see all counts.",
        class_="note",
    )


def caution(summary: Summary) -> Html:
    """Return the warning about intervals that rest on few videos, empty with enough of them."""
    videos = len(summary.run.videos)
    if videos >= FEW_VIDEOS:
        return Html()
    if videos == 1:
        text = "There is one source video, so no interval can be given."
    else:
        text = (
            f"With {videos} source videos the intervals are too narrow: in simulation nominal 95% "
            "intervals held the true mean in 50% of cases with 2 videos, 83% with 5, 90% with 10 "
            "and 94% with 29."
        )
    return tag("p", text, class_="note caution")


def small_clip(run: Run) -> Html:
    """Return what a reader must know if CLIP was Toybox's own small one, empty if it was not."""
    models = [facts.models.get("clip", "") for facts in run.metrics.values()]
    if not any(model.startswith(f"clip {TOYBOX_CLIP} ") for model in models):
        return Html()
    text = (
        f"CLIP in this run is {TOYBOX_CLIP}: half a million parameters, trained on rendered Toybox "
        "frames and their captions alone. It tells the words of that grammar apart and knows "
        "nothing else of the world; its values are not those of any published CLIP."
    )
    return tag("p", text, class_="note")


def idle(run: Run) -> Html:
    """Return which metrics apply to no clip of the run, and why; empty if there are none."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in run.idle.items():
        by_reason.setdefault(reason, []).append(name)
    items = [
        tag("li", join([*_codes(names), escaped(f" {reason}")]))
        for reason, names in by_reason.items()
    ]
    if not items:
        return Html()
    apply, stand = ("applies", "stands") if len(run.idle) == 1 else ("apply", "stand")
    who = plural(len(run.idle), "metric")
    text = f"{who} {apply} to no clip of this run and {stand} in no table:"
    return tag("div", tag("p", text, class_="note"), tag("ul", *items, class_="note"))


def _codes(names: list[str]) -> list[Html]:
    return [join([tag("code", name), Html(", " if name != names[-1] else ":")]) for name in names]


def failures(run: Run, linked: bool) -> Html:
    """Return every reason for a missing number, with how many clips it concerns.

    linked: whether the page has a gallery in which the example can be looked at.
    """
    found = gaps(run)
    if not found:
        return tag("p", "Every clip has a value on every metric.", class_="note")
    heads = ("status", "reason", "clips", "methods", "metrics", "for example")
    head = tag("tr", *(tag("th", text, scope="col") for text in heads))
    rows = [_gap_row(run, gap, linked) for gap in found]
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="reasons")
    region = {"tabindex": "0", "role": "region", "aria_label": "Reasons for missing numbers"}
    caption = tag("p", tag("span", tag("a", "CSV", href="tables/gaps.csv"), class_="links"))
    scroll = tag("div", table, class_="scroll", **region)
    return join([tag("h3", "Why numbers are missing"), scroll, caption])


def remarks_html(table: Table | None) -> Html:
    """Return what is remarked of how clips were read, folded; empty if nothing."""
    if table is None:
        return Html()
    clips = sum(int(row.cells[1].main) for row in table.rows)
    kinds = f" of {plural(len(table.rows), 'kind')}" if len(table.rows) > 1 else ""
    title = f"{table.title}: {plural(clips, 'remark')}{kinds}"
    link = tag("span", tag("a", "CSV", href="tables/remarks.csv"), class_="links")
    return tag("details", tag("summary", title), table_html(table, titled=False), tag("p", link))


def notes(run: Run) -> Html:
    """Return what a reader must know of some values, and of how many; empty if nothing."""
    found = run.scores["note"].dropna().value_counts()
    items = [tag("li", f"{text}: {plural(int(count), 'score')}") for text, count in found.items()]
    return tag("div", tag("h3", "Notes on values"), tag("ul", *items)) if items else Html()


def _gap_row(run: Run, gap: Gap, linked: bool) -> Html:
    method, edit, _seed = gap.example.split("/")
    example = f"{method} / {edit}"
    methods = "all" if len(gap.methods) == len(run.methods) else ", ".join(gap.methods)
    metrics = "all" if len(gap.metrics) == len(run.metrics) else ", ".join(gap.metrics)
    return tag(
        "tr",
        tag("td", tag("span", gap.status, class_=f"status {gap.status.replace('/', '')}")),
        tag("td", gap.reason),
        tag("td", str(gap.clips), class_="number"),
        tag("td", methods),
        tag("td", metrics),
        tag("td", tag("a", example, href=f"#edit-{edit}") if linked else example),
    )


def definitions(run: Run) -> Html:
    """Return the definition of every metric of the tables."""
    return join(
        join([tag("h3", AXIS_TITLES[axis]), tag("dl", *map(_definition, found), class_="metrics")])
        for axis in AXES
        if (found := run.on_axis(axis))
    )


def _definition(facts: MetricFacts) -> Html:
    better = {"higher": "higher is better", "lower": "lower is better"}.get(
        facts.better, "describes"
    )
    terms = [
        better,
        f"between {facts.bounds[0]} and {facts.bounds[1]}",
        f"needs {', '.join(facts.needs)}" if facts.needs else "needs nothing but the clip",
        f"not for {', '.join(facts.not_for)} edits" if facts.not_for else "",
        f"version {facts.version}",
        f"frames paired by {facts.policy}",
        f"definition {facts.definition_id}",
    ]
    models = [tag("dd", f"{name}: {what}", class_="model") for name, what in facts.models.items()]
    title = tag("dt", tag("code", facts.name), f" {facts.arrow}", id=f"metric-{facts.name}")
    text = tag("dd", facts.definition)
    return tag(
        "div", title, text, tag("dd", " · ".join(filter(None, terms)), class_="terms"), *models
    )


def not_run(run: Run) -> Html:
    """Return the metrics that were not computed, each with the line that says how to get it."""
    missing = run.info.get("not_run", {})
    if not missing:
        return Html()
    rows = [tag("div", tag("dt", tag("code", k)), tag("dd", v)) for k, v in sorted(missing.items())]
    return join([tag("h3", "Not computed"), tag("dl", *rows, class_="metrics")])


def provenance(summary: Summary, more: dict[str, dict[str, Any]]) -> Html:
    """Return all that is known about how the numbers came to be, and `more` blocks of facts."""
    run, info = summary.run, summary.run.info
    settings = {name: vars_ for name, vars_ in _settings(run)}
    blocks: dict[str, Any] = {
        "Suite": info["suite"],
        "Clips made with": info.get("versions", {}),
        "Scores computed with": info.get("scored_with", {}) | {"scores.jsonl": run.scores_sha256},
        "Model settings": settings,
        **more,
    }
    methods = [_method(label, entry) for label, entry in info["methods"].items()]
    return join([fact_columns(blocks), tag("h3", "Methods and their settings"), *methods])


def fact_columns(blocks: dict[str, dict[str, Any]]) -> Html:
    """Return blocks of names and values, a column each where there is room; empty ones are left."""
    shown = [tag("div", tag("h3", k), _facts(v)) for k, v in blocks.items() if v]
    return tag("div", *shown, class_="columns")


def _settings(run: Run) -> list[tuple[str, Any]]:
    """Return the settings that the metrics share; where they differ, every one with its metrics."""
    by_text: dict[str, list[str]] = {}
    for name, facts in run.info["metrics"].items():
        by_text.setdefault(json.dumps(facts["settings"], sort_keys=True), []).append(name)
    if len(by_text) == 1:
        return list(json.loads(next(iter(by_text))).items())
    return [(", ".join(names), text) for text, names in by_text.items()]


def _facts(values: dict[str, Any]) -> Html:
    lines = [tag("tr", tag("th", k, scope="row"), tag("td", str(v))) for k, v in values.items()]
    return tag("table", tag("tbody", *lines), class_="facts")


def _method(label: str, entry: dict[str, Any]) -> Html:
    text = json.dumps(entry["config"], indent=1, sort_keys=True, ensure_ascii=False)
    anchor = " (anchor)" if entry["anchor"] else ""
    title = tag("summary", tag("b", label), f"{anchor}: {entry['name']}, ",
                plural(len(entry["seeds"]), "seed"))  # fmt: skip
    about = [tag("p", str(entry.get("definition", "")))]
    if backend := entry.get("backend"):
        about.append(tag("p", f"Backend {backend['name']}, weights {backend['identity']}."))
    return tag("details", title, *about, tag("pre", text))


def files(names: list[str]) -> Html:
    """Return links to the files beside the page."""
    links = [tag("li", tag("a", name, href=name)) for name in names]
    return tag("ul", *links, class_="files")
