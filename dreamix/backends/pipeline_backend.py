"""A pretrained diffusers pipeline as a backend: what `--backend wan2.1-1.3b` or a folder opens."""

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np
import torch

from dreamix.backends.adapter_cache import AdapterCache
from dreamix.backends.adapters import mark_of
from dreamix.backends.base import (
    WORLD,
    Denoised,
    Finetuned,
    Name,
    ProgressOf,
    VideoModel,
    finetuning_key,
    lacks,
    spec_of,
)
from dreamix.backends.families import family_named
from dreamix.backends.frames import resized, shape_of
from dreamix.backends.hub import MOTION_SCHEDULE, fingerprint, local_folder, pipeline_class
from dreamix.backends.names import Weights, pretrained
from dreamix.backends.pipeline import RARE, DreamixPipeline
from dreamix.core.progress import Progress
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.diffusion.settings import Denoising, Finetuning

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

RANK = 32  # of the adapters; ours


def open_pipeline(name: str, weights: Path | None, cache: Path | None) -> "PipelineBackend":
    """Return a pretrained pipeline by short name, or the one in the folder `weights`."""
    spec = spec_of(name)
    known = pretrained(spec.kind)
    found = known.weights if known and not weights else Weights(str(weights or spec.kind))
    return PipelineBackend(name, found, spec.size, cache)


class TuningRequest(NamedTuple):
    """What an adapter was, or is to be, trained on."""

    clip: Video
    settings: Finetuning
    prompt: str
    key: str  # of all three and the model: what the adapter is called in the cache


