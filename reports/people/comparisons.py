"""Methods compared in pairs: differences, intervals, adjusted p-values, and what could be found."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.ratings import Comparison
from reports.figures.style import COLOURS, INK, MUTED, SETTINGS, clean, figure
from reports.parts import Drawing, ReportPart
from reports.people import means
from reports.people.differences import (
    ESTIMATE,
    POWER,
    Detectable,
    Difference,
    TopicDifferences,
    detectable,
    detected,
    digits_of,
    frame_row,
    gaps_of,
    sizes_of,
    unknown,
)
from reports.people.outcome import SUCCESS, People, whose_edits
from reports.subjects import subject
from reports.tables import (
    BOOTSTRAP,
    HOLM,
    NOTHING,
    Head,
    Table,
    TableCell,
    bootstrap_cell,
    ends_text,
    is_number,
    number,
    p_text,
    table_of,
)

LONG = 26  # characters of two names, beyond which they stand on two lines
KINDS = {"within": "of one rater on one edit", "across": "of two different raters on one edit"}
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


def gaps_figure(gaps: TopicDifferences, alpha: float) -> Figure:
    """Return one panel a question, and one for success: a line a pair, first method less second.

    Filled where Holm's adjusted p is below alpha, else hollow; that p stands at the right.
    """
    shown = {topic: several for topic, several in gaps.items() if several}
    names = [_name(one) for one in next(iter(shown.values()))]
    two_lines = any("\n" in name for name in names)
    with mpl.rc_context(SETTINGS):
        width = 1.0 + 0.075 * _widest(names) + 1.55 * len(shown)
        drawing = figure(width, 0.95 + (0.42 if two_lines else 0.3) * len(names))
        grid = drawing.subplots(1, len(shown), squeeze=False, sharey=True)
        limit = max((_reach(one) for topic in shown if topic != SUCCESS for one in shown[topic]),
                    default=1.0)  # fmt: skip
        for axes, (topic, several) in zip(grid[0], shown.items(), strict=True):
            _panel(axes, topic, several, alpha, limit)
        grid[0, 0].set_yticks(range(len(names)), names)
        grid[0, 0].set_ylim(len(names) - 0.4, -0.6)
    return drawing


def _panel(axes: Axes, topic: str, several: list[Difference], alpha: float, limit: float) -> None:
    times = 100 if topic == SUCCESS else 1
    axes.axvline(0, color=INK, linewidth=1, zorder=1.2)
    for place, one in enumerate(several):
        _line(axes, place, one, times, alpha)
        p = p_text(one.p_holm) if is_number(one.p_holm) else "no test"
        axes.text(
            1.02, place, p, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5,
            color=INK if one.sign(alpha) else MUTED, weight="bold" if one.sign(alpha) else "normal",
        )  # fmt: skip
    reach = 1.12 * (max(map(_reach, several)) * times if topic == SUCCESS else limit)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, symmetric=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: _tick(value)))
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(titled(topic))
    axes.annotate(
        "p", (1.02, 1), xycoords="axes fraction", xytext=(0, 2), textcoords="offset points",
        fontsize=7.5, color=MUTED, style="italic",
    )  # fmt: skip
    axes.set_xlabel("% of edits" if topic == SUCCESS else "points", color=INK)
    clean(axes, "x")


def _line(axes: Axes, place: int, one: Difference, times: int, alpha: float) -> None:
    """Draw one difference with its interval; one that is not known draws nothing."""
    if not is_number(one.mid):
        return
    shown = one.sign(alpha) != 0
    if is_number(one.low):
        ends = [times * one.low, times * one.high]
        axes.plot(ends, [place, place], color=COLOURS[0], linewidth=2.0 if shown else 1.2, zorder=2)
    axes.plot(
        times * one.mid, place, "o", markersize=6.5, color=COLOURS[0], zorder=3,
        markerfacecolor=COLOURS[0] if shown else "white", markeredgewidth=1.3,
    )  # fmt: skip


def _tick(value: float) -> str:
    """Return a number as short as it is, with a real minus sign."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _reach(one: Difference) -> float:
    """Return how far from zero a difference and its interval go."""
    ends = [abs(end) for end in (one.low, one.mid, one.high) if is_number(end)]
    return max([*ends, 0.05])


def _name(one: Difference) -> str:
    """Return what a line is of: first method less the second."""
    gap = "\n" if len(one.a) + len(one.b) > LONG else " "
    return f"{one.a}{gap}\N{MINUS SIGN} {one.b}"


def _widest(names: list[str]) -> int:
    return max(len(line) for name in names for line in name.split("\n"))


