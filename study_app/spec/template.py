"""Writes the study.yaml that a researcher begins with."""

import json
import math
import re
from pathlib import Path
from string import Template

from dreamix.core.errors import UserError
from dreamix.core.records import write_whole
from dreamix.remote.place_type import naming
from evaluation.run.folder import RunFolder
from study_app.design import longest_list
from study_app.prepare.cells import first_missing
from study_app.spec.study import STUDY_FILE, study_from_text

TEMPLATE = Path(__file__).with_name("template.yaml")
_TRIALS = "  trials: 20         #"
_LEAST, _COUNTED = "least_ratings: 5", 5  # ratings, fewer of which do not count
_TIME = "about 15 minutes"
_MOST = 20  # trials of a list


def new_study(run: Path, folder: Path, design: str = "absolute") -> Path:
    """Return the path of the study.yaml written to `folder`, about the methods of a run.

    design: absolute or pairwise.

    Anchors are left out: they serve as gold.

    Raises:
        UserError: for a run without methods, and for a folder that has a study already.
    """
    path = folder / STUDY_FILE
    if path.exists():
        raise UserError(f"{path} exists: edit it, or choose another --out")
    columns = RunFolder(run).info.methods
    methods = [label for label, facts in columns.items() if not facts.anchor]
    if not methods:
        raise UserError(f"{run} has no method that people could rate, only anchors")
    trials = _trials(RunFolder(run), methods)
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=_name(folder), run=json.dumps(naming(folder, run)), methods=json.dumps(methods)
    )
    text = text.replace("design: absolute", f"design: {design}")
    text = text.replace(_TRIALS, f"  trials: {trials:<11}#")
    text = text.replace(_LEAST, f"least_ratings: {min(trials, _COUNTED)}")
    text = text.replace(_TIME, f"about {_minutes(trials)} minutes")
    study_from_text(text, str(path))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with write_whole(path, private=True) as file:
        file.write(text.encode())
    return path


def _trials(run: RunFolder, methods: list[str]) -> int:
    """Return how long a list can be: each source once, the busiest as often as its edits ask.

    Edits that one of the methods did not make are not rated.
    """
    if not run.info.edits:
        return _MOST
    made = [edit.video for edit in run.edits if not first_missing(edit, methods, run)]
    return min(_MOST, longest_list(made)) if made else _MOST


def _minutes(trials: int) -> int:
    """Return how long a list takes, in steps of five: half a minute a trial, and five around it."""
    return 5 * math.ceil((trials / 2 + 5) / 5)


def _name(folder: Path) -> str:
    """Return the folder's name, made fit to name a study."""
    fit = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._")
    return fit or "study"
