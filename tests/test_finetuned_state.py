"""Finetuned state is owned: a finetuning that fails, or gives way to another, leaves no trace."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from family_names import ONE
from safetensors.torch import load_file, save_file
from tiny_cascade import random_clip, save_tiny, state_of
from tiny_families import QUICK, edited, moving_clip
from tiny_pipelines import TINY, quiet
from user_loras import whole

from dreamix import DreamixPipeline
from dreamix.backends.base import open_backend
from dreamix.backends.pipeline import FILES
from dreamix.core.errors import StorageError, UserError
from dreamix.core.video import Video
from dreamix.diffusion.adapting import LossPart, adapt
from dreamix.diffusion.settings import Denoising, Finetuning

pytestmark = pytest.mark.filterwarnings("ignore")
CLIP = moving_clip(3)
MIRRORED = Video(CLIP.frames[:, ::-1].copy(), CLIP.fps)
ADAPTER = {**QUICK, "learning_rate": 0.05}
FULL = {**QUICK, "rank": None, "learning_rate": 1e-2}
DIVERGES = {"learning_rate": 1e30, "steps": 4}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def tiny(name: str = "wan2.1") -> DreamixPipeline:
    return DreamixPipeline(quiet(TINY[name]()))


def stops(error: type[BaseException], at: int) -> Callable[[int, int], None]:
    """Return what raises an error after that many updates."""

    def told(done: int, _: int) -> None:
        if done == at:
            raise error("stopped")

    return told


# -- what fails leaves things as they were -----------------------------------------------------
FAILURES: list[tuple[type[BaseException], dict[str, Any]]] = [
    (KeyboardInterrupt, {"callback": stops(KeyboardInterrupt, 1)}),
    (torch.OutOfMemoryError, {"callback": stops(torch.OutOfMemoryError, 2)}),
    (UserError, DIVERGES),
    (UserError, {"mixed_precision": "int4"}),
]


@pytest.mark.slow
@pytest.mark.parametrize("family", ONE)
@pytest.mark.parametrize("before", [None, ADAPTER, FULL], ids=["pretrained", "adapter", "full"])
def test_a_finetuning_that_fails_leaves_the_pipeline_as_it_was(family: str, before: Any) -> None:
    """Interrupted at the first update, out of memory at the last, diverged, mistaken: same layers,
    weights, flags and adapters as before the call, and `reset` still goes back all the way."""
    dreamix = tiny(family)
    pretrained = whole(dreamix)
    if before:
        dreamix.finetune(CLIP, **before)
    held = whole(dreamix)
    for number, (error, how) in enumerate(FAILURES):
        with pytest.raises(error):
            dreamix.finetune(MIRRORED, **{**(ADAPTER if number % 2 else FULL), **how})
        assert whole(dreamix) == held
        with pytest.raises(error):
            dreamix.finetune(MIRRORED, **{**(FULL if number % 2 else ADAPTER), **how})
        assert whole(dreamix) == held
    dreamix.reset()
    assert whole(dreamix) == pretrained


@pytest.mark.slow
def test_an_interrupted_edit_after_a_failure_is_that_of_before() -> None:
    """The same frames, to the bit, with the adapter that was held."""
    dreamix = tiny()
    dreamix.finetune(CLIP, **ADAPTER)
    expected = edited(dreamix, 0.8, CLIP)
    with pytest.raises(KeyboardInterrupt):
        dreamix.finetune(MIRRORED, callback=stops(KeyboardInterrupt, 1), **ADAPTER)
    assert torch.equal(edited(dreamix, 0.8, CLIP), expected)


def test_weights_that_the_last_update_broke_are_a_divergence() -> None:
    """The loss sqrt(w) is 0 at w = 0, a number; its slope there is not, and so w afterwards."""
    weight = torch.nn.Parameter(torch.zeros(3))
    part = LossPart("video", 1.0, lambda _: [weight.sqrt().sum()], nullcontext)
    with pytest.raises(UserError, match="diverged after 1 updates"):
        adapt([weight], [part], Finetuning(steps=1), torch.Generator())


def test_gradients_from_elsewhere_are_not_trained_on() -> None:
    clean, dirty = tiny(), tiny()
    for p in dirty.pipe.transformer.parameters():
        p.grad = torch.ones_like(p)
    for dreamix in (clean, dirty):
        dreamix.finetune(CLIP, **FULL)
    assert state_of(dirty.pipe.transformer) == state_of(clean.pipe.transformer)


# -- one finetuning at a time, each from the pretrained weights --------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("family", ONE)
def test_a_finetuning_does_not_depend_on_those_before(family: str) -> None:
    """All weights on A then B are B alone; an adapter on top of A is the adapter alone."""
    for last in (FULL, ADAPTER):
        twice, once = tiny(family), tiny(family)
        pretrained = whole(twice)
        twice.finetune(CLIP, **FULL)
        twice.finetune(MIRRORED, **last)
        once.finetune(MIRRORED, **last)
        assert whole(twice) == whole(once)
        twice.reset()
        assert whole(twice) == pretrained


@pytest.mark.slow
def test_a_loaded_adapter_takes_the_place_of_a_full_finetuning(tmp_path: Path) -> None:
    one, fresh = tiny(), tiny()
    one.finetune(CLIP, **FULL)
    one.finetune(MIRRORED, **ADAPTER)
    one.save_adapter(tmp_path)
    fresh.finetune(CLIP, **FULL)
    for dreamix in (one, fresh):
        dreamix.load_adapter(tmp_path)
    assert whole(fresh) == whole(one)


@pytest.mark.slow
def test_a_spatial_finetuning_gives_way_to_a_temporal_one() -> None:
    twice, once = tiny("modelscope"), tiny("modelscope")
    twice.finetune(CLIP, train="spatial", **FULL)
    for dreamix in (twice, once):
        dreamix.finetune(CLIP, train="temporal", **FULL)
    assert whole(twice) == whole(once)


# -- adapters whole or not at all --------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of an adapter of one network, and of two."""
    found = {}
    for name in ("wan2.1", "wan2.2"):
        dreamix = tiny(name)
        dreamix.finetune(MIRRORED, **ADAPTER)
        found[name] = dreamix.save_adapter(tmp_path_factory.mktemp("saved") / name)
    return found


