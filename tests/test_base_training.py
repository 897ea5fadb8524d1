"""The base model's training: what an update sees, and that a stop changes nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_cascade import random_clip, tiny_base, tiny_encoder
from torch import Tensor

from dreamix.backends.toybox.networks import predict
from dreamix.backends.toybox.text import encoded
from dreamix.backends.toybox.training import base
from dreamix.backends.toybox.training.base import PHASES, Base, Phase, phase_of
from dreamix.data.toybox import caption, render_base, truth
from dreamix.diffusion.masking import as_frames, temporal_off, temporal_parameters
from dreamix.training.clips import Clips, random_scene
from dreamix.training.loop import CHECKPOINT, Budget, train


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
    monkeypatch.setattr(base._Test, "count", 1)
    return Base(clips, tiny_encoder())


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_phases_follow_each_other() -> None:
    """Frames to update 6,500, clips of 8 to 10,500, clips of 16 from there on."""
    seen = [phase_of(update) for update in (0, 6_499, 6_500, 10_499, 10_500, 10**6)]
    assert [phase.frames for phase in seen if phase.clips] == [8, 8, 16, 16]
    assert seen[0] == seen[1] == PHASES[0]
    assert sum(phase.updates for phase in PHASES) == Base.updates


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
    assert all(map(torch.equal, once["mean"], often["mean"]))
    logs = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("once", "often")]
    assert [len(log) for log in logs] == [3, 3]


@pytest.mark.slow  # a minute of compiling
def test_a_compiled_update_is_the_plain_one(task: Base, clips: Clips) -> None:
    """The same weights, clips and noise: losses and gradients agree as far as bfloat16 does."""
    compiled = Base(clips, tiny_encoder(), compiled=True)
    compiled.network.load_state_dict(task.network.state_dict())
    for update in (0, 5):
        losses = [each.loss(update, draw(update)) for each in (task, compiled)]
        assert float(losses[1]) == pytest.approx(float(losses[0]), rel=0.02)
        for loss in losses:
            loss.backward()
    norms = [
        torch.cat([p.grad.flatten() for p in each.network.parameters() if p.grad is not None])
        for each in (task, compiled)
    ]
    assert torch.nn.functional.cosine_similarity(*norms, dim=0) > 0.99


def test_probes_name_every_word_and_level(task: Base) -> None:
    with torch.no_grad():
        found = task.probe()
    assert {"right@0.7", "motion@0.97", "camera@0.9"} <= {*found}
    assert len(found) == 3 * 8
    assert found["right@0.7"] != found["colour@0.7"]


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
