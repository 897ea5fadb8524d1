"""Both public implementations of Plug-and-Play, written down by hand for tests.

They replace the forward functions of the layers, as pnp-diffusers does, on a network of Stable
Diffusion's shape with few and random weights.
"""

from collections.abc import Callable
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tiny_cascade import randomised
from tiny_pipelines import WORDS, clip_encoder, clip_tokenizer, frame_vae, quiet
from torch import Tensor, nn

from dreamix.backends.image_injection import InjectionEmbeds, PictureEdit

LAYERS = {1: (1, 2), 2: (0, 1, 2), 3: (0, 1, 2)}  # pnp-diffusers, register_attention_control
SHORT = 20  # timesteps of a model that is inverted through all of them
PROMPT, CAPTION = "a dog", "a cat"


def tiny_sd(prediction: str = "epsilon", timesteps: int = 1000) -> StableDiffusionPipeline:
    """Stable Diffusion's classes and layout of blocks, 8 to 16 channels wide."""
    unet = UNet2DConditionModel(
        block_out_channels=(8, 8, 16, 16),
        cross_attention_dim=WORDS,
        attention_head_dim=4,
        norm_num_groups=4,
        sample_size=16,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction,
        num_train_timesteps=timesteps,
    )
    parts = (frame_vae(), clip_encoder(), clip_tokenizer(), randomised(unet, seed=5), scheduler)
    return quiet(StableDiffusionPipeline(*parts, None, None, requires_safety_checker=False))


def short_sd() -> StableDiffusionPipeline:
    """The same with few timesteps."""
    return tiny_sd(timesteps=SHORT)


def latents(count: int = 2, size: int = 16) -> Tensor:
    return torch.randn((count, 4, size, size), generator=torch.Generator().manual_seed(0))


def words(pipe: Any, negative: str = CAPTION, target: str = PROMPT) -> InjectionEmbeds:
    texts = ("", negative, target)
    return InjectionEmbeds(*(pipe.encode_prompt(text, pipe.device, 1, False)[0] for text in texts))


def plan(like_official: bool, **changes: Any) -> PictureEdit:
    """Four steps of SHORT; features injected for one step more than queries and keys."""
    kind = (lambda share: share) if like_official else (lambda _: 1.0)
    made = PictureEdit(4, SHORT - 1, 3, 2, 7.5, kind, like_official)
    return made._replace(**changes)


class Features:
    """What layers compute: recorded, put back, or copied from the first part of a batch."""

    def __init__(self) -> None:
        self.doing, self.step, self.held = "", 0, {}  # type: ignore[var-annotated]

    def __call__(self, layer: Any, h: Tensor, steps: int) -> Tensor:
        """Return h; the source's for the first `steps` steps."""
        if self.doing == "record":
            self.held[layer, self.step] = h
        elif self.doing == "put back" and self.step < steps:
            return self.held[layer, self.step].repeat(2, *[1] * (h.ndim - 1))
        elif self.doing == "copy" and self.step < steps:
            source = len(h) // 3
            h[source : 2 * source] = h[:source]
            h[2 * source :] = h[:source]
        return h


class Attention:
    """Self-attention by hand, whose queries and keys the features go through."""

    def __init__(self, features: Features, steps: int) -> None:
        self.features, self.steps = features, steps

    def __call__(self, attention: Any, x: Tensor, *_: Any, **__: Any) -> Tensor:
        q = self.features((attention, "q"), attention.to_q(x), self.steps)
        k = self.features((attention, "k"), attention.to_k(x), self.steps)
        q, k, v = (attention.head_to_batch_dim(each) for each in (q, k, attention.to_v(x)))
        weights = (q @ k.transpose(1, 2) * attention.scale).softmax(dim=-1)
        out: Tensor = attention.to_out[0](attention.batch_to_head_dim(weights @ v))
        return out


def residual(block: Any, features: Features, steps: int) -> Callable[..., Tensor]:
    """The forward function of a residual block, its features replaced before the shortcut."""

    def forward(x: Tensor, embedding: Tensor, *_: Any, **__: Any) -> Tensor:
        h = block.conv1(nn.functional.silu(block.norm1(x)))
        h = h + block.time_emb_proj(nn.functional.silu(embedding))[:, :, None, None]
        h = features(block, block.conv2(nn.functional.silu(block.norm2(h))), steps)
        return (block.conv_shortcut(x) if block.conv_shortcut is not None else x) + h

    return forward


