"""Plug-and-Play's injection: which layers, for how long, what it amounts to, and that it ends."""

import pytest
import torch
from tiny_cascade import random_clip, state_of, tiny_model
from torch import Tensor, nn

from dreamix.diffusion.denoiser import guided
from dreamix.diffusion.injection import Branches, Injection, first_part_copied, inject
from dreamix.diffusion.sampling import sample, time_grid
from dreamix.toybox.cascade.model import Model

PROMPT = "a red ball bouncing in a meadow"


@pytest.fixture(scope="module")
def model() -> Model:
    return tiny_model()


def always(_: float) -> float:
    return 1.0


def toy(gains: list[float]) -> object:
    """A denoiser of four prompts: each a gain of its own, row by row."""

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        parts = zip(gains, z.chunk(4), strict=True)
        return torch.cat([gain * torch.tanh(part) for gain, part in parts])

    return denoise


def trajectory(z: Tensor, times: list[float]) -> list[Tensor]:
    """A path to inject from, any tensors: one for every time but the last."""
    return [z + 0.01 * i for i in range(len(times) - 1)]


def test_every_part_gets_what_the_first_computes() -> None:
    """A linear layer on rows [1], [2], [3] with weight 10: all become 10 while it lasts."""
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(10)
    rows = torch.tensor([[1.0], [2.0], [3.0]])
    before = state_of(layer)
    with first_part_copied([layer], parts=3):
        assert layer(rows).flatten().tolist() == [10, 10, 10]
    assert layer(rows).flatten().tolist() == [10, 20, 30]
    with pytest.raises(KeyError), first_part_copied([layer], parts=3):
        raise KeyError
    assert state_of(layer) == before


def test_thresholds_of_the_paper_are_40_and_25_of_50_steps() -> None:
    """tau_f = 0.8 and tau_A = 0.5 of 50 steps, from the noisy end (pnp-diffusers: int(50 tau))."""
    features, attention, seen = nn.Identity(), nn.Identity(), []

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        seen.append((len(features._forward_hooks), len(attention._forward_hooks)))
        return z

    times = time_grid(0.98, 50)
    path = trajectory(random_clip(2, 3, 1, 4, 4), times)
    layers = Injection([features], [attention], 0.8, 0.5)
    inject(path, times, Branches(denoise, 1.0, always), layers)
    assert [hooks for hooks, _ in seen] == [1] * 40 + [0] * 10
    assert [hooks for _, hooks in seen] == [1] * 25 + [0] * 25


@pytest.mark.parametrize("share", [0.55, 0.29, 0.07])
def test_a_share_of_100_steps_is_that_many(share: float) -> None:
    """0.55 * 100 is 55.000000000000007 in floating point."""
    layer, seen = nn.Identity(), []

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        seen.append(len(layer._forward_hooks))
        return z

    times = time_grid(0.9, 100)
    path = trajectory(random_clip(1, 3, 1, 2, 2), times)
    inject(path, times, Branches(denoise, 1.0, always), Injection([layer], [], share, 0.0))
    assert sum(seen) == round(100 * share)


def test_without_injection_it_is_guided_ddim_from_the_inverted_noise() -> None:
    """Against `sample` with `guided`, tested on their own; the negative prompt's gain is 0.3."""
    times = time_grid(0.98, 10)
    path = trajectory(random_clip(2, 3, 1, 4, 4), times)
    branches = Branches(toy([9.0, 8.0, 0.3, 0.5]), 3.0, always)  # type: ignore[arg-type]
    found = inject(path, times, branches, Injection([], [], 0.0, 0.0))
    gains = torch.tensor([0.3, 0.3, 0.5, 0.5]).reshape(-1, 1, 1, 1, 1)  # untold, then told
    expected = sample(guided(lambda z, t: gains * torch.tanh(z), 3.0), path[0], times)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_the_negative_prompt_grows_from_none_to_all() -> None:
    """The authors' code: weights of the empty prompt np.flip(np.linspace(0, 1, steps))."""
    shares: list[float] = []

    def linear(share: float) -> float:
        shares.append(share)
        return share

    times = time_grid(0.98, 5)
    path = trajectory(random_clip(1, 3, 1, 2, 2), times)
    branches = Branches(toy([1.0] * 4), 1.0, linear)  # type: ignore[arg-type]
    inject(path, times, branches, Injection([], [], 0.0, 0.0))
    assert shares == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_the_layers_are_those_the_paper_s_stand_for(model: Model) -> None:
    """One residual block's last convolution; q and k, never v, of self-attention from there on."""
    names = {id(layer): name for name, layer in model.unet.named_modules()}
    assert [names[id(layer)] for layer in model.feature_layers] == ["up_blocks.0.resnets.1.conv2"]
    ends = ("attn1.to_q", "attn1.to_k")
    expected = [
        f"up_blocks.{block}.attentions.{i}.transformer_blocks.0.{end}"
        for block, i in ((0, 1), (1, 0), (1, 1))
        for end in ends
    ]
    assert [names[id(layer)] for layer in model.attention_layers] == expected


@pytest.mark.slow
@torch.no_grad()
def test_the_source_s_own_words_reproduce_the_source(model: Model) -> None:
    """Injected from a run of the sampler with the same words, unguided, it makes the same run."""
    times, z = time_grid(0.9, 4), random_clip(2, 3, 1, 24, 40)
    before = state_of(model.unet)
    layers = Injection(model.feature_layers, model.attention_layers, 1.0, 1.0)
    with model.image_model():
        plain = model.guided([""], 1.0)
        *path, source = (sample(plain, z, times[: i + 1]) for i in range(5))
        same = inject(
            path, times, Branches(model.denoiser([""] * 4, together=True), 1.0, always), layers
        )
        words = ["", "", "", PROMPT]
        edit = Branches(model.denoiser(words, together=True), 1.0, always)
        other = inject(path, times, edit, layers)
        free = inject(path, times, edit, layers._replace(features=[], attention=[]))
    assert (same - source).abs().mean() < 0.02, "but for bfloat16 in batches of another size"
    assert (other - source).abs().mean() > 0.02
    assert (free - other).abs().mean() > 0.02, "injection matters"
    assert state_of(model.unet) == before


def test_an_exception_leaves_no_hook(model: Model) -> None:
    before = state_of(model.unet)
    times = time_grid(0.9, 4)

    def broken(z: Tensor, t: Tensor) -> Tensor:
        assert state_of(model.unet).hooks == 7
        raise KeyError

    layers = Injection(model.feature_layers, model.attention_layers, 1.0, 1.0)
    path = trajectory(random_clip(1, 3, 1, 24, 40), times)
    with pytest.raises(KeyError), model.image_model():
        inject(path, times, Branches(broken, 1.0, always), layers)
    assert state_of(model.unet) == before
