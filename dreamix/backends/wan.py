"""Wan 2.1 and 2.2: a diffusion transformer with full attention in space and time, flow matching."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from dreamix.backends.family import Defaults, Family, PromptEmbeds
from dreamix.backends.names import Pretrained, Weights
from dreamix.diffusion.guidance import guide

LENGTH = 512  # of a prompt in tokens, as Wan's own pipeline pads it


class Wan(Family):
    """Wan: T5 text, causal autoencoder (4k + 1 frames), one transformer or two experts."""

    name = "Wan"
    pipelines = ("WanPipeline", "WanVideoToVideoPipeline")
    network_name = "transformer"
    separable = False
    joined = False
    masking = (
        "every frame is encoded alone and denoised as a clip of one frame: the causal autoencoder "
        "makes one latent frame of it, in which full attention is attention within the frame"
    )
    departs = (
        "there are no temporal layers to mask or to freeze: both losses train the same weights; a "
        "frame encoded alone is not the latent it has in the clip, where four frames share one"
    )
    lora: ClassVar = {"all": r".*\.attn[12]\.to_(q|k|v|out\.0)"}
    defaults = Defaults(steps=50, guidance=5.0, height=480, width=832, frames=81, fps=16.0)
    pretrained: ClassVar = {
        "wan2.1-1.3b": Pretrained(Weights("Wan-AI/Wan2.1-T2V-1.3B-Diffusers")),
        "wan2.1-14b": Pretrained(Weights("Wan-AI/Wan2.1-T2V-14B-Diffusers")),
        "wan2.2-5b": Pretrained(Weights("Wan-AI/Wan2.2-TI2V-5B-Diffusers")),
        "wan2.2-14b": Pretrained(Weights("Wan-AI/Wan2.2-T2V-A14B-Diffusers")),
    }

    @property
    def networks(self) -> dict[str, Any]:
        """The transformer of much noise and, in Wan 2.2, the one of little."""
        names = ("transformer", "transformer_2")
        found = {name: getattr(self.pipe, name, None) for name in names}
        return {name: network for name, network in found.items() if network is not None}

    @property
    def blocks(self) -> list[Any]:
        """The layers of the transformers."""
        return [block for network in self.networks.values() for block in network.blocks]

    @property
    def latent_dtype(self) -> torch.dtype:
        """Single precision, whatever the network computes in."""
        return torch.float32

    @property
    def frame_multiple(self) -> int:
        """Four frames of pixels become one of latents, after the first."""
        return int(self.pipe.vae_scale_factor_temporal)

    @property
    def size_multiple(self) -> int:
        """The autoencoder's factor times the patch of the transformer."""
        patch = next(iter(self.networks.values())).config.patch_size
        return int(self.pipe.vae_scale_factor_spatial) * max(patch[1:])

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (channels, frames, height, width) of the latents of a clip that is padded."""
        factor = int(self.pipe.vae_scale_factor_spatial)
        latents = (frames - 1) // self.frame_multiple + 1
        return self.pipe.vae.config.z_dim, latents, height // factor, width // factor

    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents of clips, standardised channel by channel."""
        vae = self.pipe.vae
        posterior = vae.encode(pixels.to(self.device, vae.dtype)).latent_dist
        z = posterior.sample(generator) if generator else posterior.mode()
        mean, scale = self._moments(z.float())
        return (z.float() - mean) * scale

    def decode(self, latents: Tensor) -> Tensor:
        """Return the pixels of latents, float32."""
        z = latents.to(self.device, self.pipe.vae.dtype)
        mean, scale = self._moments(z)
        pixels: Tensor = self.pipe.vae.decode(z / scale + mean, return_dict=False)[0]
        return pixels.float()

    def _moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean of every latent channel and one over its deviation."""
        config, shape = self.pipe.vae.config, (1, -1, 1, 1, 1)
        mean = torch.tensor(config.latents_mean).view(shape).to(z)
        return mean, 1.0 / torch.tensor(config.latents_std).view(shape).to(z)

    def embed(self, prompts: Sequence[str], negative: Sequence[str] | None) -> PromptEmbeds:
        """Return UMT5's states; what is beyond a prompt is zero."""
        told, against = self.pipe.encode_prompt(
            prompt=list(prompts),
            negative_prompt=None if negative is None else list(negative),
            do_classifier_free_guidance=negative is not None,
            max_sequence_length=LENGTH,
            device=self.device,
        )
        return PromptEmbeds(
            told.to(self.dtype), None if against is None else against.to(self.dtype)
        )

    def laid_out(self, z: Tensor) -> Tensor:
        """Return latents as Wan's own pipeline has them in memory."""
        return z.contiguous()

    def check_guidance(self, second: float | None) -> None:
        """Raise a `UserError` for a second weight of guidance where one expert denoises."""
        if getattr(self.pipe.config, "boundary_ratio", None) is None:
            super().check_guidance(second)

    def weight(self, timestep: Tensor, first: float, second: float) -> float:
        """Return the weight of guidance of the expert that denoises at a timestep."""
        if first == second:
            return first
        return first if self.experts(timestep[None]) == ["transformer"] else second

    def guided(self, z: Tensor, timesteps: Tensor, words: PromptEmbeds, scale: float) -> Tensor:
        """Return the prediction under guidance: two calls, as Wan's own pipeline makes them."""
        told = self.predict(z, timesteps, words.told)
        if words.against is None:
            return told
        without = self.predict(z, timesteps, words.against)
        return guide(without, told, scale)

    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the flow eps - x, of the expert whose noise levels each clip is of."""
        experts = self.experts(timesteps)
        if len(set(experts)) == 1:
            return self._call(experts[0], z, timesteps, told)
        parts: dict[int, Tensor] = {}
        for rows in self.turns(timesteps):
            out = self._call(experts[rows[0]], z[rows], timesteps[rows], told[rows])
            parts.update(zip(rows, out, strict=True))
        return torch.stack([parts[row] for row in range(len(z))])

    def turns(self, timesteps: Tensor) -> list[list[int]]:
        """Return which clips of a batch each expert predicts, expert by expert."""
        experts = self.experts(timesteps)
        rows = [[i for i, expert in enumerate(experts) if expert == name] for name in self.networks]
        return [each for each in rows if each]

    def experts(self, timesteps: Tensor) -> list[str]:
        """Return the network that denoises at each timestep: Wan 2.2 changes it at a boundary."""
        share = getattr(self.pipe.config, "boundary_ratio", None)
        if share is None:
            return [next(iter(self.networks))] * len(timesteps)
        boundary = share * self.pipe.scheduler.config.num_train_timesteps
        return ["transformer" if t >= boundary else "transformer_2" for t in timesteps.tolist()]

    def _call(self, name: str, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        network = self.networks[name]
        if getattr(self.pipe.config, "expand_timesteps", False):  # Wan 2.2 5B: one for every token
            _, high, wide = network.config.patch_size
            tokens = z.shape[2] * (z.shape[3] // high) * (z.shape[4] // wide)
            timesteps = timesteps[:, None].expand(-1, tokens)
        prediction: Tensor = network(
            hidden_states=z.to(self.dtype),
            timestep=timesteps,
            encoder_hidden_states=told,
            return_dict=False,
        )[0]
        return prediction
