"""The time the models alone need: every clip of a run once, inputs ready, nothing else.

Models: CLIP and EfficientNet-Lite0 on every frame, CLIP's text side on every prompt, AlexNet on
every frame, DIS flow both ways between neighbouring frames. Clips of equal content count once.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.media import read_video
from dreamix.core.threads import one_thread
from evaluation.features.store import Features
from evaluation.run.folder import RunFolder
from evaluation.run.pool import run_units
from evaluation.settings import ModelSettings


def forward_seconds(run_path: Path, clip: str, processes: int) -> float:
    """Return the seconds of all forward passes, shared by so many processes of one thread.

    That is the time of the slowest process, model loading and input preparation left out.
    """
    run = RunFolder(run_path)
    rows = [row for cell in run.cells() if (row := run.clip_row(cell)) and row.status == "ok"]
    clips = {str(row.sha256): run.clip_path(row) for row in rows}
    prompts = sorted({edit.prompt for edit in run.suite.edits})
    shares = [
        (sorted(clips.values())[i::processes], prompts[i::processes]) for i in range(processes)
    ]
    return max(run_units(ForwardTimer(clip), shares, processes))


Share = tuple[list[Path], list[str]]  # clips and prompts of one process


class ForwardTimer:
    """Takes the time of forward passes, with the models loaded before."""

    def __init__(self, clip: str) -> None:
        self.clip = clip
        self.models: dict[str, Any] = {}

    def setup(self) -> None:
        """Load the models."""
        features = Features(ModelSettings(clip=self.clip))
        self.models = {name: features.model(name) for name in ("clip", "conse", "lpips", "flow")}
        one_thread()

    def run(self, share: Share, report: object) -> float:
        """Return the seconds this share of the forward passes took."""
        paths, prompts = share
        spent = sum(self._forward(read_video(path).frames) for path in paths)
        began = time.perf_counter()
        for prompt in prompts:
            for name in ("clip", "conse"):
                self.models[name].texts([prompt])
        return spent + time.perf_counter() - began

    def _forward(self, frames: np.ndarray) -> float:
        import torch

        models = self.models
        ready = {name: models[name].prepare(frames) for name in ("clip", "conse")}
        pixels = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
        began = time.perf_counter()
        for name, prepared in ready.items():
            models[name].images(prepared)
        models["lpips"].activations(pixels)
        models["flow"].between_neighbours(frames)
        return time.perf_counter() - began
