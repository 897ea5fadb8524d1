"""The quality of the raters: who they were, how far they agree, whom rules would flag."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.ratings import FEW_VOTES
from reports.figures.style import COLOURS, INK, MUTED, SETTINGS, clean, figure, legend_below
from reports.parts import Drawing, ReportPart
from reports.people.differences import ESTIMATE
from reports.people.outcome import People
from reports.people.rater_numbers import (
    Agreed,
    Screened,
    agreed,
    agreement_table,
    everyone_of,
    flags_table,
    least_variance,
    model_table,
    screened,
    who_table,
)
from reports.subjects import subject
from reports.tables import ends_text, is_number, number

DONE = (
    "Agreement is Krippendorff's ordinal alpha [@krippendorff2018] with {level:g}% percentile "
    "intervals over {resamples} resamples of source videos, intraclass correlations of one vote "
    "and of mean votes, ICC(2,1) and ICC(2,k) [@shrout1979], from variance components "
    "{estimate} [@searle1992], and each rater's correlation with the mean of all others.",
    "Biases and inconsistencies of raters follow the model of ITU-T P.910 [@p910; @li2020], each "
    "rater's variance shrunk to the pooled one by 5 pseudo-votes.",
    "The rules of ITU-R BT.500 [@bt500] and ITU-T P.913 [@p913], and a variance of votes below "
    "{least:.3g}, were counted as flags and excluded nobody.",
)
REPEATS = "Repeats were compared with first votes by quadratically weighted kappa [@cohen1968]."


class RaterMarker(NamedTuple):
    """How raters of one kind are drawn."""

    label: str
    marker: str
    colour: str
    face: str


PLAIN = RaterMarker("counts, no flag", "o", COLOURS[0], "none")
UNLIKE = RaterMarker("counts, flag of P.913 only", "o", COLOURS[0], COLOURS[0])
FLAGGED = RaterMarker("counts, flag of BT.500 or straight line", "s", COLOURS[1], COLOURS[1])
EXCLUDED = RaterMarker("excluded", "x", INK, INK)
LOOKS = (PLAIN, UNLIKE, FLAGGED, EXCLUDED)


def raters_figure(
    found: list[Screened], excluded: np.ndarray, scale: tuple[float, float] = (1, 5)
) -> Figure:
    """Return a panel a question: each rater's bias across, inconsistency up.

    excluded: bool (raters,). No rater is named.
    """
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.8 + 2.45 * max(len(found), 2), 3.1)
        grid = drawing.subplots(1, len(found), squeeze=False, sharex=True, sharey=True)
        for axes, one in zip(grid[0], found, strict=True):
            _panel(axes, one, excluded)
        grid[0, 0].set_ylabel("inconsistency, points", color=INK)
        half = (scale[1] - scale[0]) / 8
        reach = max(float(np.nanmax(np.abs(one.bias), initial=half)) for one in found) * 1.1
        grid[0, 0].set_xlim(-reach, reach)
        grid[0, 0].margins(y=0.12)
        if grid[0, 0].get_ylim()[0] < 0:  # nobody is less than steady
            grid[0, 0].set_ylim(-0.06 * half, max(grid[0, 0].get_ylim()[1], half))
        keys = [_key(look) for look in LOOKS]
        columns = len(keys) if len(found) > 2 else 2
        legend_below(drawing, keys, columns)
    return drawing


def _panel(axes: Axes, one: Screened, excluded: np.ndarray) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1.2)
    known = one.inconsistency[np.isfinite(one.inconsistency)]
    if len(known):
        axes.axhline(float(np.median(known)), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)),
                     zorder=1.2)  # fmt: skip
    for look, keep in zip(LOOKS, _kinds(one, excluded), strict=True):
        axes.plot(
            one.bias[keep], one.inconsistency[keep], look.marker, linestyle="none",
            color=look.colour, markerfacecolor=look.face, markersize=5.2, markeredgewidth=1.2,
            alpha=0.9, zorder=3,
        )  # fmt: skip
    axes.set_title(titled(one.question))
    axes.set_xlabel("bias, points", color=INK)
    clean(axes, "both")


def _kinds(one: Screened, excluded: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return who is drawn in each of LOOKS, bool (raters,)."""
    rules = one.flags["BT.500"] | one.flags["straight line"]
    unlike = one.flags["P.913"] & ~rules
    return (~excluded & ~rules & ~unlike, ~excluded & unlike, ~excluded & rules, excluded)


def _key(look: RaterMarker) -> Line2D:
    return Line2D([], [], linestyle="none", marker=look.marker, color=look.colour,
                  markerfacecolor=look.face, markersize=5.2, markeredgewidth=1.2,
                  label=look.label)  # fmt: skip


