"""Mean votes by category of edit: where a method's score comes from."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dreamix.core.wording import listed, plural, titled
from evaluation.stats.ratings import MethodScores, method_scores, votes_on
from reports.figures.heatmap import ALL, NO_VALUE, HeatCell, heat_map, share_of
from reports.figures.style import SETTINGS, figure
from reports.parts import Drawing, ReportPart
from reports.people.differences import apart_mark, digits_of, drawn_on_own, own_edits_note
from reports.people.joint import FEW_VIDEOS
from reports.people.outcome import People, within_scale
from reports.subjects import subject
from reports.tables import NOTHING, Head, Table, TableCell, ends_text, is_number, number, table_of

Scores = dict[str, MethodScores]  # by category, all of them last
DONE = (
    "Mean opinion scores were also taken within each category of edit, with the intervals of the "
    "scores over all edits; no difference was tested there, and categories of fewer than {few} "
    "source videos are shown and not judged."
)


def categories_figure(
    by_question: dict[str, Scores],
    places: dict[str, int],
    apart: dict[str, set[int]],
    digits: int = 2,
) -> Figure:
    """Return one panel a question: MOS of every method on every category, and n, its edits.

    places: of the methods in the scores. apart: by question, places of methods whose scores are of
    other edits. Shades run from the lowest to the highest shaded MOS of a panel. Hatched: fewer
    than FEW_VIDEOS source videos, no vote, or other edits.
    """
    columns = max(len(scores) for scores in by_question.values())
    label = 0.075 * max(len(name) for name in places)
    with mpl.rc_context({**SETTINGS, "axes.grid": False}):
        height = 0.62 + 0.31 * len(places)
        drawing = figure(0.6 + label + 0.86 * columns, height * len(by_question))
        panels = drawing.subplots(len(by_question), squeeze=False)
        for axes, (question, scores) in zip(panels[:, 0], by_question.items(), strict=True):
            _panel(axes, question, scores, places, apart[question], digits)
    return drawing


def _panel(
    axes: Axes,
    question: str,
    scores: Scores,
    places: dict[str, int],
    apart: set[int],
    digits: int,
) -> None:
    known = [
        one.mos[at]
        for one in scores.values()
        for at in places.values()
        if one.sources[at] >= FEW_VIDEOS and at not in apart
    ]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    rows = {
        name: [_heat_cell(one, at, at in apart, low, high, digits) for one in scores.values()]
        for name, at in places.items()
    }
    heat_map(axes, list(scores), rows, title=titled(question))


def _heat_cell(
    one: MethodScores, at: int, apart: bool, low: float, high: float, digits: int
) -> HeatCell:
    """Return one cell; few videos, or other edits, leave it hatched and without a shade."""
    mos, few = float(one.mos[at]), one.sources[at] < FEW_VIDEOS
    if not is_number(mos):
        return NO_VALUE
    share = None if few or apart else 0.05 + 0.95 * share_of(mos, low, high)
    return HeatCell(number(mos, digits), share, f"n={int(one.items[at])}", hatched=share is None)


@subject("vote-categories", "raters", after="success")
def categories_part(people: People) -> ReportPart | None:
    """Return MOS by method and category; None with a single category."""
    edits = _categories(people)
    names = sorted(set(edits))
    if len(names) < 2:
        return None
    found = {question: _scores(people, question, edits, names) for question in people.questions}
    return ReportPart(
        id="vote-categories",
        title="Mean votes by category of edit",
        notes=(_note(people, found),),
        drawings=(_drawing(people, found),),
        folded=tuple(_table(people, question, scores) for question, scores in found.items()),
        frames=(("mos_categories", _frame(people, found)),),
        done=(DONE.format(few=FEW_VIDEOS),),
    )


def _categories(people: People) -> np.ndarray:
    """Return the category of every edit with votes, str (edits,); "none" where it has none."""
    long = people.export.long
    if "category" not in long:
        return np.full(len(people.kept.ratings.edits), "none")
    known = long.drop_duplicates("edit").set_index("edit")["category"].fillna("none").astype(str)
    return known.reindex(list(people.kept.ratings.edits)).fillna("none").to_numpy(str)


def _scores(people: People, question: str, edits: np.ndarray, names: list[str]) -> Scores:
    """Return the methods' scores in every category, then on all edits."""
    votes = votes_on(people.kept.common, question)
    found = {
        name: within_scale(
            method_scores(
                votes.where(edits[votes.edit] == name),
                confidence=people.how.confidence,
                raters=people.raters,
            ),
            people.kept.ratings,
        )
        for name in names
    }
    return found | {ALL: people.kept.scores[question]}


