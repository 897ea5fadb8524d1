"""The tables and files of a multiverse."""

from collections import Counter
from typing import Any

import pandas as pd

from reports.multiverse.claims import NAMES, PairClaim, sentence
from reports.multiverse.protocols import Protocol
from reports.multiverse.universes import Multiverse, Universe, UniverseVerdict, levels_of
from reports.tables import NOTHING, Head, Table, TableCell, is_number, number, prose_cell, table_of

MOST = 6  # pairs of methods with a figure and a column
OURS = "bounds"
CLAIMS = (
    "In how many universes each method of a pair is better, by a test at the level of the report's "
    "intervals, Holm-adjusted within each universe. Lead: least and greatest, in standard "
    "deviations of an edit's score. Decided by: the choice that tells differing verdicts apart "
    "best, and the share of the disagreement that it explains. Universes are no independent "
    "evidence: their number is no p-value."
)
CHOICES = (
    "Universes by each choice: the first method is better, cannot be told apart, worse. A choice "
    "without alternatives in this run is left out."
)
HABIT = (
    "The verdict with failures and averages treated as the benchmark does, with the lead on the "
    "protocol's scale of 0 to 1; below it ours: over edits that both have, and only if no failure "
    "could turn it."
)
UNTOUCHED = (
    "Each method's lead over the unedited clip under the protocol's own habit, on its scale of 0 "
    "to 1; Holm-adjusted over the methods. A protocol that puts doing nothing ahead rewards what "
    "stayed as it was more than what was asked for."
)
METRICS = (
    "Lead of the first method in the metrics that the protocols use, each turned so that more is "
    "better, in standard deviations of an edit's score, on edits that both have."
)
PROTOCOLS = (
    "Every protocol with the hash of all that decides its numbers, its own habit with failures and "
    "averages, and in what it is like the benchmark that it is named after and in what not; "
    "multiverse_protocols.csv has all of it."
)


def claim_table(made: Multiverse, said: list[PairClaim]) -> Table:
    """Return a row for every pair of methods."""
    held = [[one.effect.mid for _, one in made.of(place)] for place in range(len(made.pairs))]
    ranges = [
        f"{number(min(of), 2)} to {number(max(of), 2)}" if of else NOTHING
        for of in (
            [-mid for mid in mids] if one.first != pair[0] else mids
            for one, pair, mids in zip(said, made.pairs, held, strict=True)
        )
    ]
    return table_of(
        "multiverse_claims",
        "Claims about two methods in all universes",
        CLAIMS,
        [f"{one.first} against {one.second}" for one in said],
        [
            ("claim", [TableCell(one.kind, best=one.kind == "holds in all") for one in said]),
            ("first better", [one.better for one in said]),
            ("second better", [one.worse for one in said]),
            ("not told apart", [one.untold for one in said]),
            ("lead of the first", ranges),
            ("decided by", [_decided(one) for one in said]),
        ],
        first="methods",
    )


def _decided(one: PairClaim) -> TableCell:
    if one.deciding is None:
        return TableCell(NOTHING)
    return TableCell(NAMES[one.deciding.choice], f"{100 * one.deciding.share:.0f}%")


def choice_table(made: Multiverse) -> Table:
    """Return the verdicts by every level of every choice."""
    shown = [
        (choice, level)
        for choice, levels in levels_of(made.universes).items()
        for level in levels
        if len(levels) > 1 or choice == "protocol"
    ]
    places = {
        (choice, level): [k for k, one in enumerate(made.universes) if one.choices[choice] == level]
        for choice, level in shown
    }
    columns = [
        (_head(made, pair), [_counts(made, pair, places[key]) for key in shown])
        for pair in made.shown(MOST)
    ]
    labels = [f"{choice}: {level}" for choice, level in shown]
    return table_of(
        "multiverse_choices", "Verdicts by choice", CHOICES, labels, columns, first="choice"
    )


def _head(made: Multiverse, pair: int) -> str:
    return " against ".join(made.pairs[pair])


def _counts(made: Multiverse, pair: int, places: list[int]) -> TableCell:
    counts = Counter(made.found[place][pair].verdict for place in places)
    three = [counts[name] for name in ("first", "not told apart", "second")]
    none = counts["no value"]
    return TableCell(" / ".join(map(str, three)), f"{none} without values" if none else "")


def habit_table(made: Multiverse) -> list[Table]:
    """Return the field's verdicts beside ours; no table where nothing failed."""
    rows: dict[str, dict[str, int]] = {}
    for place, universe in enumerate(made.universes):
        if universe.failures is None:
            continue
        label = _label(universe)
        if universe.is_habit:
            rows.setdefault(label, {})["habit"] = place
        if universe.failures == OURS and universe.average == "edits":
            rows.setdefault(label, {})["ours"] = place
    rows = {label: of for label, of in rows.items() if len(of) == 2}
    if not rows:
        return []
    columns = [
        (_head(made, pair), [_beside(made, pair, of) for of in rows.values()])
        for pair in made.shown(MOST)
    ]
    title = "Failures as benchmarks treat them, and as we do"
    return [table_of("multiverse_habit", title, HABIT, [*rows], columns, first="protocol")]


def _label(universe: Universe) -> str:
    judge = universe.judge
    return f"{universe.protocol.name}, {judge.name}" if judge else universe.protocol.name


def _beside(made: Multiverse, pair: int, of: dict[str, int]) -> TableCell:
    habit, ours = (made.found[of[name]][pair] for name in ("habit", "ours"))
    names = made.pairs[pair]
    return TableCell(_words(habit, names), f"ours: {_words(ours, names)}")


