"""submission.yaml: who enters a run's methods, on what terms, and where more is to be read.

It stands in the run folder, or beside it as RUN.submission.yaml, and nothing in it has to be there
but a licence:

    team: Example Lab
    licence: Apache-2.0
    date: 2026-11-30
    methods:             # left out: all of the run's methods but anchors
      dreamix: {name: Dreamix on Wan, version: "1.2", code: https://example.org/code}

What stands above counts for every method that does not say otherwise.
"""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from dreamix.core.errors import Mistakes
from dreamix.core.places import inside
from dreamix.core.yaml_reading import Limits, read_document
from dreamix.core.yaml_typed import Findings
from reports.leaderboard.entry import Address, Day, Line, SubmissionFacts

FILE = "submission.yaml"
LIMITS = Limits(size=1 << 20, values=20_000, levels=5)
FORM = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class MethodForm:
    """What may be said of one method."""

    __pydantic_config__ = ConfigDict(**FORM, json_schema_extra={"noun": "a method"})
    name: Line | None = None
    team: Line | None = None
    version: Line | None = None
    licence: Line | None = None
    date: Day | None = None
    paper: Address | None = None
    code: Address | None = None
    contact: Line | None = None
    hardware: Line | None = None
    deterministic: bool | None = None


@dataclass(frozen=True)
class SubmissionForm(MethodForm):
    """What may be said of all methods of a run, and of single ones."""

    __pydantic_config__ = ConfigDict(**FORM, json_schema_extra={"noun": "a submission"})
    methods: dict[str, MethodForm | None] | None = None

    def facts(self, label: str, licence: str) -> SubmissionFacts:
        """Return what is said of a method; licence: where the file states none."""
        own = (self.methods or {}).get(label) or MethodForm()
        names = [one.name for one in fields(MethodForm)]
        told: dict[str, Any] = {"name": label, "licence": licence}
        for form in (self, own):
            held = asdict(form)
            told |= {name: held[name] for name in names if held[name] is not None}
        return SubmissionFacts(**told)


def read_submission(run: Path) -> SubmissionForm:
    """Return what stands in the file of a run; nothing is said where there is none.

    Raises:
        UserError: with every mistake of the file.
    """
    path = submission_path(run)
    if path is None:
        return SubmissionForm()
    found = Findings(read_document(path, LIMITS, ("version", "date", "name")))
    form = found.read_as(SubmissionForm)
    if form is None or found.problems:
        raise Mistakes(found.problems)
    return form


def submission_path(run: Path) -> Path | None:
    """Return where the file of a run is; None where there is none."""
    resolved = run.resolve()
    beside = resolved.with_name(f"{resolved.name}.{FILE}")
    return next((path for path in (inside(run, FILE), beside) if path.is_file()), None)
