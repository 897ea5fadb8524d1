"""The super-resolution stage: what it starts as, what it depends on and what it does not."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from dreamix.toybox.cascade.files import load_networks
from dreamix.toybox.cascade.superres import (
    augmented,
    bilinear,
    build_superres,
    enlarge,
    means,
    predict_fine,
    with_means,
)
from dreamix.toybox.cascade.text import build_text_encoder, encode, tokenize
from dreamix.toybox.training.superres import FineClips, SuperResolution, worsen
from dreamix.toybox.world import Scene, caption, render, render_base

SCENE = Scene("red", "ball", "bouncing", "meadow", style="pencil", seed=7)


def spread(network: torch.nn.Module) -> torch.nn.Module:
    """Return the network with random weights throughout, so that everything it sees matters."""
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            fan_in = max(weight[0].numel(), 1)
            weight.normal_(1.0 if weight.ndim == 1 else 0.0, fan_in**-0.5 / 2, generator=rng)
    return network.eval()


@pytest.fixture(scope="module")
def words() -> tuple[Tensor, Tensor]:
    """Two prompts through an untrained text encoder."""
    prompts = [caption(SCENE), "a blue star rising in space"]
    with torch.no_grad():
        return encode(spread(build_text_encoder()), tokenize(prompts))


@pytest.fixture(scope="module")
def shaken() -> torch.nn.Module:
    """A network of random weights, those that start at zero too."""
    return spread(build_superres())


def coarse_clips(count: int = 2, frames: int = 2) -> Tensor:
    """Smooth random clips (count, 3, frames, 24, 40) in -1..1."""
    rough = torch.randn((count, 3, frames, 6, 10), generator=torch.Generator().manual_seed(3))
    size = (frames, 24, 40)
    return torch.nn.functional.interpolate(rough * 0.4, size=size, mode="trilinear").clamp(-1, 1)


def seeds(*numbers: int) -> list[torch.Generator]:
    """Return a generator for each number."""
    return [torch.Generator().manual_seed(number) for number in numbers]


def test_base_grid_is_the_mean_of_the_fine_one() -> None:
    """`render_base` rounds the 4x4 means of `render` to whole grey levels: at most 0.5 away."""
    fine = torch.from_numpy(render(SCENE, 2).frames.copy()).permute(3, 0, 1, 2)[None].float()
    base = torch.from_numpy(render_base(SCENE, 2)).permute(3, 0, 1, 2)[None].float()
    assert (means(fine) - base).abs().max() <= 0.5


def test_bilinear_is_opencvs() -> None:
    """OpenCV's bilinear enlargement is another implementation of the same rule."""
    clip = coarse_clips(1, 1)
    frame = clip[0, :, 0].permute(1, 2, 0).numpy()
    expected = cv2.resize(frame, (160, 96), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(bilinear(clip)[0, :, 0].permute(1, 2, 0), expected, atol=1e-5)


def test_with_means_has_the_means_and_moves_nothing_else() -> None:
    """Its means are the coarse clip's; details within each 4x4 block stay; twice is once."""
    coarse = coarse_clips()
    fine = torch.randn((2, 3, 2, 96, 160), generator=torch.Generator().manual_seed(1))
    kept = with_means(fine, coarse)
    torch.testing.assert_close(means(kept), coarse, atol=1e-5, rtol=0)
    torch.testing.assert_close(with_means(kept, coarse), kept, atol=1e-5, rtol=0)
    detail = kept - with_means(kept, torch.zeros_like(coarse))
    steps = detail.unfold(3, 4, 4).unfold(4, 4, 4).flatten(-2)
    assert (steps.max(-1).values - steps.min(-1).values).max() < 1e-5


def test_augmentation_has_its_level() -> None:
    """c' - c has deviation a, one for each clip; 46,080 numbers tell it to about 0.3 %."""
    clean = torch.zeros((2, 3, 16, 24, 40))
    noise = augmented(clean, torch.tensor([0.1, 0.4]), torch.Generator().manual_seed(0))
    assert noise.std((1, 2, 3, 4)).tolist() == pytest.approx([0.1, 0.4], rel=0.02)


@pytest.mark.slow
def test_untrained_network_enlarges_bilinearly(words: tuple[Tensor, Tensor]) -> None:
    """x0 = E(c') + D and D starts at zero, so without augmentation any sampling ends in E(c)."""
    coarse = coarse_clips()
    options = {"steps": 2, "augmentation": 0.0, "keep_means": False}
    found = enlarge(build_superres(), coarse, words, seeds(1, 2), **options)
    assert found.shape == (2, 3, 2, 96, 160)
    torch.testing.assert_close(found, bilinear(coarse), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_clip_depends_on_its_seed_and_not_on_its_company(
    shaken: torch.nn.Module, words: tuple[Tensor, Tensor]
) -> None:
    """The same bytes alone, in company and again; other bytes from another seed."""
    coarse, alone = coarse_clips(), (words[0][1:], words[1][1:])
    both = enlarge(shaken, coarse, words, seeds(1, 2), steps=2)
    single = enlarge(shaken, coarse[1:], alone, seeds(2), steps=2)
    other = enlarge(shaken, coarse[1:], alone, seeds(3), steps=2)
    assert torch.equal(both[1:], single)
    assert not torch.equal(single, other)
    assert both.abs().max() <= 1


@pytest.mark.slow
@torch.no_grad()
def test_every_input_matters(shaken: torch.nn.Module, words: tuple[Tensor, Tensor]) -> None:
    """Prompt, level, time, noisy clip, coarse clip: each alone changes the prediction."""
    coarse = coarse_clips()
    given = {
        "z": torch.randn((2, 3, 2, 96, 160), generator=torch.Generator().manual_seed(0)),
        "t": torch.full((2,), 0.5),
        "coarse": coarse,
        "level": torch.full((2,), 0.1),
        "words": words,
    }
    other = {
        "z": given["z"].flip(0),
        "t": torch.full((2,), 0.6),
        "coarse": coarse.flip(0),
        "level": torch.full((2,), 0.12),
        "words": tuple(part.flip(0) for part in words),
    }
    found = predict_fine(shaken, **given)
    for name, value in other.items():
        changed = predict_fine(shaken, **{**given, name: value})
        assert (changed - found).abs().mean() > 1e-4, name


def test_worsened_clips_keep_their_mean_and_half_of_them_everything() -> None:
    """Softening and errors of mean zero move the mean of many clips by little: a check on scale.

    An even clip cannot get softer, so what changes in it are the patch errors, at most 0.06 in
    deviation, 0.06 / sqrt(12) in the mean square over clips (half have none).
    """
    even = torch.full((400, 3, 1, 12, 20), 0.25)
    found = worsen(even, torch.Generator().manual_seed(0)) - even
    untouched = (found == 0).flatten(1).all(1).float().mean()
    assert 0.4 < untouched < 0.6
    assert abs(float(found.mean())) < 2e-3
    assert float(found.square().mean().sqrt()) == pytest.approx(0.06 / 6**0.5, rel=0.1)
    blocks = found.unfold(3, 4, 4).unfold(4, 4, 4).flatten(-2)
    assert torch.equal(blocks.max(-1).values, blocks.min(-1).values)


@pytest.mark.slow
def test_an_update_repeats() -> None:
    """The loss of an update depends on its generator alone, so training can be resumed."""
    clips = FineClips([render(SCENE).frames[None]], [caption(SCENE)])
    task = SuperResolution(clips, build_text_encoder().eval())
    losses = [task.loss(3, seeds(5)[0]).item() for _ in range(2)]
    assert losses[0] == losses[1] > 0
    assert task.loss(3, seeds(6)[0]).item() != losses[0]


@pytest.mark.slow
def test_shipped_network_follows_the_style_in_the_prompt() -> None:
    """The words of a pencil drawing bring it closer to the true one than those of a watercolor.

    Both enlarge the same coarse clip with the same noise; hatching is invisible on the base grid.
    """
    networks = load_networks()
    other = Scene.from_dict({**SCENE.to_dict(), "style": "watercolor"})
    with torch.no_grad():
        words = encode(networks.encoder, tokenize([caption(SCENE), caption(other)]))
    base = torch.from_numpy(render_base(SCENE, 4)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
    found = enlarge(networks.superres, base.expand(2, -1, -1, -1, -1), words, seeds(1, 1))
    true = torch.from_numpy(render(SCENE, 4).frames.copy()).permute(3, 0, 1, 2)[None]
    errors = (found - (true.float() / 127.5 - 1)).square().mean((1, 2, 3, 4))
    assert errors[0] < errors[1]
