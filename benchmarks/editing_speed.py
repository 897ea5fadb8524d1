"""Seconds of a finetuning step and of a denoising step beside the bare U-Net on the same batch.

    python benchmarks/editing_speed.py [--threads 2]

"Bare" is the U-Net alone: forward (or forward, backward and AdamW) on tensors that are ready.
Further tables: attention as diffusers has it and written out, float32 and bfloat16, clips batched.
Every figure is the median of interleaved repetitions on pretrained weights.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import Tensor

from dreamix.diffusion.finetune import Finetuning, finetune
from dreamix.diffusion.masking import as_frames, frame_pass
from dreamix.diffusion.sampling import sample, time_grid
from dreamix.toybox.cascade.backend import open_toybox
from dreamix.toybox.cascade.model import Model
from dreamix.toybox.cascade.networks import autocast, numbered, patches

REPETITIONS = 7


def medians(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each, taken in turns so that a slow minute hits all."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(REPETITIONS + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if turn:  # the first is for warming up
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(spent) for name, spent in seconds.items()}


def table(title: str, found: dict[str, float], unit: float = 1.0) -> None:
    """Print milliseconds, and the ratio to the first row."""
    print(f"\n| {title} | ms | of the first row |\n|---|--:|--:|")
    first = next(iter(found.values()))
    for name, seconds in found.items():
        print(f"| {name} | {seconds * 1000 / unit:.0f} | {seconds / first:.2f} |", flush=True)


def bare_unet(model: Model, z: Tensor, count: int) -> Callable[[], Tensor]:
    """Return one forward pass of the U-Net on `count` copies of a clip, nothing around it."""
    x = numbered(patches(z)).repeat(count, 1, 1, 1, 1)
    states, pooled = torch.randn(count, 24, 128), torch.randn(count, 128)
    t = torch.full((count,), 500.0)

    def forward() -> Tensor:
        with autocast():
            return model.unet(x, t, states, timestep_cond=pooled).sample

    return forward


def denoising(model: Model, z: Tensor) -> None:
    """One step of guided sampling beside the bare forward pass on a batch of two it needs."""
    bare = bare_unet(model, z, 2)
    with torch.no_grad():
        found = medians(
            {
                "bare U-Net, two clips": bare,
                "our step": lambda: sample(model.guided(["a red ball"], 4.0), z, time_grid(1.0, 1)),
            }
        )
    table("a denoising step with guidance, 16 frames", found)


def finetuning(model: Model, clip: Tensor, steps: int = 4) -> None:
    """A mixed update beside bare forward, backward and AdamW on a clip and 8 frames."""
    weights = {name: value.clone() for name, value in model.unet.state_dict().items()}
    settings = Finetuning(steps=steps)
    generator = torch.Generator().manual_seed(0)
    frames = as_frames(clip)[:8]
    whole, alone = bare_unet(model, clip, 1), bare_unet(model, frames[:1], 8)

    def bare() -> None:
        optimiser = torch.optim.AdamW(model.unet.parameters(), 1e-4, weight_decay=0.0, fused=True)
        for _ in range(steps):
            loss = whole().float().square().mean()
            with frame_pass(model.unet):
                loss = loss + alone().float().square().mean()
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def ours() -> None:
        finetune(model.unet, model.denoiser(["sks"]), clip, settings, generator)

    found = medians({"bare forward, backward, AdamW": bare, "our mixed step": ours})
    model.unet.load_state_dict(weights)
    table("a finetuning step, one clip of 16 frames and 8 frames", found, unit=steps)


def choices(model: Model, clip: Tensor) -> None:
    """What the choices cost: attention, number format, clips in a batch."""

    def with_attention(kind: type, train: bool) -> Callable[[], object]:
        def run() -> None:
            model.unet.set_attn_processor(kind())
            with nullcontext() if train else torch.no_grad():
                out = bare_unet(model, clip, 1)()
                if train:
                    out.float().square().mean().backward()
                    model.unet.zero_grad()
            model.unet.set_attn_processor(AttnProcessor())

        return run

    found = medians(
        {
            "softmax(q k) v as written, forward": with_attention(AttnProcessor, False),
            "torch's fused attention, forward": with_attention(AttnProcessor2_0, False),
            "as written, forward and backward": with_attention(AttnProcessor, True),
            "fused, forward and backward": with_attention(AttnProcessor2_0, True),
        }
    )
    table("attention, one clip of 16 frames", found)
    with torch.no_grad():
        x, t = numbered(patches(clip)), torch.full((1,), 500.0)
        words, pooled = torch.randn(1, 24, 128), torch.randn(1, 128)
        single = lambda: model.unet(x, t, words, timestep_cond=pooled)  # noqa: E731
        found = medians({"bfloat16 autocast": bare_unet(model, clip, 1), "float32": single})
        table("number format, forward, one clip of 16 frames", found)
        for count in (1, 2, 4, 8):
            batch = bare_unet(model, clip, count)
            found = medians({f"{count} clips in a batch, for each clip": batch})
            table("batching, forward", found, unit=count)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    torch.set_num_threads(parser.parse_args().threads)
    model = open_toybox("toybox", None, None).model
    clip = torch.rand((1, 3, 16, 24, 40), generator=torch.Generator().manual_seed(0)) * 2 - 1
    denoising(model, clip)
    finetuning(model, clip)
    choices(model, clip)


if __name__ == "__main__":
    main()
