"""Raters in numbers and tables: who took part, how far they agree, whom screening rules flag."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.wording import plural
from evaluation.stats.agreement import (
    Alpha,
    Icc,
    OneOut,
    Retest,
    bt500,
    intraclass_correlation,
    krippendorff_alpha,
    leave_one_out,
    p913,
    retest_agreement,
    straight_line,
)
from evaluation.stats.ratings import RaterModel, Ratings, Votes, debiased_mos, rater_model, votes_on
from reports.people.differences import digits_of, mos_cell, own_edits_note
from reports.people.export import RULES as RULE_WORDS
from reports.people.export import StudyExport, rule_words
from reports.people.outcome import People
from reports.tables import (
    NOTHING,
    Head,
    Table,
    TableCell,
    ends_text,
    is_number,
    number,
    plain_cell,
    table_of,
)

RULES = ("BT.500", "P.913", "straight line")
BY_HAND = "excluded by a researcher"
ANY = "on any question"


class Agreed(NamedTuple):
    """How far the raters who count agree on one question, with each other and with themselves."""

    question: str
    alpha: Alpha
    icc: Icc
    one_out: OneOut
    retest: Retest
    modelled: np.ndarray  # float (methods,): MOS by the rater model


class Screened(NamedTuple):
    """All raters with votes, excluded ones too, on one question; arrays (raters,)."""

    question: str
    bias: np.ndarray
    inconsistency: np.ndarray
    votes: np.ndarray
    few_votes: np.ndarray  # bool
    spearman: np.ndarray  # with the mean of the others
    flags: dict[str, np.ndarray]  # by rule, bool


def agreed(people: People, question: str) -> Agreed:
    """Return the agreement of the raters who count."""
    votes = votes_on(people.kept.ratings, question)
    draws = people.resampling("alpha", question)
    return Agreed(
        question,
        krippendorff_alpha(votes.value, votes.item, votes.source, resampling=draws),
        intraclass_correlation(votes.value, votes.item, votes.rater),
        leave_one_out(votes.value, votes.item, votes.rater),
        retest_agreement(*_twice(people, question)),
        debiased_mos(votes, _model(votes)),
    )  # fmt: skip


def least_variance(people: People) -> float:
    """Return the variance of votes below which a rater answers in a straight line: 0.15 on 1 to 5.

    It goes with the square of the scale's length.
    """
    low, high = people.export.scale
    return float(0.15 * ((high - low) / 4) ** 2)


def everyone_of(people: People) -> Ratings:
    """Return the ratings with those of excluded raters."""
    return people.everyone.ratings if people.everyone else people.kept.ratings


def screened(people: People, question: str) -> Screened:
    """Return bias, inconsistency and flags of all raters, excluded ones too."""
    votes = votes_on(everyone_of(people), question)
    many, model = votes.raters, _model(votes)
    flags = (
        bt500(votes.value, votes.item, votes.rater).flagged,
        p913(votes.value, votes.item, votes.rater, votes.method).flagged,
        straight_line(votes.value, votes.rater, least=least_variance(people)).flagged,
    )
    return Screened(
        question,
        _filled(model.bias, many),
        _filled(model.inconsistency, many),
        _filled(model.votes, many, 0),
        _filled(model.few_votes, many, False),
        _filled(leave_one_out(votes.value, votes.item, votes.rater).spearman, many),
        {rule: _filled(flag, many, False) for rule, flag in zip(RULES, flags, strict=True)},
    )


def _model(votes: Votes) -> RaterModel:
    return rater_model(votes.value, votes.item, votes.rater)


def _filled(values: np.ndarray, many: int, empty: float = np.nan) -> np.ndarray:
    """Return an array for all raters: the last ones may have no vote on a question."""
    found = np.full(many, empty, values.dtype)
    found[: len(values)] = values
    return found


def _twice(people: People, question: str) -> tuple[np.ndarray, np.ndarray]:
    """Return first and repeated votes of the same rater on the same item, raters who count."""
    long = people.export.long
    if not {"kind", "item"} <= set(long):
        return np.zeros(0), np.zeros(0)
    rows = long[(long["question"] == question) & ~long["excluded"]]
    keys = ["rater", "item"]
    first, again = (
        rows[rows["kind"] == kind].drop_duplicates(keys).set_index(keys)["value"]
        for kind in ("rating", "repeat")
    )
    both = first.index.intersection(again.index)
    return first[both].to_numpy(np.float64), again[both].to_numpy(np.float64)


def who_table(export: StudyExport) -> Table:
    """Return how many came, finished, were excluded by which rule, failed checks, and clips."""
    rows = [*_came(export), *_checks(export), *_played(export)]
    return table_of(
        "raters",
        "Who took part",
        "A rater can break several rules. The trials are all raters' ratings and repeats.",
        [label for label, _ in rows],
        [("count", [cell for _, cell in rows])],
        first="what",
    )


def _came(export: StudyExport) -> list[tuple[str, TableCell]]:
    raters, own = export.raters, export.own
    counted = own.loc[~own["excluded"].astype(bool), "rater"].nunique()
    out, finished = (int(_flags(raters, name).sum()) for name in ("excluded", "finished"))
    rows = [
        ("raters who came", TableCell(str(len(raters)))),
        *([] if export.origin else [("finished", TableCell(str(finished)))]),
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
    retests = [one.retest for one in found]
    return table_of(
        "agreement",
        "How far raters agree",
        f"Krippendorff's ordinal alpha with its {100 * level:g}% interval over source videos; "
        "intraclass correlations of a single vote and of the mean of k votes (k: the harmonic mean "
        "of the number of votes on an edit); the correlation of each rater with the mean of the "
        "others; how many repeats got the same answer, and one at most a point away. Raters' "
        "biases lower alpha and the reliabilities, but not the correlation.",
        [one.question for one in found],
        [
            (Head("alpha", hint="Krippendorff's, ordinal: 1 all agree, 0 as by chance"),
             [_alpha_cell(one) for one in found]),
            (Head("ICC, one vote", hint="ICC(2,1): reliability of a single vote"),
             [plain_cell(one.icc.single) for one in found]),
            (Head("ICC, mean vote", hint="ICC(2,k): reliability of an edit's mean vote"),
             [_average_cell(one) for one in found]),
            (Head("one against others", hint="Spearman's correlation, mean over raters"),
             [_one_out_cell(one) for one in found]),
            (Head("same again", hint="repeats answered as at first; at most one point apart"),
             [_repeat_cell(one) for one in found]),
            (Head("kappa", hint="of repeats, quadratic weights"),
             [_of_repeats(one.kappa, one.pairs) for one in retests]),
            (Head("deviation", hint="of a single vote about the rater's own mean, from repeats"),
             [_of_repeats(one.answer_deviation, one.pairs) for one in retests]),
        ],
        first="question",
    )  # fmt: skip


def _average_cell(one: Agreed) -> TableCell:
    k = f"k={number(one.icc.k, 1)}" if is_number(one.icc.k) else ""
    return replace(plain_cell(one.icc.average), small=k)


def _one_out_cell(one: Agreed) -> TableCell:
    known = int(np.isfinite(one.one_out.spearman).sum())
    return replace(plain_cell(one.one_out.mean_spearman), small=plural(known, "rater"))


def _of_repeats(value: float, pairs: int) -> TableCell:
    return replace(plain_cell(value), hint=plural(pairs, "repeat"))


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


def flags_table(found: list[Screened], excluded: np.ndarray, least: float = 0.15) -> Table:
    """Return how many raters each rule flags, and how many of them count.

    least: variance of votes below which a rater answers in a straight line.
    """
    every = {rule: np.any([one.flags[rule] for one in found], axis=0) for rule in RULES}
    flags: list[tuple[Head, dict[str, np.ndarray]]]
    flags = [*((Head(o.question), o.flags) for o in found), (Head("any", hint=ANY), every)]
    return table_of(
        "rater_flags",
        "Whom screening rules would flag",
        f"How many of the {plural(len(excluded), 'rater')} with votes each rule flags, and how "
        "many of these still count, as a flag excludes nobody. BT.500 flags votes far from the "
        "mean on both sides; P.913 a correlation with the other raters below 0.75 over edits and "
        f"0.8 over methods; straight line a variance of votes below {least:.3g}. The first two "
        "were made for codecs, about which raters agree far more than about edits.",
        RULES,
        [(head, [_flag_cell(by_rule[rule], excluded) for rule in RULES])
         for head, by_rule in flags],
        first="rule",
    )  # fmt: skip


def _flag_cell(flag: np.ndarray, excluded: np.ndarray) -> TableCell:
    counted = int((flag & ~excluded).sum())
    return TableCell(str(int(flag.sum())), f"{counted} {'counts' if counted == 1 else 'count'}")


def model_table(people: People, found: list[Agreed]) -> Table:
    """Return every method's MOS by the rater model beside the plain one."""
    return table_of(
        "rater_model",
        "Mean opinion scores with a model of the raters",
        "The plain mean opinion score; below it the score with raters' biases removed and raters "
        "weighted by the inverse of their variance around the edits' scores (shrunk by 5 votes)."
        + own_edits_note(people, people.questions),
        people.methods,
        [(one.question, [_model_cell(people, one, m) for m in people.methods]) for one in found],
    )


def _model_cell(people: People, one: Agreed, method: str) -> TableCell:
    modelled = one.modelled[people.kept.ratings.methods.index(method)]
    model = f"model {plain_cell(modelled, digits_of(people.export.scale)).main}"
    return replace(mos_cell(people, one.question, method), small=model)
