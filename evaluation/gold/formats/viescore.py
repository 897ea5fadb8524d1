"""ImagenHub's ratings as one table, beside the scores of VIEScore's judges."""

import re
from pathlib import Path

from evaluation.gold.base import GatheredRatings, ImportSettings, rating_format
from evaluation.gold.formats.csv_tables import read_csv

LOWER = frozenset({"LPIPS"})  # of the plain metrics; judges give 0 to 10, more is better
_TURN = re.compile(r"(.+_\d+)_\d+\.\w+")


@rating_format("viescore", unit="image")
def read_viescore(path: Path, asked: ImportSettings) -> GatheredRatings:
    """TASK-ratings.csv of ImagenHub; `meta import` reads TASK-scores.csv.gz beside it as well."""
    found = read_csv(path, asked)
    turns = [_TURN.fullmatch(row.edit) for row in found.rows]
    found.rows = [
        row._replace(source=row.source or (turn[1] if turn else ""))
        for row, turn in zip(found.rows, turns, strict=True)
    ]
    if any(turns):
        found.remarks.append("turns of one image, sample_IMAGE_TURN, share it as their source")
    return found


def scores_beside(path: Path) -> Path | None:
    """Return the table of the judges' scores that lies beside the ratings; None if it does not."""
    for ending in (".csv", ".csv.gz"):
        beside = path.with_name(path.name.replace("-ratings.csv", f"-scores{ending}"))
        if beside != path and beside.is_file():
            return beside
    return None
