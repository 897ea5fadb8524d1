"""What a training leaves: its averaged weights, and how far it came."""

import csv
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from dreamix.core.errors import UserError
from dreamix.core.records import write_whole
from dreamix.toybox.training.averages import average_of
from dreamix.toybox.training.loop import CHECKPOINT, LOG


def load_average(network: nn.Module, folder: Path) -> dict[str, Any]:
    """Put the averaged weights of a training folder into `network`; return how far it was.

    "updates", "minutes" and the last row of the "log", empty before the first probe.

    Raises:
        UserError: for a checkpoint of another network.
    """
    held = torch.load(folder / CHECKPOINT, weights_only=True)
    live = [p for p in network.parameters() if p.requires_grad]
    mean = held["averages"]["means"][0]
    if len(live) != len(mean):
        raise UserError(f"{folder / CHECKPOINT} belongs to another network than this version's")
    with torch.no_grad():
        for mine, theirs in zip(live, mean, strict=True):
            mine.copy_(theirs)
    return {
        "updates": held["update"],
        "minutes": round(held["seconds"] / 60, 1),
        "log": _last_row(folder / LOG),
    }


def load_width(network: nn.Module, folder: Path, width: float) -> int:
    """Put the average of `width`, made of the snapshots in `folder`, into `network`.

    Returns the update of the last snapshot.

    Raises:
        UserError: for snapshots of another network.
    """
    weights, update = average_of(folder, width)
    trained = {name: p for name, p in network.named_parameters() if p.requires_grad}
    if {name: p.shape for name, p in trained.items()} != {n: w.shape for n, w in weights.items()}:
        raise UserError(f"the snapshots in {folder} belong to another network than this version's")
    with torch.no_grad():
        for name, mine in trained.items():
            mine.copy_(weights[name])
    return update


def _last_row(log: Path) -> dict[str, str]:
    if not log.exists():
        return {}
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return rows[-1] if rows else {}


def save_half(network: nn.Module, path: Path) -> None:
    """Write the weights of `network` in half precision as safetensors; it keeps its own."""
    state = {name: w.detach().half().contiguous() for name, w in network.state_dict().items()}
    with write_whole(path) as file:
        file.write(save(state))
