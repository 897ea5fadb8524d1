"""Finetuning a family on one clip: the two losses of Dreamix, by adapters or all weights."""

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dreamix.backends.adapters import add_adapter, own_weights
from dreamix.backends.family import Family
from dreamix.backends.frames import lengthened, nearest_size, pictures_of, size_asked, to_pixels
from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.diffusion.adapting import LossPart, Training, adapt, checkpointed, only_trained
from dreamix.diffusion.objectives import draw
from dreamix.diffusion.settings import Finetuning

RATES = {"adapter": 2e-4, "full": 1e-5}  # ours; of what others report for adapters and whole models


class Tuned(NamedTuple):
    """What a finetuning did: the losses of every update by name, and the time it took."""

    losses: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True)
class Tuning:
    """How a pipeline is finetuned; see `DreamixPipeline.finetune`."""

    prompts: Sequence[str]
    settings: Finetuning
    rank: int | None
    where: str
    checkpointing: bool
    optimiser: str
    precision: str
    size: tuple[int | None, int | None] = (None, None)


class ClipLatents(NamedTuple):
    """Latents of a clip, on the family's device."""

    video: Tensor  # (1, C, F, H, W)
    frames: Tensor  # every frame as a clip of one: (M, C, 1, H, W)


def tune(
    family: Family,
    video: object,
    tuning: Tuning,
    generator: torch.Generator,
    progress: Progress | None = None,
) -> Tuned:
    """Train the family's networks, or adapters put into them, on a clip."""
    began = time.perf_counter()
    family.check_choice(tuning.where)
    if tuning.where == "temporal" and tuning.settings.alpha == 0:
        raise UserError("frames-only finetuning (alpha=0) trains no temporal layer")
    clip = encoded(family, video, tuning)
    with torch.no_grad():
        words = family.embed(tuning.prompts, None).told
    networks = list(family.networks.values())
    trained = trainable(family, tuning, generator)
    half = family.dtype == torch.float16  # its gradients need the scaler that fp16 brings
    precision = "fp16" if half else tuning.precision
    training = Training(tuning.optimiser, precision, family.device.type)
    blocks = family.blocks if tuning.checkpointing else []
    try:
        with only_trained(networks, trained), checkpointed(blocks):
            parts = objective(family, clip, words, tuning.settings)
            history = adapt(trained, parts, tuning.settings, generator, training, progress)
    finally:
        family.pipe.maybe_free_model_hooks()
    return Tuned(history, time.perf_counter() - began)


def encoded(family: Family, video: object, tuning: Tuning) -> ClipLatents:
    """Return the latents of a clip and of its frames; what no loss needs is left empty."""
    pictures = pictures_of(video)
    height, width = size_asked(tuning.size, nearest_size(pictures[0], family.size_multiple))
    family.check_clip(len(pictures) if tuning.settings.alpha else 1, height, width)
    return latents_of(family, to_pixels(pictures, height, width), tuning.settings.alpha)


@torch.no_grad()
def latents_of(family: Family, pixels: Tensor, alpha: float) -> ClipLatents:
    """Return the same of a clip that is pixels already: (1, 3, F, H, W) in -1..1."""
    none = torch.empty(0)
    whole = lengthened(pixels, family.padded(pixels.shape[2]))
    return ClipLatents(
        family.encode(whole).to(family.device) if alpha > 0 else none,
        family.frame_clips(pixels).to(family.device) if alpha < 1 else none,
    )


def trainable(family: Family, tuning: Tuning, generator: torch.Generator) -> list[nn.Parameter]:
    """Return the weights to train: those of new adapters, or the networks' own if rank is None."""
    if tuning.rank is None:
        if family.dtype == torch.float16:
            raise UserError("all weights are finetuned in float32 or bfloat16, not in float16")
        own = {id(p) for network in family.networks.values() for p in own_weights(network)}
        chosen = family.chosen(tuning.where).values()
        return [weight for weights in chosen for weight in weights if id(weight) in own]
    if tuning.rank < 1:
        raise UserError(f"the rank of an adapter is 1 or more, not {tuning.rank}")
    targets = family.lora[tuning.where]
    return [
        weight
        for network in family.networks.values()
        for weight in add_adapter(network, tuning.rank, targets, generator)
    ]


def objective(
    family: Family, clip: ClipLatents, words: Tensor, settings: Finetuning
) -> list[LossPart]:
    """Return both terms of Eq. 3; each draw takes one of the prompts by chance."""
    alpha = settings.alpha
    on_clip = partial(losses, family, clip.video, words, len(clip.video))
    on_frames = partial(losses, family, clip.frames, words, settings.frames)
    return [
        LossPart("video", alpha, on_clip, nullcontext),
        LossPart("frames", 1 - alpha, on_frames, family.frame_pass),
    ]


def losses(
    family: Family, clips: Tensor, words: Tensor, count: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield terms of the mean of (prediction - target)^2 over `count` of the clips, for one draw.

    A term for each network that predicts some of them: where networks come and go with offloading,
    the gradient of one is computed before the next is called.
    """
    chosen = torch.randperm(len(clips), generator=generator)[:count]
    prompt = int(torch.randint(len(words), (1,), generator=generator))
    noisy, target, timesteps = draw(family.pipe.scheduler, clips[chosen].float(), generator)
    told = words[prompt : prompt + 1].expand(len(chosen), *words.shape[1:])
    for rows in family.turns(timesteps):
        seen, aim = noisy[rows].to(family.latent_dtype), target[rows]
        prediction = family.predict(seen, timesteps[rows], told[rows])
        term = (prediction.float() - aim).square().mean()
        yield term if len(seen) == len(noisy) else term * (len(seen) / len(noisy))
