"""The embedded cascade as a backend: finetuned copies and their cache, named noise, enlarging."""

from pathlib import Path

import pytest
import torch
from tiny_cascade import random_clip, save_tiny, state_of
from torch import Tensor

from dreamix.backends.base import open_backend
from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.diffusion.corruption import to_video
from dreamix.diffusion.settings import Finetuning
from dreamix.toybox.cascade import model as model_module
from dreamix.toybox.cascade import networks
from dreamix.toybox.cascade.backend import Toybox
from dreamix.toybox.world import Scene, render, render_base

SETTINGS = Finetuning(steps=1, learning_rate=1e-3, frames=1)
CLIP = random_clip(1, 3, 2, 24, 40)
PROMPT = "a red ball bouncing in a meadow"
SOURCE = render(Scene("red", "ball", "bouncing", "meadow", seed=7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("cascade"))


@pytest.fixture
def toybox(folder: Path) -> Toybox:
    """A backend that keeps nothing on disk."""
    return opened(folder, None)


def opened(folder: Path, cache: Path | None) -> Toybox:
    backend = open_backend(f"toybox:{folder}", cache)
    assert isinstance(backend, Toybox)
    return backend


def weights(toybox: Toybox, clip: Tensor = CLIP, **options: object) -> dict[str, Tensor]:
    settings = options.pop("settings", SETTINGS)
    model, _ = toybox.tuned_copy(clip, settings, **options)  # type: ignore[arg-type]
    return model.unet.state_dict()


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, two[name]) for name, value in one.items())


@pytest.mark.slow
def test_finetuning_happens_once_and_memory_and_disk_hold_the_same(
    folder: Path, tmp_path: Path
) -> None:
    """The first asks, the second comes from memory, the third, in another process, from disk."""
    toybox = opened(folder, tmp_path / "cache")
    first, seconds = toybox.tuned_copy(CLIP, SETTINGS)
    again, none = toybox.tuned_copy(CLIP, SETTINGS)
    assert again is first
    assert (seconds > 0, none) == (True, 0)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    later, also_none = opened(folder, tmp_path / "cache").tuned_copy(CLIP, SETTINGS)
    assert also_none == 0
    assert later is not first
    assert state_of(later.unet) == state_of(first.unet)
    assert same(weights(opened(folder, None)), first.unet.state_dict()), "no cache, same bytes"


@pytest.mark.slow
def test_anything_else_asked_is_another_copy(toybox: Toybox, tmp_path: Path) -> None:
    toybox.cache = tmp_path
    weights(toybox)
    weights(toybox, random_clip(1, 3, 2, 24, 40, seed=1))
    weights(toybox, prompt=PROMPT)
    weights(toybox, attention_only=True)
    weights(toybox, settings=Finetuning(1, 2e-3, frames=1))
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.slow
def test_only_a_few_copies_stay_in_memory(toybox: Toybox) -> None:
    """The one used last stays; the one that was not asked for longest goes."""
    one, two, three = (Finetuning(1, rate, frames=1) for rate in (1e-3, 2e-3, 3e-3))
    kept = toybox.tuned_copy(CLIP, one).model
    toybox.tuned_copy(CLIP, two)
    toybox.tuned_copy(CLIP, one)
    toybox.tuned_copy(CLIP, three)
    assert toybox.tuned_copy(CLIP, one).model is kept
    assert len(toybox._held) == 2


def test_the_base_model_is_not_finetuned_itself(toybox: Toybox) -> None:
    before = state_of(toybox.model.unet)
    assert not same(weights(toybox), toybox.model.unet.state_dict())
    assert state_of(toybox.model.unet) == before
    none = Finetuning(steps=0)
    assert toybox.tuned_copy(CLIP, none).model is toybox.model


def test_noise_is_what_its_names_say(toybox: Toybox) -> None:
    """Standard normal: 46,080 numbers have a mean within 0.02 of 0 and a deviation within 2 %."""
    noise = toybox.noise([("edit", "cat", 0)])
    assert noise.shape == (1, 3, 16, 24, 40)
    assert torch.equal(noise, toybox.noise([("edit", "cat", 0)]))
    assert not torch.equal(noise, toybox.noise([("edit", "cat", 1)]))
    assert abs(float(noise.mean())) < 0.02
    assert float(noise.std()) == pytest.approx(1, rel=0.02)


