"""The base model's training: what an update sees, and that a stop changes nothing."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import UNet3DConditionModel
from scipy.stats import norm
from tiny_cascade import random_clip, randomised, tiny_base, tiny_encoder
from torch import Tensor

from dreamix.diffusion.masking import as_frames, temporal_off, temporal_parameters
from dreamix.toybox.cascade.networks import plain_attention, predict
from dreamix.toybox.cascade.text import encoded
from dreamix.toybox.training import base
from dreamix.toybox.training.base import PHASES, Base, Phase, Rate, drawn, phase_of
from dreamix.toybox.training.clips import Clips, random_scene
from dreamix.toybox.training.loop import CHECKPOINT, Budget, _log, train
from dreamix.toybox.world import caption, render_base, truth


@pytest.fixture(scope="module")
def clips() -> Clips:
    scenes = [random_scene("train", number) for number in range(4)]
    return Clips(
        np.stack([render_base(scene) for scene in scenes]),
        np.stack([truth(scene, 16, 24, 40).masks for scene in scenes]),
        [caption(scene) for scene in scenes],
    )


@pytest.fixture
def task(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> Base:
    """The task on four clips and a small network; its first update is the first of 16 frames."""
    monkeypatch.setattr(base, "build_base", tiny_base)
    monkeypatch.setattr(base, "PHASES", (Phase(1, 1, 16, 2), Phase(9, 0, 8, 2)))
    monkeypatch.setattr(base._BaseTest, "count", 1)
    return Base(clips, tiny_encoder())


def one_level() -> UNet3DConditionModel:
    """Return a small base U-Net of a single level."""
    blocks = {"down_block_types": ["DownBlock3D"], "up_block_types": ["UpBlock3D"]}
    config = {**tiny_base().config, **blocks, "block_out_channels": [32]}
    unet = UNet3DConditionModel.from_config(config)
    plain_attention(unet)
    return randomised(unet, 0)


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_phases_follow_each_other() -> None:
    """Frames to update 6,500, clips of 8 to 10,500, clips of 16 from there on."""
    seen = [phase_of(update)[0] for update in (0, 6_499, 6_500, 10_499, 10_500, 10**6)]
    assert [phase.frames for phase in seen if phase.clips] == [8, 8, 16, 16]
    assert seen[0] == seen[1] == PHASES[0]
    assert sum(phase.updates for phase in PHASES) == Base.updates


@pytest.mark.slow
def test_lone_frames_move_no_temporal_weight(task: Base) -> None:
    """The second phase has single frames alone; the first has a clip as well."""
    for update, moved in ((0, True), (5, False)):
        task.network.zero_grad()
        task.loss(update, draw(update)).backward()
        temporal = [p.grad for p in temporal_parameters(task.network) if p.grad is not None]
        assert any(bool(grad.any()) for grad in temporal) == moved


@pytest.mark.slow
def test_a_stopped_training_is_the_uninterrupted_one(
    clips: Clips, task: Base, tmp_path: Path
) -> None:
    """Four updates at once, and four with a stop after every one."""

    def run(folder: Path, updates: int) -> None:
        fresh = Base(clips, tiny_encoder())
        fresh.updates = updates
        train(fresh, folder, Budget(probe_every=2), lambda _: None)

    run(tmp_path / "once", 4)
    for updates in (1, 2, 3, 4):
        run(tmp_path / "often", updates)
    once, often = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True) for name in ("once", "often")
    )
    assert all(map(torch.equal, once["live"], often["live"]))
    for one, other in zip(once["averages"]["means"], often["averages"]["means"], strict=True):
        assert all(map(torch.equal, one, other))
    logs = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("once", "often")]
    assert [len(log) for log in logs] == [3, 3]


@pytest.mark.slow  # a minute of tracing, a few of compiling
@pytest.mark.parametrize(
    ("backend", "updates"),
    [("aot_eager", (0, 5)), ("inductor", (5,))],
    ids=["all but the C++, clips and frames", "frames"],
)
def test_a_compiled_update_is_the_plain_one(
    clips: Clips,
    task: Base,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    updates: tuple[int, ...],
) -> None:
    """The same weights, clips and noise: losses and gradients agree as far as bfloat16 does.

    On one level, whose middle has every kind of layer: two levels take twice as long to compile.
    """
    monkeypatch.setattr(base, "build_base", one_level)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))
    task, compiled = (Base(clips, tiny_encoder(), compiled=each) for each in (False, True))
    for update in updates:
        losses = [each.loss(update, draw(update)) for each in (task, compiled)]
        assert float(losses[1]) == pytest.approx(float(losses[0]), rel=0.02)
        for loss in losses:
            loss.backward()
    norms = [
        torch.cat([p.grad.flatten() for p in each.network.parameters() if p.grad is not None])
        for each in (task, compiled)
    ]
    assert torch.nn.functional.cosine_similarity(*norms, dim=0) > 0.99


@pytest.mark.slow
def test_probes_name_every_word_and_level(task: Base) -> None:
    with torch.no_grad():
        found = task.probe()
    assert {"right@0.7", "motion@0.97", "camera@0.9"} <= {*found}
    assert len(found) == 3 * 8 + 2 * 6
    assert found["right@0.7"] != found["colour@0.7"]


@pytest.mark.slow
def test_the_probe_of_copying_stands_beside_the_noisy_clip(task: Base) -> None:
    """z / alpha is off by the noise's tan(pi t / 2), within 2% of 46,080 draws."""
    with torch.no_grad():
        found = task.probe()
    for level in (0.05, 0.5, 0.7):
        right = math.tan(math.pi * level / 2)
        assert found[f"rms_of_noisy@{level}"] == pytest.approx(right, rel=0.02)
        assert found[f"rms@{level}"] > 0


