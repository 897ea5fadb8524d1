"""`DreamixPipeline`: Dreamix on a video model of diffusers, used as diffusers' pipelines are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamix.backends.arguments import (
    count_of,
    factors_of,
    generators_of,
    negatives_of,
    number_of,
    number_or_none,
    prompts_of,
    size_of,
)
from dreamix.backends.callbacks import Callback, called_with
from dreamix.backends.editing import Request, edited
from dreamix.backends.family import Generators
from dreamix.backends.finetuned import FinetunedState
from dreamix.backends.hub import load_pipeline
from dreamix.backends.surface import Surface
from dreamix.backends.tuning import RATES, Tuned, Tuning, tune
from dreamix.core.progress import Progress
from dreamix.diffusion.levels import StartStep
from dreamix.diffusion.settings import Finetuning

RARE = "sks"  # the rare string of DreamBooth's public implementations; the paper's is not known
FILES = ("pytorch_lora_weights.safetensors", "pytorch_lora_weights_2.safetensors")


@dataclass(frozen=True)
class DreamixOutput:
    """What a call made: `frames`, a clip for every prompt, and where denoising started."""

    frames: Any
    start: StartStep


class DreamixPipeline(Surface):
    """Dreamix over a loaded diffusers pipeline, `pipe`, of a family this toolkit knows.

        pipe = DreamixPipeline.from_pretrained("Wan-AI/Wan2.1-T2V-1.3B-Diffusers").to("cuda")
        pipe.finetune(video)
        frames = pipe("a bear dancing", video=video, noise_scale=0.8).frames[0]

    What the finetuning learnt is an adapter: `save_adapter` keeps it for other prompts. The parts
    of `pipe` are read and set as with diffusers: `pipe.scheduler = ...`; see `Surface`.
    """

    last_start: StartStep | None
    _tuned: FinetunedState

    def __init__(self, pipe: object) -> None:
        super().__init__(pipe)
        self.last_start = None
        self._tuned = FinetunedState(self.family, FILES)

    @classmethod
    def from_pretrained(cls, name: str | Path, **options: Any) -> "DreamixPipeline":
        """Return the pipeline of a hub name or a folder; `options` are diffusers' own.

        name:           also a short one: wan2.1-1.3b, cogvideox-2b, modelscope, zeroscope, ...
        motion_adapter: AnimateDiff's motion modules, a name or loaded, where `name` is an image
                        model.

        Raises:
            UserError: if weights or packages are missing.
        """
        return cls(load_pipeline(name, **options))

    def __call__(
        self,
        prompt: str | Sequence[str],
        video: object = None,
        *,
        noise_scale: float | None = None,
        negative_prompt: str | Sequence[str] | None = None,
        guidance_scale: float | None = None,
        guidance_scale_2: float | None = None,
        num_inference_steps: int | None = None,
        height: int | None = None,
        width: int | None = None,
        num_frames: int | None = None,
        corrupt: tuple[int, int] = (1, 1),
        eta: float = 0.0,
        posterior: str = "mode",
        latents: Tensor | None = None,
        generator: Generators = None,
        output_type: str = "pil",
        callback_on_step_end: Callback | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",),
    ) -> DreamixOutput:
        """Return a clip for every prompt, made from `video`, or from noise alone without one.

        noise_scale: s, a noise LEVEL: 0 gives the autoencoder's reconstruction, 1 nothing of the
                     clip. 0.8 by default (ours), 1 without a video. `last_start` says what it got.
        guidance_scale, num_inference_steps: those of the family's own pipeline by default.
        guidance_scale_2: of the second of Wan 2.2's experts; by default the first one's.
        height, width: the clip's own by default, at the nearest multiples the model takes.
        num_frames:  of the clip, without a video.
        corrupt:     (time, space): downsampling before the autoencoder, by so many times.
        posterior:   "sample" draws the clip's latents as diffusers does for some families.
        latents:     the noise, (prompts, channels, frames, height, width), instead of drawing it.
        generator:   one, or one for every prompt: then a clip does not depend on the others.
        callback_on_step_end: as in diffusers; see `dreamix.backends.callbacks`.
        """
        prompts, usual = prompts_of(prompt), self.family.defaults
        guidance = number_of(guidance_scale, usual.guidance, "guidance_scale")
        request = Request(
            prompts=prompts,
            negative=negatives_of(negative_prompt, len(prompts)),
            video=video,
            noise_scale=number_of(noise_scale, 1.0 if video is None else 0.8, "noise_scale"),
            guidance=guidance,
            guidance_2=number_or_none(guidance_scale_2, "guidance_scale_2"),
            steps=count_of(num_inference_steps, usual.steps, "num_inference_steps"),
            size=size_of(height, width),
            frames=count_of(num_frames, usual.frames, "num_frames"),
            corrupt=factors_of(corrupt),
            eta=number_of(eta, 0.0, "eta"),
            posterior=posterior,
            latents=latents,
            generator=generators_of(generator, len(prompts)),
            output=output_type,
            called=called_with(callback_on_step_end, callback_on_step_end_tensor_inputs),
        )
        self._tuned.check_computed()
        self.interrupt = False
        frames, self.last_start = edited(self.family, request, self)
        return DreamixOutput(frames, self.last_start)

    def finetune(
        self,
        video: object,
        prompt: str | Sequence[str] = RARE,
        *,
        steps: int = 100,
        alpha: float = 0.5,
        learning_rate: float | None = None,
        frames: int = 8,
        rank: int | None = 32,
        train: str = "all",
        gradient_checkpointing: bool = False,
        mixed_precision: str = "no",
        optimizer: str = "adamw",
        height: int | None = None,
        width: int | None = None,
        seed: int = 0,
        generator: torch.Generator | None = None,
        callback: Progress | None = None,
    ) -> Tuned:
        """Finetune on a clip and its frames (Eq. 3 of Dreamix); return the losses.

        prompt: a rare string, or several prompts of which each update draws one.
        alpha:  weight of the video loss; the loss of single frames has 1 - alpha.
        frames: single frames in one update.
        rank:   of a low-rank adapter; None trains all weights.
        train:  "all", or "spatial" or "temporal" layers where the family has both.
        callback: called after every update with (updates done, updates in all).
        A finetuning starts from the pretrained weights and takes the place of any other. One that
        fails, diverges or is interrupted leaves the pipeline as it was before.
        The numbers are ours and not measured on real weights: the paper's are not public.
        """
        usual = RATES["full" if rank is None else "adapter"]
        rate = number_of(learning_rate, usual, "learning_rate")
        tuning = Tuning(
            prompts=prompts_of(prompt),
            settings=Finetuning(steps, rate, alpha, frames),
            rank=rank,
            where=train,
            checkpointing=gradient_checkpointing,
            optimiser=optimizer,
            precision=mixed_precision,
            size=size_of(height, width),
        )
        draws = generator or torch.Generator().manual_seed(seed)
        with self._tuned.replaced(full=rank is None):
            return tune(self.family, video, tuning, draws, callback)

    # -- what was learnt -----------------------------------------------------------------------
    def save_adapter(self, folder: str | Path) -> Path:
        """Write the adapter, one file a network, as diffusers' `load_lora_weights` reads it."""
        return self._tuned.save(Path(folder))

    def load_adapter(self, folder: str | Path) -> None:
        """Put an adapter that was saved in the place of any finetuning; whole, or not at all.

        Files that are no adapter of these networks are an `UnfitAdapter`, a `UserError`.
        """
        self._tuned.load(Path(folder))

    def disable_adapter(self) -> None:
        """Do without the adapter until `enable_adapter`; a user's LoRAs stay as they are."""
        self._tuned.switch(on=False)

    def enable_adapter(self) -> None:
        """Use the adapter again."""
        self._tuned.switch(on=True)

    def reset(self) -> None:
        """Forget every finetuning: the weights are the pretrained ones again."""
        self._tuned.reset()

    def keep_original(self) -> None:
        """Hold the pretrained weights in memory, so that `reset` has them."""
        self._tuned.keep_original()

    # -- as in diffusers -----------------------------------------------------------------------
    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        device: torch.device = self.pipe.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What the denoising network computes in."""
        return self.family.dtype

    def to(self, *args: Any, **options: Any) -> "DreamixPipeline":
        """Move or cast every part; return the same pipeline."""
        self.pipe.to(*args, **options)
        return self

    def save_pretrained(self, folder: str | Path, **options: Any) -> None:
        """Write the whole pipeline; only without an adapter, which has its own file."""
        self._tuned.check_apart()
        self.pipe.save_pretrained(folder, **options)

    def enable_model_cpu_offload(self, *args: Any, **options: Any) -> None:
        """Keep on the accelerator only the part that works."""
        self.pipe.enable_model_cpu_offload(*args, **options)

    def enable_sequential_cpu_offload(self, *args: Any, **options: Any) -> None:
        """Keep on the accelerator only the layer that works: little memory, slow."""
        self.pipe.enable_sequential_cpu_offload(*args, **options)

    def enable_vae_tiling(self) -> None:
        """Let the autoencoder work tile by tile."""
        self.pipe.vae.enable_tiling()

    def enable_vae_slicing(self) -> None:
        """Let the autoencoder work clip by clip."""
        self.pipe.vae.enable_slicing()

    def set_progress_bar_config(self, **options: Any) -> None:
        """Set up the bar of the denoising steps, as with diffusers."""
        self.pipe.set_progress_bar_config(**options)
