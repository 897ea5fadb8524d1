"""What each backend would take on this machine, and whether it fits. Every figure is an estimate.

minutes = operations / (rate of a product of matrices here x EFFICIENCY)
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dreamix.backends.footprint import Footprint, Phases
from dreamix.backends.hub import folders_of
from dreamix.backends.names import stages_of
from dreamix.doctor.machine import Machine

# Share of that rate that an edit or a finetuning is taken to reach: ours, assumed. Small pipelines
# on one thread of a processor reach less (`dreamix doctor --check`); no accelerator was at hand.
EFFICIENCY = 0.5
ROOM = 2**30  # bytes left for an accelerator's context and the scratch memory of kernels; ours
UPDATES = 64  # of the presets of `dreamix`
SECONDS = 0.4  # for which products of matrices are timed


class Fit(NamedTuple):
    """One kind of work on one kind of device."""

    together: int  # peak bytes with all parts there
    offloaded: int | None  # the same where parts come and go; None where they do not
    verdict: str  # "yes", "with offloading", "no"
    minutes: float


class BackendVerdict(NamedTuple):
    """A backend on this machine."""

    name: str
    weights: list[Path]  # where they are; none: not here
    download: str  # the command that fetches them
    steps: int
    edit: Fit
    finetune: Fit | None  # None for an image model


def where_weights_are(name: str) -> list[Path]:
    """Return the folders of a backend's weights on this machine, if all of them are here."""
    stages = [folders_of(stage) for stage in stages_of(name)]
    return [folder for found in stages for folder in found] if all(stages) else []


def download(name: str) -> str:
    """Return the command that fetches the weights."""
    hubs = [hub for stage in stages_of(name) for hub in stage if hub]
    return " && ".join(f"hf download {hub}" for hub in hubs)


def rate(device: str, half: bool, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the operations in a second of products of matrices, in the type edits compute in."""
    import torch

    dtype = torch.bfloat16 if half else torch.float32
    size = 1024 if device == "cpu" else 8192
    x = torch.ones(size, size, dtype=dtype, device=device)
    times: list[float] = []
    _product(x)
    while sum(times) < SECONDS or len(times) < 3:
        began = clock()
        _product(x)
        times.append(clock() - began)
    return 2 * size**3 / min(times)


def _product(x: "object") -> None:
    import torch

    assert isinstance(x, torch.Tensor)
    x @ x
    if x.is_cuda:
        torch.cuda.synchronize()


def minutes(flops: float, speed: float) -> float:
    """Return how long operations take at a rate of products of matrices."""
    return flops / (speed * EFFICIENCY) / 60


def fit(found: Footprint, phases: Phases, times: int, machine: Machine, speed: float) -> Fit:
    """Return whether one kind of work of `times` steps or updates fits this machine."""
    long = minutes(phases.all_flops(times), speed)
    together = found.together(phases)
    if machine.cuda is None:
        return Fit(together, None, "yes" if together < machine.free else "no", long)
    offloaded = found.offloaded(phases) if found.sequence else None
    card = machine.cuda  # a card that is full has 0 free; None is one that cannot be asked
    free = (card.total if card.free is None else card.free) - ROOM
    if together < free:
        return Fit(together, offloaded, "yes", long)
    fits = offloaded is not None and offloaded < free
    return Fit(together, offloaded, "with offloading" if fits else "no", long)


def row(name: str, found: Footprint, steps: int, machine: Machine, speed: float) -> BackendVerdict:
    """Return what a named backend would do on this machine."""
    edit = fit(found, found.edit, steps, machine, speed)
    tuned = fit(found, found.finetune, UPDATES, machine, speed) if found.finetune else None
    return BackendVerdict(name, where_weights_are(name), download(name), steps, edit, tuned)


def rows(machine: Machine, speed: float) -> list[BackendVerdict]:
    """Return the backends whose footprints come with the toolkit."""
    from dreamix.backends.footprint_kinds import known_footprints
    from dreamix.doctor.backend import as_published

    where = "processor" if machine.cuda is None else "accelerator"
    return [
        row(name, entry[where], as_published(name).usual_steps, machine, speed)
        for name, entry in known_footprints().items()
    ]
