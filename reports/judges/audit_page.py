"""The page of an audit: verdicts by ability, statistics beside thresholds, what was shown."""

from pathlib import Path
from typing import Any

import pandas as pd

from dreamix.core.records import write_whole
from dreamix.core.wording import listed, plural, titled
from evaluation.judge.audit.audit import Audited, enough
from evaluation.judge.audit.record import AuditRecord, Probe
from evaluation.judge.audit.rules import RULES, SCORES
from evaluation.judge.audit.words import SHOWN, words_of
from reports.judges.audit_figures import drawn_probes, drawn_showings
from reports.page.files import check_out, utf8, write_parts
from reports.page.shell import Section, macros, part_html, shell
from reports.parts import ReportPart
from reports.subjects import made_with
from reports.tables import NOTHING, Estimate, Table, TableCell, ends_cell, number, table_of

_PIECES = macros("pieces.html")
CAPTION = (
    "Each statistic with its 95% interval over sources and its declared threshold. It fails only "
    "where its whole interval is on the wrong side, and passes only where all of it is on the "
    "right one. A gap is the mean distance of the judge's scores of exact edit and source."
)
Ends = tuple[float, float, float]


def write_page(done: Audited, out: Path) -> Path:
    """Return the page, written to the folder with its tables and figures."""
    check_out(out)
    record = done.record
    made = [
        _abilities(record, done.exam.note),
        *(make(record) for make in (_probes, _policies, _categories, _failures)),
        _showings(done),
    ]
    parts = [part for part in made if part]
    written = write_parts(parts, out)
    sections = [
        Section(part.id, part.title, part_html(part, written.plots), open=place < 2)
        for place, part in enumerate(parts)
    ]
    sections += [
        Section("provenance", "Provenance", _PIECES.columns(_facts(done))),
        Section("files", "Files", _PIECES.files([*written.files, "audit.json", "answers.csv"])),
    ]
    heading = _PIECES.heading("Audit of a judge", record.model, "", _counts(record))
    with write_whole(out / "index.html") as file:
        file.write(utf8(shell(f"{record.model}: audit", heading, sections)))
    return out / "index.html"


def _abilities(record: AuditRecord, note: str) -> ReportPart:
    """Return the verdicts by ability, each with what decided it, and the metrics that remain."""
    table = table_of(
        "abilities",
        "Verdict by ability",
        "An ability fails with one of its probes, and passes with all of them. Where it failed, "
        "the metrics that rest on it do not apply.",
        [*record.abilities],
        [
            ("verdict", [*record.abilities.values()]),
            ("decided by", [_decisive(record, name) for name in record.abilities]),
        ],
        first="ability",
    )
    return ReportPart(
        id="verdict",
        title="Verdict",
        notes=(f"{enough(record.sources).capitalize()}.", note, *record.notes),
        tables=(table, _metrics(record)),
        found=tuple(_sentence(record, name) for name in record.abilities),
    )


def _decisive(record: AuditRecord, ability: str) -> str:
    """Return the probes that keep an ability from passing; all of them where it passes."""
    of = {name: one for name, one in record.probes.items() if RULES[name].ability == ability}
    why = [name for name, one in of.items() if one.verdict == record.abilities[ability]]
    return listed(why or [*of])


def _sentence(record: AuditRecord, ability: str) -> str:
    return f"{titled(ability)}: {record.abilities[ability]} ({_decisive(record, ability)})."


def _metrics(record: AuditRecord) -> Table:
    """Return which metrics of the judge apply, in edits that ask for a motion and in others."""
    columns = [
        (head, [_applies(record, part, is_motion) for part in SCORES])
        for head, is_motion in (("edits of motion and camera", True), ("all other edits", False))
    ]
    return table_of(
        "metrics",
        "Which of its metrics apply",
        "Read from all sources; a category of its own that fails is left out beside. Not judged: "
        "an edit has no score there, with that reason.",
        [*SCORES],
        columns,
        first="metric",
    )


def _applies(record: AuditRecord, part: Any, is_motion: bool) -> str:
    return record.why_not(part, "", is_motion=is_motion) or "applies"


def _probes(record: AuditRecord) -> ReportPart:
    """Return every statistic with its interval, threshold and verdict, as table and figure."""
    names = [*record.probes]
    table = table_of(
        "probes",
        "Probes",
        CAPTION,
        [_name(record, name) for name in names],
        [
            ("value", [_cell(record.probes[name]) for name in names]),
            ("sources", [record.probes[name].sources for name in names]),
            ("passes with", [record.probes[name].rule for name in names]),
            ("verdict", [record.probes[name].verdict for name in names]),
        ],
        first="probe",
    )
    shown = [name for name in SHOWN if name in record.shown]
    more = table_of(
        "shown",
        "Statistics that decide nothing",
        "With 95% intervals over sources.",
        [_name(record, name) for name in shown],
        [("value", [ends_cell(_estimate(record.shown[name])) for name in shown])],
        first="statistic",
    )
    return ReportPart(
        id="probes",
        title="Probes",
        drawings=(drawn_probes(record),),
        tables=(table,),
        folded=(more,),
        frames=(("probes", _frame(record)),),
    )


