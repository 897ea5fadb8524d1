"""What ModelScope, zeroscope and AnimateDiff share: Stable Diffusion's autoencoder and text.

The autoencoder takes pictures, so that a clip's latents are those of its frames.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

from dreamix.backends.family import Family, PromptEmbeds
from dreamix.diffusion.masking import as_clips, as_frames, frame_pass

TOGETHER = 16  # frames that the autoencoder takes at once


class PictureLatents(Family):
    """A U-Net with temporal layers over latents of single pictures."""

    network_name = "unet"
    separable = True

    @property
    def blocks(self) -> list[Any]:
        """The levels of the U-Net, down and up."""
        unet = self.pipe.unet
        return [*unet.down_blocks, unet.mid_block, *unet.up_blocks]

    @property
    def _factor(self) -> int:
        return int(2 ** (len(self.pipe.vae.config.block_out_channels) - 1))

    @property
    def size_multiple(self) -> int:
        """The autoencoder's factor times that of the U-Net's way down."""
        return self._factor * 2 ** (len(self.pipe.unet.config.block_out_channels) - 1)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (channels, frames, height, width) of the latents of a clip."""
        channels = self.pipe.vae.config.latent_channels
        return channels, frames, height // self._factor, width // self._factor

    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents of clips, frame by frame, times the autoencoder's scale."""
        frames = as_frames(pixels)[:, :, 0].to(self.device)
        with self._full_precision() as vae:
            posteriors = [
                vae.encode(part.to(vae.dtype)).latent_dist for part in frames.split(TOGETHER)
            ]
            found = [p.sample(generator) if generator else p.mode() for p in posteriors]
        z = self.pipe.vae.config.scaling_factor * torch.cat(found).float()
        return as_clips(z[:, :, None], pixels.shape[2])

    def decode(self, latents: Tensor) -> Tensor:
        """Return the pixels of latents, float32."""
        vae = self.pipe.vae
        frames = 1 / vae.config.scaling_factor * as_frames(latents)[:, :, 0].to(self.device)
        parts = [vae.decode(part.to(vae.dtype)).sample for part in frames.split(TOGETHER)]
        return as_clips(torch.cat(parts)[:, :, None].float(), latents.shape[2])

    @contextmanager
    def _full_precision(self) -> Iterator[Any]:
        """Yield the autoencoder; in single precision where its config asks for that."""
        vae, dtype = self.pipe.vae, self.pipe.vae.dtype
        upcast = vae.config.force_upcast and dtype != torch.float32
        try:
            yield vae.float() if upcast else vae
        finally:
            if upcast:
                vae.to(dtype)

    def embed(self, prompts: Sequence[str], negative: Sequence[str] | None) -> PromptEmbeds:
        """Return CLIP's states, padding included."""
        told, against = self.pipe.encode_prompt(
            list(prompts),
            self.device,
            1,
            negative is not None,
            negative_prompt=None if negative is None else list(negative),
        )
        return PromptEmbeds(told, against)

    def frame_clips(self, pixels: Tensor) -> Tensor:
        """Return the latents of every frame as a clip of one frame: those it has in the clip."""
        return as_frames(self.encode(pixels))

    @contextmanager
    def frame_pass(self) -> Iterator[None]:
        """Mask the temporal layers while the block runs: see `dreamix.diffusion.masking`."""
        with ExitStack() as masked:
            for network in self.networks.values():
                masked.enter_context(frame_pass(network))
            yield