class PipelineBackend(VideoModel):
    """A pipeline whose weights are on this machine, with its own schedule and solver."""

    knows = WORLD
    capabilities = frozenset({"video", "finetuning", "description"})

    def __init__(
        self,
        name: str,
        weights: Weights,
        size: tuple[int, int, int | None] | None,
        cache: Path | None,
    ) -> None:
        self.name, self.cache = name, cache
        self._weights, self._size = weights, size
        self._held: tuple[str, list[Any]] | None = None  # key and marks of the last adapter put in
        self._kept = AdapterCache(cache)
        self._fitted: tuple[ref[Video], Video] | None = None  # the last source, and what it became
        self._asked: TuningRequest | None = (
            None  # what edits are made with; None: the pretrained weights
        )

    @cached_property
    def folders(self) -> list[Path]:
        """Where the weights are.

        Raises:
            UserError: if the weights are not on this machine.
        """
        return [local_folder(part) for part in self._weights if part]

    @cached_property
    def identity(self) -> str:
        """A hash of what the folders hold, and of the schedule where that is not theirs."""
        return fingerprint(self.folders, MOTION_SCHEDULE if self._weights.motion else None)

    @cached_property
    def dreamix(self) -> DreamixPipeline:
        """The pipeline, loaded at its first use, on the accelerator if there is one."""
        folder, *motion = self.folders
        options: dict[str, Any] = {"torch_dtype": precision(), "local_files_only": True}
        if motion:
            options["motion_adapter"] = str(motion[0])
        return self._placed(DreamixPipeline.from_pretrained(folder, **options))

    @staticmethod
    def _placed(loaded: "DiffusionPipeline") -> "DiffusionPipeline":
        """Return a pipeline that is silent, and on the accelerator part by part."""
        loaded.set_progress_bar_config(disable=True)
        if torch.cuda.is_available():
            loaded.enable_model_cpu_offload()
            loaded.enable_vae_tiling()
        return loaded

    @property
    def usual(self) -> dict[str, Any]:
        """Steps and guidance of the family's own pipeline; no weights are read for them."""
        folder, *motion = self.folders
        return self._usual(folder, "AnimateDiffPipeline" if motion else None)

    @staticmethod
    def _usual(folder: Path, kind: str | None = None) -> dict[str, Any]:
        """Return the same of a folder's pipeline, of another class if told."""
        defaults = family_named(kind or pipeline_class(folder)).defaults
        return {"steps": defaults.steps, "guidance": defaults.guidance}

    def check_prompts(self, prompts: Sequence[str]) -> None:
        """Accept any words: pretrained text encoders read them all."""

    def check_denoising(self, how: Denoising) -> None:
        """Raise a `UserError` for a second weight of guidance where one network denoises."""
        self.dreamix.family.check_guidance(how.guidance_2)

    def finetuned(
        self,
        source: Video,
        settings: Finetuning,
        progress: Progress,
        *,
        prompt: str | None = None,
        attention_only: bool = False,
        pictures: bool = False,
    ) -> Finetuned:
        """Return this backend with an adapter that was trained on the clip."""
        if attention_only:
            raise lacks(self, "attention finetuning")
        if not settings.steps:
            return Finetuned(self, 0.0)
        clip = self._pictures(source) if pictures else self.fitted(source)
        asked = self._asked_for(clip, settings, RARE if prompt is None else prompt)
        seconds = self._put_in(asked, progress)
        tuned = copy(self)
        tuned._asked = asked
        return Finetuned(tuned, seconds)

    def denoised(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[Name],
        how: Denoising,
        progress_of: ProgressOf,
    ) -> Denoised:
        """Return edits of `source`, one after another: memory is that of one clip."""
        if self._asked is None:
            self._forget()
        else:
            self._put_in(self._asked, progress_of("finetuning"))
        clip = self.fitted(source) if how.length is None else self._canvas(source, how.length)
        told = [f"{RARE} {prompt}" if how.rare_token else prompt for prompt in prompts]
        clips = [
            self._edited(clip, prompt, name, how, progress_of("denoising"))
            for prompt, name in zip(told, names, strict=True)
        ]
        return Denoised(clips, self._facts(clip))

    def _edited(
        self, clip: Video, prompt: str, name: Name, how: Denoising, progress: Progress
    ) -> Video:
        """Return one edit, whose noise depends on its name alone."""

        def told(pipe: DreamixPipeline, i: int, _: object, held: dict[str, Any]) -> dict[str, Any]:
            progress(i + 1, pipe.num_timesteps or how.steps)
            return held

        made = self.dreamix(
            prompt,
            clip,
            noise_scale=how.noise,
            guidance_scale=how.guidance,
            guidance_scale_2=how.guidance_2,
            num_inference_steps=how.steps,
            height=clip.height,
            width=clip.width,
            eta=how.eta,
            generator=torch.Generator().manual_seed(seed_for(*name)),
            output_type="np",
            callback_on_step_end=told,
        )
        levels = (made.frames[0] * 255).round().astype(np.uint8)
        return Video(levels, clip.fps)

    def fitted(self, source: Video) -> Video:
        """Return the clip at the size and length that suit the model, as long in seconds.

        Its aspect is kept as nearly as multiples allow; frames are those shown at even moments.
        Finetuning and edits of one clip fit it once.
        """
        if self._fitted is None or self._fitted[0]() is not source:
            self._fitted = ref(source), self._brought(source)
        return self._fitted[1]

    def _brought(self, source: Video) -> Video:
        frames = min(len(source), self._shape(source)[2])
        moments = np.arange(frames) * source.duration / frames
        shown = np.searchsorted(source.times, moments + 1e-6, side="right") - 1
        height, width, _ = self._shape(source)
        pictures = np.stack([resized(source.frames[i], height, width) for i in shown])
        return Video(pictures, frames / source.duration)

    def _pictures(self, source: Video) -> Video:
        """Return every picture at the size that suits the model: no clip, so no length to keep."""
        height, width, _ = self._shape(source)
        return Video(np.stack([resized(one, height, width) for one in source.frames]), source.fps)

    def _canvas(self, source: Video, length: int) -> Video:
        """Return a clip of that many frames, or the usual number, for what is made from noise."""
        frames = length or (self._size[2] if self._size else None) or self._made_for[2]
        height, width, _ = self._shape(source)
        first = resized(source.frames[0], height, width)
        return Video(np.stack([first] * frames), self.dreamix.family.defaults.fps)

    @cached_property
    def _made_for(self) -> tuple[int, int, int]:
        """Width, height and frames that clips are brought to where nothing is said."""
        usual, known = self.dreamix.family.defaults, pretrained(spec_of(self.name).kind)
        return (known and known.size) or (usual.width, usual.height, usual.frames)

    def _shape(self, source: Video) -> tuple[int, int, int]:
        """Return height, width and the most frames."""
        family, (wide, high, most) = self.dreamix.family, self._made_for
        if self._size:
            width, height, frames = self._size
            family.check_clip(frames or 1, height, width)
            return height, width, frames or most
        return *shape_of(source, high * wide, family.size_multiple), most

    def _facts(self, clip: Video) -> dict[str, Any]:
        """Return what the last edit tells of the noise it started from."""
        start = self.dreamix.last_start
        facts = {"frames": len(clip), "size": f"{clip.width}x{clip.height}"}
        if start is None:
            return facts
        level = round(start.level, 4)
        asked = {"noise_asked": start.asked} if abs(level - start.asked) > 5e-5 else {}
        return {"noise_level": level, **asked, "start_step": start.step, **facts}

    # -- finetuning ----------------------------------------------------------------------------
    def _asked_for(self, clip: Video, settings: Finetuning, prompt: str) -> TuningRequest:
        """Return what to train on, under its key: the whole clip is hashed, so once."""
        what = [*clip.frames.shape, self.identity, RANK, *([prompt] if prompt != RARE else [])]
        key = finetuning_key(clip.frames.tobytes(), what, settings)
        return TuningRequest(clip, settings, prompt, key)

    def _put_in(self, asked: TuningRequest, progress: Progress) -> float:
        """Let the networks hold the adapter of a clip, made or read; return the seconds it took."""
        if self._holds(asked.key):
            return 0.0
        seconds = 0.0
        if not self._kept.load(asked.key, self.dreamix.load_adapter):
            seconds = self._made(asked, progress)
            self.dreamix.load_adapter(self._kept.folder / asked.key)
        self._held = asked.key, self._marks()
        return seconds

    def _holds(self, key: str) -> bool:
        """Return whether the networks hold the adapter of `key`, and no other since."""
        if self._held is None or self._held[0] != key:
            return False
        pairs = zip(self._marks(), self._held[1], strict=True)
        return all(now is not None and now is before for now, before in pairs)

    def _marks(self) -> list[Any]:
        return [mark_of(network) for network in self.dreamix.family.networks.values()]

    def _made(self, asked: TuningRequest, progress: Progress) -> float:
        """Finetune and keep the adapter; return the seconds it took."""
        clip, settings, prompt, key = asked
        tuned = self.dreamix.finetune(
            clip,
            prompt,
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            alpha=settings.alpha,
            frames=settings.frames,
            rank=RANK,
            gradient_checkpointing=torch.cuda.is_available(),
            height=clip.height,
            width=clip.width,
            seed=seed_for("finetune", key),
            callback=progress,
        )
        self._kept.keep(key, self.dreamix.save_adapter)
        return tuned.seconds

    def _forget(self) -> None:
        """Go back to the pretrained weights."""
        self.dreamix.reset()


def precision() -> Any:
    """Return what parts are loaded in: half on an accelerator, but for the autoencoder."""
    if not torch.cuda.is_available():
        return torch.float32
    half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return {"default": half, "vae": torch.float32}
