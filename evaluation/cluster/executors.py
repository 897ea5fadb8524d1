"""What `--executor` means: processes of this machine, or a Ray cluster.

local:N                 N processes of this machine
ray                     the Ray cluster that this machine is a node of
ray:HOST:PORT           the one whose head listens there
ray:local               a Ray of this machine's own, for as long as the run takes
"""

import re
from dataclasses import dataclass

from dreamix.core.errors import UserError
from evaluation.cluster.ray_cluster import Wanted
from evaluation.run.making import Job
from evaluation.run.runner import Local

SPELL = "local:N, ray, ray:HOST:PORT or ray:local"


@dataclass
class OnRay(Wanted):
    """Actors on a Ray cluster, each with its backend loaded; see `evaluation.cluster.ray_pool`."""

    def make(self, job: Job) -> None:
        """Make every unit of the job. Ray is imported here and nowhere else."""
        from evaluation.cluster.ray_pool import make_on_ray

        make_on_ray(job, self)


def executor_of(
    text: str | None, workers: int | None, gpus: float | None, cores: int
) -> Local | OnRay:
    """Return the executor that `--executor TEXT` means.

    workers: `--workers`, if given; without it, `local` uses `cores` processes and `ray` the room
    that the cluster has.

    Raises:
        UserError: for what means nothing, or two things.
    """
    kind, colon, rest = (text or "local").partition(":")
    if kind == "ray":
        return OnRay(_address(rest, colon), workers, _share(gpus))
    if kind != "local" or (colon and not re.fullmatch(r"[1-9]\d*", rest)):
        raise UserError(f"--executor {text}: it is {SPELL}")
    if gpus is not None:
        raise UserError("--gpus-per-worker is for --executor ray; processes share what there is")
    if colon and workers not in (None, int(rest)):
        raise UserError(f"--executor {text} and --workers {workers} differ: give one of them")
    processes = cores if workers is None else workers
    return Local(int(rest) if colon else processes)


def _address(rest: str, colon: str) -> str:
    """Return where the cluster is.

    Raises:
        UserError: for a `ray://` address, which cannot carry a run.
    """
    if rest.startswith("//"):
        raise UserError(
            f"--executor ray:{rest}: Ray Client addresses do not do; run the command on a node of "
            "the cluster with --executor ray, or hand it to the cluster with `ray job submit`"
        )
    if colon and rest != "local" and not re.fullmatch(r"[^\s/]+:\d+", rest):
        raise UserError(f"--executor ray:{rest}: it is {SPELL}")
    return rest or "auto"


def _share(gpus: float | None) -> float | None:
    if gpus is not None and gpus > 1 and gpus != int(gpus):
        raise UserError(f"--gpus-per-worker {gpus:g}: a part of one GPU, or a whole number of them")
    return gpus