@subject("comparisons", "raters", after="mos")
def comparisons_part(people: People) -> ReportPart | None:
    """Return all pairs on all questions; None for a single method."""
    if len(people.methods) < 2:
        return None
    gaps, found, alpha = gaps_of(people, people.kept), detectable(people), people.how.alpha
    kinds = listed(sorted({KINDS[one.superiority.kind] for one in people.kept.comparisons}))
    only = people.export.means
    said = {"kinds": kinds, "power": 100 * POWER, "alpha": 100 * alpha, "estimate": ESTIMATE}
    return ReportPart(
        id="comparisons",
        title="Methods in pairs",
        notes=_notes(people, found, alpha),
        drawings=(_drawing(people, gaps),),
        tables=tuple(_table(people, question, gaps[question]) for question in people.questions),
        folded=(
            _success_table(people, gaps[SUCCESS]),
            *([] if only else [_power_table(people, found)]),
        ),
        frames=(("comparisons", _frame(people, gaps)),),
        done=tuple(text.format(**said) for text in (means.DONE_COMPARED if only else DONE)),
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


def _drawing(people: People, gaps: TopicDifferences) -> Drawing:
    level, alpha = 100 * people.how.confidence, people.how.alpha
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


def _table(people: People, question: str, gaps: list[Difference]) -> Table:
    alpha = people.how.alpha
    pairs = [(one, people.comparison(question, one.a, one.b)) for one in gaps]
    kind = listed(sorted({KINDS[made.superiority.kind] for _, made in pairs}))
    whose = whose_edits({question: people.kept.standings[question]})
    facts = {"level": 100 * people.how.confidence, "kind": kind, "alpha": 100 * alpha}
    caption = means.COMPARED if people.export.means else CAPTION
    boot = [bootstrap_cell(*_boot(*pair), pair[0].digits) for pair in pairs]
    again: tuple[Head, list[TableCell]] = (BOOTSTRAP, boot)
    return table_of(
        f"comparisons_{question}",
        f"{titled(question)}: methods in pairs",
        caption.format(**facts, whose=whose),
        [one.label for one in gaps],
        [
            ("difference", [_difference(one, alpha, 1, one.digits) for one in gaps]),
            *([] if people.export.means else [again]),
            (HOLM, [_p_cell(one) for one in gaps]),
            (Head("P(better)", hint="P(A > B) + P(tie) / 2"), [_better(*pair) for pair in pairs]),
            (Head("edits", hint="that both have votes on"), [one.edits for one in gaps]),
        ],
        first="pair",
    )


def _p_cell(one: Difference) -> TableCell:
    return TableCell(p_text(one.p_holm), hint=one.why_not)


def _difference(one: Difference, alpha: float, times: int, digits: int) -> TableCell:
    if not is_number(one.mid):
        return TableCell(NOTHING, one.why_not)
    small = ends_text(times * one.low, times * one.high, digits)
    counts = f"{plural(one.raters, 'rater')}, {plural(one.sources, 'source video')}"
    return TableCell(number(times * one.mid, digits), small, counts, best=one.sign(alpha) != 0)


def _boot(one: Difference, made: Comparison) -> tuple[float, float]:
    """Return the bootstrap interval of a - b; a comparison is b - a of its own names."""
    ends = made.boot_low, made.boot_high
    return ends if made.b == one.a else (-ends[1], -ends[0])


def _share(one: Difference, made: Comparison) -> tuple[float, float, float]:
    """Return low, mid and high of P(a > b) + P(tie) / 2."""
    low, mid, high = made.superiority.found[:3]
    return (low, mid, high) if made.b == one.a else (1 - high, 1 - mid, 1 - low)


def _better(one: Difference, made: Comparison) -> TableCell:
    low, mid, high = _share(one, made)
    if not is_number(mid):
        return TableCell(NOTHING)
    kind, pairs = made.superiority.kind, made.superiority.pairs
    return TableCell(
        number(mid, 2), ends_text(low, high), f"{plural(int(pairs), 'pair')} of votes {KINDS[kind]}"
    )


def _success_table(people: People, gaps: list[Difference]) -> Table:
    alpha, level = people.how.alpha, 100 * people.how.confidence
    whose = whose_edits({SUCCESS: people.kept.standings[SUCCESS]})
    caption = means.SUCCESS_COMPARED if people.export.means else SUCCESS_CAPTION
    return table_of(
        "comparisons_success",
        "Success: methods in pairs",
        caption.format(level=level, alpha=100 * alpha, whose=whose),
        [one.label for one in gaps],
        [
            ("difference", [_difference(one, alpha, 100, 0) for one in gaps]),
            (HOLM, [_p_cell(one) for one in gaps]),
            (Head("edits", hint="with votes on all"), [one.edits for one in gaps]),
        ],
        first="pair",
    )


def _power_table(people: People, found: list[Detectable]) -> Table:
    alpha, (low, high) = people.how.alpha, people.kept.ratings.scale
    single = "least detectable difference at the level of a single test"
    all_ = "at the level divided by the number of comparisons"
    return table_of(
        "detectable",
        "Least detectable differences",
        f"The difference, in points, that a comparison finds with {100 * POWER:.0f}% power at the "
        f"{100 * alpha:g}% level, and at that level divided by the number of comparisons "
        f"({found[0].tests}).",
        [one.question for one in found],
        [
            (Head("one comparison", hint=single), [_least(o, o.alone, high - low) for o in found]),
            (Head("first of all", hint=all_),
             [replace(_least(o, o.corrected, high - low), hint="") for o in found]),
            ("raters", [o.study.raters if o.study else NOTHING for o in found]),
            ("sources", [o.study.sources if o.study else NOTHING for o in found]),
            (Head("votes a method", hint="of the method with the fewest"),
             [o.study.ratings if o.study else NOTHING for o in found]),
        ],
        first="question",
    )  # fmt: skip


def _least(one: Detectable, difference: float, widest: float) -> TableCell:
    """Return a least detectable difference; none is wider than the scale."""
    if not one.study:
        return TableCell(NOTHING, hint=one.why_not)
    digits = digits_of((0, widest))
    return TableCell(number(difference, digits) if difference <= widest else f">{widest:g}")


def _frame(people: People, gaps: TopicDifferences) -> pd.DataFrame:
    """Return a row for every pair and question, unrounded; success in shares."""
    rows = []
    for topic, several in gaps.items():
        for one in several:
            row = frame_row(one)
            row["why_not"] = one.why_not
            if topic != SUCCESS:
                made = people.comparison(topic, one.a, one.b)
                row |= dict(zip(("boot_low", "boot_high"), _boot(one, made), strict=True))
                names = ("better_low", "better", "better_high")
                row |= dict(zip(names, _share(one, made), strict=True))
                row |= {"better_kind": made.superiority.kind}
            rows.append(row)
    return pd.DataFrame(rows).replace({None: np.nan})
