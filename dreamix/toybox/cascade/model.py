"""A text-to-video model: U-Net and text encoder, as denoisers of `dreamix.diffusion`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from diffusers import UNet3DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from dreamix.diffusion.denoiser import Denoiser, guided
from dreamix.diffusion.masking import frame_pass
from dreamix.toybox.cascade.networks import autocast, native_bfloat16, predict
from dreamix.toybox.cascade.text import encoded


class Model:
    """The base model, pretrained or finetuned. Denoisers of it take clips (B, 3, F, 24, 40)."""

    def __init__(self, unet: UNet3DConditionModel, encoder: CLIPTextModel) -> None:
        self.unet = unet.eval()
        self.encoder = encoder.eval().requires_grad_(False)

    def denoiser(self, prompts: Sequence[str], *, together: bool = False) -> Denoiser:
        """Return x0 given prompts, which share the batch out in equal runs of clips.

        Without native bfloat16 clips are seen one by one, unless gradients are wanted: products in
        single precision depend in their last bits on what shares the batch. `together` is for
        layers that hand something on from one clip of the batch to another.
        """
        states, pooled = encoded(self.encoder, prompts)

        def denoise(z: Tensor, t: Tensor) -> Tensor:
            each = len(z) // len(prompts)
            batch = z, t, states.repeat_interleave(each, 0), pooled.repeat_interleave(each, 0)
            whole = together or native_bfloat16() or torch.is_grad_enabled()
            parts = [batch] if whole else zip(*(given.split(1) for given in batch), strict=True)
            with autocast(z.shape[2]):
                found = [predict(self.unet, clip, at, (s, p)) for clip, at, s, p in parts]
            return torch.cat(found)

        return denoise

    def guided(self, prompts: Sequence[str], scale: float) -> Denoiser:
        """Return the denoiser of prompts, one a clip, under classifier-free guidance."""
        if scale == 1:
            told = self.denoiser(prompts)
            return lambda z, t: told(z, t).clamp(-1, 1)
        return guided(self.denoiser([""] * len(prompts) + list(prompts)), scale)

    @contextmanager
    def image_model(self) -> Iterator[None]:
        """Make it a model of single pictures, clips of one frame, while the block runs."""
        with frame_pass(self.unet):
            yield

    @property
    def feature_layers(self) -> list[nn.Module]:
        """The layer whose output Plug-and-Play injects: ours, by analogy.

        The last convolution of the last residual block on the coarser of two levels, as
        up_blocks[1].resnets[1].conv2 is on the second coarsest of four in Stable Diffusion.
        """
        return [self.unet.up_blocks[0].resnets[1].conv2]

    @property
    def attention_layers(self) -> list[nn.Module]:
        """The queries and keys of self-attention on the way up, from that block on."""
        coarse, fine = self.unet.up_blocks
        blocks = [coarse.attentions[1], *fine.attentions]
        attentions = [block.transformer_blocks[0].attn1 for block in blocks]
        return [layer for attention in attentions for layer in (attention.to_q, attention.to_k)]
