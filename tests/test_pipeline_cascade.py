"""zeroscope and its XL stage: two pipelines in a row, on random weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import VideoToVideoSDPipeline
from PIL import Image
from tiny_families import level_at, moving_clip, seeded
from tiny_pipelines import TINY, quiet

from dreamix import DreamixPipeline
from dreamix.backends import cascade as module
from dreamix.backends.base import open_backend
from dreamix.backends.cascade import Cascade, enlarged
from dreamix.backends.names import Pretrained, Weights
from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.diffusion.settings import Denoising, Finetuning

pytestmark = pytest.mark.filterwarnings("ignore")
ASKED: dict[str, Any] = {"num_inference_steps": 6, "guidance_scale": 4.0}


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    torch.set_num_threads(1)
    first, second = (DreamixPipeline(quiet(TINY["modelscope"]())) for _ in range(2))
    return Cascade(first, second)


@pytest.mark.slow
def test_the_second_stage_is_diffusers_video_to_video_of_what_the_first_made(
    cascade: Cascade,
) -> None:
    """Its steps from the level on, seed and enlarged clip the same: no difference at all. 64 times
    1.8 is 115, and the nearest multiple that these networks take 112."""
    clip = moving_clip(5, 64)
    level = level_at(cascade.second.pipe, 3)
    first = cascade.first(
        "a dog", clip, noise_scale=0.8, generator=seeded(), output_type="pt", **ASKED
    )
    large = enlarged(first.frames[0], 1.8, 16)
    assert large.shape == (5, 3, 112, 112)
    pipe = cascade.second.pipe
    taken = VideoToVideoSDPipeline.__init__.__code__.co_varnames
    theirs = quiet(
        VideoToVideoSDPipeline(**{k: v for k, v in pipe.components.items() if k in taken})
    )
    pictures = [
        Image.fromarray((frame.permute(1, 2, 0) * 255).round().byte().numpy()) for frame in large
    ]
    draws = seeded()
    cascade.first("a dog", clip, noise_scale=0.8, generator=draws, output_type="pt", **ASKED)
    expected = theirs(
        "a dog", video=pictures, strength=0.5, generator=draws, output_type="pt", **ASKED
    ).frames
    found = cascade.second(
        "a dog", pictures, noise_scale=level, posterior="sample", generator=again(cascade, clip),
        output_type="pt", **ASKED,
    ).frames  # fmt: skip
    assert torch.equal(found, expected)
    whole = cascade(
        "a dog", clip, noise_scale=0.8, second_noise_scale=level, generator=seeded(),
        output_type="pt", **ASKED,
    ).frames  # fmt: skip
    assert whole.shape == expected.shape
    own = cascade.second(
        "a dog", large, noise_scale=level, generator=again(cascade, clip), output_type="pt", **ASKED
    ).frames
    assert torch.equal(whole, own)


def again(cascade: Cascade, clip: Video) -> torch.Generator:
    """The generator as the first stage leaves it."""
    draws = seeded()
    cascade.first("a dog", clip, noise_scale=0.8, generator=draws, output_type="pt", **ASKED)
    return draws


@pytest.mark.slow
def test_at_level_0_the_second_stage_only_reconstructs(cascade: Cascade) -> None:
    """What comes out is the autoencoder's version of the enlarged clip, whatever is asked."""
    clip = moving_clip(3, 64)
    made = [
        cascade(text, clip, noise_scale=0.8, second_noise_scale=0.0, generator=seeded(),
                output_type="pt", **ASKED).frames
        for text in ("a dog", "a dog")
    ]  # fmt: skip
    assert torch.equal(*made)
    first = cascade.first(
        "a dog", clip, noise_scale=0.8, generator=seeded(), output_type="pt", **ASKED
    )
    large = enlarged(first.frames[0], 1.8, 16)
    alone = cascade.second("a fox", large, noise_scale=0.0, output_type="pt", **ASKED)
    assert torch.equal(made[0], alone.frames)


@pytest.mark.slow
def test_prompts_together_are_prompts_alone(cascade: Cascade) -> None:
    clip = moving_clip(3, 64)
    both = cascade(
        ["a dog", "a fox"], clip, noise_scale=0.8, generator=[seeded(1), seeded(2)],
        output_type="pt", **ASKED,
    ).frames  # fmt: skip
    for text, seed, found in (("a dog", 1, both[0]), ("a fox", 2, both[1])):
        alone = cascade(
            text, clip, noise_scale=0.8, generator=seeded(seed), output_type="pt", **ASKED
        ).frames[0]
        assert (found - alone).abs().max() < 1e-4
    with pytest.raises(UserError, match="2 prompts need as many generators"):
        cascade(["a dog", "a fox"], clip, generator=[seeded()])


@pytest.mark.slow
def test_it_is_a_backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first stage is finetuned and edits at the size asked for; the clip comes out larger."""
    for name in ("first", "second"):
        TINY["modelscope"]().save_pretrained(tmp_path / name)
    stages = Weights(str(tmp_path / "first")), Weights(str(tmp_path / "second"))
    monkeypatch.setitem(module.OFFER.pretrained, "zeroscope-xl", Pretrained(*stages))
    backend: Any = open_backend("zeroscope-xl@64x64x3")
    assert backend.usual == {"steps": 50, "guidance": 9.0}
    quietly = lambda _: lambda done, of: None  # noqa: E731
    clip, how = moving_clip(3, 64), Denoising(noise=0.8, steps=2, guidance=4.0)
    tuned, seconds = backend.finetuned(clip, Finetuning(steps=1, frames=1), quietly(""))
    made = tuned.denoised(clip, ["a dog"], [("edit", "x", 0)], how, quietly)
    assert made.clips[0].frames.shape == (3, 112, 112, 3)
    assert seconds > 0
    with pytest.raises(UserError, match="two sets of weights"):
        open_backend(f"zeroscope-xl:{tmp_path}")
