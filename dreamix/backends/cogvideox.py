"""CogVideoX 2B and 5B: a transformer in which text and all frames attend to each other."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers import CogVideoXDPMScheduler
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from dreamix.backends.family import Defaults, Family, Generators, PromptEmbeds, Stepper, accepted
from dreamix.backends.names import Pretrained, Weights
from dreamix.core.errors import UserError


class CogVideoX(Family):
    """CogVideoX: T5 text, causal autoencoder, v-prediction. The network takes (B, F, C, H, W)."""

    name = "CogVideoX"
    pipelines = ("CogVideoXPipeline", "CogVideoXVideoToVideoPipeline")
    network_name = "transformer"
    separable = False
    masking = (
        "every frame is encoded alone and denoised as a clip of one frame: the causal autoencoder "
        "makes one latent frame of it, and text and that frame attend to each other"
    )
    departs = (
        "there are no temporal layers to mask or to freeze: both losses train the same weights; a "
        "frame encoded alone is not the latent it has in the clip, where four frames share one; "
        "it stands at the place of the first frame"
    )
    lora: ClassVar = {"all": r".*\.attn1\.to_(q|k|v|out\.0)"}
    defaults = Defaults(steps=50, guidance=6.0, height=480, width=720, frames=49)
    pretrained: ClassVar = {
        "cogvideox-2b": Pretrained(Weights("zai-org/CogVideoX-2b")),
        "cogvideox-5b": Pretrained(Weights("zai-org/CogVideoX-5b")),
    }

    def __init__(self, pipe: object) -> None:
        super().__init__(pipe)
        self._turned: dict[Any, Any] = {}  # rotary embeddings by the place and size of latents
        if self.pipe.transformer.config.patch_size_t is not None:
            raise UserError(
                "CogVideoX 1.5 joins two latent frames in a patch, so that no frame can be seen "
                "alone: use CogVideoX 2B or 5B"
            )

    @property
    def blocks(self) -> list[Any]:
        """The layers of the transformer."""
        return list(self.pipe.transformer.transformer_blocks)

    @property
    def frame_multiple(self) -> int:
        """Eight: an even count of latent frames is decoded to 4n frames, not to 4(n - 1) + 1."""
        return 2 * int(self.pipe.vae_scale_factor_temporal)

    @property
    def size_multiple(self) -> int:
        """The autoencoder's factor times the patch of the transformer."""
        return int(self.pipe.vae_scale_factor_spatial * self.pipe.transformer.config.patch_size)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (channels, frames, height, width) of the latents of a clip that is padded."""
        factor = int(self.pipe.vae_scale_factor_spatial)
        latents = (frames - 1) // int(self.pipe.vae_scale_factor_temporal) + 1
        return self.pipe.vae.config.latent_channels, latents, height // factor, width // factor

    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents of clips, times the autoencoder's scale."""
        vae = self.pipe.vae
        posterior = vae.encode(pixels.to(self.device, vae.dtype)).latent_dist
        z = posterior.sample(generator) if generator else posterior.mode()
        return (self.pipe.vae_scaling_factor_image * z).float()

    def decode(self, latents: Tensor) -> Tensor:
        """Return the pixels of latents, float32."""
        z = latents.to(self.device, self.pipe.vae.dtype)
        pixels: Tensor = self.pipe.vae.decode(1 / self.pipe.vae_scaling_factor_image * z).sample
        return pixels.float()

    def embed(self, prompts: Sequence[str], negative: Sequence[str] | None) -> PromptEmbeds:
        """Return T5's states, padding included."""
        told, against = self.pipe.encode_prompt(
            list(prompts),
            None if negative is None else list(negative),
            negative is not None,
            max_sequence_length=self.pipe.transformer.config.max_text_seq_length,
            device=self.device,
        )
        return PromptEmbeds(told, against)

    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the prediction v, in single precision."""
        frames = z.transpose(1, 2).to(self.dtype)
        prediction: Tensor = self.pipe.transformer(
            hidden_states=frames,
            encoder_hidden_states=told,
            timestep=timesteps,
            image_rotary_emb=self._rotary(frames.shape[1], *z.shape[3:]),
            return_dict=False,
        )[0]
        return prediction.float().transpose(1, 2)

    def _rotary(self, frames: int, height: int, width: int) -> Any:
        """Return the rotary embeddings of latents of a size, computed once; None in 2B."""
        if not self.pipe.transformer.config.use_rotary_positional_embeddings:
            return None
        place = (frames, height, width, self.device)
        if place not in self._turned:
            factor = self.pipe.vae_scale_factor_spatial
            self._turned[place] = self.pipe._prepare_rotary_positional_embeddings(
                factor * height, factor * width, frames, self.device
            )
        return self._turned[place]

    def draw(self, shape: Sequence[int], generator: Generators) -> Tensor:
        """Return standard normal noise, drawn frame by frame."""
        batch, channels, frames, height, width = shape
        drawn = (batch, frames, channels, height, width)
        return randn_tensor(drawn, generator, self.device, self.latent_dtype).transpose(1, 2)

    def stepper(self, generator: Generators, eta: float) -> Stepper:
        """Return a function that takes steps; the DPM solver remembers its last x0."""
        scheduler = self.pipe.scheduler
        options = accepted(scheduler.step, eta=eta, generator=generator)
        if not isinstance(scheduler, CogVideoXDPMScheduler):
            plain = super().stepper(generator, eta)
            return lambda i, prediction, z: _framewise(plain, i, prediction, z).to(self.dtype)
        last: list[Any] = [None, None]  # its x0 and its timestep

        def step(i: int, prediction: Tensor, z: Tensor) -> Tensor:
            nonlocal last
            t = scheduler.timesteps[i]
            x0, before = last
            cleaner, x0 = scheduler.step(prediction, x0, t, before, z, **options)
            last = [x0, t]
            return cleaner

        return lambda i, prediction, z: _framewise(step, i, prediction, z).to(self.dtype)


def _framewise(step: Stepper, i: int, prediction: Tensor, z: Tensor) -> Tensor:
    """Return a step taken on (B, F, C, H, W), in which order the solver draws its noise."""
    return step(i, prediction.transpose(1, 2), z.transpose(1, 2)).transpose(1, 2)
