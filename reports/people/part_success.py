"""Success at every threshold: whether an order of methods hangs on the one that was chosen."""

import numpy as np
import pandas as pd

from evaluation.stats.ratings import THRESHOLD, Success, success_sweep
from reports.parts import Drawing, Part
from reports.people.outcome import People
from reports.people.own_edits import drawn_on_own
from reports.people.plots_success import sweep_figure
from reports.people.standings import SUCCESS
from reports.subjects import subject
from reports.wording import listed

FIRST, LAST, STEP = 1.5, 4.5, 0.1
DONE = (
    "Success was also counted at every threshold from {first:g} to {last:g} in steps of {step:g}; "
    "the headline uses {threshold:g}."
)


@subject("success", "raters", after="votes")
def success_part(people: People) -> Part | None:
    """Return the sweep; None where no edit has votes on every question."""
    if not np.isfinite(people.kept.success.items.share).any():
        return None
    thresholds = np.arange(round(FIRST / STEP), round(LAST / STEP) + 1) / round(1 / STEP)
    sweep = success_sweep(people.kept.of_success, thresholds, confidence=people.how.confidence)
    said = DONE.format(first=FIRST, last=LAST, step=STEP, threshold=THRESHOLD)
    return Part(
        id="success",
        title="Success and its threshold",
        drawings=(_drawing(people, sweep),),
        frames=(("success_sweep", _frame(people, sweep)),),
        done=(said,),
    )


def _drawing(people: People, sweep: list[Success]) -> Drawing:
    places = {name: people.kept.ratings.methods.index(name) for name in people.methods}
    return Drawing(
        "success_sweep",
        sweep_figure(sweep, places, people.look),
        f"Steps of the share of success of {listed(people.methods)} as its threshold rises.",
        "Share above the threshold on every question: of edits, by their mean votes (solid), and "
        "of raters' single answers (dashed), each with its "
        f"{100 * people.how.confidence:g}% interval. Dotted upright: {THRESHOLD:g}, the threshold "
        "of the tables. Answers are whole points, so their share falls only there."
        + drawn_on_own(people, [SUCCESS]),
    )


def _frame(people: People, sweep: list[Success]) -> pd.DataFrame:
    """Return a row for every threshold, method and level."""
    rows = []
    for one in sweep:
        for level, rate in (("items", one.items), ("votes", one.votes)):
            for name in people.methods:
                at = people.kept.ratings.methods.index(name)
                facts = {field: float(values[at]) for field, values in rate._asdict().items()}
                rows.append({"threshold": one.threshold, "method": name, "level": level} | facts)
    return pd.DataFrame(rows)