def replaced(pipe: Any, edit: PictureEdit) -> Features:
    """Replace the forward functions of the injected layers; return what they go through."""
    features = Features()
    block = pipe.unet.up_blocks[1].resnets[1]
    block.forward = residual(block, features, edit.feature_steps)
    for up, places in LAYERS.items():
        for place in places:
            layer = pipe.unet.up_blocks[up].attentions[place].transformer_blocks[0].attn1
            layer.set_processor(Attention(features, edit.attention_steps))
    return features


def pnp_diffusers(z0: Tensor, edit: PictureEdit) -> Tensor:
    """preprocess.py and pnp.py of pnp-diffusers, in single precision."""
    pipe = short_sd()
    scheduler, told, features = pipe.scheduler, words(pipe), replaced(pipe, edit)
    scheduler.set_timesteps(SHORT - 1)
    saved, x, abar = {}, z0, scheduler.alphas_cumprod
    up = [int(t) for t in reversed(scheduler.timesteps)]
    nothing = told.nothing.expand(len(x), -1, -1)
    for i, t in enumerate(up):
        before = abar[up[i - 1]] if i > 0 else scheduler.final_alpha_cumprod
        eps = pipe.unet(x, t, encoder_hidden_states=nothing).sample
        x0 = (x - (1 - before) ** 0.5 * eps) / before**0.5
        x = abar[t] ** 0.5 * x0 + (1 - abar[t]) ** 0.5 * eps
        saved[t] = x
    scheduler.set_timesteps(edit.steps)
    x, features.doing = saved[int(scheduler.timesteps[0])], "copy"
    spoken = torch.cat(
        [w.expand(len(x), -1, -1) for w in (told.nothing, told.negative, told.target)]
    )
    for i, t in enumerate(scheduler.timesteps):
        features.step = i
        batch = torch.cat([saved[int(t)], x, x])
        _, against, target = pipe.unet(batch, t, encoder_hidden_states=spoken).sample.chunk(3)
        x = scheduler.step(against + edit.guidance * (target - against), t, x).prev_sample
    return x


def official(z0: Tensor, edit: PictureEdit) -> Tensor:
    """encode_ddim, run_features_extraction.py and run_pnp.py of the authors, single precision.

    Up through every timestep from 0, the network told the one it leaves; from there down through
    every one, where features are recorded at those of the edit; the edit begins at the very top.
    """
    pipe = short_sd()
    told, features, abar = words(pipe), replaced(pipe, edit), pipe.scheduler.alphas_cumprod
    nothing, negative, target = (w.expand(len(z0), -1, -1) for w in told)
    steps = [1 + i * (SHORT // edit.steps) for i in range(edit.steps)][::-1]

    def ddim(x: Tensor, eps: Tensor, now: Tensor, to: Tensor) -> Tensor:
        return to**0.5 * (x - (1 - now) ** 0.5 * eps) / now**0.5 + (1 - to) ** 0.5 * eps

    x = z0
    for t in range(SHORT - 1):
        eps = pipe.unet(x, t, encoder_hidden_states=nothing).sample
        x = ddim(x, eps, abar[t], abar[t + 1])
    start = x
    for t in range(SHORT - 1, 0, -1):
        features.doing = "record" if t in steps else ""
        features.step = steps.index(t) if t in steps else 0
        eps = pipe.unet(x, t, encoder_hidden_states=nothing).sample
        x = ddim(x, eps, abar[t], abar[t - 1])
    x, features.doing = start, "put back"
    for i, t in enumerate(steps):
        features.step, a = i, 1 - i / (len(steps) - 1)
        two, first = torch.cat([x, x]), torch.cat([negative, nothing])
        against, empty = pipe.unet(two, t, encoder_hidden_states=first).sample.chunk(2)
        second = torch.cat([nothing, target])
        empty, wanted = pipe.unet(two, t, encoder_hidden_states=second).sample.chunk(2)
        base = a * empty + (1 - a) * against
        to = abar[steps[i + 1]] if i + 1 < len(steps) else abar[0]
        x = ddim(x, base + edit.guidance * (wanted - base), abar[t], to)
    return x
