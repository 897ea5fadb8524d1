"""The export of a rater study, read: who said what of which edit. Files only, no database.

The folder is what `dreamix study export` writes; its codebook.csv says what every column means.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import read_json

TABLES = ("ratings_long", "ratings_wide", "raters", "exclusions", "plan")
PREFIX = "simulated_"


@dataclass(frozen=True)
class Exported:
    """An export in memory; the frames are its tables."""

    folder: Path
    study: dict[str, Any]  # study.yaml
    declared: dict[str, Any]  # hash of the analysis plan, when it was kept, amendments
    simulated: bool
    long: pd.DataFrame
    wide: pd.DataFrame
    raters: pd.DataFrame
    exclusions: pd.DataFrame
    plan: pd.DataFrame
    ratings_sha256: str  # of the table of answers

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.study["name"])

    @property
    def design(self) -> str:
        """Return "absolute" (votes from 1 to 5) or "pairwise" (choices)."""
        return str(self.study.get("design", "absolute"))

    @property
    def methods(self) -> list[str]:
        """Labels of the methods that were rated, as the study lists them."""
        return [str(method) for method in self.study["methods"]]

    @property
    def questions(self) -> list[str]:
        """What was asked, in the study's order."""
        asked = self.study.get("questions", ["alignment", "fidelity", "quality"])
        return [str(question) for question in asked]

    @property
    def own(self) -> pd.DataFrame:
        """Answers that were given for their own sake: no training, traps, gold or repeats."""
        return self.long[self.long["kind"] == "rating"]


def read_export(folder: Path) -> Exported:
    """Return the export in `folder`; a folder that is none, or lacks a file, is a `UserError`."""
    before = _prefix(folder)
    tables = {name: _table(folder, before + name) for name in TABLES}
    study = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    declared = folder / "declaration.json"
    return Exported(
        folder=folder,
        study=study,
        declared=read_json(declared) if declared.is_file() else {},
        simulated=bool(before) or bool(tables["ratings_long"]["simulated"].any()),
        long=tables["ratings_long"],
        wide=tables["ratings_wide"],
        raters=tables["raters"],
        exclusions=tables["exclusions"],
        plan=tables["plan"],
        ratings_sha256=sha256_file(folder / f"{before}ratings_long.parquet"),
    )


def is_export(folder: Path) -> bool:
    """Return whether a folder is the export of a study."""
    return any((folder / f"{before}ratings_long.parquet").is_file() for before in ("", PREFIX))


def _prefix(folder: Path) -> str:
    if not is_export(folder) or not (folder / "study.yaml").is_file():
        raise UserError(
            f"{folder} is no export of a study: it has no ratings_long.parquet and study.yaml; "
            "`dreamix study export STUDY` makes one"
        )
    return "" if (folder / "ratings_long.parquet").is_file() else PREFIX


def _table(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}; export the study again") from error
