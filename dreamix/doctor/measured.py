"""What the scaled-up tiny pipelines really hold, to hold the arithmetic of `doctor` to it.

Each is measured in a process of its own. On the processor the most memory the process ever had
resident counts, beyond what it had before; on CUDA what torch's allocator gave out at most.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.threads import LIMITS

if TYPE_CHECKING:
    from dreamix.backends.footprint import Setup
    from dreamix.backends.pipeline import DreamixPipeline

SCALED = "scaled.json"  # beside `published.json`
SIZE = (96, 96, 9)  # width, height, frames
PICTURES = (256, 256, 4)  # the same of an image model: a batch
TIMES = 2  # steps, or updates
WORKS: dict[str, dict[str, Any]] = {  # name -> what of `Setup` is set
    "edit": {},
    "finetune": {},
    "finetune, checkpointing": {"checkpointing": True},
    "finetune all weights": {"rank": None},
}
# glibc gives what is freed back at once, so that resident memory is what is held.
GLIBC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


Work = Callable[[tuple[int, int, int] | None], None]


class Measurement(NamedTuple):
    """One piece of work, in bytes and seconds."""

    name: str
    work: str
    weights: int
    predicted: int  # weights and what is held beside them
    measured: int
    flops: float
    seconds: float  # of the processor, of one thread; on an accelerator of the clock
    rate: float  # operations in such a second of products of matrices

    @property
    def share(self) -> float:
        """Of that rate, what the work reached."""
        return self.flops / self.seconds / self.rate

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.measured


def scaled_names() -> list[str]:
    """Return the names of the scaled-up pipelines."""
    from dreamix.backends.blueprint import PUBLISHED, published

    return list(published(PUBLISHED.with_name(SCALED)))


def works_of(name: str) -> list[str]:
    """Return the pieces of work that a scaled-up pipeline can do: an image model only edits."""
    return ["edit"] if _of_pictures(name) else list(WORKS)


def measured_apart(
    name: str,
    works: Sequence[str],
    *,
    size: tuple[int, int, int] | None = None,
    device: str = "cpu",
    threads: int = 1,
) -> list[Measurement]:
    """Return what a process of its own measures.

    Raises:
        UserError: if the process fails.
    """
    size = size or (PICTURES if _of_pictures(name) else SIZE)
    asked = json.dumps([name, list(works), list(size), device])
    command = [sys.executable, "-W", "ignore", "-m", __name__, asked]
    there = {**os.environ, **GLIBC, **dict.fromkeys(LIMITS, str(threads))}
    done = subprocess.run(command, env=there, capture_output=True, text=True)
    if done.returncode < 0:
        raise UserError(
            f"measuring {name} was stopped by signal {-done.returncode}: 9 is what a system out of "
            "memory sends"
        )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"measuring {name} failed: {last}")
    return [Measurement(*found) for found in json.loads(done.stdout.splitlines()[-1])]


def predicted(
    name: str, work: str, size: tuple[int, int, int], device: str
) -> tuple[dict[str, int], Any]:
    """Return the bytes of a scaled-up pipeline's weights by part, and the phases of the work."""
    from dreamix.backends.footprint import Size, edit_footprint, finetuning_footprint

    plan, setup = _plan(name), _setup(work, device)
    if _of_pictures(name):
        from dreamix.backends.footprint_pictures import picture_footprint, pictures_of, settings

        edit = settings(pictures_of(name, plan), TIMES, TIMES)
        found = picture_footprint(name, plan, Size(*size), setup, edit)
        return found.weights, found.edit
    if work == "edit":
        return edit_footprint(plan, Size(*size), setup)
    return finetuning_footprint(plan, Size(*size), setup)[:2]


def measure(name: str, work: str, size: tuple[int, int, int], device: str) -> Measurement:
    """Return the predicted and the measured peak of one piece of work, in this process."""
    from dreamix.doctor.judgement import rate

    parts, phases = predicted(name, work, size, device)
    do = (_picture_work if _of_pictures(name) else _video_work)(name, work, device)
    do(None)  # loads what is loaded late
    clock = time.process_time if device == "cpu" else time.perf_counter
    gauge = Gauge(device)
    began = clock()
    do(size)
    peak, seconds = gauge.peak(), clock() - began
    weights = sum(parts.values())
    whole = weights + max(phases.held.values())
    held = peak if device != "cpu" else weights + peak  # CUDA's gauge holds the weights too
    flops = phases.all_flops(TIMES)
    speed = rate(device, half=False, clock=clock)
    return Measurement(name, work, weights, whole, held, flops, seconds, speed)


