"""The embedded cascade as a `VideoModel`: reads clips, finetunes copies, enlarges what it makes."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import copy, deepcopy
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from dreamix.backends.base import (
    Denoised,
    Finetuned,
    Name,
    ProgressOf,
    VideoModel,
    finetuning_key,
)
from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.diffusion.corruption import noised, to_grid, to_video
from dreamix.diffusion.finetune import finetune
from dreamix.diffusion.injection import Branches, Injection, inject
from dreamix.diffusion.masking import as_clips, as_frames
from dreamix.diffusion.sampling import invert, resample, sample, time_grid
from dreamix.diffusion.settings import (
    TOP,
    Denoising,
    FeatureInjection,
    Finetuning,
    Guide,
    Inversion,
)
from dreamix.toybox.cascade.files import WEIGHTS, identity, load_networks
from dreamix.toybox.cascade.model import Model
from dreamix.toybox.cascade.networks import GRID, PATCH
from dreamix.toybox.cascade.superres import enlarge
from dreamix.toybox.cascade.text import RARE, encoded, tokenize
from dreamix.toybox.cascade.tuned import attention, keep, kept

log = logging.getLogger(__name__)
FRAMES = 16
# The preset of Plug-and-Play that suits: as official, with guidance 2, because more saturates so
# small a model. Ours, chosen outside the benchmark by benchmarks/baseline_settings.py.
GUIDE = Guide(2.0, lambda share: share)
_SHIFT = 3.0  # of denoising times; what others do is in benchmarks/README.md
_HELD = 2  # finetuned copies kept in memory, 41 MB each


def open_toybox(name: str, weights: Path | None, cache: Path | None) -> "Toybox":
    """Return the embedded cascade, or the one in the folder `weights`."""
    return Toybox(name, weights or WEIGHTS, cache)


class Copy(NamedTuple):
    """A base model finetuned on a clip, and what that took just now."""

    model: Model
    seconds: float  # 0 if it was there already


class Toybox(VideoModel):
    """The embedded cascade. Clips inside are float32 (1, 3, 16, 24, 40) in -1..1."""

    knows = "Toybox scenes"
    presets = MappingProxyType({"plug-and-play": "toybox"})
    capabilities = frozenset(
        {
            "video",
            "single frames",
            "finetuning",
            "attention finetuning",
            "inversion",
            "feature taps",
            "description",
            "prompts in a batch",
        }
    )

    def __init__(self, name: str, folder: Path, cache: Path | None) -> None:
        self.name, self.folder, self.cache = name, folder, cache
        self._held: OrderedDict[str, Model] = OrderedDict()

    @cached_property
    def identity(self) -> str:
        """A hash of the weights."""
        return identity(self.folder)

    @cached_property
    def model(self) -> Model:
        """The pretrained base model."""
        networks = load_networks(self.folder)
        return Model(networks.unet, networks.encoder)

    def check_prompts(self, prompts: Sequence[str]) -> None:
        """Raise a `UserError` now, not after minutes of work, for a prompt it cannot read."""
        tokenize(prompts)

    def check_denoising(self, how: Denoising) -> None:
        """Raise a `UserError` for a number of frames other than 16, and for a second expert."""
        if how.length not in (None, 0, FRAMES):
            raise UserError(f"backend {self.name} makes {FRAMES} frames, not {how.length}")
        if how.guidance_2 is not None:
            raise UserError(
                "guidance_2 is of the second expert of Wan 2.2; "
                f"backend {self.name} has one network"
            )

    # -- what methods ask for ------------------------------------------------------------------
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
        """Return the cascade with a base model that was finetuned on the clip."""
        clip = self.read_pictures(source) if pictures else self.read(source)
        told = RARE if prompt is None else prompt
        made = self.tuned_copy(
            clip, settings, prompt=told, attention_only=attention_only, progress=progress
        )
        tuned = copy(self)
        tuned.__dict__["model"] = made.model
        return Finetuned(tuned, made.seconds)

    def denoised(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[Name],
        how: Denoising,
        progress_of: ProgressOf,
    ) -> Denoised:
        """Return the source, or noise alone, denoised by the base model and then enlarged."""
        told = [f"{RARE} {prompt}" if how.rare_token else prompt for prompt in prompts]
        noise = self.noise(names)
        base = sample(
            self.model.guided(told, how.guidance),
            noise if how.noise == 1 else noised(self.read(source), how.noise, noise),
            self.times(how.noise, how.steps),
            noise=self.fresh_noise(names) if how.eta else None,
            eta=how.eta,
            progress=progress_of("denoising"),
        )
        kept = how.noise if how.from_source else None
        facts = {"noise_level": how.noise, "start_step": self.start_step(how.noise)}
        return Denoised(self.finish(base, prompts, source, names, from_source=kept), facts)

    def resampled(
        self,
        source: Video,
        prompts: Sequence[str],
        names: Sequence[Name],
        how: Inversion,
        progress_of: ProgressOf,
    ) -> list[Video]:
        """Return the source inverted by the base model and sampled from there, then enlarged."""
        base = resample(
            self.model.denoiser([how.caption]),
            self.model.guided(prompts, how.guidance),
            self.read(source),
            time_grid(how.top, how.steps),
            copies=len(prompts),
            refine=how.refine,
            progress_of=progress_of,
        )
        return self.finish(base, prompts, source, names)

    def injected(
        self,
        source: Video,
        prompts: Sequence[str],
        negatives: Sequence[str],
        names: Sequence[Name],
        how: FeatureInjection,
        progress_of: ProgressOf,
    ) -> list[Video]:
        """Return the frames edited by the base model as a model of pictures, then enlarged."""
        if how.source is not None or how.at_once is not None:
            raise UserError("plug-and-play: source and frame_batch are settings of image models")
        frames = as_frames(self.read(source))
        fine = time_grid(TOP if how.top is None else how.top, how.steps * how.inversion)
        with self.model.image_model():
            nothing, up = self.model.denoiser([""], together=True), progress_of("inverting")
            path = invert(nothing, frames, fine[-2::-1], refine=how.refine, progress=up)
            edited = [
                self._injected(path, fine, pair, how, progress_of("denoising"))
                for pair in zip(negatives, prompts, strict=True)
            ]
        return [
            self.finish_frames(as_clips(pictures, len(frames)), prompt, source, name)
            for pictures, prompt, name in zip(edited, prompts, names, strict=True)
        ]

    def _injected(
        self,
        path: list[Tensor],
        times: list[float],
        pair: tuple[str, str],
        how: FeatureInjection,
        progress: Progress,
    ) -> Tensor:
        """Return the frames for one negative prompt and prompt, from the source's inversion."""
        model = self.model
        branches = model.denoiser(["", "", *pair], together=True)
        return inject(
            path[:: -how.inversion],
            times[:: how.inversion],
            Branches(branches, how.guidance, how.negative),
            Injection(model.feature_layers, model.attention_layers, how.features, how.attention),
            progress=progress,
        )

    # -- on tensors ----------------------------------------------------------------------------
    def start_step(self, noise: float) -> int:
        """Return the network's own time step, of 1000, at which the noise level is `noise`."""
        return round(1000 * noise)

    def times(self, start: float, steps: int) -> list[float]:
        """Return the times of denoising from a noise level, most of them where there is much."""
        return time_grid(start, steps, _SHIFT)

    def read(self, video: Video) -> Tensor:
        """Return the clip downsampled to the base grid, in space and time."""
        return to_grid(video, FRAMES, *GRID)

    def read_pictures(self, pictures: Video) -> Tensor:
        """Return each of some pictures on the base grid, (1, 3, pictures, 24, 40)."""
        return to_grid(pictures, len(pictures), *GRID)

    def noise(self, names: Sequence[Name]) -> Tensor:
        """Return standard normal noise, a clip for every name, that depends on its name alone."""
        shape, seeds = (3, FRAMES, *GRID), [seed_for(*name) for name in names]
        draws = (torch.Generator().manual_seed(seed) for seed in seeds)
        return torch.stack([torch.randn(shape, generator=draw) for draw in draws])

    def tuned_copy(
        self,
        clip: Tensor,
        settings: Finetuning,
        *,
        prompt: str = RARE,
        attention_only: bool = False,
        progress: Progress | None = None,
    ) -> Copy:
        """Return a copy of the base model finetuned on `clip`; made once per clip and settings.

        The weights are rounded to half precision, in which the cache holds them: a copy from the
        cache is the copy that was put there, to the bit.
        """
        if not settings.steps:
            return Copy(self.model, 0.0)
        named = "tuned" if attention_only else "all"  # as files of older caches are named
        what = self.identity, prompt, named
        key = finetuning_key(clip.numpy().tobytes(), what, settings)
        seconds = 0.0
        if key not in self._held:
            tuned = Model(deepcopy(self.model.unet), self.model.encoder)
            file = self.cache / f"{key}.safetensors" if self.cache else None
            weights = kept(file, tuned.unet)
            if weights is None:
                began = time.perf_counter()
                generator = torch.Generator().manual_seed(seed_for("finetune", key))
                own = attention(tuned.unet) if attention_only else None
                denoise = tuned.denoiser([prompt])
                finetune(
                    tuned.unet, denoise, clip, settings, generator, trained=own, progress=progress
                )
                seconds = time.perf_counter() - began
                weights = keep(file, tuned.unet, settings)
            tuned.unet.load_state_dict(weights)
            self._held[key] = tuned
        self._held.move_to_end(key)
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        return Copy(self._held[key], seconds)

    def fresh_noise(self, names: Sequence[Name]) -> Callable[[], Tensor]:
        """Return a function that gives new noise at every call, in a fixed order for each name."""
        steps = (self.noise([(*name, "step", step) for name in names]) for step in count())
        return partial(next, steps)

    def finish(
        self,
        base: Tensor,
        prompts: Sequence[str],
        source: Video,
        names: Sequence[Name],
        *,
        from_source: float | None = None,
    ) -> list[Video]:
        """Return the clips the cascade makes of base clips: enlarged to 96x160 given the prompts.

        names:       what the noise of this stage is named after.
        from_source: start this stage from the source noised to that level, not from noise alone.
        The clips last as long as `source`.
        """
        first, start, (frames, height, width) = None, 1.0, base.shape[2:]
        if from_source is not None:
            first, start = to_grid(source, frames, PATCH * height, PATCH * width), from_source
        return [
            to_video(
                self._enlarged(clip, prompt, name, first=first, start=start),
                frames / source.duration,
            )
            for clip, prompt, name in zip(base.split(1), prompts, names, strict=True)
        ]

    def finish_frames(self, base: Tensor, prompt: str, source: Video, name: Name) -> Video:
        """Return the same of one clip, every frame enlarged alone, with the same noise."""
        frames = [self._enlarged(frame, prompt, name) for frame in base.split(1, dim=2)]
        return to_video(torch.cat(frames, dim=2), base.shape[2] / source.duration)

    def _enlarged(
        self,
        base: Tensor,
        prompt: str,
        name: Name,
        first: Tensor | None = None,
        start: float = 1.0,
    ) -> Tensor:
        networks = load_networks(self.folder)
        generator = torch.Generator().manual_seed(seed_for("super-resolution", *name))
        words = encoded(networks.encoder, [prompt])
        return enlarge(networks.superres, base, words, [generator], first=first, start=start)
