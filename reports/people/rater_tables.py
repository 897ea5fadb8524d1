"""Tables of raters: who took part, how clips played, how far raters agree, whom rules flag."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from dreamix.core.wording import plural
from reports.loading import is_number
from reports.people.differences import mos_cell, own_edits_note
from reports.people.export import RULES as RULE_WORDS
from reports.people.export import StudyExport, rule_words
from reports.people.outcome import People
from reports.people.raters import RULES, Agreed, Screened
from reports.tables import NOTHING, Head, Table, TableCell, TableRow, ends_text, number, plain_cell

BY_HAND = "excluded by a researcher"


def who_table(export: StudyExport) -> Table:
    """Return how many came, finished, were excluded by which rule, failed checks, and clips."""
    rows = [*_came(export), *_checks(export), *_played(export)]
    return Table(
        "raters",
        "Who took part",
        "A rater can break several rules. The trials are all raters' ratings and repeats.",
        (Head("count"),),
        tuple(TableRow(label, (cell,)) for label, cell in rows),
        first="what",
    )


def _came(export: StudyExport) -> list[tuple[str, TableCell]]:
    raters, own = export.raters, export.own
    counted = own.loc[~own["excluded"].astype(bool), "rater"].nunique()
    out = int(_flags(raters, "excluded").sum())
    rows = [
        ("raters who came", TableCell(str(len(raters)))),
        ("finished", TableCell(str(int(_flags(raters, "finished").sum())))),
        ("excluded", TableCell(str(out))),
    ]
    rules: dict[str, Any] = export.study.get("exclusion", {})
    broken = dict(export.exclusions.groupby("rule")["rater"].nunique()) if out else {}
    for rule, count in broken.items():
        known = str(rule) in RULE_WORDS and rules.get(str(rule))
        words = rule_words(str(rule), rules[str(rule)]) if known else str(rule).replace("_", " ")
        label = BY_HAND if rule == "by_hand" else f"excluded for {words}"
        rows.append((label, TableCell(str(count))))
    rows.append(("raters whose votes count", TableCell(str(counted))))
    minutes = raters["minutes"].dropna() if "minutes" in raters else pd.Series(dtype=float)
    if len(minutes):
        low, middle, high = (number(float(q), 1) for q in minutes.quantile([0.25, 0.5, 0.75]))
        rows.append(
            (
                "minutes of those who finished, median",
                TableCell(middle, f"[{low}, {high}]", "and its quartiles"),
            )
        )
    return rows


def _checks(export: StudyExport) -> list[tuple[str, TableCell]]:
    """Return how many of those who met a check failed one."""
    rows = []
    for kind, column, words in (
        ("trap", "traps_failed", "failed a trap clip"),
        ("gold", "gold_failed", "failed a trial with a known answer"),
    ):
        met = export.long.loc[export.long["kind"] == kind, "rater"].nunique()
        if met:
            failed = int((export.raters[column] > 0).sum())
            rows.append((words, _of(failed, met, "raters")))
    return rows


def _played(export: StudyExport) -> list[tuple[str, TableCell]]:
    """Return what became of the clips of ratings and repeats."""
    wide = export.wide
    if not {"kind", "state", "coverage", "stalls", "hidden_ms"} <= set(wide):
        return []
    trials = wide[wide["kind"].isin(["rating", "repeat"])]
    rated = trials[trials["state"] == "rated"]
    least = export.study.get("playback", {}).get("coverage", 1.0)
    counts = {
        f"trials watched to {100 * least:g}% or more": rated["coverage"] >= least,
        "trials in which a clip stalled": rated["stalls"] > 0,
        "trials during which the page was hidden": rated["hidden_ms"] > 0,
    }
    rows = [(text, _of(int(flag.sum()), len(rated), "trials")) for text, flag in counts.items()]
    unplayable = int((trials["state"] == "unplayable").sum())
    return [*rows, ("trials that did not play", _of(unplayable, len(trials), "trials"))]


def _of(count: int, total: int, what: str) -> TableCell:
    return TableCell(f"{count} of {total}", hint=what)


def _flags(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame:
        return np.zeros(len(frame), bool)
    return frame[name].fillna(False).to_numpy(bool)


def agreement_table(found: list[Agreed], level: float) -> Table:
    """Return how far raters agree, a line a question."""
    heads = (
        Head("alpha", hint="Krippendorff's, ordinal: 1 all agree, 0 as by chance"),
        Head("ICC, one vote", hint="ICC(2,1): reliability of a single vote"),
        Head("ICC, mean vote", hint="ICC(2,k): reliability of an edit's mean vote"),
        Head("one against others", hint="Spearman's correlation, mean over raters"),
        Head("same again", hint="repeats answered as at first; at most one point apart"),
        Head("kappa", hint="of repeats, quadratic weights"),
        Head("deviation", hint="of a single vote about the rater's own mean, from repeats"),
    )
    caption = (
        f"Krippendorff's ordinal alpha with its {100 * level:g}% interval over source videos; "
        "intraclass correlations of a single vote and of the mean of k votes (k: the harmonic mean "
        "of the number of votes on an edit); the correlation of each rater with the mean of the "
        "others; how many repeats got the same answer, and one at most a point away. Raters' "
        "biases lower alpha and the reliabilities, but not the correlation."
    )
    rows = tuple(TableRow(one.question, _agreement_cells(one)) for one in found)
    title = "How far raters agree"
    return Table("agreement", title, caption, heads, rows, first="question")


def _agreement_cells(one: Agreed) -> tuple[TableCell, ...]:
    icc, retest = one.icc, one.retest
    pairs = plural(retest.pairs, "repeat")
    known = int(np.isfinite(one.one_out.spearman).sum())
    return (
        _alpha_cell(one),
        plain_cell(icc.single),
        TableCell(
            plain_cell(icc.average).main, f"k={number(icc.k, 1)}" if is_number(icc.k) else ""
        ),
        TableCell(plain_cell(one.one_out.mean_spearman).main, plural(known, "rater")),
        _repeat_cell(one),
        TableCell(plain_cell(retest.kappa).main, hint=pairs),
        TableCell(plain_cell(retest.answer_deviation).main, hint=pairs),
    )


def _alpha_cell(one: Agreed) -> TableCell:
    if not is_number(one.alpha.mid):
        return TableCell(NOTHING, hint="no edit with two votes, or all votes alike")
    hint = f"{plural(one.alpha.units, 'edit')} with two votes or more; {one.alpha.single} with one"
    return TableCell(number(one.alpha.mid, 2), ends_text(one.alpha.low, one.alpha.high), hint)


def _repeat_cell(one: Agreed) -> TableCell:
    if not one.retest.pairs:
        return TableCell(NOTHING, "no repeats")
    exact, near = (f"{100 * share:.0f}%" for share in (one.retest.exact, one.retest.within_one))
    return TableCell(exact, f"{near} near", plural(one.retest.pairs, "repeat"))


def flags_table(found: list[Screened], excluded: np.ndarray) -> Table:
    """Return how many raters each rule flags, and how many of them count."""
    many = len(excluded)
    rows = []
    for rule in RULES:
        by_question = [one.flags[rule] for one in found]
        columns = [*by_question, np.any(by_question, axis=0)]
        cells = [_flag_cell(flag, excluded) for flag in columns]
        rows.append(TableRow(rule, tuple(cells)))
    caption = (
        f"How many of the {plural(many, 'rater')} with votes each rule flags, and how many of "
        "these still count, as a flag excludes nobody. BT.500 flags votes far from the mean on "
        "both sides; P.913 a correlation with the other raters below 0.75 over edits and 0.8 over "
        "methods; straight line a variance of votes below 0.15. The first two were made for "
        "codecs, about which raters agree far more than about edits."
    )
    heads = (*(Head(one.question) for one in found), Head("any", hint="on any question"))
    title = "Whom screening rules would flag"
    return Table("rater_flags", title, caption, heads, tuple(rows), first="rule")


def _flag_cell(flag: np.ndarray, excluded: np.ndarray) -> TableCell:
    counted = int((flag & ~excluded).sum())
    return TableCell(str(int(flag.sum())), f"{counted} {'counts' if counted == 1 else 'count'}")


def model_table(people: People, found: list[Agreed]) -> Table:
    """Return every method's MOS by the rater model beside the plain one."""
    rows = []
    for name in people.methods:
        at, cells = people.kept.ratings.methods.index(name), []
        for one in found:
            plain = mos_cell(people, one.question, name)
            cells.append(replace(plain, small=f"model {plain_cell(one.modelled[at]).main}"))
        rows.append(TableRow(name, tuple(cells)))
    caption = (
        "The plain mean opinion score; below it the score with raters' biases removed and raters "
        "weighted by the inverse of their variance around the edits' scores (shrunk by 5 votes)."
        + own_edits_note(people, people.questions)
    )
    heads = tuple(Head(one.question) for one in found)
    title = "Mean opinion scores with a model of the raters"
    return Table("rater_model", title, caption, heads, tuple(rows))