def _plan(name: str) -> Any:
    from dreamix.backends.blueprint import PUBLISHED, published

    return published(PUBLISHED.with_name(SCALED))[name]


def _of_pictures(name: str) -> bool:
    from dreamix.backends.hub import PICTURE_CLASS

    return bool(_plan(name).kind == PICTURE_CLASS)


def _setup(work: str, device: str) -> Any:
    from dreamix.backends.footprint import Setup

    return replace(Setup(transfers=device != "cpu"), **WORKS[work])


def _noise(size: tuple[int, int, int]) -> Any:
    """Return a clip of noise."""
    import numpy as np

    from dreamix.core.video import Video

    width, height, frames = size
    shape = (frames, height, width, 3)
    return Video(np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8), 8.0)


def _picture_work(name: str, work: str, device: str) -> Work:
    """Return a function that edits pictures of noise of a size; the least there is if None."""
    from dreamix.backends.footprint_pictures import pictures_of, settings

    pictures = pictures_of(name, _plan(name), device="cpu")
    pictures.pipe.to(device)
    edit = settings(pictures, TIMES, TIMES)

    def do(size: tuple[int, int, int] | None) -> None:
        clip = _noise(size or (64, 64, 1))
        pictures._size = (clip.width, clip.height, None)
        pictures.edited_pictures(clip, ["a"], [""], edit, lambda _: lambda *_: None)

    return do


def _video_work(name: str, work: str, device: str) -> Work:
    """Return a function that edits, or finetunes on, a clip of noise; the least one if None."""
    from dreamix.backends.blueprint import build
    from dreamix.backends.pipeline import DreamixPipeline

    dreamix, setup = (
        DreamixPipeline(build(_plan(name), device="cpu")).to(device),
        _setup(work, device),
    )
    least = dreamix.family.size_multiple

    def do(size: tuple[int, int, int] | None) -> None:
        run(dreamix, setup, work, size or (least, least, 1))
        if size is None:
            dreamix.reset()

    return do


def run(dreamix: "DreamixPipeline", setup: "Setup", work: str, size: tuple[int, int, int]) -> None:
    """Edit a clip of noise, or finetune on it."""
    from dreamix.diffusion.levels import noise_levels

    clip = _noise(size)
    dreamix.set_progress_bar_config(disable=True)
    if work != "edit":
        dreamix.finetune(
            clip,
            steps=TIMES,
            frames=setup.frames,
            rank=setup.rank,
            gradient_checkpointing=setup.checkpointing,
        )
        return
    family, (width, height, frames) = dreamix.family, size
    family.set_steps(TIMES + 1, family.latent_shape(family.padded(frames), height, width))
    level = float(noise_levels(dreamix.pipe.scheduler)[1])
    dreamix("a", clip, noise_scale=level, num_inference_steps=TIMES + 1, output_type="np")


class Gauge:
    """Measures the most memory from now on."""

    def __init__(self, device: str) -> None:
        self._device = device
        gc.collect()
        if device != "cpu":
            import torch

            torch.cuda.reset_peak_memory_stats()
            return
        if not Path("/proc/self/clear_refs").exists():
            raise UserError("memory of the processor is measured on Linux only")
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        self._before = _resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark falls to what is there

    def peak(self) -> int:
        """Return bytes: beyond what was there before, or all of it on an accelerator."""
        if self._device == "cpu":
            return _resident("VmHWM") - self._before
        import torch

        return int(torch.cuda.max_memory_allocated())


def _resident(key: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024


def main(asked: str) -> None:
    """Measure what is asked for as JSON; print it as JSON."""
    name, works, size, device = json.loads(asked)
    found = [measure(name, work, tuple(size), device) for work in works]
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