@pytest.mark.slow
def test_an_adapter_of_another_number_of_networks_is_refused_whole(saved: dict[str, Path]) -> None:
    for name, other, said in (
        ("wan2.2", "wan2.1", f"no adapter at .*{FILES[1]}"),
        ("wan2.1", "wan2.2", f"{FILES[1]} is of a second network"),
    ):
        dreamix = tiny(name)
        dreamix.finetune(CLIP, **ADAPTER)
        held = whole(dreamix)
        with pytest.raises(UserError, match=said):
            dreamix.load_adapter(saved[other])
        assert whole(dreamix) == held


@pytest.mark.slow
def test_a_second_file_that_does_not_fit_leaves_the_first_expert_too(
    saved: dict[str, Path], tmp_path: Path
) -> None:
    """Its width is another: what only shows once the first one is in."""
    for file in FILES:
        held = load_file(saved["wan2.2"] / file)
        cut = {k: v[:, :3].contiguous() if "lora_A" in k else v for k, v in held.items()}
        save_file(cut if file == FILES[1] else held, tmp_path / file)
    dreamix = tiny("wan2.2")
    dreamix.finetune(CLIP, **ADAPTER)
    before = whole(dreamix)
    with pytest.raises(UserError, match=f"{FILES[1]} is an adapter of another model"):
        dreamix.load_adapter(tmp_path)
    assert whole(dreamix) == before


def test_an_adapter_is_not_saved_beside_one_of_more_networks(saved: dict[str, Path]) -> None:
    """It would be half of each."""
    dreamix = tiny()
    dreamix.finetune(CLIP, **{**QUICK, "steps": 0})
    with pytest.raises(UserError, match=f"{FILES[1]} is of a second network"):
        dreamix.save_adapter(saved["wan2.2"])


