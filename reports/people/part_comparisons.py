"""Methods compared in pairs: differences, intervals, adjusted p-values, and what could be found."""

import numpy as np
import pandas as pd

from evaluation.stats.ratings import Comparison
from reports.loading import is_number
from reports.parts import Drawing, Part
from reports.people.cells import ends_text, p_text
from reports.people.detect import (
    ESTIMATE,
    POWER,
    Detectable,
    detectable,
    detected,
    sizes_of,
    unknown,
)
from reports.people.gaps import SUCCESS, Gap, Gaps, alpha_of, gaps_of
from reports.people.outcome import People
from reports.people.plots_gaps import gaps_figure
from reports.people.standings import whose_edits
from reports.subjects import subject
from reports.tables import NOTHING, Cell, Head, Row, Table, number
from reports.wording import listed, plural

KINDS = {
    "within": "of one rater on one edit",
    "across": "of two different raters on one edit",
}
DONE = (
    "As an effect size that assumes no distance between grades, we give P(A > B) + P(tie) / 2 "
    "[@vargha2000] over pairs of votes {kinds}.",
    "The least detectable difference has {power:.0f}% power at the {alpha:g}% level, two-sided "
    "[@cohen1988], from variance components of this study's own votes {estimate} [@searle1992].",
)
CAPTION = (
    "Difference of mean opinion scores, first method minus second, over the edits that {whose} "
    "have, with its {level:g}% interval (not adjusted) and that of a two-way bootstrap; p is "
    "adjusted by Holm over all pairs and questions. P(better) is P(A > B) + P(tie) / 2 over pairs "
    "of votes {kind}; one half means no difference. Bold: significant at the {alpha:g}% level."
)
SUCCESS_CAPTION = (
    "Difference of the shares of edits that succeed, first method minus second, in percentage "
    "points over the edits that {whose} have, with its {level:g}% score interval (source videos as "
    "clusters, raters by the jackknife); p is from flipping the signs of source videos, adjusted "
    "by Holm over the pairs. Bold: significant at the {alpha:g}% level."
)


@subject("comparisons", "raters", after="mos")
def comparisons_part(people: People) -> Part | None:
    """Return all pairs on all questions; None for a single method."""
    if len(people.methods) < 2:
        return None
    gaps, found, alpha = gaps_of(people, people.kept), detectable(people), alpha_of(people)
    kinds = listed(sorted({KINDS[one.superiority.kind] for one in people.kept.comparisons}))
    said = {"kinds": kinds, "power": 100 * POWER, "alpha": 100 * alpha, "estimate": ESTIMATE}
    return Part(
        id="comparisons",
        title="Methods in pairs",
        notes=_notes(people, found, alpha),
        drawings=(_drawing(people, gaps),),
        tables=tuple(_table(people, question, gaps[question]) for question in people.questions),
        folded=(_success_table(people, gaps[SUCCESS]), _power_table(people, found)),
        frames=(("comparisons", _frame(people, gaps)),),
        done=tuple(text.format(**said) for text in DONE),
    )


def _notes(people: People, found: list[Detectable], alpha: float) -> tuple[str, ...]:
    """Return what differences the study could have found."""
    known = [one for one in found if one.study]
    if not known:
        return (f"The least detectable difference is not known, since {unknown(found)}.",)
    alone, strict = (
        listed([detected(people, one, getattr(one, name)) for one in known])
        for name in ("alone", "corrected")
    )
    text = (
        f"Least detectable difference: with {sizes_of(known)}, a single comparison at the "
        f"{100 * alpha:g}% level has {100 * POWER:.0f}% power to find a true difference of {alone}"
    )
    if found[0].tests > 1:
        text += f"; the first of {found[0].tests} comparisons to pass Holm's correction, {strict}"
    more = f" It is not known {unknown(found)}." if len(known) < len(found) else ""
    return (f"{text}. A pair without a significant difference may still differ by less.{more}",)


def _drawing(people: People, gaps: Gaps) -> Drawing:
    level, alpha = 100 * people.how.confidence, alpha_of(people)
    topics = listed([topic for topic, several in gaps.items() if several])
    return Drawing(
        "comparisons",
        gaps_figure(gaps, alpha),
        f"Forest plots of the differences of all pairs of methods on {topics}.",
        f"Differences of all pairs of methods, first minus second, with {level:g}% intervals "
        "(not adjusted). To the right of zero, the first is ahead. Filled and bold: significant at "
        f"the {100 * alpha:g}% level by Holm's adjusted p, which stands at the right; hollow: not "
        "significant.",
    )


def _table(people: People, question: str, gaps: list[Gap]) -> Table:
    alpha = alpha_of(people)
    made = [people.comparison(question, one.a, one.b) for one in gaps]
    rows = [
        Row(f"{one.a} \N{MINUS SIGN} {one.b}", _cells(one, other, alpha))
        for one, other in zip(gaps, made, strict=True)
    ]
    heads = (
        Head("difference"),
        Head("bootstrap", hint="interval of the two-way bootstrap"),
        Head("p", hint="adjusted by Holm"),
        Head("P(better)", hint="P(A > B) + P(tie) / 2"),
        Head("edits", hint="that both have votes on"),
    )
    kind = listed(sorted({KINDS[other.superiority.kind] for other in made}))
    whose, level = (
        whose_edits({question: people.kept.standings[question]}),
        100 * people.how.confidence,
    )
    facts = {"level": level, "kind": kind, "alpha": 100 * alpha, "whose": whose}
    return Table(
        f"comparisons_{question}",
        f"{question.capitalize()}: methods in pairs",
        CAPTION.format(**facts),
        heads,
        tuple(rows),
        first="pair",
    )


