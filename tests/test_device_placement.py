"""Tensors meet on one device: CUDA's, by torch's own rules for it, on a machine that has none.

Weights are on a CUDA device that does not exist and have no values; torch refuses operations on
tensors of two devices all the same. The backward pass would ask for the real device.
"""

from typing import Any

import pytest
import torch
from tiny_families import SIDE
from tiny_pipelines import TINY, quiet
from torch import nn

from dreamix import DreamixPipeline
from dreamix.backends.tracing import Traced, new_mode, without_memory
from dreamix.backends.tuning import Tuning, latents_of, objective, trainable
from dreamix.diffusion.finetune import Finetuning

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


def on_cuda(name: str, *, adapter: bool = False) -> tuple[Any, Any]:
    """Return a family whose weights are said to be on CUDA, and the mode that says so."""
    family = DreamixPipeline(quiet(TINY[name]())).family
    tuning = Tuning(["sks"], Finetuning(frames=2), 4, "all", False, "adamw", "no")
    if adapter:
        trainable(family, tuning, torch.Generator())
    parts = [part for part in family.pipe.components.values() if isinstance(part, nn.Module)]
    mode = new_mode()
    without_memory(parts, mode, "cuda")
    return family, mode


@pytest.mark.check("placement")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a real one")
@pytest.mark.parametrize("name", TINY)
def test_an_edit_and_both_losses_stay_on_the_device_of_the_networks(name: str) -> None:
    """The clip comes from the processor; prompts, latents, noise, losses are where networks are."""
    family, mode = on_cuda(name, adapter=True)
    with mode, Traced():
        with torch.no_grad():
            x = family.encode(torch.zeros(1, 3, 9, SIDE, SIDE))
            words = family.embed(["a"], ["b"])
            t = torch.full((1,), 500.0, device=family.device)
            z = family.guided(family.draw(x.shape, None), t, words, 5.0)
            shown = family.decode(z)
        clip = latents_of(family, torch.zeros(1, 3, 5, SIDE, SIDE), 0.5)
        losses = []
        for part in objective(family, clip, words.told, Finetuning(frames=2)):
            with part.mask():
                losses.extend(part.terms(torch.Generator()))
    found = [x, words.told, z, shown, clip.video, clip.frames, *losses]
    assert {x.device.type for x in found} == {"cuda"}
    assert all(loss.requires_grad for loss in losses)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a real one")
def test_a_tensor_that_was_left_behind_is_refused() -> None:
    """The claim above would be empty if devices could meet."""
    family, mode = on_cuda("wan2.1")
    with mode, Traced(), torch.no_grad():
        told = family.embed(["a"], None).told
        with pytest.raises(Exception, match="same device, but found at least two"):
            family.predict(
                torch.zeros(1, 16, 1, 8, 8, device="cuda"), torch.full((1,), 500.0), told.cpu()
            )
