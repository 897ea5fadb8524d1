"""What a reader must know of how clips were read: remarks, by method, with counts."""

from typing import NamedTuple

from reports.loading import KEY, Run
from reports.tables import Cell, Head, Row, Table


class Remark(NamedTuple):
    """One remark on clips of one method."""

    method: str
    remark: str
    clips: int
    example: str  # METHOD/EDIT/SEED of one of them


def remarks(run: Run) -> list[Remark]:
    """Return the remarks of a run, method by method, the commonest first; each clip counts once."""
    every = run.scores[KEY[:3]].assign(remarks=run.flag("remarks", without=()))
    rows = every[every["remarks"].map(bool)].explode("remarks").drop_duplicates()
    found = [
        Remark(str(method), str(text), len(part), "/".join(map(str, part.iloc[0][KEY[:3]])))
        for (method, text), part in rows.groupby(["method", "remarks"])
    ]
    place = {label: k for k, label in enumerate(run.methods)}
    return sorted(found, key=lambda one: (place[one.method], -one.clips, one.remark))


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