@subject("raters", "single votes", after="defects")
def raters_part(people: People) -> ReportPart:
    """Return counts, agreement, flags and the rater model."""
    found = [agreed(people, question) for question in people.questions]
    seen = [screened(people, question) for question in people.questions]
    excluded = _excluded(people)
    facts = {"level": 100 * people.how.confidence, "resamples": people.how.resamples,
             "estimate": ESTIMATE, "least": least_variance(people)}  # fmt: skip
    repeated = any(one.retest.pairs for one in found)
    return ReportPart(
        id="raters",
        title="The raters",
        found=(_sentence(people, found),),
        notes=_notes(seen),
        drawings=(_drawing(people, seen, excluded),),
        tables=(who_table(people.export), agreement_table(found, people.how.confidence)),
        folded=(flags_table(seen, excluded, least_variance(people)), model_table(people, found)),
        frames=(("raters", _frame(people, seen, excluded)), ("agreement", _agreement_frame(found))),
        done=(*(text.format(**facts) for text in DONE), *([REPEATS] if repeated else [])),
    )


def _excluded(people: People) -> np.ndarray:
    """Return which raters with votes are excluded, bool (raters,)."""
    kept = set(people.kept.ratings.raters)
    return np.array([name not in kept for name in everyone_of(people).raters], bool)


def _sentence(people: People, found: list[Agreed]) -> str:
    """Return who counts, and how far they agree."""
    alphas = [
        f"{number(a.mid, 2)} {ends_text(a.low, a.high)} on {one.question}"
        for one in found
        if is_number((a := one.alpha).mid)
    ]
    means = [
        f"{number(one.icc.average, 2)} on {one.question}"
        for one in found
        if is_number(one.icc.average)
    ]
    if not alphas:
        varied = np.ptp(people.kept.ratings.value) > 0
        why = "no edit has two votes that could differ" if varied else "all votes are alike"
        return f"Raters: {_who(people)}. Their agreement is not defined, since {why}."
    text = f"Raters: {_who(people)}. Their agreement (Krippendorff's alpha) is {listed(alphas)}."
    each = number(found[0].icc.k, 1).removesuffix(".0")
    votes = "a single vote" if each == "1" else f"the mean of {each} votes"
    more = f" On an edit, {votes} has a reliability of {listed(means)}."
    return text + (more if means else "")


def _who(people: People) -> str:
    came, rated = len(people.export.raters), len(everyone_of(people).raters)
    count = len(people.kept.ratings.raters)
    if came == rated == count:
        return "The one rater who came counts" if came == 1 else f"All {came} raters who came count"
    out = f"{rated - count} {'was' if rated - count == 1 else 'were'} excluded"
    return (
        f"Of {plural(came, 'rater')} who came, {rated} rated and {count} "
        f"{'counts' if count == 1 else 'count'}" + (f" ({out})" if rated > count else "")
    )


def _notes(seen: list[Screened]) -> tuple[str, ...]:
    """Return the warning about raters of few votes, if there are any."""
    few = max(int(one.few_votes.sum()) for one in seen)
    if not few:
        return ()
    rated = max(int((one.votes > 0).sum()) for one in seen)
    return (
        f"{few} of {plural(rated, 'rater')} gave fewer than {FEW_VOTES} votes on a question. At "
        "so few votes, a rater's bias and inconsistency are mostly noise: the figure shows the "
        "group and is no judgement of anyone.",
    )


def _drawing(people: People, seen: list[Screened], excluded: np.ndarray) -> Drawing:
    return Drawing(
        "raters",
        raters_figure(seen, excluded, people.export.scale),
        f"Scatter of raters' bias against their inconsistency on {listed(people.questions)}.",
        "Each rater's bias (mean deviation from the edits' scores, 0 on average) and inconsistency "
        "(spread around that bias), in points of the scale, by the model of P.910 with shrunk "
        "variances; excluded raters are shown too. Dashed: the medians. Raters lower down are "
        "steadier; raters further left are more severe.",
    )


def _frame(people: People, seen: list[Screened], excluded: np.ndarray) -> pd.DataFrame:
    """Return a row for every rater and question; raters by pseudonym."""
    names = everyone_of(people).raters
    parts = [
        pd.DataFrame(
            {"rater": names, "question": one.question, "excluded": excluded, "votes": one.votes,
             "few_votes": one.few_votes, "bias": one.bias, "inconsistency": one.inconsistency,
             "spearman_with_others": one.spearman}
            | {rule.lower().replace(" ", "_"): flag for rule, flag in one.flags.items()}
        ).sort_values("rater")
        for one in seen
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _agreement_frame(found: list[Agreed]) -> pd.DataFrame:
    rows = [
        {"question": one.question}
        | {f"alpha_{name}": value for name, value in one.alpha._asdict().items()}
        | {f"icc_{name}": value for name, value in one.icc._asdict().items()}
        | {"one_out_pearson": one.one_out.mean_pearson}
        | {"one_out_spearman": one.one_out.mean_spearman}
        | {f"retest_{name}": value for name, value in one.retest._asdict().items()}
        for one in found
    ]
    return pd.DataFrame(rows)