def _cells(one: Gap, made: Comparison, alpha: float) -> tuple[Cell, ...]:
    low, high = _boot(one, made)
    return (
        _difference(one, alpha, 1, 2),
        Cell("", ends_text(low, high)) if is_number(low) else Cell(NOTHING),
        Cell(p_text(one.p_holm), hint=one.why_not),
        _better(one, made),
        Cell(str(one.edits)),
    )


def _difference(one: Gap, alpha: float, times: int, digits: int) -> Cell:
    if not is_number(one.mid):
        return Cell(NOTHING, one.why_not)
    small = ends_text(times * one.low, times * one.high, digits)
    counts = f"{plural(one.raters, 'rater')}, {plural(one.sources, 'source video')}"
    return Cell(number(times * one.mid, digits), small, counts, best=one.sign(alpha) != 0)


def _boot(one: Gap, made: Comparison) -> tuple[float, float]:
    """Return the bootstrap interval of a - b; a comparison is b - a of its own names."""
    ends = made.boot_low, made.boot_high
    return ends if made.b == one.a else (-ends[1], -ends[0])


def _share(one: Gap, made: Comparison) -> tuple[float, float, float]:
    """Return low, mid and high of P(a > b) + P(tie) / 2."""
    low, mid, high = made.superiority.found[:3]
    return (low, mid, high) if made.b == one.a else (1 - high, 1 - mid, 1 - low)


def _better(one: Gap, made: Comparison) -> Cell:
    low, mid, high = _share(one, made)
    if not is_number(mid):
        return Cell(NOTHING)
    kind, pairs = made.superiority.kind, made.superiority.pairs
    return Cell(
        number(mid, 2), ends_text(low, high), f"{plural(int(pairs), 'pair')} of votes {KINDS[kind]}"
    )


def _success_table(people: People, gaps: list[Gap]) -> Table:
    alpha = alpha_of(people)
    rows = tuple(
        Row(
            f"{one.a} \N{MINUS SIGN} {one.b}",
            (
                _difference(one, alpha, 100, 0),
                Cell(p_text(one.p_holm), hint=one.why_not),
                Cell(str(one.edits)),
            ),
        )
        for one in gaps
    )
    heads = (
        Head("difference"),
        Head("p", hint="adjusted by Holm"),
        Head("edits", hint="with votes on all"),
    )
    whose, level = (
        whose_edits({SUCCESS: people.kept.standings[SUCCESS]}),
        100 * people.how.confidence,
    )
    caption = SUCCESS_CAPTION.format(level=level, alpha=100 * alpha, whose=whose)
    title = "Success: methods in pairs"
    return Table("comparisons_success", title, caption, heads, rows, first="pair")


def _power_table(people: People, found: list[Detectable]) -> Table:
    alpha, (low, high) = alpha_of(people), people.kept.ratings.scale
    heads = (
        Head("one comparison", hint="least detectable difference at the level of a single test"),
        Head("first of all", hint="at the level divided by the number of comparisons"),
        Head("raters"),
        Head("sources"),
        Head("votes a method", hint="of the method with the fewest"),
    )
    caption = (
        f"The difference, in points, that a comparison finds with {100 * POWER:.0f}% power at the "
        f"{100 * alpha:g}% level, and at that level divided by the number of comparisons "
        f"({found[0].tests})."
    )
    rows = tuple(Row(one.question, _power_cells(one, high - low)) for one in found)
    title = "Least detectable differences"
    return Table("detectable", title, caption, heads, rows, first="question")


def _power_cells(one: Detectable, widest: float) -> tuple[Cell, ...]:
    """Return the cells of a question; no difference is wider than the scale."""
    if not one.study:
        return (Cell(NOTHING, hint=one.why_not), *[Cell(NOTHING)] * 4)
    sizes = (one.study.raters, one.study.sources, one.study.ratings)
    differences = (one.alone, one.corrected)
    return (
        *(Cell(number(d, 2) if d <= widest else f">{widest:g}") for d in differences),
        *(Cell(str(size)) for size in sizes),
    )


def _frame(people: People, gaps: Gaps) -> pd.DataFrame:
    """Return a row for every pair and question, unrounded; success in shares."""
    rows = []
    for topic, several in gaps.items():
        for one in several:
            row = one._asdict()
            row["why_not"] = one.why_not
            if topic != SUCCESS:
                made = people.comparison(topic, one.a, one.b)
                row |= dict(zip(("boot_low", "boot_high"), _boot(one, made), strict=True))
                names = ("better_low", "better", "better_high")
                row |= dict(zip(names, _share(one, made), strict=True))
                row |= {"better_kind": made.superiority.kind}
            rows.append(row)
    return pd.DataFrame(rows).replace({None: np.nan})
