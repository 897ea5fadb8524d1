"""What the judge learns from: random scenes, rendered once at 48x80 and kept as arrays.

Every tenth scene is there a second time without its subject.
"""

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dreamix.core.records import write_whole
from dreamix.core.threads import one_thread_each
from dreamix.toybox.training.clips import random_scene
from dreamix.toybox.world import VALUES, Scene, render
from dreamix.toybox.world.motion import HEIGHT, WIDTH, subject_map
from dreamix.toybox.world.renderer import render_empty, screen_map

FRAMES = 16
SIZE = (HEIGHT // 2, WIDTH // 2)
EMPTY_EVERY = 10
_CHUNK = 500


@dataclass(frozen=True)
class Chunk:
    """Scenes `start` to `start + 500` of the training set, as arrays on disk.

    clips:  uint8 (500, 16, 48, 80, 3).
    empty:  uint8 (50, 16, 48, 80, 3): every tenth without its subject.
    words:  int64 (500, attributes): places in `VALUES`.
    tracks: float32 (500, 16, 3): centre across and down and half size of the subject, in pixels.
    """

    clips: np.ndarray
    empty: np.ndarray
    words: np.ndarray
    tracks: np.ndarray


def training_chunks(folder: Path, count: int, workers: int = 2) -> list[Chunk]:
    """Return `count` training scenes, a multiple of 500, rendered at the first call only.

    A kill costs one chunk for each worker; more scenes later extend what is there.
    """
    starts = range(0, count, _CHUNK)
    with one_thread_each(), multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.starmap(_render_chunk, [(folder, start) for start in starts], chunksize=1)
    return [_read_chunk(folder, start) for start in starts]


def halved(frames: np.ndarray) -> np.ndarray:
    """Return exact 2x2 means, rounded: uint8 (n, h, w, 3) -> (n, h/2, w/2, 3)."""
    count, height, width, channels = frames.shape
    blocks = frames.reshape(count, height // 2, 2, width // 2, 2, channels)
    return ((blocks.sum(axis=(2, 4), dtype=np.uint16) + 2) >> 2).astype(np.uint8)


def words_of(scene: Scene) -> list[int]:
    """Return the places of the scene's words in `VALUES`, attribute by attribute."""
    return [words.index(getattr(scene, field)) for field, words in VALUES.items()]


def track(scene: Scene) -> np.ndarray:
    """Return where the subject is and its half size, float32 (16, 3), in pixels of 48x80."""
    maps = [subject_map(scene, tick).then(screen_map(scene, tick, 0.5)) for tick in range(FRAMES)]
    return np.array([[each.x, each.y, each.scale] for each in maps], dtype=np.float32)


def _render_chunk(folder: Path, start: int) -> None:
    if _path(folder, start, "tracks").exists():
        return
    scenes = [random_scene("judge", i) for i in range(start, start + _CHUNK)]
    arrays = {
        "clips": np.stack([halved(render(scene).frames) for scene in scenes]),
        "empty": np.stack([halved(render_empty(s).frames) for s in scenes[::EMPTY_EVERY]]),
        "words": np.array([words_of(scene) for scene in scenes]),
        "tracks": np.stack([track(scene) for scene in scenes]),  # The last: the chunk is whole.
    }
    for name, array in arrays.items():
        with write_whole(_path(folder, start, name)) as file:
            np.save(file, array)


def _read_chunk(folder: Path, start: int) -> Chunk:
    names = ("clips", "empty", "words", "tracks")
    return Chunk(*(np.load(_path(folder, start, name), mmap_mode="r") for name in names))


def _path(folder: Path, start: int, name: str) -> Path:
    return folder / f"{start}.{name}.npy"
