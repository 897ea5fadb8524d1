"""How votes are spread: mean votes of edits, and shares of the grades."""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dreamix.core.wording import listed, titled
from evaluation.stats.intervals import Interval, ratio
from evaluation.stats.ratings import item_scores, votes_on
from reports.figures.heatmap import Shade, shade, text_on
from reports.figures.style import INK, MUTED, SETTINGS, MarkerStyle, clean, figure
from reports.parts import Drawing, ReportPart
from reports.people.differences import drawn_on_own
from reports.people.outcome import People
from reports.subjects import subject
from reports.tables import is_number

LEAST_SHARE = 0.05  # of the votes, for a number in its bar
MOST_GRADES = 11  # beyond which a scale is taken as continuous
WIDEST = 0.36  # half of a violin, in lines
SIZES = {"P": 8.5, "X": 8.5}  # of markers whose inside is narrow


class Spread(NamedTuple):
    """One method on one question."""

    items: np.ndarray  # float (items,): mean vote of every edit
    mos: Interval
    shares: np.ndarray  # float (grades,): of the votes


Spreads = dict[str, dict[str, Spread]]  # by question and method


def violins_figure(
    spreads: Spreads, scale: tuple[float, float], look: dict[str, MarkerStyle]
) -> Figure:
    """Return a panel a question, a line a method: items' mean votes, and the method's MOS."""
    methods = list(next(iter(spreads.values())))
    with mpl.rc_context(SETTINGS):
        drawing, panels = _grid(spreads, methods, 0.58)
        for axes, (question, by_method) in zip(panels, spreads.items(), strict=True):
            for place, (name, spread) in enumerate(by_method.items()):
                _violin(axes, place, spread, look[name], scale)
            axes.set_title(titled(question))
            axes.set_xlabel("mean vote of an edit", color=INK)
            room = 0.15 * _point(scale)
            axes.set_xlim(scale[0] - room, scale[1] + room)
            axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
            clean(axes, "x")
    return drawing


def _point(scale: tuple[float, float]) -> float:
    """Return a quarter of the scale: what a point is on 1 to 5."""
    return (scale[1] - scale[0]) / 4


def _violin(
    axes: Axes, place: int, spread: Spread, mark: MarkerStyle, scale: tuple[float, float]
) -> None:
    """Draw the density of items, its quartiles, and the MOS with its interval in white and ink."""
    if not len(spread.items):
        axes.text(
            sum(scale) / 2, place, "no votes", ha="center", va="center", fontsize=8, color=MUTED
        )
        return
    values, width = density(spread.items, _point(scale))
    axes.fill_between(
        values, place - WIDEST * width, place + WIDEST * width, facecolor=mark.colour, alpha=0.28,
        edgecolor=mark.colour, linewidth=0.9, zorder=2,
    )  # fmt: skip
    low, high = np.quantile(spread.items, [0.25, 0.75])
    axes.plot([low, high], [place, place], color=mark.colour, linewidth=5, alpha=0.75,
              solid_capstyle="butt", zorder=2.5)  # fmt: skip
    mos = spread.mos
    if is_number(mos.low):
        axes.plot([mos.low, mos.high], [place, place], color=INK, linewidth=1.5, zorder=3)
        for end in (mos.low, mos.high):
            axes.plot([end, end], [place - 0.09, place + 0.09], color=INK, linewidth=1.5, zorder=3)
    axes.plot(
        mos.mid, place, mark.marker, markersize=SIZES.get(mark.marker, 6.5), color=INK,
        markerfacecolor="white", markeredgewidth=1.3, zorder=4,
    )  # fmt: skip