def _note(people: People, found: dict[str, Scores]) -> str:
    scores = next(iter(found.values()))
    sizes = {name: _sizes(one) for name, one in scores.items() if name != ALL}
    said = listed([f"{name} {videos}" for name, (_, videos) in sizes.items()])
    few = [name for name, (_, videos) in sizes.items() if videos < FEW_VIDEOS]
    text = f"Source videos in each category: {said}."
    if few:
        have = "has" if len(few) == 1 else "have"
        text += f" With fewer than {FEW_VIDEOS}, {listed(few)} {have} too few for a claim."
    return f"{text} Differences within a category were not tested."


def _sizes(scores: MethodScores) -> tuple[int, int]:
    """Return edits and source videos of a category, of the method with most."""
    return int(scores.items.max(initial=0)), int(scores.sources.max(initial=0))


def _drawing(people: People, found: dict[str, Scores]) -> Drawing:
    places = {name: people.kept.ratings.methods.index(name) for name in people.methods}
    return Drawing(
        "mos_categories",
        categories_figure(
            found,
            places,
            {q: {places[m] for m in people.kept.apart(q)} for q in found},
            digits_of(people.export.scale),
        ),
        f"Heat maps of mean opinion scores by category on {listed(people.questions)}.",
        "Mean opinion score of every method on every category of edit; n: the edits behind it. "
        "Darker is higher, from the lowest to the highest of the panel. Hatched: fewer than "
        f"{FEW_VIDEOS} source videos, no votes, or votes on a method's own edits alone. Intervals "
        f"are in the tables below.{drawn_on_own(people, people.questions)}",
    )


def _table(people: People, question: str, scores: Scores) -> Table:
    columns = []
    for category, one in scores.items():
        edits, videos = _sizes(one)
        counts = f"{plural(edits, 'edit')} of {plural(videos, 'source video')}"
        cells = [_score_cell(people, question, one, name) for name in people.methods]
        columns.append((Head(category, hint=counts), cells))
    clusters = "source video" if people.export.means else "rater and by source video"
    return table_of(
        f"mos_categories_{question}",
        f"{titled(question)}: mean votes by category of edit",
        f"Mean opinion score with its {100 * people.how.confidence:g}% interval (clustered by "
        f"{clusters}) and n, the source videos behind it. Intervals are not "
        "adjusted for the number of categories; those of a few videos are wide and say little."
        + own_edits_note(people, [question]),
        people.methods,
        columns,
    )


def _score_cell(people: People, question: str, scores: MethodScores, name: str) -> TableCell:
    at, mark = people.kept.ratings.methods.index(name), apart_mark(people.kept, question, name)
    if not is_number(scores.mos[at]):
        return TableCell(NOTHING, "no votes")
    digits = digits_of(people.export.scale)
    ends = ends_text(float(scores.low[at]), float(scores.high[at]), digits)
    sources, items = int(scores.sources[at]), int(scores.items[at])
    hint = f"{plural(items, 'edit')}, {plural(int(scores.votes[at]), 'vote')}"
    mos = number(float(scores.mos[at]), digits)
    return TableCell(mos, f"{ends} n={sources}", hint, mark=mark)


def _frame(people: People, found: dict[str, Scores]) -> pd.DataFrame:
    """Return a row for every question, category and method."""
    rows = []
    for question, scores in found.items():
        for category, one in scores.items():
            for name in people.methods:
                at = people.kept.ratings.methods.index(name)
                facts = {field: values[at] for field, values in one._asdict().items()}
                del facts["boot_low"], facts["boot_high"]
                rows.append({"question": question, "category": category, "method": name} | facts)
    return pd.DataFrame(rows)
