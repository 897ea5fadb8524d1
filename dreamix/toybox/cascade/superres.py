"""The super-resolution stage: from the base grid, 24x40, to the full picture, 96x160.

A diffusion model of its own, as in Imagen Video: it sees the noisy fine clip z_t as 4x4 patches,
the coarse clip with noise added to it (noise conditioning augmentation, Ho et al. 2021), how much
noise that was, and the prompt. It predicts what the clean fine clip has more than the coarse one:

    x0 = E(c') + D(z_t, t, c', a, words),   c' = c + a eps',   E = bilinear enlargement

with c the coarse clip and a the augmentation level. Space is mixed by convolution and, on the
middle grid, attention; time mostly by convolution, as in Imagen Video's super-resolution stages.
"""

import math
from collections.abc import Sequence

import torch
from diffusers import UNet3DConditionModel
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate

from dreamix.diffusion.corruption import noised
from dreamix.diffusion.denoiser import Denoiser
from dreamix.diffusion.sampling import sample, time_grid
from dreamix.toybox.cascade.networks import (
    GRID,
    PATCH,
    autocast,
    patches,
    pixels,
    plain_attention,
    start_at_zero,
)
from dreamix.toybox.cascade.text import WIDTH

MOST_AUGMENTATION = 0.3  # training draws the level a from 0 up to this
_LEVEL_WIDTH = 64


def build_superres() -> UNet3DConditionModel:
    """Return an untrained super-resolution U-Net, 2.3 M parameters, that starts as E(c').

    Dropout stays off, in training too: it costs a fifth of the time here and there is no end of
    scenes to learn from.
    """
    unet = UNet3DConditionModel(
        sample_size=GRID[0],
        in_channels=3 * PATCH**2 + 3,
        out_channels=3 * PATCH**2,
        down_block_types=("DownBlock3D",) * 2,
        up_block_types=("UpBlock3D",) * 2,
        block_out_channels=(64, 80),
        layers_per_block=1,
        norm_num_groups=16,
        cross_attention_dim=WIDTH,
        attention_head_dim=8,
        time_cond_proj_dim=WIDTH + _LEVEL_WIDTH,
    )
    start_at_zero(unet)
    nn.init.zeros_(unet.conv_out.weight)
    nn.init.zeros_(unet.conv_out.bias)
    plain_attention(unet)
    return unet.eval()


def predict_fine(
    unet: UNet3DConditionModel,
    z: Tensor,
    t: Tensor,
    coarse: Tensor,
    level: Tensor,
    words: tuple[Tensor, Tensor],
) -> Tensor:
    """Return x0, float32 like `z` (B, 3, F, 4H, 4W) in about -1..1, for times `t` (B,) in 0..1.

    `coarse` (B, 3, F, H, W) is c', already with noise of deviation `level` (B,). `words` are the
    states (B, tokens, 128) and the pooled vector (B, 128) of the text encoder.
    """
    states, pooled = words
    told = torch.cat([pooled, _waves(level)], 1)
    seen = torch.cat([patches(z), coarse], 1)
    more = unet(seen, t * 1000, states, timestep_cond=told).sample
    return bilinear(coarse) + pixels(more.float())


def _waves(level: Tensor) -> Tensor:
    """Return sines and cosines of the augmentation level, (B,) -> (B, 64), periods 4 to 0.04."""
    rates = torch.logspace(0, 2, _LEVEL_WIDTH // 2) * (math.pi / 2)
    angles = level[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


def bilinear(coarse: Tensor) -> Tensor:
    """Return the clip four times as high and wide: (B, 3, F, H, W) -> (B, 3, F, 4H, 4W)."""
    scale = (1, PATCH, PATCH)
    return interpolate(coarse, scale_factor=scale, mode="trilinear", align_corners=False)


def means(fine: Tensor) -> Tensor:
    """Return the coarse clip that a fine one shows, its 4x4 means."""
    return avg_pool3d(fine, (1, PATCH, PATCH))


def with_means(fine: Tensor, coarse: Tensor) -> Tensor:
    """Return the clip nearest to `fine` whose 4x4 means are `coarse`."""
    return fine + interpolate(coarse - means(fine), scale_factor=(1, PATCH, PATCH))


def still_noise(clip: Tensor, generator: torch.Generator) -> Tensor:
    """Return normal noise shaped like `clip` (B, 3, F, H, W), every frame of a clip with the same.

    Noise of its own in every frame becomes other detail in every frame: surfaces that stand still
    would flicker. Training and sampling both draw it so.
    """
    batch, channels, _, height, width = clip.shape
    noise = torch.randn((batch, channels, 1, height, width), generator=generator)
    return noise.expand(clip.shape)


def augmented(coarse: Tensor, level: Tensor, generator: torch.Generator) -> Tensor:
    """Return c' = c + a eps', with one level a, `level` (B,), for each clip."""
    return coarse + level.reshape(-1, 1, 1, 1, 1) * still_noise(coarse, generator)


def fine_denoiser(
    unet: UNet3DConditionModel, coarse: Tensor, level: Tensor, words: tuple[Tensor, Tensor]
) -> Denoiser:
    """Return x0 given coarse clips c', their augmentation levels and the prompts' words."""

    def denoise(z: Tensor, t: Tensor) -> Tensor:
        with autocast():
            return predict_fine(unet, z, t, coarse, level, words).clamp(-1, 1)

    return denoise


@torch.no_grad()
def enlarge(
    unet: UNet3DConditionModel,
    coarse: Tensor,
    words: tuple[Tensor, Tensor],
    generators: Sequence[torch.Generator],
    *,
    steps: int = 4,
    augmentation: float = 0.1,
    first: Tensor | None = None,
    start: float = 1.0,
    keep_means: bool = True,
) -> Tensor:
    """Return fine clips (B, 3, F, 96, 160) in -1..1 of coarse ones (B, 3, F, 24, 40) in -1..1.

    generators:   one per clip. Clips are made one after the other, so that a clip does not depend
                  on its company; one clip keeps the processor busy, batches would save no time.
    steps:        of DDIM, evenly from time `start` to 0.
    augmentation: the level a, 0..0.3: what may be wrong with the coarse clip.
    first, start: sampling starts from `first` noised to the time `start`, from E(c) if left out;
                  at 1 that is noise alone.
    keep_means:   move the result to the means of the coarse clip: its colours stay.
    """
    begin = bilinear(coarse) if first is None else first
    parts = zip(coarse.split(1), begin.split(1), *(w.split(1) for w in words), strict=True)
    level, found = torch.full((1,), augmentation), []
    for rng, (clip, begun, states, pooled) in zip(generators, parts, strict=True):
        denoise = fine_denoiser(unet, augmented(clip, level, rng), level, (states, pooled))
        z = noised(begun, start, still_noise(begun, rng))
        found.append(sample(denoise, z, time_grid(start, steps)))
    fine = torch.cat(found)
    return with_means(fine, coarse).clamp(-1, 1) if keep_means else fine
