"""A training loop that goes on where it stopped.

Every update draws from a seed named after the task and the number of the update, so a run that
was killed and resumed sees what an uninterrupted one would have seen. The checkpoint is replaced
whole every few minutes; what came after it in the log is cut off when training goes on.
"""

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from dreamix.core.records import only_writer, write_whole
from dreamix.core.seeding import seed_for

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"


class Task(Protocol):
    """What is trained: a network, the loss of one update, and figures that tell how far it is."""

    name: str
    learning_rate: float
    updates: int  # the whole of it

    @property
    def network(self) -> nn.Module:
        """What is trained: its parameters with requires_grad are updated, averaged and kept."""
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


class Average:
    """Moving average of the trained weights, with warm-up: decay min(d, (1 + n) / (10 + n))."""

    def __init__(self, network: nn.Module, decay: float = 0.9995) -> None:
        self.decay = decay
        self.live = [p for p in network.parameters() if p.requires_grad]
        self.mean = [p.detach().clone() for p in self.live]

    def update(self, count: int) -> None:
        """Move the mean towards the live weights after update number `count`."""
        decay = min(self.decay, (1 + count) / (10 + count))
        torch._foreach_lerp_(self.mean, [p.detach() for p in self.live], 1 - decay)

    def swap(self) -> None:
        """Exchange live and mean weights."""
        with torch.no_grad():
            for live, mean in zip(self.live, self.mean, strict=True):
                held = live.detach().clone()
                live.copy_(mean)
                mean.copy_(held)


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
    """The optimiser, the average and the clock of a task, as far as the checkpoint goes."""

    def __init__(self, task: Task, folder: Path, start: Start) -> None:
        self.task, self.path = task, folder / CHECKPOINT
        self.average = Average(task.network)
        self.optimiser = torch.optim.AdamW(
            self.average.live, task.learning_rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
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
            "live": [p.detach() for p in self.average.live],
            "mean": self.average.mean,
            "optimiser": self.optimiser.state_dict(),
        }
        with write_whole(self.path) as file:
            torch.save(held, file)

    def snapshot(self) -> None:
        """Keep the averaged weights of this update, in half precision, in a file of its own."""
        names = [name for name, p in self.task.network.named_parameters() if p.requires_grad]
        weights = {name: mean.half() for name, mean in zip(names, self.average.mean, strict=True)}
        with write_whole(self.path.with_name(f"snapshot-{self.update:06}.safetensors")) as file:
            file.write(save_tensors(weights))

    def _load(self, held: dict[str, Any]) -> None:
        self.update, self.seconds = held["update"], held["seconds"]
        with torch.no_grad():
            for mine, theirs in zip(self.average.live, held["live"], strict=True):
                mine.copy_(theirs)
            for mean, kept in zip(self.average.mean, held["mean"], strict=True):
                mean.copy_(kept)
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
                state.snapshot()
            if state.update % budget.probe_every == 0:
                yield _row(task, state, losses)
                losses = []
            if time.monotonic() - saved > budget.save_every * 60:
                state.save()
                saved = time.monotonic()
    finally:
        state.save()


def _step(task: Task, state: _State) -> float:
    """Make one update: gradient clipped to norm 1, learning rate warmed up over 200 updates."""
    generator = torch.Generator().manual_seed(seed_for("train", task.name, state.update))
    loss = task.loss(state.update, generator)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.average.live, 1.0, foreach=True)
    state.optimiser.param_groups[0]["lr"] = task.learning_rate * min(1, (state.update + 1) / 200)
    state.optimiser.step()
    state.optimiser.zero_grad()
    state.update += 1
    state.average.update(state.update)
    return float(loss.detach())


def _row(task: Task, state: _State, losses: list[float]) -> dict[str, float]:
    state.average.swap()
    try:
        with torch.no_grad():
            found = task.probe()
    finally:
        state.average.swap()
    mean = sum(losses) / max(len(losses), 1)
    return {"update": state.update, "minutes": state.seconds / 60, "loss": mean, **found}


def _log(path: Path, row: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow({name: _short(value) for name, value in row.items()})


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
