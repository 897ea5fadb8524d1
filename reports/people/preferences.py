"""Which method raters prefer in pairs: strengths, who beats whom, ties and the side they favour."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, titled
from evaluation.stats.preference import PreferencePair
from reports.figures.style import INK, MUTED, SETTINGS, MarkerStyle, clean, figure
from reports.parts import Drawing, ReportPart
from reports.people.differences import ALIKE
from reports.people.pairs import Pairs, QuestionChoices
from reports.subjects import subject
from reports.summary import IntervalSettings
from reports.tables import (
    BOOTSTRAP,
    HOLM,
    NOTHING,
    Head,
    Table,
    TableCell,
    bootstrap_cell,
    ends_text,
    number,
    p_text,
    table_of,
)

MANY = 4  # methods, of which all pairs are said
DONE = (
    "Choices were modelled by Bradley and Terry's model [@bradley1952] with Davidson's ties "
    "[@davidson1970] and a parameter for the side that raters favour, fitted by maximum likelihood "
    "to all choices on a question."
)
INTERVALS = (
    "Differences of strengths have {level:g}% intervals of Student's t with min(raters, sources) "
    "\N{MINUS SIGN} 1 degrees of freedom on a sandwich variance clustered by rater and by source "
    "video [@cameron2011]; p-values are adjusted by Holm [@holm1979] over all pairs and questions, "
    "and a preference counts as shown below {alpha:g}%. Intervals of single strengths are "
    "percentiles of {resamples} resamples of raters and, independently, source videos."
)
PAIR_CAPTION = (
    "First method against second: the difference of their strengths on the log scale of the model, "
    "with its {level:g}% interval (not adjusted) and that of a two-way bootstrap, which is wider "
    "than it need be; p is adjusted by Holm over all pairs and questions. Bold: significant at the "
    "{alpha:g}% level."
)


@subject("preferences", "pairs")
def preferences_part(pairs: Pairs) -> ReportPart:
    """Return what raters preferred, question by question."""
    how = pairs.how
    tables = [_win_table(one, how) for one in pairs.kept if one.model]
    tables += [_pair_table(one, how) for one in pairs.kept if one.model]
    folded = [_win_table(one, how, everyone=True) for one in pairs.everyone if one.model]
    drawn = [one for one in pairs.kept if one.model]
    return ReportPart(
        id="preferences",
        title="What raters prefer",
        found=tuple(_sentence(one, how.alpha) for one in pairs.kept),
        drawings=(_drawing(drawn, pairs.look),) if drawn else (),
        tables=(_model_table(pairs.kept), *tables),
        folded=tuple(folded),
        frames=(("preferences", _frame(pairs.kept)),),
        done=(DONE, INTERVALS.format(**_percent(how), resamples=how.resamples)),
    )


def _percent(how: IntervalSettings) -> dict[str, float]:
    return {"level": 100 * how.confidence, "alpha": 100 * how.alpha}


def _sentence(one: QuestionChoices, alpha: float) -> str:
    """Return who is preferred over whom, as far as tests say so."""
    topic = titled(one.question)
    if not one.model or not one.ends:
        return f"{topic}: No strengths can be estimated: {one.why_not}."
    if not np.isfinite(one.p_holm).any():
        return f"{topic}: No preference can be tested: {_why_no_test(one)} ({_shares(one)})."
    if len(one.rows.methods) > MANY:
        return f"{topic}: {_strongest(one, alpha)}."
    shown: list[str] = []
    open_: list[str] = []
    for a, b in _ordered_pairs(one):
        share = f"{_side(one, a, b)} ({one.model.win[a, b]:.0%} {_share_ends(one, a, b)})"
        (shown if one.shown(a, b, alpha) else open_).append(share)
    said = f"Raters prefer {listed(shown)}" if shown else "No preference is shown"
    rest = f"; no preference is shown for {listed(open_)}" if open_ and shown else ""
    return f"{topic}: {said}{rest}."


def _strongest(one: QuestionChoices, alpha: float) -> str:
    """Return whom the strongest of many methods is preferred to, and a count of other pairs."""
    assert one.model
    names, order = one.rows.methods, np.argsort(-one.model.strength, kind="stable").tolist()
    top, second, others = order[0], order[1], len(order) - 1
    beaten = sum(one.shown(top, b, alpha) for b in order[1:])
    rest = [one.shown(a, b, alpha) for a, b in _ordered_pairs(one) if a != top]
    share = f"{one.model.win[top, second]:.0%} {_share_ends(one, top, second)}"
    return (
        f"{names[top]} is the strongest; raters prefer it significantly to {beaten or 'none'} of "
        f"the {others} others, and to {names[second]}, the next, in {share} of choices; "
        f"{sum(rest) or 'none'} of the {len(rest)} other pairs "
        f"show{'s' if sum(rest) < 2 else ''} a significant preference"
    )


def _why_no_test(one: QuestionChoices) -> str:
    """Return what keeps every preference from being tested."""
    if len(np.unique(one.rows.rater)) < 2:
        return "one rater says nothing about others"
    if len(np.unique(one.rows.source)) < 2:
        return "choices about one source video say nothing about others"
    return "nothing varies from rater to rater or from video to video"


def _shares(one: QuestionChoices) -> str:
    assert one.model
    pairs = _ordered_pairs(one)
    return listed([f"{_side(one, a, b)} {one.model.win[a, b]:.0%}" for a, b in pairs])


def _side(one: QuestionChoices, a: int, b: int) -> str:
    """Return which of two methods is the stronger, the stronger first, or that they are even."""
    names = one.rows.methods
    assert one.model
    even = abs(one.model.strength[a] - one.model.strength[b]) < ALIKE
    return f"{names[a]} and {names[b]} are even" if even else f"{names[a]} over {names[b]}"


def _ordered_pairs(one: QuestionChoices) -> list[tuple[int, int]]:
    """Return all pairs of methods, the stronger first."""
    assert one.model
    order = np.argsort(-one.model.strength, kind="stable").tolist()
    return [(a, b) for place, a in enumerate(order) for b in order[place + 1 :]]


def _share_ends(one: QuestionChoices, a: int, b: int) -> str:
    low, high = _win_ends(one, a, b)
    return f"[{low:.0%}, {high:.0%}]" if np.isfinite(low) else "[no interval]"


def _win_ends(one: QuestionChoices, a: int, b: int) -> tuple[float, float]:
    """Return the interval of P(a over b) + P(tie) / 2, at the tie weight that was estimated."""
    assert one.model
    gap = one.gap(a, b)
    half = np.exp(np.array([gap.low, gap.high]) / 2)
    low, high = (half + one.model.tie / 2) / (half + one.model.tie + 1 / half)
    return float(low), float(high)


def _win_table(one: QuestionChoices, how: IntervalSettings, everyone: bool = False) -> Table:
    names, alpha = one.rows.methods, how.alpha
    who = " with excluded raters" if everyone else ""
    places = range(len(names))
    return table_of(
        f"preferences_{one.question}{'_everyone' * everyone}",
        f"{titled(one.question)}: how often the row is preferred to the column{who}",
        "P(row preferred) + P(no difference) / 2 by the fitted model without a favoured side, with "
        f"its {100 * how.confidence:g}% interval from that of the difference of strengths. Bold: "
        "significant by Holm's p.",
        names,
        [(name, [_win_cell(one, i, j, alpha) for i in places]) for j, name in enumerate(names)],
        first="preferred",
    )


def _win_cell(one: QuestionChoices, a: int, b: int, alpha: float) -> TableCell:
    assert one.model
    if a == b:
        return TableCell(NOTHING)
    sure = one.shown(a, b, alpha)
    return TableCell(f"{one.model.win[a, b]:.0%}", _share_ends(one, a, b), best=sure)


def _pair_table(one: QuestionChoices, how: IntervalSettings) -> Table:
    names, alpha = one.rows.methods, how.alpha
    return table_of(
        f"preference_pairs_{one.question}",
        f"{titled(one.question)}: methods in pairs",
        PAIR_CAPTION.format(**_percent(how)),
        [f"{names[gap.a]} \N{MINUS SIGN} {names[gap.b]}" for gap in one.gaps],
        [
            (Head("strength", hint="difference, log scale"),
             [_strength_cell(one, gap, alpha) for gap in one.gaps]),
            (BOOTSTRAP, [bootstrap_cell(*_boot(one, gap)) for gap in one.gaps]),
            (HOLM, [p_text(one.p_holm[gap.a, gap.b]) for gap in one.gaps]),
            (Head("choices", hint="between these two"), [gap.choices for gap in one.gaps]),
        ],
        first="pair",
    )  # fmt: skip


def _strength_cell(one: QuestionChoices, gap: PreferencePair, alpha: float) -> TableCell:
    found, a, b = gap.difference, gap.a, gap.b
    sure = one.shown(a, b, alpha) or one.shown(b, a, alpha)
    return TableCell(number(found.mid, 2), ends_text(found.low, found.high), best=sure)


def _boot(one: QuestionChoices, gap: PreferencePair) -> tuple[float, float]:
    assert one.ends
    at = gap.a, gap.b
    return float(one.ends.difference_low[at]), float(one.ends.difference_high[at])


def _model_table(kept: tuple[QuestionChoices, ...]) -> Table:
    rows = [one.rows for one in kept]
    left = "P(left) / P(right) between equal edits; 1 is no favour"
    failed = "where they are many, intervals are too narrow"
    return table_of(
        "preference_model",
        "The model and its data",
        "One line per question. The side that raters favour is a parameter of the model, so it "
        "does not affect the strengths.",
        [one.question for one in kept],
        [
            ("choices", [len(one.outcome) for one in rows]),
            ("raters", [len(np.unique(one.rater)) for one in rows]),
            ("videos", [len(np.unique(one.source)) for one in rows]),
            (Head("no difference", hint="share of choices"),
             [f"{np.mean(one.outcome == 0):.0%}" for one in rows]),
            (Head("left favoured", hint=left), [_side_cell(one) for one in kept]),
            (Head("resamples without estimates", hint=failed),
             [one.ends.failed if one.model and one.ends else NOTHING for one in kept]),
        ],
        first="question",
    )  # fmt: skip


def _side_cell(one: QuestionChoices) -> TableCell:
    if not one.model or not one.ends:
        return TableCell(NOTHING, one.why_not)
    low, high = np.exp(one.ends.bias)
    return TableCell(number(float(np.exp(one.model.bias)), 2), ends_text(low, high))


def _drawing(kept: list[QuestionChoices], look: dict[str, MarkerStyle]) -> Drawing:
    return Drawing(
        "preferences",
        _strengths(kept, look),
        "Dot plots of the strength of every method on every question.",
        "Strength of each method on the log scale of the Bradley-Terry model with ties, mean 0, "
        "with intervals over raters and source videos; further right is preferred. Overlapping "
        "intervals do not show that two methods are alike: see the tables of pairs.",
    )


def _strengths(kept: list[QuestionChoices], look: dict[str, MarkerStyle]) -> Figure:
    chosen = {name for one in kept for name in one.rows.methods}
    names = tuple(name for name in look if name in chosen)
    with mpl.rc_context(SETTINGS):
        drawing = figure(2.0 + 2.2 * len(kept), 0.9 + 0.34 * len(names))
        grid = drawing.subplots(1, len(kept), squeeze=False, sharex=True, sharey=True)
        for axes, one in zip(grid[0], kept, strict=True):
            _panel(axes, one, names, look)
        grid[0, 0].set_yticks(range(len(names)), list(names))
        grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    return drawing


def _panel(
    axes: Axes, one: QuestionChoices, names: tuple[str, ...], look: dict[str, MarkerStyle]
) -> None:
    assert one.model and one.ends
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    for k, name in enumerate(one.rows.methods):
        place, mark = names.index(name), look[name]
        ends = [one.ends.low[k], one.ends.high[k]]
        axes.plot(ends, [place, place], color=mark.colour, linewidth=1.6)
        axes.plot(one.model.strength[k], place, mark.marker, color=mark.colour, markersize=6.5)
    axes.set_title(one.question)
    axes.set_xlabel("strength", color=INK)
    axes.margins(x=0.12)
    clean(axes, "x")


def _frame(kept: tuple[QuestionChoices, ...]) -> pd.DataFrame:
    """Return a row for every question and ordered pair."""
    rows = [
        {
            "question": one.question,
            "method": one.rows.methods[a],
            "against": one.rows.methods[b],
            "strength": one.model.strength[a],
            "strength_difference": one.model.strength[a] - one.model.strength[b],
            "low": one.gap(a, b).low,
            "high": one.gap(a, b).high,
            "p_holm": one.p_holm[a, b],
            "preferred": one.model.win[a, b],
        }
        for one in kept
        if one.model and one.ends
        for a in range(len(one.rows.methods))
        for b in range(len(one.rows.methods))
        if a != b
    ]
    return pd.DataFrame(rows)