def _policies(record: AuditRecord) -> ReportPart | None:
    """Return how far scores of fewer frames and smaller stills are from those of the most."""
    names = [name for name in record.shown if name.split(".")[0] in ("frames", "resolution")]
    rows = dict.fromkeys(name.rpartition(".")[0] for name in names)
    columns = []
    for shown, head in (("exact", "exact edit"), ("source", "source"), ("frozen", "frozen")):
        cells = [_shift(record, f"{row}.{shown}") for row in rows]
        columns.append((head, cells))
    if not rows:
        return None
    count, side = record.frames.get("count"), record.frames.get("side")
    table = table_of(
        "policies",
        "Scores by frames and size",
        f"Shift of the alignment score from that of the most frames or the finest stills, in gaps; "
        f"JPEG 75 from the judge's own stills. This judge was shown {count} frames of at most "
        f"{side} pixels.",
        [row.replace("frames.", "frames: ").replace("resolution.", "long side: ")
         .replace("long side: jpeg", "JPEG 75") for row in rows],
        columns,
        first="shown",
    )  # fmt: skip
    return ReportPart(id="policies", title="Frames and size", tables=(table,))


def _shift(record: AuditRecord, name: str) -> TableCell:
    if name not in record.shown:
        return TableCell(NOTHING)
    return ends_cell(_estimate(record.shown[name]), why="no gap to measure it by")


def _categories(record: AuditRecord) -> ReportPart:
    """Return the statistics that can be told apart by category."""
    names = [name for name in RULES if any(name in one for one in record.categories.values())]
    tables = [
        table_of(
            f"category_{category}",
            titled(category),
            CAPTION,
            [_name(record, name) for name in names if name in held],
            [
                ("value", [_cell(held[name]) for name in names if name in held]),
                ("sources", [held[name].sources for name in names if name in held]),
                ("verdict", [held[name].verdict for name in names if name in held]),
            ],
            first="probe",
        )
        for category, held in record.categories.items()
    ]
    bad = [
        f"{titled(category)}: {listed(fails)} fail{'s' * (len(fails) == 1)}."
        for category, held in record.categories.items()
        if (fails := [name for name, one in held.items() if one.verdict == "fails"])
    ]
    note = "Few sources stand behind a category: only what fails there counts."
    return ReportPart(
        id="categories",
        title="By category",
        notes=(note, *bad),
        folded=tuple(tables),
    )


def _failures(record: AuditRecord) -> ReportPart | None:
    if not record.failures:
        return None
    total = sum(record.failures.values())
    table = table_of(
        "failures",
        "Questions without an answer",
        f"{total} of {record.questions} questions; each stands in answers.csv with its text.",
        [*record.failures],
        [
            ("answers", [*record.failures.values()]),
            ("share", [number(n / record.questions, 3) for n in record.failures.values()]),
        ],
        first="why",
    )
    return ReportPart(id="failures", title="Questions without an answer", tables=(table,))


def _showings(done: Audited) -> ReportPart:
    """Return what was shown as the edit, for a source of each kind."""
    drawings = drawn_showings(done.exam)
    note = "Three of the frames that were shown, of the first edit of each category."
    return ReportPart(id="shown", title="What was shown", notes=(note,), drawings=drawings)


def _name(record: AuditRecord, name: str) -> str:
    return f"{name}: {words_of(name, is_footage='ideal' not in record.probes)}"


def _cell(probe: Probe) -> TableCell:
    ends = [probe.low, probe.value, probe.high]
    return ends_cell(Estimate(*(float("nan") if one is None else one for one in ends)))


def _estimate(three: list[float | None]) -> Estimate:
    value, low, high = (float("nan") if one is None else one for one in three)
    return Estimate(low, value, high)


def _frame(record: AuditRecord) -> pd.DataFrame:
    rows = [
        {"probe": name, "category": category, "value": one.value, "low": one.low,
         "high": one.high, "sources": one.sources, "rule": one.rule, "verdict": one.verdict}
        for category, held in {"": record.probes, **record.categories}.items()
        for name, one in held.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _counts(record: AuditRecord) -> list[tuple[int, str, str]]:
    failed = sum(record.failures.values())
    return [
        (record.sources, "source", "sources"),
        (record.questions, "question", "questions"),
        (failed, "without an answer", "without an answer"),
    ]


def _facts(done: Audited) -> dict[str, dict[str, Any]]:
    record, lines = done.record, done.judge.archive.of_kind("judgement")
    used = sum((one.usage or {}).get("total_tokens", 0) for one in lines)
    seconds = pd.Series([one.seconds for one in lines], dtype=float)
    judge = {
        "model": record.model,
        "as the server names it": listed(sorted({one.model for one in lines if one.model})),
        "answers": {"token": "expected score", "json": "score in words"}[record.form],
        "shown": str(done.judge.frames),
        "identity": record.identity,
    }
    cost = {
        "answers on record": plural(len(lines), "answer"),
        "tokens": str(used) if used else "not told",
        "seconds an answer, median": number(seconds.median(), 2) if len(seconds) else NOTHING,
    }
    exam = {"world": record.world, "seed": str(record.seed), "sources": str(record.sources)}
    return {"Judge": judge, "Exam": exam, "Cost": cost, "Page made with": made_with()}
