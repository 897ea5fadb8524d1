"""From training folders to a cascade on disk: averaged weights, half precision, what made them."""

import csv
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dreamix.backends.toybox.files import save_index, save_part
from dreamix.backends.toybox.networks import build_base
from dreamix.backends.toybox.superres import build_superres
from dreamix.backends.toybox.training.run import text_encoder
from dreamix.core.errors import UserError
from dreamix.core.records import write_json
from dreamix.training.loop import CHECKPOINT, LOG


def export(checkpoints: Path, out: Path) -> list[str]:
    """Return the parts written to the cascade `out` from the training folders in `checkpoints`.

    Each U-Net gets a training.json (updates, minutes, the last row of the log) and the log.
    """
    save_part("text_encoder", text_encoder(checkpoints), out)
    written = ["text_encoder"]
    for part, folder, build in (
        ("unet", "base", build_base),
        ("super_resolution", "sr", build_superres),
    ):
        if not (checkpoints / folder / CHECKPOINT).exists():
            continue
        network = build()
        facts = load_average(network, checkpoints / folder)
        save_part(part, network, out)
        write_json(out / part / "training.json", facts)
        shutil.copyfile(checkpoints / folder / LOG, out / part / LOG)
        written.append(part)
    save_index(out)
    return written


def load_average(network: nn.Module, folder: Path) -> dict[str, Any]:
    """Put the averaged weights of a training folder into `network`; return how far it was."""
    held = torch.load(folder / CHECKPOINT, weights_only=True)
    live = [p for p in network.parameters() if p.requires_grad]
    if len(live) != len(held["mean"]):
        raise UserError(f"{folder / CHECKPOINT} belongs to another network than this version's")
    with torch.no_grad():
        for mine, theirs in zip(live, held["mean"], strict=True):
            mine.copy_(theirs)
    return {
        "updates": held["update"],
        "minutes": round(held["seconds"] / 60, 1),
        "log": _last_row(folder / LOG),
    }


def _last_row(log: Path) -> dict[str, str]:
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return rows[-1] if rows else {}
