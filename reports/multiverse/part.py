"""The part of a report on its multiverse: claims, curves, and what was left out."""

from collections import Counter

from dreamix.core.progress import Progress
from dreamix.core.wording import listed, plural
from reports.multiverse.claims import PairClaim, claims, sentence, untouched_sentence
from reports.multiverse.curve import curve
from reports.multiverse.protocols import Protocol
from reports.multiverse.tables import (
    MOST,
    choice_table,
    claim_frame,
    claim_table,
    habit_table,
    left_out_frame,
    left_out_table,
    metric_table,
    protocol_frame,
    protocol_table,
    universe_frame,
    untouched_table,
)
from reports.multiverse.universes import Multiverse, multiverse
from reports.parts import Drawing, ReportPart
from reports.summary import RunSummary

SAID = 15  # pairs of methods with a sentence
NO_P = (
    "A universe is one way from the same scores to a verdict. Universes share clips, sources and "
    "most of their scores, so they are no independent evidence: how many agree is no p-value and "
    "no probability. The count shows what a claim hangs on."
)
LIKE = (
    "Protocols are like those of the benchmarks they are named after in their arithmetic alone: "
    "models and wordings are this toolkit's own, and no number compares with a published one."
)
HOPELESS = (
    "So few source videos cannot show any difference at this level after Holm's adjustment: that "
    "nothing is told apart says nothing about the methods here."
)
CURVE = (
    "{first} minus {second}: the lead in every universe, least first, in standard deviations of an "
    "edit's score under the protocol, with {level:g}% intervals over source videos. Marks are "
    "verdicts, which are Holm-adjusted; intervals are not. Below, a mark in the row of each choice "
    "that was made."
)
DONE = (
    "Every two methods were compared in {universes} (protocols, judges, treatments of failures, "
    "averages) [@simonsohn2020; @steegen2016], in each by a test in which the labels of the two "
    "are swapped within source videos (two-sided, Holm-adjusted over the pairs of methods "
    "[@holm1979; @phipson2010])."
)


def multiverse_part(
    summary: RunSummary, protocols: tuple[Protocol, ...], progress: Progress | None = None
) -> ReportPart:
    """Return the part on all protocols that the run can be scored by, and on those it cannot."""
    how = summary.resampling
    made = multiverse(summary.run, protocols, how, progress)
    said = claims(made)
    tables = untouched_table(made)
    if made.pairs and made.universes:
        between = [claim_table(made, said), choice_table(made), *habit_table(made)]
        tables = [*between, metric_table(made), *tables]
    left = [left_out_table(made)] if made.left_out else []
    return ReportPart(
        id="multiverse",
        title="The same clips under other protocols",
        found=_found(made, said),
        notes=(*_found(made, said), *_notes(made)),
        drawings=_drawings(made, how.confidence),
        tables=tuple(tables),
        folded=(protocol_table(protocols), *left),
        frames=(
            ("multiverse_claims", claim_frame(said)),
            ("multiverse_universes", universe_frame(made)),
            ("multiverse_protocols", protocol_frame(protocols)),
            ("multiverse_left_out", left_out_frame(made)),
        ),
        done=(DONE.format(universes=plural(len(made.universes), "universe")),) if tables else (),
    )


def _found(made: Multiverse, said: list[PairClaim]) -> tuple[str, ...]:
    """Return a sentence for every pair; of many pairs for some, and how the others stand."""
    if not made.universes:
        return ()
    told = [sentence(said[place]) for place in made.shown(SAID)]
    if len(said) > SAID:
        kinds = Counter(one.kind for one in said)
        counts = listed([f"{kind} {n}" for kind, n in kinds.most_common()])
        told.append(f"Claims: of all {len(said)} pairs, {counts}; multiverse_claims.csv has each.")
    return (*told, *untouched_sentence(made))


def _notes(made: Multiverse) -> tuple[str, ...]:
    """Return what has to be known before the numbers."""
    if not made.pairs:
        return ("Fewer than two methods compete: there is no claim about two of them.", LIKE)
    if not made.universes:
        return ("This run has the scores for none of the protocols: what is missing is below.",)
    left = len({one.protocol.name for one in made.left_out})
    judges = dict.fromkeys(one.judge for one in made.universes if one.judge)
    asked = [f"{one.name} ({one.model}, {one.frames}; {one.audit})" for one in judges]
    notes = [NO_P, LIKE, _failed(made)]
    notes += [f"Judges: {listed(asked)}."] if asked else []
    notes += [HOPELESS] if made.hopeless else []
    if left:
        notes.append(
            f"{plural(left, 'protocol')} could not be scored, or not with every judge: what is "
            "missing is in the last table."
        )
    if len(made.pairs) > MOST:
        notes.append(
            f"Figures and columns are those of {MOST} pairs of methods, whose claims flip first; "
            f"the CSV file has all {len(made.pairs)}."
        )
    return tuple(notes)


def _failed(made: Multiverse) -> str:
    """Return which methods lack scores."""
    lacks = [f"{label} {count}" for label, count in made.gaps.items() if count]
    if not lacks:
        return "No score is missing, so failures are treated one way."
    return (
        f"Edits without a whole score, of {made.edits}, where they are most: {listed(lacks)}. "
        "Benchmarks drop them method by method; at the bottom of the scale they cost what they "
        "cost a user, and within bounds a lead counts only if they could not turn it."
    )


def _drawings(made: Multiverse, confidence: float) -> tuple[Drawing, ...]:
    """Return the curves of the pairs that are shown, those whose claims flip first."""
    found = []
    for place in made.shown(MOST):
        first, second = made.pairs[place]
        if held := made.of(place):
            found.append(
                Drawing(
                    f"multiverse_{first}_{second}",
                    curve(held, first, second),
                    f"Specification curve of {first} against {second}: "
                    f"{plural(len(held), 'universe')}.",
                    CURVE.format(first=first, second=second, level=100 * confidence),
                )
            )
    return tuple(found)
