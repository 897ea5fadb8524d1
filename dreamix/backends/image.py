"""Stable Diffusion as a backend: pictures, edited one by one by Plug-and-Play."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from dreamix.backends.base import WORLD, Name, ProgressOf, VideoModel, spec_of
from dreamix.backends.frames import resized, shape_of
from dreamix.backends.hub import fingerprint, load_pipeline, local_folder
from dreamix.backends.image_injection import (
    InjectionEmbeds,
    PictureEdit,
    injected,
    inverted,
    picture_edit,
    pictures_in_batches,
)
from dreamix.backends.names import Offer, Pretrained, Weights
from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.core.video import Video
from dreamix.diffusion.settings import FeatureInjection

MULTIPLE = 64  # sizes that its autoencoder and U-Net take
AT_ONCE = 4  # pictures in one batch; results agree to rounding whatever it is


class Share(NamedTuple):
    """A batch of pictures among all of them, to report progress by."""

    size: int
    begun: int  # pictures before it
    all: int

    def of(self, progress: Progress) -> Progress:
        """Return a callback for this batch that reports steps of all pictures."""
        return lambda done, steps: progress(self.begun * steps + self.size * done, self.all * steps)


class Pictures(VideoModel):
    """An image model. It knows no motion: each frame of a clip is a picture of its own."""

    knows = WORLD
    capabilities = frozenset(
        {"single frames", "inversion", "feature taps", "description", "prompts in a batch"}
    )

    def __init__(
        self,
        name: str,
        weights: Weights,
        size: tuple[int, int, int | None] | None,
        cache: Path | None,
    ) -> None:
        self.name, self.cache = name, cache
        self._weights, self._size = weights, size
        if size and (size[0] % MULTIPLE or size[1] % MULTIPLE):
            raise UserError(f"{name} takes sizes that are multiples of {MULTIPLE}")
        if size and size[2]:
            raise UserError(f"{name} edits every frame there is: leave x{size[2]} out")

    @property
    def usual(self) -> dict[str, Any]:
        """Steps of both public implementations: 50, after 999 of inversion."""
        return {"steps": 50, "inversion": 20}

    @property
    def presets(self) -> dict[str, str]:  # type: ignore[override]
        """The preset that suits it: that of the implementation which used these weights."""
        return {"plug-and-play": "official" if self.name.startswith("sd1.4") else "pnp-diffusers"}

    @cached_property
    def folder(self) -> Path:
        """Where the weights are.

        Raises:
            UserError: if the weights are not on this machine.
        """
        return local_folder(self._weights.hub)

    @cached_property
    def identity(self) -> str:
        """A hash of what the folder holds."""
        return fingerprint([self.folder])

    @cached_property
    def pipe(self) -> Any:
        """The pipeline, loaded at its first use, without its filter of pictures."""
        half = torch.float16 if torch.cuda.is_available() else torch.float32
        loaded = load_pipeline(
            self.folder,
            torch_dtype={"default": half, "vae": torch.float32},
            local_files_only=True,
            safety_checker=None,
            requires_safety_checker=False,
        )
        loaded.set_progress_bar_config(disable=True)
        return loaded.to("cuda" if torch.cuda.is_available() else "cpu")

    def check_prompts(self, prompts: Sequence[str]) -> None:
        """Accept any words: pretrained text encoders read them all."""

    def injected(
        self,
        source: Video,
        prompts: Sequence[str],
        negatives: Sequence[str],
        names: Sequence[Name],
        how: FeatureInjection,
        progress_of: ProgressOf,
    ) -> list[Video]:
        """Return the frames edited as a public implementation edits pictures."""
        if how.refine or how.top is not None:
            raise UserError("plug-and-play: refine and top are settings of the embedded model")
        edit = picture_edit(how)
        return self.edited_pictures(source, prompts, negatives, edit, progress_of, how.at_once)

    @torch.no_grad()
    def edited_pictures(
        self,
        source: Video,
        prompts: Sequence[str],
        negatives: Sequence[str],
        edit: PictureEdit,
        progress_of: ProgressOf,
        at_once: int | None = None,
    ) -> list[Video]:
        """Return the clip's frames edited alone, a clip for every prompt, timed as the source.

        The inversion is made once for all prompts, a batch of pictures at a time (`at_once`):
        memory does not grow with the length of the clip. Progress counts steps of single pictures.
        """
        words = [self.words(*pair) for pair in zip(negatives, prompts, strict=True)]
        pixels, begun = self._pixels(source), 0
        invert, denoise = progress_of("inverting"), progress_of("denoising")

        def work(batch: Tensor) -> list[Tensor]:
            nonlocal begun
            share = Share(len(batch), begun, len(pixels))
            z, made = self.encoded(batch), []
            trace = inverted(self.pipe, z, words[0].nothing, edit, share.of(invert))
            for i, told in enumerate(words):
                heard = Share(
                    share.size, begun * len(words) + i * share.size, share.all * len(words)
                )
                made.append(self.decoded(injected(self.pipe, trace, told, edit, heard.of(denoise))))
            begun += len(batch)
            return made

        size = AT_ONCE if at_once is None else at_once
        made = pictures_in_batches(pixels.split(size), work)
        return [Video(frames.numpy(), source.fps, source.times) for frames in made]

    def words(self, negative: str, target: str) -> InjectionEmbeds:
        """Return both prompts, and no words, as the network reads them."""
        read = [
            self.pipe.encode_prompt(text, self.pipe.device, 1, False)[0]
            for text in ("", negative, target)
        ]
        return InjectionEmbeds(*read)

    def _pixels(self, source: Video) -> Tensor:
        """Return the frames at the model's size, uint8 (frames, 3, height, width)."""
        height, width = self._shape(source)
        pictures = np.stack([resized(frame, height, width) for frame in source.frames])
        return torch.from_numpy(pictures).permute(0, 3, 1, 2)

    def _shape(self, source: Video) -> tuple[int, int]:
        if self._size:
            return self._size[1], self._size[0]
        unet, factor = self.pipe.unet.config, self.pipe.vae_scale_factor
        trained = np.prod(np.broadcast_to(unet.sample_size, 2)) * factor**2  # pixels
        return shape_of(source, trained, MULTIPLE)

    def encoded(self, pixels: Tensor) -> Tensor:
        """Return latents, float32: the mode of the posterior, scaled as the U-Net takes them."""
        vae = self.pipe.vae
        clean = pixels.to(self.pipe.device, torch.float32) / 127.5 - 1
        latents: Tensor = vae.encode(clean).latent_dist.mode() * vae.config.scaling_factor
        return latents

    def decoded(self, latents: Tensor) -> Tensor:
        """Return pictures, uint8 (frames, height, width, 3)."""
        vae = self.pipe.vae
        pixels = vae.decode(latents.float() / vae.config.scaling_factor).sample
        if not pixels.isfinite().all():
            raise UserError(f"{self.name} made no picture but infinite values; lower its guidance")
        levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return levels.permute(0, 2, 3, 1).contiguous().cpu()


def open_pictures(name: str, weights: Path | None, cache: Path | None) -> Pictures:
    """Return Stable Diffusion by short name, or the pipeline in the folder `weights`."""
    spec = spec_of(name)
    hub = Weights(str(weights)) if weights else OFFER.pretrained[spec.kind].weights
    return Pictures(name, hub, spec.size, cache)


OFFER = Offer(
    open_pictures,
    {
        "sd1.4": Pretrained(Weights("CompVis/stable-diffusion-v1-4")),
        "sd1.5": Pretrained(Weights("stable-diffusion-v1-5/stable-diffusion-v1-5")),
        "sd2.1-base": Pretrained(Weights("stabilityai/stable-diffusion-2-1-base")),
    },
)
