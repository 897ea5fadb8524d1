"""A training loop that goes on where it stopped.

Every update draws from a seed named after the task and the number of the update, so a run that
was killed and resumed sees what an uninterrupted one would have seen. The checkpoint is replaced
whole every few minutes; what came after it in the log is cut off when training goes on.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from dreamix.core.records import only_writer, write_whole
from dreamix.core.seeding import seed_for
from dreamix.toybox.training.averages import Averages

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"


class Task(Protocol):
    """What is trained: a network, the loss of one update, and figures that tell how far it is."""

    name: str
    updates: int  # the whole of it

    @property
    def network(self) -> nn.Module:
        """What is trained: its parameters with requires_grad are updated, averaged and kept."""
        ...

    def rate(self, update: int) -> float:
        """Return the learning rate of this update; the loop warms it up over its first 200."""
        ...

    def loss(self, update: int, generator: torch.Generator) -> Tensor:
        """Return the loss of this update; all randomness comes from `generator`."""
        ...

    def probe(self) -> dict[str, float]:
        """Return figures to log; the network holds its averaged weights meanwhile."""
        ...


@dataclass(frozen=True)
class Budget:
    """When to stop, look and save."""

    minutes: float = float("inf")  # stop after so long, at the latest; the checkpoint remains
    save_every: float = 4.0  # minutes
    probe_every: int = 500  # updates
    snapshot_every: int = 0  # updates; 0 keeps no snapshots


class Start(NamedTuple):
    """Where training begins if there is no checkpoint: weights that came from elsewhere."""

    update: int = 0
    seconds: float = 0.0


NOWHERE = Start()


def train(
    task: Task, folder: Path, budget: Budget, say: Callable[[str], None], start: Start = NOWHERE
) -> int:
    """Return the number of updates done in all; goes on from the checkpoint in `folder`."""
    with only_writer(folder):
        state = _State(task, folder, start)
        say(f"{task.name}: update {state.update} of {task.updates}")
        for row in _updates(task, state, budget):
            _log(folder / LOG, row)
            say("  ".join(f"{name} {_short(value)}" for name, value in row.items()))
        return state.update


class _State:
    """The optimiser, the averages and the clock of a task, as far as the checkpoint goes."""

    def __init__(self, task: Task, folder: Path, start: Start) -> None:
        self.task, self.path = task, folder / CHECKPOINT
        self.averages = Averages(task.network)
        self.live = self.averages.live
        self.optimiser = torch.optim.AdamW(
            self.live, task.rate(start.update), betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.update, self.seconds = start
        if self.path.exists():
            self._load(torch.load(self.path, weights_only=True))
            _cut_log(folder / LOG, self.update)

    def save(self) -> None:
        """Replace the checkpoint."""
        held = {
            "update": self.update,
            "seconds": self.seconds,
            "live": [p.detach() for p in self.live],
            "averages": self.averages.state(),
            "optimiser": self.optimiser.state_dict(),
        }
        with write_whole(self.path) as file:
            torch.save(held, file)

    def _load(self, held: dict[str, Any]) -> None:
        self.update, self.seconds = held["update"], held["seconds"]
        with torch.no_grad():
            for mine, theirs in zip(self.live, held["live"], strict=True):
                mine.copy_(theirs)
        self.averages.load(held["averages"])
        self.optimiser.load_state_dict(held["optimiser"])


def _updates(task: Task, state: _State, budget: Budget) -> Iterator[dict[str, float]]:
    """Yield a row for the log at every probe; save on the clock, at the end and on Ctrl-C."""
    started = saved = time.monotonic()
    before, losses = state.seconds, []
    try:
        while state.update < task.updates and time.monotonic() - started < budget.minutes * 60:
            losses.append(_step(task, state))
            state.seconds = before + time.monotonic() - started
            if budget.snapshot_every and state.update % budget.snapshot_every == 0:
                state.averages.keep(state.path.parent, state.update)
            if state.update % budget.probe_every == 0:
                yield _row(task, state, losses)
                losses = []
            if time.monotonic() - saved > budget.save_every * 60:
                state.save()
                saved = time.monotonic()
    finally:
        state.save()


def _step(task: Task, state: _State) -> float:
    """Make one update: gradient clipped to norm 1, rate warmed up while the moments are young."""
    generator = torch.Generator().manual_seed(seed_for("train", task.name, state.update))
    loss = task.loss(state.update, generator)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.live, 1.0, foreach=True)
    warm = min(1, (state.averages.count + 1) / 200)
    state.optimiser.param_groups[0]["lr"] = warm * task.rate(state.update)
    state.optimiser.step()
    state.optimiser.zero_grad()
    state.update += 1
    state.averages.update()
    return float(loss.detach())


def _row(task: Task, state: _State, losses: list[float]) -> dict[str, float]:
    state.averages.swap()
    try:
        with torch.no_grad():
            found = task.probe()
    finally:
        state.averages.swap()
    mean = sum(losses) / max(len(losses), 1)
    return {"update": state.update, "minutes": state.seconds / 60, "loss": mean, **found}


def _log(path: Path, row: dict[str, float]) -> None:
    """Add a row; columns that the log did not have yet are empty in the rows before it."""
    names = _columns(path)
    if new := [name for name in row if name not in names]:
        names += new
        _widen(path, names)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writerow({name: _short(value) for name, value in row.items()})


def _columns(path: Path) -> list[str]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return next(csv.reader(file), [])


def _widen(path: Path, names: list[str]) -> None:
    """Write the log anew with the columns `names`."""
    held = path.read_text().splitlines() if path.exists() else []
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(csv.DictReader(held))
    with write_whole(path) as file:
        file.write(text.getvalue().encode())


def _cut_log(path: Path, update: int) -> None:
    """Drop rows after `update`: they will be made again."""
    if not path.exists():
        return
    head, *rows = path.read_text().splitlines()
    kept = [row for row in rows if int(row.split(",")[0]) <= update]
    with write_whole(path) as file:
        file.write(("\n".join([head, *kept]) + "\n").encode())


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.5g}"
