"""The frame pass: exact to the bit, equal to an explicit diagonal mask, and undone afterwards."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
import torch
from diffusers import UNet3DConditionModel
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import TemporalConvLayer
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from tiny_cascade import plain_denoiser, random_clip, state_of, tiny_base
from torch import Tensor, nn
from torch.nn.functional import group_norm

from dreamix.diffusion.masking import (
    as_clips,
    as_frames,
    frame_pass,
    temporal_layers,
    temporal_off,
    temporal_parameters,
)

FRAMES = 4


@pytest.fixture(scope="module")
def unet() -> UNet3DConditionModel:
    return tiny_base()


def clips() -> Tensor:
    return random_clip(1, 3, FRAMES, 24, 40)


def other_last_frame() -> Tensor:
    changed = clips()
    changed[:, :, -1] = random_clip(1, 3, 24, 40, seed=1)
    return changed


def test_temporal_layers_are_those_that_diffusers_calls_so(unet: UNet3DConditionModel) -> None:
    """In UNet3DConditionModel they are transformer_in, temp_convs and temp_attentions."""
    words = ("transformer_in.", "temp_convs.", "temp_attentions.")
    named = {id(p) for name, p in unet.named_parameters() if any(w in name for w in words)}
    assert {id(p) for p in temporal_parameters(unet)} == named
    assert len(temporal_layers(unet)) == 1 + 2 * 7 + 1  # the middle has two convolutions


@pytest.mark.slow
@torch.no_grad()
def test_a_frame_does_not_see_another_to_the_bit(unet: UNet3DConditionModel) -> None:
    """As clips of one frame or as one clip of all; and outside of the block it does see it."""
    denoise = plain_denoiser(unet)
    for shaped in (as_frames, lambda clip: clip):
        before, after = shaped(clips()), shaped(other_last_frame())
        t = torch.full((len(before),), 0.5)
        with frame_pass(unet):
            one, two = (as_frames(denoise(z, t)) for z in (before, after))
        assert torch.equal(one[:-1], two[:-1])
        assert not torch.equal(one[-1], two[-1])
    whole = [as_frames(denoise(z, torch.full((1,), 0.5))) for z in (clips(), other_last_frame())]
    assert (whole[0][:-1] - whole[1][:-1]).abs().max() > 1e-3


@torch.no_grad()
def test_frames_in_one_clip_are_frames_alone(unet: UNet3DConditionModel) -> None:
    denoise = plain_denoiser(unet)
    with frame_pass(unet):
        together = denoise(clips(), torch.full((1,), 0.5))
        alone = denoise(as_frames(clips()), torch.full((FRAMES,), 0.5))
    torch.testing.assert_close(together, as_clips(alone, FRAMES), atol=1e-5, rtol=0)


@torch.no_grad()
def test_frame_pass_is_a_diagonal_mask(unet: UNet3DConditionModel) -> None:
    """Against attention over all frames of a clip with an explicit mask, written out here."""
    with frame_pass(unet):
        ours = plain_denoiser(unet)(as_frames(clips()), torch.full((FRAMES,), 0.5))
    with masked_explicitly(unet):
        theirs = plain_denoiser(unet)(clips(), torch.full((1,), 0.5))
    torch.testing.assert_close(as_clips(ours, FRAMES), theirs, atol=1e-5, rtol=1e-4)


@contextlib.contextmanager
def masked_explicitly(unet: nn.Module) -> Iterator[None]:
    layers = [m for m in unet.modules() if isinstance(m, TransformerTemporalModel)]
    convolutions = [m for m in unet.modules() if isinstance(m, TemporalConvLayer)]
    for layer in layers:
        layer.forward = diagonal(layer)
    for layer in convolutions:
        layer.forward = lambda x, num_frames: x
    try:
        yield
    finally:
        for layer in (*layers, *convolutions):
            del layer.forward


def diagonal(layer: TransformerTemporalModel) -> Callable[..., tuple[Tensor]]:
    """The temporal transformer with attention masked to the diagonal, normalised by frame."""
    (block,) = layer.transformer_blocks

    def forward(x: Tensor, num_frames: int, **_: object) -> tuple[Tensor]:
        rows, channels, height, width = x.shape
        norm = layer.norm
        h = group_norm(x, norm.num_groups, norm.weight, norm.bias, norm.eps)
        h = h.reshape(-1, num_frames, channels, height * width).permute(0, 3, 1, 2)
        h = layer.proj_in(h)  # (clips, places, frames, channels)
        h = h + attend(block.attn1, block.norm1(h))
        h = h + attend(block.attn2, block.norm2(h))
        h = layer.proj_out(h + block.ff(block.norm3(h)))
        return (x + h.permute(0, 2, 3, 1).reshape(rows, channels, height, width),)

    return forward


def attend(attention: Attention, x: Tensor) -> Tensor:
    """softmax(q k' / sqrt(d) + M) v with M = 0 on the diagonal and minus infinity off it."""
    q, k, v = (
        layer(x).unflatten(-1, (attention.heads, -1)).transpose(-3, -2)
        for layer in (attention.to_q, attention.to_k, attention.to_v)
    )
    mask = torch.full((x.shape[-2],) * 2, -torch.inf).fill_diagonal_(0)
    weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + mask).softmax(-1)
    return attention.to_out[0]((weights @ v).transpose(-3, -2).flatten(-2))


