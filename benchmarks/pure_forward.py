"""The time the models alone need: every clip of a run once, inputs ready, nothing else.

Models: CLIP and EfficientNet-Lite0 on every frame, CLIP's text side on every prompt, AlexNet on
every frame, DIS flow both ways between neighbouring frames. Clips of equal content count once.
"""

import time
from pathlib import Path

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
    return max(run_units(_seconds, shares, processes, _set_up, clip))


_features: dict[str, Features] = {}


def _set_up(clip: str) -> None:
    _features["it"] = Features(ModelSettings(clip=clip))
    for name in ("clip", "conse", "lpips", "flow"):
        _features["it"].model(name)
    one_thread()


def _seconds(share: tuple[list[Path], list[str]]) -> float:
    """Return the seconds this share of the forward passes took."""
    paths, prompts = share
    spent = 0.0
    for path in paths:
        frames = read_video(path).frames
        spent += _forward(frames)
    began = time.perf_counter()
    for prompt in prompts:
        for name in ("clip", "conse"):
            _features["it"].model(name).texts([prompt])
    return spent + time.perf_counter() - began


def _forward(frames: np.ndarray) -> float:
    import torch

    models = {name: _features["it"].model(name) for name in ("clip", "conse", "lpips", "flow")}
    ready = {name: models[name].prepare(frames) for name in ("clip", "conse")}
    pixels = torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    began = time.perf_counter()
    for name, prepared in ready.items():
        models[name].images(prepared)
    models["lpips"].activations(pixels)
    models["flow"].between_neighbours(frames)
    return time.perf_counter() - began
