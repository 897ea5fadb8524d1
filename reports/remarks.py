"""What a reader must know of how clips were read: remarks, by method, with counts."""

from typing import NamedTuple

import pandas as pd

from evaluation.score.remarks import kind_of
from reports.loading import KEY, Run
from reports.tables import Cell, Head, Row, Table


class Remark(NamedTuple):
    """One remark on clips of one method."""

    method: str
    remark: str
    clips: int
    example: str  # METHOD/EDIT/SEED of one of them


def remarks(run: Run) -> list[Remark]:
    """Return the remarks of a run, method by method, the commonest first; each clip counts once.

    Those that differ in their numbers only are one, shown with the numbers of its example.
    """
    every = run.scores[KEY[:3]].assign(remarks=run.flag("remarks", without=()))
    rows = every[every["remarks"].map(bool)].explode("remarks").drop_duplicates()
    found = [
        Remark(
            str(method),
            _spelt(part["remarks"]),
            len(part[KEY[:3]].drop_duplicates()),
            "/".join(map(str, part.iloc[0][KEY[:3]])),
        )
        for (method, _), part in rows.groupby(["method", rows["remarks"].map(kind_of)])
    ]
    place = {label: k for k, label in enumerate(run.methods)}
    return sorted(found, key=lambda one: (place[one.method], -one.clips, one.remark))


def _spelt(texts: "pd.Series[str]") -> str:
    return texts.iloc[0] + (" (others with other numbers)" if texts.nunique() > 1 else "")


def remarks_table(run: Run) -> Table | None:
    """Return the remarks as a table; None if there are none."""
    rows = tuple(
        Row(one.method, (Cell(one.remark), Cell(str(one.clips)), Cell(one.example)))
        for one in remarks(run)
    )
    if not rows:
        return None
    return Table(
        "remarks",
        "How clips were read",
        "What has to be known of how frames of a clip and its source were paired, or of how the "
        "clip was read, where it is not the plain case.",
        (Head("remark"), Head("clips"), Head("for example")),
        rows,
    )