def _words(one: UniverseVerdict, names: tuple[str, str]) -> str:
    if one.verdict == "no value":
        return "no values"
    lead = number(one.gap.mid, 3)
    if one.verdict == "not told apart":
        return f"not told apart ({lead})"
    return f"{names[one.verdict == 'second']} ({lead})"


def untouched_table(made: Multiverse) -> list[Table]:
    """Return how methods stand to the unedited clip; no table where the run has none."""
    if not made.untouched:
        return []
    labels = [_label(universe) for universe, _ in made.untouched]
    columns = [
        (name, [_against(row[place]) for _, row in made.untouched])
        for place, name in enumerate(made.gaps)
    ]
    title = "Methods against doing nothing"
    return [table_of("multiverse_untouched", title, UNTOUCHED, labels, columns, first="protocol")]


def _against(one: UniverseVerdict) -> TableCell:
    words = {"first": "ahead", "second": "behind"}
    return TableCell(words.get(one.verdict, one.verdict), number(one.gap.mid, 3))


def metric_table(made: Multiverse) -> Table:
    """Return the leads in the metrics that universes use."""
    pairs = made.shown(MOST)
    names = [one.metric for one in made.leads[0]]
    columns = [
        (_head(made, pair), [
            number(one.effect, 2) if is_number(one.effect) else NOTHING for one in made.leads[pair]
        ])
        for pair in pairs
    ]  # fmt: skip
    title = "What the metrics say one by one"
    return table_of("multiverse_metrics", title, METRICS, names, columns, first="metric")


def protocol_table(protocols: tuple[Protocol, ...]) -> Table:
    """Return all protocols, those that could not be scored too."""
    return table_of(
        "multiverse_protocols",
        "Protocols",
        PROTOCOLS,
        [one.name for one in protocols],
        [
            ("hash", [one.sha256 for one in protocols]),
            (Head("failures", hint="its own habit"), [one.failures for one in protocols]),
            (Head("average over", hint="its own habit"), [one.average for one in protocols]),
            ("like", [prose_cell(one.like) for one in protocols]),
            ("not like", [prose_cell(one.unlike) for one in protocols]),
            ("source", [prose_cell(one.source) for one in protocols]),
        ],
        first="protocol",
    )


def left_out_table(made: Multiverse) -> Table:
    """Return the protocols without universes, and what is missing."""
    return table_of(
        "multiverse_left_out",
        "Protocols that could not be scored",
        "What this run lacks for them. Score it, and they are universes.",
        [one.protocol.name for one in made.left_out],
        [
            ("judge", [one.judge.name if one.judge else NOTHING for one in made.left_out]),
            ("missing", [prose_cell("; ".join(one.missing)) for one in made.left_out]),
        ],
        first="protocol",
    )


def claim_frame(said: list[PairClaim]) -> pd.DataFrame:
    """Return a row for every pair, with its sentence."""
    columns = ["first", "second", "claim", "better", "worse", "not_told_apart"]
    rows = [(one.first, one.second, one.kind, one.better, one.worse, one.untold) for one in said]
    frame = pd.DataFrame(rows, columns=columns)
    decided = [one.deciding for one in said]
    frame["decided_by"] = [one.choice if one else None for one in decided]
    frame["share"] = [one.share if one else float("nan") for one in decided]
    frame["sentence"] = [sentence(one) for one in said]
    return frame


def universe_frame(made: Multiverse) -> pd.DataFrame:
    """Return a row for every universe and pair."""
    rows: list[dict[str, Any]] = []
    for number_, (universe, row) in enumerate(zip(made.universes, made.found, strict=True)):
        told = {"universe": number_, **universe.choices, "sha256": universe.protocol.sha256}
        told |= {"judge_name": universe.judge.name if universe.judge else None}
        told |= {"is_habit": universe.is_habit}
        for (first, second), one in zip(made.pairs, row, strict=True):
            gap, effect = one.gap, one.effect
            rows.append(
                told
                | {"first": first, "second": second, "verdict": one.verdict, "lead": gap.mid}
                | {"low": gap.low, "high": gap.high, "p": gap.p, "p_holm": one.p}
                | {"effect": effect.mid, "effect_low": effect.low, "effect_high": effect.high}
                | {"sources": gap.sources}
            )
    return pd.DataFrame(rows)


def protocol_frame(protocols: tuple[Protocol, ...]) -> pd.DataFrame:
    """Return a row for every metric of every protocol."""
    return pd.DataFrame(
        [
            {
                "protocol": one.name, "sha256": one.sha256, "group": name,
                "group_weight": group.weight,
                "group_by": group.by, "metric": metric.metric, "weight": metric.weight,
                "low": metric.scale[0] if metric.scale else None,
                "high": metric.scale[1] if metric.scale else None,
                "by": one.by, "above": one.above, "never_above": one.never_above,
                "failures": one.failures, "average": one.average,
                "source": one.source, "like": one.like, "unlike": one.unlike,
            }
            for one in protocols
            for name, group in one.groups.items()
            for metric in group.of
        ]
    )  # fmt: skip


def left_out_frame(made: Multiverse) -> pd.DataFrame:
    """Return a row for every score that a protocol lacks."""
    rows = [
        {
            "protocol": one.protocol.name,
            "judge": one.judge.name if one.judge else None,
            "missing": why,
        }
        for one in made.left_out
        for why in one.missing
    ]
    return pd.DataFrame(rows, columns=["protocol", "judge", "missing"])