def test_temporal_weights_get_no_gradient(unet: UNet3DConditionModel) -> None:
    with frame_pass(unet):
        loss = plain_denoiser(unet)(as_frames(clips()), torch.full((FRAMES,), 0.5)).square().mean()
    loss.backward()
    temporal = {id(p) for p in temporal_parameters(unet)}
    grads = {name: p.grad for name, p in unet.named_parameters() if id(p) in temporal}
    assert all(grad is None for grad in grads.values())
    spatial = [p for p in unet.parameters() if id(p) not in temporal]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in spatial)
    unet.zero_grad()


@pytest.mark.slow
@torch.no_grad()
def test_temporal_layers_off_are_temporal_layers_that_add_nothing() -> None:
    """Each is x + f(x); with f's last layer 0 the network must give the same to the bit."""
    unet = tiny_base()
    z, t = clips(), torch.full((1,), 0.5)
    with temporal_off(unet):
        off = plain_denoiser(unet)(z, t)
    assert not torch.equal(off, plain_denoiser(unet)(z, t))
    for layer in temporal_layers(unet):
        last = layer.conv4[-1] if isinstance(layer, TemporalConvLayer) else layer.proj_out
        last.weight.zero_()
        last.bias.zero_()
    assert torch.equal(off, plain_denoiser(unet)(z, t))


@pytest.mark.slow
@pytest.mark.parametrize("mask", [frame_pass, temporal_off])
def test_everything_is_undone(unet: UNet3DConditionModel, mask: Callable) -> None:
    """Flags that were off stay off; an exception changes nothing."""
    unet.conv_in.requires_grad_(False)
    unet.transformer_in.proj_in.requires_grad_(False)
    before = state_of(unet)
    with mask(unet):
        assert state_of(unet).replaced
    assert state_of(unet) == before
    with contextlib.suppress(KeyError), mask(unet):
        raise KeyError
    assert state_of(unet) == before
    with mask(unet):
        inside = state_of(unet)
        with frame_pass(unet):
            pass
        assert state_of(unet) == inside, "a mask within a mask leaves the outer one"
    assert state_of(unet) == before
    assert before.replaced == []
    assert "conv_in.weight" not in before.trainable
    unet.requires_grad_(True)


def test_frames_and_back() -> None:
    x = random_clip(2, 3, FRAMES, 4, 4)
    frames = as_frames(x)
    assert frames.shape == (2 * FRAMES, 3, 1, 4, 4)
    assert torch.equal(frames[FRAMES + 1, :, 0], x[1, :, 1])
    assert torch.equal(as_clips(frames, FRAMES), x)