def density(values: np.ndarray, point: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return points between the least and the greatest value and the relative density, at most 1.

    A Gaussian kernel of Silverman's width, min(deviation, quartiles / 1.34) x 0.9 n^(-1/5); values
    that are all alike give a bar of one tenth of a point.
    """
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    quartiles = float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.34
    width = 0.9 * (min(spread, quartiles) or spread) * len(values) ** -0.2
    if width < 0.02 * point:
        middle = float(np.mean(values))
        return middle + 0.05 * point * np.array([-1, 1]), np.ones(2)
    points = np.linspace(values.min(), values.max(), 200)
    sums = np.exp(-0.5 * ((points[:, None] - values) / width) ** 2).sum(axis=1)
    return points, sums / sums.max()


def shares_figure(spreads: Spreads, grades: np.ndarray, threshold: float) -> Figure:
    """Return a panel a question, a line a method: shares of the grades, apart at the threshold.

    Grades above the threshold lie right of the line, the others left of it.
    """
    methods = list(next(iter(spreads.values())))
    with mpl.rc_context(SETTINGS):
        drawing, panels = _grid(spreads, methods, 0.4, more=0.3)
        reach = [
            _ends(one.shares, grades, threshold) for by in spreads.values() for one in by.values()
        ]
        left, right = (max(sides) for sides in zip(*reach, strict=True))
        for axes, (question, by_method) in zip(panels, spreads.items(), strict=True):
            for place, spread in enumerate(by_method.values()):
                _bars(axes, place, spread.shares, grades, threshold)
            axes.axvline(0, color=INK, linewidth=1, zorder=3)
            axes.set_title(titled(question))
            axes.set_xlim(-left - 0.03, right + 0.03)
            axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))
            axes.xaxis.set_major_formatter(lambda value, _: f"{abs(100 * value):.0f}%")
            clean(axes, "x")
        keys = [Patch(facecolor=_shade(k, grades), edgecolor=MUTED, linewidth=0.5,
                      label=f"{grade:g}") for k, grade in enumerate(grades)]  # fmt: skip
        drawing.legend(handles=keys, loc="outside lower center", ncols=len(keys), fontsize=8,
                       title="vote", title_fontsize=8)  # fmt: skip
    return drawing


def _ends(shares: np.ndarray, grades: np.ndarray, threshold: float) -> tuple[float, float]:
    return float(shares[grades <= threshold].sum()), float(shares[grades > threshold].sum())


def _bars(axes: Axes, place: int, shares: np.ndarray, grades: np.ndarray, threshold: float) -> None:
    """Draw one method's shares, the value inside where there is room."""
    if not shares.sum():
        axes.text(0.02, place, "no votes", va="center", fontsize=8, color=MUTED)
        return
    at = -_ends(shares, grades, threshold)[0]
    for k, share in enumerate(shares):
        fill = _shade(k, grades)
        axes.barh(place, share, left=at, height=0.72, color=fill, edgecolor="white", linewidth=0.8)
        if share >= LEAST_SHARE:
            axes.text(at + share / 2, place, f"{100 * share:.0f}", ha="center", va="center",
                      fontsize=7, color=text_on(fill), zorder=4)  # fmt: skip
        at += share


def _shade(place: int, grades: np.ndarray) -> Shade:
    """Return light for the lowest grade to dark for the highest."""
    return shade(0.1 + 0.9 * place / max(len(grades) - 1, 1))


def _grid(
    spreads: Spreads, methods: list[str], line: float, more: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """Return a figure of one panel a question with a line a method."""
    label = 0.075 * max(len(name) for name in methods)
    drawing = figure(0.6 + label + 2.3 * len(spreads), 0.8 + more + line * len(methods))
    panels = list(drawing.subplots(1, len(spreads), squeeze=False, sharey=True)[0])
    panels[0].set_yticks(range(len(methods)), methods)
    panels[0].set_ylim(len(methods) - 0.45, -0.55)
    return drawing, panels


@subject("votes", "raters", after="panel")
def votes_part(people: People) -> ReportPart:
    """Return violins of items' mean votes and shares of the grades, by method and question."""
    spreads = {name: _spreads(people, name) for name in people.questions}
    graded = not people.export.means and len(grades_of(people)) <= MOST_GRADES
    return ReportPart(
        id="votes",
        title="How votes are spread",
        drawings=(_violins(people, spreads), *([_shares(people, spreads)] if graded else [])),
        frames=(
            *([("vote_shares", _share_frame(people, spreads))] if graded else []),
            ("item_mos", _item_frame(people)),
        ),
    )


def grades_of(people: People) -> np.ndarray:
    """Return the whole points of a scale that has few, and every vote: float (grades,)."""
    low, high = people.kept.ratings.scale
    whole = np.arange(low, high + 1) if high - low < MOST_GRADES else np.zeros(0)
    return np.union1d(whole, people.kept.ratings.value)


def _spreads(people: People, question: str) -> dict[str, Spread]:
    """Return every method's items, MOS and shares on one question."""
    votes, grades = votes_on(people.kept.common, question), grades_of(people)
    items, scores = item_scores(votes), people.kept.scores[question]
    found = {}
    for name in people.methods:
        at = people.kept.ratings.methods.index(name)
        mos = Interval(*(float(a[at]) for a in (scores.low, scores.mos, scores.high)))
        own = votes.value[votes.method == at]
        counts = (own[:, None] == grades).sum(axis=0)
        shares = np.nan_to_num(ratio(counts, np.full(len(grades), len(own))))
        found[name] = Spread(items.mos[items.method == at], mos, shares)
    return found


def _violins(people: People, spreads: Spreads) -> Drawing:
    return Drawing(
        "item_mos",
        violins_figure(spreads, people.kept.ratings.scale, people.look),
        f"Violins of the mean votes of edits by every method on {listed(people.questions)}.",
        "How the mean votes of edits are spread: their density between the lowest and the highest "
        "(Gaussian kernel, every violin of the same height), and a thick bar from the first to the "
        "third quartile. Mark and thin line: the method's mean opinion score, every source video "
        f"counting alike, with its {100 * people.how.confidence:g}% interval."
        f"{drawn_on_own(people, people.questions)}",
    )


def _shares(people: People, spreads: Spreads) -> Drawing:
    threshold = people.kept.success.threshold
    return Drawing(
        "vote_shares",
        shares_figure(spreads, grades_of(people), threshold),
        f"Bars of the shares of every vote by method on {listed(people.questions)}.",
        "Shares of the grades in percent, every vote counting alike. Right of the line: votes "
        f"above {threshold:g}, the threshold of success. Shares below 5% have no number."
        + drawn_on_own(people, people.questions),
    )


def _share_frame(people: People, spreads: Spreads) -> pd.DataFrame:
    rows = [
        {"question": question, "method": name, "vote": float(grade), "share": float(share)}
        for question, by_method in spreads.items()
        for name, spread in by_method.items()
        for grade, share in zip(grades_of(people), spread.shares, strict=True)
    ]
    return pd.DataFrame(rows)


def _item_frame(people: People) -> pd.DataFrame:
    """Return a row for every item and question."""
    ratings = people.kept.ratings
    parts = []
    for question in people.questions:
        items = item_scores(votes_on(ratings, question), confidence=people.how.confidence)
        columns = items._asdict() | {
            "edit": np.array(ratings.edits)[items.edit],
            "method": np.array(ratings.methods)[items.method],
            "source": np.array(ratings.sources)[items.source],
        }
        parts.append(pd.DataFrame({"question": question} | columns))
    return pd.concat(parts, ignore_index=True)
