"""From training folders to a cascade on disk: averaged weights, half precision, what made them."""

import shutil
from pathlib import Path

from dreamix.core.records import write_json
from dreamix.toybox.cascade.files import save_index, save_part
from dreamix.toybox.cascade.networks import build_base
from dreamix.toybox.cascade.superres import build_superres
from dreamix.toybox.training.loop import CHECKPOINT, LOG
from dreamix.toybox.training.run import text_encoder
from dreamix.toybox.training.trained import load_average, load_width


def export(checkpoints: Path, out: Path, average: float | None = None) -> list[str]:
    """Return the parts written to the cascade `out` from the training folders in `checkpoints`.

    Each U-Net gets a training.json (updates, minutes, the last row of the log) and the log.
    average: width of the average of the base's weights, made of its snapshots; None for the one
             that training follows.
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
        if average is not None and part == "unet":
            facts["updates"] = load_width(network, checkpoints / folder, average)
            facts["average"] = average
        save_part(part, network, out)
        write_json(out / part / "training.json", facts)
        shutil.copyfile(checkpoints / folder / LOG, out / part / LOG)
        written.append(part)
    save_index(out)
    return written
