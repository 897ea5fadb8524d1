"""What a judge prefers: of every pair of methods, with what the order of showing did."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.records import write_whole
from dreamix.core.wording import listed, plural, titled
from evaluation.judge.judge import ModelJudge
from evaluation.judge.pairing import JudgedPair
from evaluation.stats.multiplicity import holm_of
from evaluation.stats.shares import ShareInterval, wilson
from evaluation.stats.two_way_cluster import (
    ClusteredEstimate,
    clustered_estimate,
    one_way_variance,
)
from reports.page.files import check_out, utf8, write_parts
from reports.page.shell import Section, macros, part_html, shell
from reports.parts import ReportPart
from reports.subjects import made_with
from reports.tables import HOLM, Estimate, Table, TableCell, ends_cell, number, p_text, table_of

_PIECES = macros("pieces.html")
CAPTION = (
    "Preference: how probably the judge prefers the first method, the mean of both orders, ties as "
    "half, with its 95% interval of Student's t clustered by source video; p is adjusted by Holm "
    "over all pairs and questions. Shares of verdicts; where the two orders disagree, that is "
    "a tie of its own kind. Bounds: where a question had no "
    "answer, the preference if all of those went one way, or the other."
)
SEATS = (
    "A judge may prefer a seat. Same seat: share of pairs in which both orders prefer the "
    "same seat; first seat: preference for what was shown as A, .5 without such a liking. With "
    "95% intervals over source videos."
)
JUDGE = "A judge is no rater: these are one model's preferences, and no interval counts people."


class PairResult(NamedTuple):
    """Two methods on one question."""

    question: str
    first: str
    second: str
    preference: ClusteredEstimate  # for the first
    bounds: tuple[float, float]
    shares: dict[str, float]  # of verdicts
    edits: int


def pair_results(rows: Sequence[JudgedPair]) -> list[PairResult]:
    """Return the result of every pair of methods on every question, in the order of the rows."""
    groups: dict[tuple[str, str, str], list[JudgedPair]] = {}
    for row in rows:
        groups.setdefault((row.question, row.first, row.second), []).append(row)
    return [_result(*key, several) for key, several in groups.items()]


def write_pairs_page(
    rows: Sequence[JudgedPair], judge: ModelJudge, audit: str | None, out: Path
) -> tuple[Path, list[str]]:
    """Return the page, written to the folder with its tables, and its sentences."""
    check_out(out)
    results = pair_results(rows)
    adjusted = holm_of([one.preference.p for one in results])
    parts = [_preferences(results, adjusted.tolist()), _seats(rows)]
    frame = pd.DataFrame(
        [asdict(row) for row in rows], columns=[f.name for f in fields(JudgedPair)]
    )
    parts[0] = parts[0]._replace(frames=(("pairs", frame),))
    written = write_parts(parts, out)
    found = [sentence for part in parts for sentence in part.found]
    about = {"model": judge.model, "shown": str(judge.frames), "audit": audit or "not audited"}
    sections = [
        Section("summary", "Summary", _PIECES.findings(found) + _PIECES.note(JUDGE), open=True),
        *(Section(p.id, p.title, part_html(p, written.plots), open=True) for p in parts),
        Section(
            "provenance", "Provenance", _PIECES.columns({"Judge": about, "Made with": made_with()})
        ),
        Section("files", "Files", _PIECES.files([*written.files])),
    ]
    facts = [(len(rows), "pair judged", "pairs judged")]
    heading = _PIECES.heading("Pairs by a judge", judge.model, "", facts)
    with write_whole(out / "index.html") as file:
        file.write(utf8(shell(f"{judge.model}: pairs", heading, sections)))
    return out / "index.html", found


def _result(question: str, first: str, second: str, rows: list[JudgedPair]) -> PairResult:
    known = np.array([np.nan if row.preference is None else 1 - row.preference for row in rows])
    has = np.isfinite(known)
    sources = np.unique([row.video for row in rows], return_inverse=True)[1]
    counts = pd.Series([row.verdict for row in rows]).value_counts(normalize=True)
    ends = [float(np.where(has, known, end).mean()) for end in (0.0, 1.0)]
    return PairResult(
        question,
        first,
        second,
        _estimate(known[has], sources[has], null=0.5),
        (ends[0], ends[1]),
        {str(name): float(share) for name, share in counts.items()},
        len(rows),
    )


def _estimate(values: np.ndarray, sources: np.ndarray, null: float) -> ClusteredEstimate:
    """Return the mean of values with its interval, clustered by source."""
    if not len(values):
        return ClusteredEstimate(*(float("nan"),) * 5, 0.0, 0, 0)
    mean = float(values.mean())
    variance = one_way_variance((values - mean) / len(values), sources, 1)
    return clustered_estimate(mean, variance, null=null, raters="fixed")


def _preferences(results: list[PairResult], adjusted: list[float]) -> ReportPart:
    questions = dict.fromkeys(one.question for one in results)
    both = list(zip(results, adjusted, strict=True))
    return ReportPart(
        id="preferences",
        title="What the judge prefers",
        found=tuple(_sentence(q, [(o, p) for o, p in both if o.question == q]) for q in questions),
        tables=tuple(_table(q, [(o, p) for o, p in both if o.question == q]) for q in questions),
    )


def _sentence(question: str, both: list[tuple[PairResult, float]]) -> str:
    shown = [_over(one) for one, p in both if p < 0.05]
    if not shown:
        return f"{titled(question)}: No preference is shown."
    rest = len(both) - len(shown)
    more = f"; none for {plural(rest, 'other pair')}" if rest else ""
    return f"{titled(question)}: It prefers {listed(shown)}{more}."


def _over(one: PairResult) -> str:
    value, low, high = one.preference.mid, one.preference.low, one.preference.high
    first, second = one.first, one.second
    if value < 0.5:
        value, low, high, first, second = 1 - value, 1 - high, 1 - low, second, first
    return f"{first} to {second} ({value:.0%} [{max(low, 0):.0%}, {min(high, 1):.0%}])"


def _table(question: str, both: list[tuple[PairResult, float]]) -> Table:
    results = [one for one, _ in both]

    def share(name: str) -> list[str]:
        return [number(one.shares.get(name, 0.0), 2) for one in results]

    return table_of(
        f"pairs_{question}",
        titled(question),
        CAPTION,
        [f"{one.first} over {one.second}" for one in results],
        [
            ("preference", [ends_cell(_clipped(one.preference)) for one in results]),
            (HOLM, [p_text(p) for _, p in both]),
            ("first", share("first")),
            ("tie", share("tie")),
            ("orders disagree", share("depends on order")),
            ("second", share("second")),
            ("no answer", share("unknown")),
            ("bounds", [f"{number(one.bounds[0], 2)} to {number(one.bounds[1], 2)}"
                        for one in results]),
            ("edits", [one.edits for one in results]),
        ],
        first="pair",
    )  # fmt: skip


def _clipped(one: ClusteredEstimate) -> Estimate:
    """Return an estimate whose interval ends with the scale of 0 to 1."""
    return (
        Estimate(max(one.low, 0.0), one.mid, min(one.high, 1.0))
        if one.freedom
        else Estimate(float("nan"), one.mid, float("nan"))
    )


def _seats(rows: Sequence[JudgedPair]) -> ReportPart:
    """Return what the seats did, by question."""
    questions = list(dict.fromkeys(row.question for row in rows))
    flips = [_by_source(rows, q, _flips) for q in questions]
    firsts = [_by_source(rows, q, _first) for q in questions]
    table = table_of(
        "seats",
        "What the order did",
        SEATS,
        questions,
        [
            ("same seat", [_cell(one) for one in flips]),
            ("first seat", [_cell(one) for one in firsts]),
        ],
        first="question",
    )
    said = [
        f"Order, {q}: Both orders prefer the same seat in {flip.value:.0%} of pairs, and what is "
        f"shown first is preferred {first.value:.0%}."
        for q, flip, first in zip(questions, flips, firsts, strict=True)
        if np.isfinite(flip.value)
    ]
    return ReportPart(id="seats", title="The order of showing", tables=(table,), found=tuple(said))


def _flips(row: JudgedPair) -> float:
    return float(row.forward_says == row.swapped_says and row.forward_says in ("A", "B"))


def _first(row: JudgedPair) -> float:
    assert row.forward is not None
    assert row.swapped is not None
    return (row.forward + row.swapped) / 2


def _by_source(
    rows: Sequence[JudgedPair], question: str, value: Callable[[JudgedPair], float]
) -> ShareInterval:
    """Return the mean of source means of a value from 0 to 1, with Wilson's interval."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.question == question and row.preference is not None:
            found.setdefault(row.video, []).append(value(row))
    return wilson(np.array([np.mean(values) for values in found.values()]))


def _cell(one: ShareInterval) -> TableCell:
    return ends_cell(Estimate(one.low, one.value, one.high))