def test_the_last_phase_draws_levels_over_the_whole_range() -> None:
    """Shares below .5 and .3 by the normal distribution of logit t; before, 14% and 6%."""
    times = PHASES[-1].clip_times
    t = drawn(times, 100_000, draw(0)).numpy()
    for level in (0.1, 0.3, 0.5, 0.86):
        logit = math.log(level / (1 - level))
        right = sum(each.share * norm.cdf((logit - each.mean) / each.deviation) for each in times)
        assert (t < level).mean() == pytest.approx(right, abs=0.006)
    assert (t < 0.5).mean() > 0.4 and (t < 0.3).mean() > 0.25


def test_the_rate_falls_along_a_cosine(clips: Clips, task: Base) -> None:
    """From 3e-4 at the first update of the phase over the middle of both to 6e-6 at the last."""
    task_phases = (Phase(10, 0, 8, 2), Phase(100, 1, 16, 2, rate=Rate(3e-4, 6e-6)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "PHASES", task_phases)
        found = [task.rate(update) for update in (0, 9, 10, 60, 110, 500)]
    assert found == pytest.approx([4e-4, 4e-4, 3e-4, 1.53e-4, 6e-6, 6e-6])
    assert PHASES[-1].rate.last < PHASES[-1].rate.first / 10


def test_a_log_keeps_its_rows_when_probes_are_added(tmp_path: Path) -> None:
    """The shipped log goes on with columns that it did not have."""
    log = tmp_path / "log.csv"
    log.write_text("update,loss\n3,0.5\n")
    _log(log, {"update": 6, "loss": 0.25, "rms@0.1": 0.085})
    _log(log, {"update": 9, "rms@0.1": 0.08})
    assert log.read_text().split() == ["update,loss,rms@0.1", "3,0.5,", "6,0.25,0.085", "9,,0.08"]


def test_the_network_knows_the_number_of_a_frame_but_not_of_a_lone_one() -> None:
    """Sixteen equal frames, no temporal layer: only their number can tell them apart."""
    unet, words = tiny_base(), encoded(tiny_encoder(), ["a red ball"])
    clip = random_clip(1, 3, 1, 24, 40).expand(1, 3, 16, 24, 40)

    def seen(z: Tensor) -> Tensor:
        each = tuple(part.expand(len(z), *part.shape[1:]) for part in words)
        with torch.no_grad(), temporal_off(unet):
            return predict(unet, z, torch.full((len(z),), 0.5), each)  # type: ignore[arg-type]

    numbered, alone = seen(clip)[0].transpose(0, 1), seen(as_frames(clip))
    for i in range(1, 16):
        assert not torch.allclose(numbered[0], numbered[i], atol=1e-4)
        torch.testing.assert_close(alone[0], alone[i])
