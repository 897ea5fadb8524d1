"""LTX-Video: a transformer with full attention over few, wide tokens, and flow matching."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from dreamix.backends.family import Defaults, Family, PromptEmbeds, accepted
from dreamix.backends.names import Pretrained, Weights
from dreamix.core.errors import UserError
from dreamix.diffusion.objectives import log_shift


class LTX(Family):
    """LTX-Video: T5 text with its mask, causal encoder (8k + 1 frames), tokens of one latent."""

    name = "LTX-Video"
    pipelines = ("LTXPipeline",)
    network_name = "transformer"
    separable = False
    masking = (
        "every frame is encoded alone and denoised as a clip of one frame: the causal encoder "
        "makes one latent frame of it, in which full attention is attention within the frame"
    )
    departs = (
        "there are no temporal layers to mask or to freeze: both losses train the same weights; a "
        "frame encoded alone is not the latent it has in the clip, where eight frames share one"
    )
    lora: ClassVar = {"all": r".*\.attn[12]\.to_(q|k|v|out\.0)"}
    defaults = Defaults(steps=50, guidance=3.0, height=512, width=704, frames=161, fps=25.0)
    pretrained: ClassVar = {"ltx-2b": Pretrained(Weights("Lightricks/LTX-Video"))}

    def __init__(self, pipe: object) -> None:
        super().__init__(pipe)
        if self.pipe.vae.config.timestep_conditioning:
            raise UserError(
                "this LTX-Video decodes with noise of its own (0.9.1 and later), which is not "
                "supported: use Lightricks/LTX-Video"
            )

    @property
    def blocks(self) -> list[Any]:
        """The layers of the transformer."""
        return list(self.pipe.transformer.transformer_blocks)

    @property
    def latent_dtype(self) -> torch.dtype:
        """Single precision, whatever the network computes in."""
        return torch.float32

    @property
    def frame_multiple(self) -> int:
        """Eight frames of pixels become one of latents, after the first."""
        return int(self.pipe.vae_temporal_compression_ratio)

    @property
    def size_multiple(self) -> int:
        """The autoencoder's factor times the patch of the transformer."""
        patch = self.pipe.transformer_spatial_patch_size
        return int(self.pipe.vae_spatial_compression_ratio * patch)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (channels, frames, height, width) of the latents of a clip that is padded."""
        factor = int(self.pipe.vae_spatial_compression_ratio)
        latents = (frames - 1) // self.frame_multiple + 1
        return self.pipe.transformer.config.in_channels, latents, height // factor, width // factor

    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents of clips, standardised channel by channel."""
        vae = self.pipe.vae
        posterior = vae.encode(pixels.to(self.device, vae.dtype)).latent_dist
        z = posterior.sample(generator) if generator else posterior.mode()
        return self.pipe._normalize_latents(
            z.float(), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        )

    def decode(self, latents: Tensor) -> Tensor:
        """Return the pixels of latents, float32."""
        vae = self.pipe.vae
        z = self.pipe._denormalize_latents(
            latents.to(self.device), vae.latents_mean, vae.latents_std, vae.config.scaling_factor
        )
        pixels: Tensor = vae.decode(z.to(vae.dtype), None, return_dict=False)[0]
        return pixels.float()

    def embed(self, prompts: Sequence[str], negative: Sequence[str] | None) -> PromptEmbeds:
        """Return T5's states; the last channel is 1 where there is a token, 0 at padding."""
        told, mask, against, without = self.pipe.encode_prompt(
            prompt=list(prompts),
            negative_prompt=None if negative is None else list(negative),
            do_classifier_free_guidance=negative is not None,
            device=self.device,
        )
        return PromptEmbeds(
            _masked(told, mask), None if against is None else _masked(against, without)
        )

    def states(self, words: Tensor) -> Tensor:
        """Return T5's states without the channel that is the mask."""
        return words[..., :-1]

    def reworded(self, states: Tensor, words: Tensor) -> Tensor:
        """Return other states under the mask that the prompts have."""
        return torch.cat([states, words[..., -1:]], dim=-1)

    def laid_out(self, z: Tensor) -> Tensor:
        """Return latents as they are unpacked: the network reads tokens, not layouts."""
        return z.contiguous()

    def set_steps(self, steps: int, shape: Sequence[int]) -> None:
        """Set the schedule, which is shifted the further the more tokens the clip has."""
        scheduler = self.pipe.scheduler
        mu = log_shift(scheduler.config, int(np.prod(shape[1:])))
        sigmas = np.linspace(1.0, 1 / steps, steps)
        options = accepted(scheduler.set_timesteps, sigmas=sigmas, mu=mu)
        scheduler.set_timesteps(steps, device=self.device, **options)

    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the flow eps - x, in single precision."""
        pipe, (_, _, frames, height, width) = self.pipe, z.shape
        patch = (pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size)
        factor = pipe.vae_spatial_compression_ratio
        prediction: Tensor = pipe.transformer(
            hidden_states=pipe._pack_latents(z.to(self.dtype), *patch).contiguous(),
            encoder_hidden_states=told[..., :-1].contiguous(),
            timestep=timesteps,
            encoder_attention_mask=told[..., -1],
            num_frames=frames,
            height=height,
            width=width,
            rope_interpolation_scale=(self.frame_multiple / self.defaults.fps, factor, factor),
            return_dict=False,
        )[0]
        unpacked: Tensor = pipe._unpack_latents(prediction.float(), frames, height, width, *patch)
        return unpacked


def _masked(states: Tensor, mask: Tensor) -> Tensor:
    """Return a prompt's states with its mask as one more channel."""
    return torch.cat([states, mask[..., None].to(states)], dim=-1)
