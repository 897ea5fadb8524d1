"""Pretrained weights that this machine happens to have: one short edit with each backend."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tiny_families import moving_clip
from tiny_pipelines import device

from dreamix.backends.base import open_backend
from dreamix.backends.families import families
from dreamix.core.progress import Progress
from dreamix.diffusion.settings import Denoising, Finetuning
from dreamix.doctor.judgement import download, where_weights_are

FRAMES, STEPS, UPDATES = 17, 10, 2


def nobody(what: str) -> Progress:
    return lambda done, total: None


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.check("real edit")
@pytest.mark.parametrize("name", [name for one in families() for name in one.pretrained])
def test_a_real_model_is_finetuned_on_a_clip_and_edits_it(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """The clip has its frames and is no constant; minutes and peak memory go into the table."""
    if not where_weights_are(name):
        pytest.skip(f"no weights here: {download(name)}")
    if device() == "cpu":
        pytest.skip("weights are here, but no accelerator")
    torch.cuda.reset_peak_memory_stats()
    backend, began = open_backend(name), time.perf_counter()
    how, clip = Denoising(0.8, STEPS, backend.usual["guidance"]), moving_clip(FRAMES, side=256)
    tuned = backend.finetuned(clip, Finetuning(steps=UPDATES), nobody("")).model
    made = tuned.denoised(clip, ["a red square"], [("real", name)], how, nobody)
    minutes, peak = (time.perf_counter() - began) / 60, torch.cuda.max_memory_allocated() / 1e9
    record_property("note", f"{minutes:.1f} min, {peak:.1f} GB")
    assert len(made.clips[0]) > 1
    assert np.ptp(made.clips[0].frames) > 20
