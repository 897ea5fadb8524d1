"""The embedded cascade as a backend: reads clips, finetunes copies, enlarges what was made."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dreamix.backends.toybox.files import WEIGHTS, identity, load_networks
from dreamix.backends.toybox.model import Model
from dreamix.backends.toybox.networks import GRID, PATCH
from dreamix.backends.toybox.superres import enlarge
from dreamix.backends.toybox.text import RARE, encoded, tokenize
from dreamix.core.config import config_hash
from dreamix.core.records import write_whole
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video
from dreamix.diffusion.corruption import to_grid, to_video
from dreamix.diffusion.finetune import Finetuning, Watch, diverged, finetune
from dreamix.diffusion.sampling import time_grid

log = logging.getLogger(__name__)
FRAMES = 16
_SHIFT = 3.0  # of denoising times; what others do is in benchmarks/README.md
_HELD = 2  # finetuned copies kept in memory, 41 MB each

Name = tuple[str | int, ...]  # what the noise of a clip is drawn from
Trained = Callable[[nn.Module], list[nn.Parameter]]  # which parameters are finetuned


def open_toybox(name: str, weights: Path | None, cache: Path | None) -> "Toybox":
    """Return the embedded cascade, or the one in the folder `weights`."""
    return Toybox(name, weights or WEIGHTS, cache)


class Finetuned(NamedTuple):
    """A model finetuned on a clip, and what that took just now."""

    model: Model
    seconds: float  # 0 if it was there already


class Toybox:
    """The embedded cascade. Clips inside are float32 (1, 3, 16, 24, 40) in -1..1."""

    knows = "Toybox scenes"
    rare = RARE
    plug_and_play = "toybox"  # the preset of Plug-and-Play that suits it
    frames = FRAMES  # of every clip that it makes

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

    def finetuned(
        self,
        clip: Tensor,
        settings: Finetuning,
        *,
        prompt: str = RARE,
        trained: Trained | None = None,
        watch: Watch | None = None,
    ) -> Finetuned:
        """Return a copy of the model finetuned on `clip`; made once per clip and settings.

        The weights are rounded to half precision, in which the cache holds them: a copy from the
        cache is the copy that was put there, to the bit.
        """
        if not settings.steps:
            return Finetuned(self.model, 0.0)
        named = trained.__name__ if trained else "all"
        key = f"{seed_for(clip.numpy().tobytes().hex(), self.identity, prompt, named):016x}"
        key = f"{key}-{config_hash(settings)}"
        seconds = 0.0
        if key not in self._held:
            copy = Model(deepcopy(self.model.unet), self.model.encoder)
            file = self.cache / f"{key}.safetensors" if self.cache else None
            weights = _kept(file, copy.unet)
            if weights is None:
                began = time.perf_counter()
                generator = torch.Generator().manual_seed(seed_for("finetune", key))
                own = trained(copy.unet) if trained else None
                denoise = copy.denoiser([prompt])
                finetune(copy.unet, denoise, clip, settings, generator, trained=own, watch=watch)
                seconds = time.perf_counter() - began
                weights = _keep(file, copy.unet, settings)
            copy.unet.load_state_dict(weights)
            self._held[key] = copy
        self._held.move_to_end(key)
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        return Finetuned(self._held[key], seconds)

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


def _kept(file: Path | None, network: nn.Module) -> dict[str, Tensor] | None:
    """Return the finetuned weights in `file`; None if there are none, or none that can be read."""
    if file is None or not file.exists():
        return None
    try:
        weights: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError) as error:
        log.warning("%s cannot be read (%s); it is made anew", file, error)
        return None
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    whole = all(bool(value.isfinite().all()) for value in weights.values())
    if not whole or {name: value.shape for name, value in weights.items()} != shapes:
        log.warning("%s holds no weights of this network; it is made anew", file)
        return None
    return weights


def _keep(file: Path | None, network: nn.Module, settings: Finetuning) -> dict[str, Tensor]:
    """Return a network's weights in half precision, kept in `file`; infinite ones are an error."""
    weights = {name: value.half() for name, value in network.state_dict().items()}
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise diverged(settings, settings.steps)
    if file is not None:
        with write_whole(file) as out:
            out.write(save(weights))
    return weights