def test_fresh_noise_is_new_at_every_call_and_the_same_series_again(toybox: Toybox) -> None:
    draw, again = toybox.fresh_noise([("a",)]), toybox.fresh_noise([("a",)])
    first, second = draw(), draw()
    assert not torch.equal(first, second)
    assert torch.equal(first, again())
    assert torch.equal(second, again())


def test_a_clip_is_read_onto_the_grid_and_lasts_as_long_when_finished(toybox: Toybox) -> None:
    base = toybox.read(render(Scene("red", "ball", "bouncing", "meadow", seed=7), 8, fps=8))
    assert base.shape == (1, 3, 16, 24, 40)
    (made,) = toybox.finish(base, [PROMPT], SOURCE, [("x",)])
    assert made.frames.shape == (16, 96, 160, 3)
    assert made.duration == pytest.approx(SOURCE.duration)


def test_frames_finished_alone_share_their_noise(toybox: Toybox) -> None:
    """So frames that are the same stay the same, and each is what it would be alone."""
    frame = toybox.read(SOURCE)[:, :, :1]
    other = toybox.read(SOURCE)[:, :, 3:4]
    clip = toybox.finish_frames(torch.cat([frame, other, frame], 2), PROMPT, SOURCE, ("x",)).frames
    assert (clip[0] == clip[2]).all()
    assert (clip[0] != clip[1]).any()
    assert (toybox.finish_frames(other, PROMPT, SOURCE, ("x",)).frames[0] == clip[1]).all()


@pytest.mark.slow
def test_finishing_from_the_source(toybox: Toybox) -> None:
    """At level 0 the source comes back to the bit, at 1 it leaves no trace, between it matters.

    Two frames of 2 s: those shown at 0 and 1 s are the source's first and ninth.
    """
    base = toybox.read(SOURCE)[:, :, ::8]
    other = render(Scene("blue", "star", "spinning", "beach", seed=8))

    def finish(source: Video, level: float | None) -> Video:
        return toybox.finish(base, [PROMPT], source, [("x",)], from_source=level)[0]

    assert (finish(SOURCE, 0.0).frames == SOURCE.frames[::8]).all()
    assert (finish(SOURCE, 1.0).frames == finish(other, 1.0).frames).all()
    assert (finish(SOURCE, 1.0).frames == finish(SOURCE, None).frames).all()
    assert (finish(SOURCE, 0.3).frames != finish(other, 0.3).frames).any()


def test_the_grid_holds_the_base_render(toybox: Toybox) -> None:
    found = to_video(toybox.read(SOURCE), 8).frames.astype(int)
    assert abs(found - render_base(Scene("red", "ball", "bouncing", "meadow", seed=7))).max() <= 1


def test_steps_are_those_the_network_counts(toybox: Toybox) -> None:
    assert [toybox.start_step(s) for s in (0.0, 0.75, 1.0)] == [0, 750, 1000]


def test_a_folder_that_is_no_cascade_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no Toybox cascade"):
        _ = opened(tmp_path, None).identity


@pytest.mark.parametrize("native", [True, False])
def test_products_are_in_bfloat16_where_the_cpu_has_it(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emulated it would take twelve times as long; the type of a product shows what is used."""
    monkeypatch.setattr(networks, "native_bfloat16", lambda: native)
    with networks.autocast():
        found = torch.ones(2, 2) @ torch.ones(2, 2)
    assert found.dtype == (torch.bfloat16 if native else torch.float32)


def test_in_single_precision_a_clip_does_not_depend_on_what_shares_its_batch(
    toybox: Toybox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Difference 0 between four clips denoised together and each alone, on any CPU."""
    for module in (networks, model_module):
        monkeypatch.setattr(module, "native_bfloat16", lambda: False)
    clips, prompts = random_clip(4, 3, 4, 24, 40), ["a red ball", "a blue ball"]
    times = torch.tensor([0.2, 0.4, 0.6, 0.8])
    with torch.no_grad():
        whole = toybox.model.denoiser(prompts)(clips, times)
        for k in range(4):
            alone = toybox.model.denoiser([prompts[k // 2]])(clips[k : k + 1], times[k : k + 1])
            assert torch.equal(whole[k], alone[0])
