"""Two pipelines in a row: what the first makes, the second makes larger. zeroscope and its XL.

As in the cascade of the paper, the second stage sees what the first made and the prompt, never the
source: the first stage's clip is enlarged, noised to a level and denoised. zeroscope_v2_XL is made
for that (1024x576 from 576x320, with a `strength` of 0.66 to 0.85, as its authors say); strength
0.7 of 50 steps is noise level 0.95 on its schedule, which is the default here. The second stage is
not finetuned: which stages the paper finetunes is not known.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamix.backends.base import spec_of
from dreamix.backends.family import Family, Generators
from dreamix.backends.hub import local_folder
from dreamix.backends.names import LARGER, Offer, Weights
from dreamix.backends.pipeline import DreamixOutput, DreamixPipeline
from dreamix.backends.pipeline_backend import PipelineBackend, precision
from dreamix.backends.unet3d import ZEROSCOPE
from dreamix.core.errors import UserError
from dreamix.diffusion.levels import StartStep

NOISE = 0.95
_OWN = ("first", "second", "finetune", "reset", "save_adapter", "load_adapter")


class Cascade:
    """A `DreamixPipeline` and the one that enlarges what it makes; finetuning is of the first.

    pipe = Cascade.from_pretrained("zeroscope", "cerspense/zeroscope_v2_XL").to("cuda")
    frames = pipe("a bear dancing", video="monkey.mp4", noise_scale=0.8).frames[0]
    """

    def __init__(self, first: DreamixPipeline, second: DreamixPipeline) -> None:
        self.first, self.second = first, second
        self.finetune, self.reset = first.finetune, first.reset
        self.save_adapter, self.load_adapter = first.save_adapter, first.load_adapter

    def __setattr__(self, name: str, value: object) -> None:
        """Set what a cascade has; a part of a pipeline is set on its stage."""
        if name not in _OWN and not hasattr(type(self), name):
            raise AttributeError(
                f"a Cascade has no attribute {name!r}: set it on a stage, cascade.first or .second"
            )
        super().__setattr__(name, value)

    @classmethod
    def from_pretrained(cls, name: str | Path, second: str | Path, **options: Any) -> "Cascade":
        """Return two pipelines by hub name, short name or folder; `options` are diffusers' own."""
        loaded = (DreamixPipeline.from_pretrained(each, **options) for each in (name, second))
        return cls(*loaded)

    @property
    def family(self) -> Family:
        """The family of the first stage."""
        return self.first.family

    @property
    def last_start(self) -> StartStep | None:
        """Where the first stage began to denoise."""
        return self.first.last_start

    def to(self, *args: Any, **options: Any) -> "Cascade":
        """Move or cast both; return the same cascade."""
        self.first.to(*args, **options)
        self.second.to(*args, **options)
        return self

    def enable_model_cpu_offload(self) -> None:
        """Keep on the accelerator only the part that works, of either stage."""
        self.first.enable_model_cpu_offload()
        self.second.enable_model_cpu_offload()

    def enable_vae_tiling(self) -> None:
        """Let both autoencoders work tile by tile."""
        self.first.enable_vae_tiling()
        self.second.enable_vae_tiling()

    def set_progress_bar_config(self, **options: Any) -> None:
        """Set up the bars of the denoising steps, as with diffusers."""
        self.first.set_progress_bar_config(**options)
        self.second.set_progress_bar_config(**options)

    def __call__(
        self,
        prompt: str | Sequence[str],
        video: object = None,
        *,
        second_noise_scale: float = NOISE,
        larger: float = LARGER,
        generator: Generators = None,
        output_type: str = "pil",
        **options: Any,
    ) -> DreamixOutput:
        """Return an enlarged clip for every prompt; other arguments are `DreamixPipeline`'s.

        second_noise_scale: noise level the enlarged clip gets; 0 gives the reconstruction of it.
        larger: how many times as high and wide, to the nearest size that the model takes.
        generator: one, or one for every prompt; both stages draw from it, the first one first.
        """
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        own = generator if isinstance(generator, list) else [generator] * len(prompts)
        if len(own) != len(prompts):
            raise UserError(f"{len(prompts)} prompts need as many generators, or one")
        made = self.first(prompts, video, generator=generator, output_type="pt", **options)
        shared = {k: v for k, v in options.items() if k in ("guidance_scale", "eta")}
        frames = [
            self.second(
                words,
                enlarged(clip, larger, self.second.family.size_multiple),
                noise_scale=second_noise_scale,
                num_inference_steps=options.get("num_inference_steps"),
                generator=draws,
                output_type=output_type,
                **shared,
            ).frames[0]
            for words, clip, draws in zip(prompts, made.frames, own, strict=True)
        ]
        kept = torch.stack(frames) if isinstance(frames[0], Tensor) else frames
        return DreamixOutput(kept, made.start)


def enlarged(clip: Tensor, times: float, multiple: int) -> Tensor:
    """Return a clip (frames, 3, height, width) in 0..1, bicubically enlarged to such multiples."""
    size = [round(side * times / multiple) * multiple for side in clip.shape[-2:]]
    large = torch.nn.functional.interpolate(clip.float(), size, mode="bicubic", antialias=True)
    return large.clamp(0, 1)


class CascadeBackend(PipelineBackend):
    """Two pipelines as a backend; size and frames are those of the first stage."""

    def __init__(
        self,
        name: str,
        first: Weights,
        second: Weights,
        size: tuple[int, int, int | None] | None,
        cache: Path | None,
    ) -> None:
        super().__init__(name, first, size, cache)
        self._second = second

    @cached_property
    def folders(self) -> list[Path]:
        """Where the weights of both stages are."""
        return [local_folder(self._weights.hub), local_folder(self._second.hub)]

    @property
    def usual(self) -> dict[str, Any]:
        """Steps and guidance of the first stage's own pipeline."""
        return self._usual(self.folders[0])

    @cached_property
    def dreamix(self) -> Any:
        """Both pipelines, loaded at their first use, on the accelerator if there is one."""
        options = {"torch_dtype": precision(), "local_files_only": True}
        loaded = Cascade.from_pretrained(*self.folders, **options)
        return self._placed(loaded)


def open_cascade(name: str, weights: Path | None, cache: Path | None) -> CascadeBackend:
    """Return a cascade by short name."""
    spec = spec_of(name)
    if weights:
        raise UserError(f"backend {spec.kind} has two sets of weights: name no other for them")
    first, second = OFFER.pretrained[spec.kind].stages
    return CascadeBackend(name, first, second, spec.size, cache)


OFFER = Offer(
    open_cascade,
    {"zeroscope-xl": ZEROSCOPE._replace(second=Weights("cerspense/zeroscope_v2_XL"))},
)
