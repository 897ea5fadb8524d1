"""Metrics as predictors of mean votes: scatter, mapping to the scale, errors, P.1401's tests."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, titled
from evaluation.stats.meta import predict
from reports.figures.style import (
    INK,
    LEGEND_COLUMNS,
    MUTED,
    SETTINGS,
    MarkerStyle,
    clean,
    dot,
    figure,
    handle,
    legend_below,
)
from reports.ground import common_ground
from reports.parts import Drawing, ReportPart
from reports.people.joint import Joint
from reports.people.prediction import Predicted, Question, predictions
from reports.subjects import subject
from reports.tables import (
    NOTHING,
    Head,
    Table,
    ends_cell,
    is_number,
    number,
    p_text,
    plain_cell,
    table_of,
)

PANEL = 2.9  # inches
DONE = (
    "Mean votes were predicted from each metric by a non-decreasing polynomial of third order "
    "(first order for a metric with fewer than four different values) fitted to all clips with "
    "votes; RMSE, RMSE* and outlier ratio follow ITU-T P.1401 [@itu2020p1401], with Student's t "
    "intervals of an edit's votes, and the Pearson correlation of predicted and observed mean "
    "votes has a {level:g}% percentile interval over source videos with the mapping kept."
)
TESTED = (
    "Tests of two metrics in the tables of prediction are those of P.1401 (Fisher's z, F, pooled "
    "binomial; two-sided, Bonferroni-adjusted over all pairs), which take the metrics' errors as "
    "independent."
)
NOT_PAIRED = (
    "P.1401's tests treat two metrics as if they were measured on different clips. Here the clips "
    "are the same, so these p-values are only for comparison with published ones; the league's "
    "permutation tests make use of the pairing."
)


def scatter_figure(joint: Joint, found: list[Question]) -> Figure:
    """Return a panel for every question: its best metric across, mean votes up, by method.

    Small: an edit. Large: the mean of a method on common edits, hollow if these are too few. Line:
    the mapping of the metric to the scale.
    """
    look = joint.people.look
    lines = -(-len(joint.systems) // LEGEND_COLUMNS)
    with mpl.rc_context(SETTINGS):
        drawing = figure(0.5 + PANEL * max(len(found), 2), 3.3 + 0.2 * lines)
        grid = drawing.subplots(1, len(found), squeeze=False, sharey=True)
        for axes, one in zip(grid[0], found, strict=True):
            _panel(axes, joint, one, look)
        grid[0, 0].set_ylabel("mean vote of an edit", color=INK)
        legend_below(drawing, [handle(label, look[label]) for label in joint.systems])
    return drawing


def numbers(found: Question) -> str:
    """Return the numbers of the best metric, two lines."""
    best = found.metrics[0]
    ends = (
        f" [{number(best.pearson.low, 2)}, {number(best.pearson.high, 2)}]"
        if is_number(best.pearson.low)
        else ""
    )
    ceiling = f", ceiling {number(found.ceiling, 2)}" if is_number(found.ceiling) else ""
    star = (
        f", RMSE* {number(best.values.rmse_star, 2)}, outliers {best.values.outlier_ratio:.0%}"
        if is_number(best.values.rmse_star)
        else ""
    )
    r = f"r = {number(best.values.pearson, 2)}" if is_number(best.values.pearson) else "no r"
    first = f"{r}{ends}{ceiling}"
    return f"{first}\nRMSE {number(best.values.rmse, 2)}{star}"


def _panel(axes: Axes, joint: Joint, found: Question, look: dict[str, MarkerStyle]) -> None:
    best = found.metrics[0]
    k, facts = joint.names.index(best.name), joint.run.metrics[best.name]
    shown = joint.metrics[k] * facts.sign
    for label, across, up in zip(joint.systems, shown, found.mos, strict=True):
        _points(axes, across, up, look[label])
    for label, at, filled in method_means(joint, found):
        mark = look[label]._replace(filled=filled and look[label].filled)
        dot(axes, *at, mark, 9, inside="white", edges=(1.1, 1.1), zorder=5)
    _curve(axes, best, facts.sign)
    axes.set_title(titled(found.question), pad=30)
    axes.text(
        0, 1.03, numbers(found), transform=axes.transAxes, fontsize=7.5, color=MUTED, va="bottom"
    )
    axes.set_xlabel(f"{best.name} {facts.arrow}", color=INK)
    axes.xaxis.set_inverted(facts.sign < 0)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
    low, high = joint.people.kept.ratings.scale
    room = 0.0375 * (high - low)
    axes.set_ylim(low - room, high + room)
    clean(axes, "both")


def _points(axes: Axes, across: np.ndarray, up: np.ndarray, mark: MarkerStyle) -> None:
    axes.plot(
        across,
        up,
        mark.marker,
        markersize=3.6,
        color=mark.colour,
        markerfacecolor=mark.colour if mark.filled else "none",
        markeredgewidth=0 if mark.filled else 0.8,
        alpha=0.5,
        zorder=2,
    )


def method_means(joint: Joint, found: Question) -> list[tuple[str, tuple[float, float], bool]]:
    """Return (label, (metric, mean vote), compared) of every method that has both somewhere.

    What is compared is taken over the edits on which all compared methods have both
    (`reports.ground`); of a method that has too few of these, over its own. Votes are averaged over
    sources and edits of a source, as scores are, the metric over edits, as in its table.
    """
    best = found.metrics[0]
    across = joint.metrics[joint.names.index(best.name)] * joint.run.metrics[best.name].sign
    both = np.isfinite(across) & np.isfinite(found.mos)
    ground = common_ground(both)
    said = []
    for m, label in enumerate(joint.systems):
        edits = ground.edits if m in ground.ranked else both[m]
        if edits.any():
            _, of = np.unique(joint.sources[edits], return_inverse=True)
            up = np.bincount(of, found.mos[m, edits]) / np.bincount(of)
            at = float(across[m, edits].mean()), float(up.mean())
            said.append((label, at, m in ground.ranked or both.any(axis=1).sum() == 1))
    return said


def _curve(axes: Axes, best: Predicted, sign: int) -> None:
    """Draw the mapping where it was fitted; there is none from too few values."""
    mapping = best.values.mapping
    if not np.isfinite(mapping.coefficients).all():
        return
    across = np.linspace(mapping.low, mapping.high, 200)
    up = predict(mapping, across)
    axes.plot(sign * across, up, color=INK, linewidth=1.6, zorder=4)


@subject("metric-scatter", "metrics and raters", after="metrics-and-people")
def scatter_part(joint: Joint) -> ReportPart | None:
    """Return how the best metric of every question predicts its votes; None without metrics."""
    if not joint.names:
        return None
    every = [predictions(joint, question) for question in joint.votes]
    found = [one for one in every if one.metrics]
    several = any(len(one.metrics) > 1 for one in found)
    done = DONE.format(level=100 * joint.people.how.confidence)
    return ReportPart(
        id="metric-scatter",
        title="Votes against the best metric of each axis",
        found=(_sentence(every),),
        notes=tuple(_notes(found, several)),
        drawings=(_drawing(joint, found),) if found else (),
        folded=tuple(map(_table, found)),
        frames=(("metric_prediction", _frame(joint, found)),) if found else (),
        done=((done, TESTED) if several else (done,)) if found else (),
    )


def _sentence(every: list[Question]) -> str:
    """Return how well the best metric of each question predicts its votes, or why none does."""
    said = [_clause(one) for one in every]
    chosen = any(len(one.metrics) > 1 for one in every)
    caution = " Each was chosen as the best of its axis by these votes, which flatters it."
    return f"Prediction of mean votes: Mapped to the scale, {'; '.join(said)}.{caution * chosen}"


def _clause(found: Question) -> str:
    if not found.metrics:
        return f"no metric predicts {found.question} ({found.why_not})"
    best = found.metrics[0]
    if not is_number(best.values.rmse):
        return f"{best.name} has too few values to predict {found.question}"
    if not is_number(best.pearson.value):
        error = number(best.values.rmse, 2)
        return (
            f"{best.name} predicts the same {found.question} for every clip, with an error (RMSE) "
            f"of {error} points"
        )
    pearson = ends_cell(best.pearson)
    text = f"{best.name} predicts {found.question} with r = {pearson.main} {pearson.small}"
    if is_number(found.ceiling):
        text += f" (a perfect metric would reach {number(found.ceiling, 2)})"
    return f"{text} and an error (RMSE) of {number(best.values.rmse, 2)} points"


def _notes(found: list[Question], several: bool) -> list[str]:
    said = []
    if any(len(one.metrics) > 1 for one in found):
        said.append(
            "Each panel shows the metric of the question's own axis that the league ranks first. "
            "It was chosen by the same votes that it is shown against, so its numbers are "
            "optimistic."
        )
    widthless = {one.question: one.exact for one in found if one.exact}
    if widthless:
        counts = [f"{count} on {question}" for question, count in widthless.items()]
        said.append(
            f"Clips whose votes are all equal: {listed(counts)}. Their interval has no width, so "
            "any error makes them outliers."
        )
    return [*said, NOT_PAIRED] if several else said


def _drawing(joint: Joint, found: list[Question]) -> Drawing:
    named = [f"{one.metrics[0].name} and {one.question}" for one in found]
    return Drawing(
        "metric_scatter",
        scatter_figure(joint, found),
        f"Scatter of {listed(named)}, by method.",
        "Mean vote of every clip against the best metric of each question's axis, turned so that "
        "better is right. Small marks: clips; large marks: a method's mean over the edits that "
        "all methods have (hollow: an anchor, or a mean over its own edits where too few are "
        "common). Line: monotonic mapping of the metric to the scale (ITU-T P.1401). r: Pearson "
        f"correlation after the mapping, with its {100 * joint.people.how.confidence:g}% interval "
        "over source videos; ceiling: what a metric that knew the true means would reach, "
        "estimated from halves of the panel. RMSE*: error beyond the interval of a clip's votes; "
        "outliers: clips whose error exceeds that interval.",
    )


def _table(found: Question) -> Table:
    several, values = found.metrics, [one.values for one in found.metrics]
    against = "against the first line"
    return table_of(
        f"metric_prediction_{found.question}",
        f"{titled(found.question)}: prediction of mean votes by the metrics meant for it",
        "In points of the scale, after a monotonic mapping of third order (first order for a "
        "metric with fewer than four different values). p: two-sided tests of ITU-T P.1401 against "
        f"{several[0].name}, the best by the same votes, Bonferroni-adjusted over all pairs; they "
        "treat the samples as independent, which metrics of the same clips are not.",
        [one.name for one in several],
        [
            (Head("n", hint="clips with a value and a vote"), [one.n for one in values]),
            (Head("Pearson", hint="of predicted and observed mean votes"),
             [ends_cell(one.pearson) for one in several]),
            (Head("RMSE", hint="points of the scale, on the edits the mapping was fitted on"),
             [plain_cell(one.rmse) for one in values]),
            (Head("RMSE*", hint="error beyond the 95% interval of an edit's votes"),
             [plain_cell(one.rmse_star) for one in values]),
            (Head("outliers", hint="edits whose error exceeds that interval"),
             [f"{r:.0%}" if is_number(r := one.outlier_ratio) else NOTHING for one in values]),
            (Head("RMSE other videos, 1st", hint="first order, fitted on all other source videos"),
             [plain_cell(one.first_order) for one in several]),
            (Head("RMSE other videos, 3rd", hint="third order, fitted on all other source videos"),
             [plain_cell(one.third_order) for one in several]),
            *((Head(f"p {name}", hint=against), [p_text(one.p[k]) for one in several])
              for k, name in enumerate(("Pearson", "RMSE", "outliers"))),
        ],
        first="metric",
    )  # fmt: skip


def _in_its_unit(joint: Joint, one: Predicted) -> dict[str, str | float]:
    """Return the mapping as numpy's `Polynomial(coefficients, [mapped_from, mapped_to])` reads it.

    It is of the metric's own values: where less is better, the fit is of values that were turned,
    and p(x) = q(-x) has the coefficients (-1)^k c_k on [-high, -low].
    """
    mapping, sign = one.values.mapping, joint.run.metrics[one.name].sign
    coefficients = mapping.coefficients * float(sign) ** np.arange(len(mapping.coefficients))
    ends = sorted((sign * mapping.low, sign * mapping.high))
    return {
        "coefficients": " ".join(f"{c:.12g}" for c in coefficients),
        "mapped_from": ends[0],
        "mapped_to": ends[1],
    }


def _frame(joint: Joint, found: list[Question]) -> pd.DataFrame:
    rows = [
        {
            "question": one.question,
            "metric": each.name,
            "n": each.values.n,
            "missing": each.values.missing,
            "pearson": each.pearson.value,
            "low": each.pearson.low,
            "high": each.pearson.high,
            "ceiling": one.ceiling,
            "rmse": each.values.rmse,
            "rmse_star": each.values.rmse_star,
            "outlier_ratio": each.values.outlier_ratio,
            "outlier_sd": each.values.outlier_sd,
            "rmse_other_videos_first_order": each.first_order,
            "rmse_other_videos_third_order": each.third_order,
            "p_pearson": each.p[0],
            "p_rmse": each.p[1],
            "p_outliers": each.p[2],
        }
        | _in_its_unit(joint, each)
        for one in found
        for each in one.metrics
    ]
    return pd.DataFrame(rows)
