"""TDVE: mean opinion scores of edited videos, as one table (see formats of TDVE-Assessor)."""

from dataclasses import replace
from pathlib import Path

from evaluation.gold.base import GatheredRatings, ImportSettings, rating_format
from evaluation.gold.formats.csv_tables import read_csv

COLUMNS = (("edit", "clip"), ("value", "mos"))


@rating_format("tdve")
def read_tdve(path: Path, asked: ImportSettings) -> GatheredRatings:
    """Category, clip, method, question, mos, prompt: mean opinion scores of TDVE-Assessor."""
    given = {ours for ours, _ in asked.columns}
    columns = (*asked.columns, *(pair for pair in COLUMNS if pair[0] not in given))
    found = read_csv(path, replace(asked, columns=columns))
    named = [row._replace(edit=f"{row.category}/{row.edit}") for row in found.rows]
    found.rows = [row._replace(source=row.edit) for row in named]
    found.remarks.append("a clip number repeats in every category: edit and source are both of it")
    return found
