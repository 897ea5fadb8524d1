"""The base model: clips of 24x40 pixels from noise and words.

Input and output of the U-Net are 4x4 patches (pixel_unshuffle), an exact "autoencoder" that costs
nothing. It predicts the clean clip (x0), with the schedule of `dreamix.diffusion.schedule`.
diffusers' temporal attention cannot tell which frame comes first: the number of the frame is part
of the input, as waves in channels of their own.
"""

import math
from functools import cache

import torch
from diffusers import UNet3DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from diffusers.models.transformers.transformer_temporal import TransformerTemporalModel
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from dreamix.diffusion.masking import temporal_layers
from dreamix.toybox.cascade.text import WIDTH

PATCH = 4
GRID = (24, 40)
_PERIODS = (32, 16, 8, 4)  # frames, of the waves that number them


def build_base() -> UNet3DConditionModel:
    """Return an untrained base U-Net (10.2 M parameters) whose temporal layers pass frames on.

    The last layer of every temporal attention starts at zero, as diffusers has it for temporal
    convolutions: before it sees clips the network is exactly an image model.
    """
    unet = UNet3DConditionModel(
        sample_size=GRID[0] // PATCH,
        in_channels=3 * PATCH**2 + 2 * len(_PERIODS),
        out_channels=3 * PATCH**2,
        down_block_types=("CrossAttnDownBlock3D",) * 2,
        up_block_types=("CrossAttnUpBlock3D",) * 2,
        block_out_channels=(96, 128),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=32,
        time_cond_proj_dim=WIDTH,
    )
    start_at_zero(unet)
    plain_attention(unet)
    return unet


def start_at_zero(unet: UNet3DConditionModel) -> None:
    """Set the last layer of every temporal attention to zero."""
    for layer in temporal_layers(unet):
        if isinstance(layer, TransformerTemporalModel):
            nn.init.zeros_(layer.proj_out.weight)
            nn.init.zeros_(layer.proj_out.bias)


def plain_attention(unet: UNet3DConditionModel) -> None:
    """Use softmax(q k) v as written: torch's fused attention is slow backwards on a CPU.

    Measured in benchmarks/README.md.
    """
    unet.set_attn_processor(AttnProcessor())


def predict(
    unet: UNet3DConditionModel, z: Tensor, t: Tensor, words: tuple[Tensor, Tensor]
) -> Tensor:
    """Return x0, float32 like `z` (B, 3, F, 24, 40) in -1..1, for times `t` (B,) in 0..1.

    `words` are the states (B, tokens, 128) and the pooled vector (B, 128) of the text encoder;
    the pooled vector is added to the time embedding, as in Imagen.
    """
    states, pooled = words
    found = unet(numbered(patches(z)), t * 1000, states, timestep_cond=pooled).sample
    return pixels(found.float())


def numbered(grid: Tensor) -> Tensor:
    """Return patches (B, 48, F, h, w) and 8 channels of waves that tell the number of each frame.

    Sines and cosines of four periods; 0 for a lone frame.
    """
    batch, _, frames, height, width = grid.shape
    angles = torch.arange(frames) * (2 * math.pi / torch.tensor(_PERIODS)[:, None])
    waves = torch.cat([angles.sin(), angles.cos()]) * (frames > 1)
    waves = waves[None, :, :, None, None].expand(batch, -1, -1, height, width)
    return torch.cat([grid, waves], 1)


def patches(clip: Tensor) -> Tensor:
    """Return 4x4 patches as channels: (B, 3, F, H, W) -> (B, 48, F, H/4, W/4)."""
    return pixel_unshuffle(clip.transpose(1, 2), PATCH).transpose(1, 2)


def pixels(grid: Tensor) -> Tensor:
    """Return `patches` undone."""
    return pixel_shuffle(grid.transpose(1, 2), PATCH).transpose(1, 2)


def autocast(frames: int | None = None) -> torch.autocast:
    """Return bfloat16 autocast where the CPU has it; emulated it takes twelve times as long.

    frames: of the clips, where they may be as few as two: of these oneDNN 3.12 gets the gradient of
            a (3, 1, 1) kernel in bfloat16 wrong on CPUs with AVX512_BF16 and without AMX.
    """
    wrong = frames == 2 and torch.is_grad_enabled()
    enabled = native_bfloat16() and not wrong
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled)


@cache
def native_bfloat16() -> bool:
    """Return whether oneDNN, which computes for torch, has bfloat16 on this CPU."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
