"""Where the units of a run are made: what all ways share, and processes of this machine."""

from dataclasses import dataclass, field
from typing import Protocol

from evaluation.run.making import ClipMaker, Job
from evaluation.run.pool import run_units


class Executor(Protocol):
    """A way to make units. What they come to does not depend on which way."""

    remarks: list[str]  # what a user should know afterwards, such as workers that were lost

    @property
    def workers(self) -> int | None:
        """How many units are made at once; None is found out when it starts."""

    def make(self, job: Job) -> None:
        """Make every unit of the job; the clips and sidecars are then in its run folder."""


@dataclass
class Local:
    """Processes of this machine; with one, nothing leaves this process."""

    workers: int
    remarks: list[str] = field(default_factory=list)

    def make(self, job: Job) -> None:
        """Make every unit of the job."""
        maker = ClipMaker(job.run.path, job.suite)
        for _ in run_units(maker, job.units, self.workers, job.tracker.update):
            pass  # a unit leaves files, and tells of each cell
