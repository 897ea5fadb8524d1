"""The embedded cascade with the right shapes and few weights, random throughout.

Layers that start at zero (temporal ones, the last convolutions) are filled with noise as well: a
test on layers that compute nothing would say nothing.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import UNet3DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from dreamix.diffusion.denoiser import Denoiser
from dreamix.toybox.cascade.files import save_index, save_part
from dreamix.toybox.cascade.model import Model
from dreamix.toybox.cascade.networks import build_base, numbered, patches, pixels, plain_attention
from dreamix.toybox.cascade.superres import build_superres
from dreamix.toybox.cascade.text import build_text_encoder

SMALL = {"block_out_channels": (32, 32), "norm_num_groups": 8, "attention_head_dim": 8}
SMALLER = {"block_out_channels": (16, 16), "norm_num_groups": 8, "attention_head_dim": 2}


def randomised(network: nn.Module, seed: int = 0) -> Any:
    """Return `network` with random weights of a size that keeps signals at about 1."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim == 1:
                weight.normal_(1.0 if name.endswith("weight") else 0.0, 0.1, generator=rng)
            else:
                weight.normal_(0.0, weight[0].numel() ** -0.5, generator=rng)
    return network.eval()


def tiny_base(seed: int = 0) -> UNet3DConditionModel:
    """Return a base U-Net of two levels 32 wide."""
    unet = UNet3DConditionModel.from_config({**build_base().config, **SMALL})
    plain_attention(unet)
    return randomised(unet, seed)


def tiny_superres(seed: int = 0) -> UNet3DConditionModel:
    """Return a super-resolution U-Net of two levels 16 wide."""
    unet = UNet3DConditionModel.from_config({**build_superres().config, **SMALLER})
    plain_attention(unet)
    return randomised(unet, seed)


def tiny_encoder(seed: int = 0) -> CLIPTextModel:
    """Return a text encoder as the embedded one, random."""
    return randomised(build_text_encoder(), seed)


def tiny_model(seed: int = 0) -> Model:
    """Return the base model of random weights."""
    return Model(tiny_base(seed), tiny_encoder(seed))


def save_tiny(folder: Path, seed: int = 0) -> Path:
    """Return `folder`, with a whole cascade of random weights in it."""
    save_part("text_encoder", tiny_encoder(seed), folder)
    save_part("unet", tiny_base(seed), folder)
    save_part("super_resolution", tiny_superres(seed), folder)
    save_index(folder)
    return folder


def plain_denoiser(unet: UNet3DConditionModel) -> Denoiser:
    """Return the base U-Net as a denoiser of words that never were, in single precision.

    It is not told the numbers of the frames: what tests ask of the layers holds of equal frames.
    """
    rng = torch.Generator().manual_seed(0)
    states, pooled = torch.randn((1, 24, 128), generator=rng), torch.randn((1, 128), generator=rng)

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        grid = patches(z)
        unnumbered = torch.zeros_like(numbered(grid)[:, grid.shape[1] :])
        seen = torch.cat([grid, unnumbered], 1)
        words, told = states.expand(len(z), -1, -1), pooled.expand(len(z), -1)
        return pixels(unet(seen, t * 1000, words, timestep_cond=told).sample)

    return denoise


def random_clip(*shape: int, seed: int = 0) -> Tensor:
    """Return uniform noise in -1..1."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class State(NamedTuple):
    """All that a method has to leave as it found it."""

    weights: str
    hooks: int
    replaced: list[str]  # layers whose forward is not their class's
    trainable: list[str]
    training: bool


def state_of(network: nn.Module) -> State:
    """Return the state of a network; two are equal if nothing was touched in between."""
    held = hashlib.sha256()
    for name, value in network.state_dict().items():
        held.update(name.encode() + value.numpy().tobytes())
    layers = dict(network.named_modules())
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in layers.values())
    return State(
        held.hexdigest(),
        hooks,
        [name for name, layer in layers.items() if "forward" in vars(layer)],
        [name for name, p in network.named_parameters() if p.requires_grad],
        network.training,
    )
