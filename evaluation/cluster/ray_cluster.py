"""A Ray cluster as a run sees it: connecting to it, its room, what it says of a lost worker."""

import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dreamix.core.errors import UserError


@dataclass
class Wanted:
    """What a user asks of a cluster."""

    address: str  # "auto", "local" or HOST:PORT
    workers: int | None = None  # None: as many as the cluster has room for
    gpus: float | None = None  # of each worker; None: 1 for a pretrained model if there are GPUs
    remarks: list[str] = field(default_factory=list)  # what to tell afterwards


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield Ray, connected to the cluster at `address`.

    Raises:
        UserError: if there is no cluster.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise UserError(
            "--executor ray needs the package ray: pip install 'dreamix-toolkit[cluster]'"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    options: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
    try:
        _check_port(address)
        ray.init(address, log_to_driver=False, logging_level="error", **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = "no cluster here" if address == "auto" else f"no cluster at {address}"
        raise UserError(
            f"--executor ray: {where}: start one with `ray start --head`, or run the command on "
            f"one of its nodes ({' '.join(str(error).split())})"
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_port(address: str) -> None:
    """Raise an `OSError` now if nobody listens at HOST:PORT, where Ray would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=10).close()


def room_of(resources: dict[str, float], gpus: float) -> int:
    """Return how many workers of 1 CPU and `gpus` GPUs a node can hold."""
    room = math.floor(resources.get("CPU", 0))
    there = math.floor(resources.get("GPU", 0))
    if gpus >= 1:
        room = min(room, math.floor(there / gpus))
    elif gpus > 0:
        room = min(room, there * math.floor(1 / gpus + 1e-6))
    return room


def cause_of(error: Exception) -> str:
    """Return the sentence of Ray's message that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "because" in line or "killed" in line] or lines
    return told[-1].partition(". ")[0] if told else type(error).__name__