# -- the backend -------------------------------------------------------------------------------
TRAINED = Finetuning(steps=2, learning_rate=0.05, frames=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wan")
    TINY["wan2.1"]().save_pretrained(path)
    return path


class Sampled(NamedTuple):
    """An edit, and the time its finetuning took just now."""

    frames: np.ndarray
    finetune_seconds: float


def sampled(backend: Any, clip: Video, told: Any = None, settings: Finetuning = TRAINED) -> Sampled:
    nobody = lambda *_: None  # noqa: E731
    tuned = backend.finetuned(clip, settings, told or nobody)
    how = Denoising(noise=0.8, steps=2, guidance=1.0)
    made = tuned.model.denoised(clip, ["a red cat"], [("e", 0)], how, lambda _: nobody)
    return Sampled(made.clips[0].frames, tuned.seconds)


def frames(made: Sampled) -> np.ndarray:
    return made.frames


@pytest.mark.slow
def test_an_edit_after_a_finetuning_that_failed_is_as_without(folder: Path, tmp_path: Path) -> None:
    """A, then B out of memory, interrupted, diverged, unwritable, then A again: equal to the byte,
    and not finetuned again."""
    backend: Any = open_backend(f"{folder}@32x32x3", tmp_path / "kept")
    expected = frames(sampled(backend, CLIP))
    for error in (torch.OutOfMemoryError, KeyboardInterrupt):
        with pytest.raises(error):
            sampled(backend, MIRRORED, stops(error, 2))
        again = sampled(backend, CLIP)
        assert (again.finetune_seconds, np.array_equal(frames(again), expected)) == (0, True)
    with pytest.raises(UserError, match="diverged"):
        sampled(backend, MIRRORED, settings=Finetuning(4, 1e30, frames=1))
    assert np.array_equal(frames(sampled(backend, CLIP)), expected)
    backend.dreamix.save_adapter, saves = fails, backend.dreamix.save_adapter
    with pytest.raises(StorageError):
        sampled(backend, MIRRORED)
    backend.dreamix.save_adapter = saves
    assert np.array_equal(frames(sampled(backend, CLIP)), expected)
    assert len([*(tmp_path / "kept").iterdir()]) == 1, "nothing half, nothing of B"


def fails(_: Path) -> None:
    raise StorageError("no space left")


@pytest.mark.slow
def test_what_the_networks_hold_is_seen_and_not_remembered(folder: Path, tmp_path: Path) -> None:
    """Whoever changes them between two edits of a clip does not change the second edit."""
    backend: Any = open_backend(f"{folder}@32x32x3", tmp_path / "kept")
    expected = frames(sampled(backend, CLIP))
    for change in (
        lambda dreamix: dreamix.reset(),
        lambda dreamix: dreamix.disable_adapter(),
        lambda dreamix: dreamix.finetune(MIRRORED, **ADAPTER),
        lambda dreamix: dreamix.finetune(MIRRORED, **FULL),
    ):
        change(backend.dreamix)
        assert np.array_equal(frames(sampled(backend, CLIP)), expected)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def gone(file: Path) -> None:
    file.unlink()


def of_nothing(file: Path) -> None:
    save_file({"transformer.nowhere.lora_A.weight": torch.zeros(4, 4)}, file)


def infinite(file: Path) -> None:
    save_file({k: v * torch.inf for k, v in load_file(file).items()}, file)


SPOILT = [
    cut,
    gone,
    *(pytest.param(f, marks=pytest.mark.slow) for f in (emptied, of_nothing, infinite)),
]


@pytest.mark.slow
@pytest.mark.parametrize("spoil", SPOILT)
def test_an_adapter_in_the_cache_that_cannot_be_read_is_made_anew(
    spoil: Callable[[Path], None], folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With one line that names the file; the edit is the same, and the next one finds it whole."""
    name = f"{folder}@32x32x3"
    expected = frames(sampled(open_backend(name, tmp_path), CLIP))
    (file,) = tmp_path.glob(f"*/{FILES[0]}")
    spoil(file)
    with caplog.at_level(logging.WARNING):
        made = sampled(open_backend(name, tmp_path), CLIP)
    assert np.array_equal(frames(made), expected)
    assert made.finetune_seconds > 0
    assert str(file) in caplog.text
    assert sampled(open_backend(name, tmp_path), CLIP).finetune_seconds == 0
    assert [path.name for path in tmp_path.iterdir()] == [file.parent.name]


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an embedded model of random weights."""
    return f"toybox:{save_tiny(tmp_path_factory.mktemp('cascade'))}"


@pytest.mark.slow
def test_the_embedded_model_makes_weights_anew_that_cannot_be_read(
    cascade: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Cut off, of another network, infinite: the same weights, once, and a line with the file."""
    clip, settings = random_clip(1, 3, 2, 24, 40), Finetuning(1, 1e-3, frames=1)
    opened: Any = open_backend(cascade, tmp_path)
    expected = state_of(opened.tuned_copy(clip, settings).model.unet)
    (file,) = tmp_path.iterdir()
    for spoil in (cut, of_nothing, infinite):
        spoil(file)
        caplog.clear()
        for kept in (False, True):
            again: Any = open_backend(cascade, tmp_path)
            model, seconds = again.tuned_copy(clip, settings)
            assert (state_of(model.unet), seconds == 0) == (expected, kept)
        assert str(file) in caplog.text


@pytest.mark.slow
def test_the_embedded_model_keeps_nothing_of_a_finetuning_that_failed(
    cascade: str, tmp_path: Path
) -> None:
    """Interrupted, or infinite in half precision after the last update."""
    backend: Any = open_backend(cascade, tmp_path / "kept")
    clip, held = random_clip(1, 3, 2, 24, 40), state_of(backend.model.unet)
    settings = Finetuning(1, 1e-3, frames=1)
    with pytest.raises(KeyboardInterrupt):
        backend.tuned_copy(clip, settings, progress=stops(KeyboardInterrupt, 1))
    with pytest.raises(UserError, match="diverged after 1 updates"):
        backend.tuned_copy(clip, Finetuning(1, 1e30, frames=1))
    assert not backend._held
    assert not (tmp_path / "kept").exists()
    assert state_of(backend.model.unet) == held
