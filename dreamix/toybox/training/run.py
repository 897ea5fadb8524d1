"""The commands behind `dreamix toybox train text|base|sr`: (folder, minutes, say) -> None.

Folders lie side by side, as the command makes them: what one training needs of another is looked
for beside its own folder, then among the weights that are shipped.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTextModel

from dreamix.core.records import read_json
from dreamix.toybox.cascade.files import WEIGHTS
from dreamix.toybox.cascade.text import build_text_encoder
from dreamix.toybox.training.base import Base
from dreamix.toybox.training.clips import training_clips
from dreamix.toybox.training.init import weights_named
from dreamix.toybox.training.loop import CHECKPOINT, LOG, Budget, Start, train
from dreamix.toybox.training.superres import SuperResolution, fine_clips
from dreamix.toybox.training.words import Words

CLIPS = 24_000
FINE_CLIPS = 3_000
SNAPSHOTS = 1_000  # updates between two of them

Say = Callable[[str], None]


def train_text(folder: Path, minutes: float, say: Say) -> None:
    """Train the text encoder; its weights are FOLDER/text.safetensors when it is done."""
    with weights_named("weights", "toybox", "text"):
        task = Words()
    train(task, folder, Budget(minutes, probe_every=250), say)
    save_file(task.encoder.state_dict(), folder / "text.safetensors")


def train_base(folder: Path, minutes: float, say: Say, compiled: bool = False) -> None:
    """Train the base U-Net on clips rendered into the folder `clips` beside `folder`.

    compiled: let torch compile the network first. That takes minutes and a C++ compiler; an update
              then takes two thirds of the time on a CPU (benchmarks/README.md).
    """
    say("rendering training clips (once)")
    clips = training_clips(folder.parent / "clips", CLIPS)
    with weights_named("weights", "toybox", "base"):
        task = Base(clips, text_encoder(folder.parent), compiled)
    start = shipped_start(task.network, "unet", folder)
    train(task, folder, Budget(minutes, probe_every=1_000, snapshot_every=SNAPSHOTS), say, start)


def train_sr(folder: Path, minutes: float, say: Say) -> None:
    """Train the super-resolution U-Net on fine clips rendered into `sr_data` beside `folder`."""
    say("rendering fine training clips (once)")
    clips = fine_clips(folder.parent / "sr_data", FINE_CLIPS)
    with weights_named("weights", "toybox", "sr"):
        task = SuperResolution(clips, text_encoder(folder.parent))
    start = shipped_start(task.network, "super_resolution", folder)
    train(task, folder, Budget(minutes, snapshot_every=SNAPSHOTS), say, start)


def shipped_start(network: nn.Module, part: str, folder: Path) -> Start:
    """Put the shipped weights of a part into `network` and their log into `folder`.

    Returns how far they had come: without a checkpoint in `folder` training goes on from there.
    A part that is not shipped begins at nothing.
    """
    shipped = WEIGHTS / part
    if (folder / CHECKPOINT).exists() or not (shipped / "training.json").exists():
        return Start()
    weights = load_file(shipped / "diffusion_pytorch_model.safetensors")
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped / LOG, folder / LOG)
    facts = read_json(shipped / "training.json")
    return Start(facts["updates"], facts["minutes"] * 60)


def text_encoder(folder: Path) -> CLIPTextModel:
    """Return the trained text encoder: that of `folder`/text, or else the shipped one."""
    trained = folder / "text" / "text.safetensors"
    shipped = WEIGHTS / "text_encoder" / "model.safetensors"
    encoder = build_text_encoder()
    weights = load_file(trained if trained.exists() else shipped)
    encoder.load_state_dict({name: value.float() for name, value in weights.items()})
    return encoder.eval().requires_grad_(False)
