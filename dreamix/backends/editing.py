"""One call of `DreamixPipeline`: corrupt the clip, noise it to level s, denoise it by a prompt."""

import logging
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dreamix.backends.callbacks import Called, after_step, weight_now
from dreamix.backends.family import Family, Generators, PromptEmbeds
from dreamix.backends.frames import (
    lengthened,
    nearest_size,
    pictures_of,
    size_asked,
    to_pixels,
)
from dreamix.backends.surface import Surface
from dreamix.core.errors import UserError
from dreamix.diffusion.corruption import degraded
from dreamix.diffusion.levels import Scheduler, StartStep, start_of
from dreamix.diffusion.remainder import left

log = logging.getLogger("dreamix")
FAR = 0.05  # a noise level so far from the one asked for is said to be
REST = 0.1, 0.03  # share of the noise, and level: more of both left by a solver is said to be
OUTPUTS = ("pil", "np", "pt", "latent")


@dataclass(frozen=True)
class Request:
    """What is asked of one call; see `DreamixPipeline.__call__`."""

    prompts: list[str]
    negative: list[str]  # used with guidance alone
    video: Any
    noise_scale: float
    guidance: float
    guidance_2: float | None  # of the second expert; None: the same
    steps: int
    size: tuple[int | None, int | None]
    frames: int
    corrupt: tuple[int, int]
    eta: float
    posterior: str
    latents: Tensor | None
    generator: Generators
    output: str
    called: Called | None  # after every step


class PaddedSource(NamedTuple):
    """The clip that is edited, corrupted and padded, or its absence."""

    pixels: Tensor | None  # (1, 3, F, H, W), F padded
    frames: int  # before it was padded
    height: int
    width: int


def edited(family: Family, request: Request, owner: Surface) -> tuple[Any, StartStep]:
    """Return the frames made of a request, and where denoising started.

    owner: the pipeline that callbacks are called with.
    """
    _check(family, request)
    return edited_source(family, request, _source(family, request), owner)


@torch.no_grad()
def edited_source(
    family: Family, request: Request, source: PaddedSource, owner: Surface
) -> tuple[Any, StartStep]:
    """Return the same of a clip that is pixels already."""
    pixels, frames, height, width = source
    words = family.embed(request.prompts, request.negative if request.guidance > 1 else None)
    scheduler = family.pipe.scheduler
    shape = family.latent_shape(family.padded(frames), height, width)
    family.set_steps(request.steps, shape)
    start = start_of(scheduler, request.noise_scale)
    _log(scheduler, start)
    z = family.laid_out(_noisy(family, request, pixels, shape, start))
    z = _denoised(family, request, words, z, start, owner)
    out = z if request.output == "latent" else _shown(family, z, frames, request.output)
    family.pipe.maybe_free_model_hooks()
    return out, start


def _log(scheduler: Scheduler, start: StartStep) -> None:
    """Say where denoising starts, and what of that will not be as it was asked for."""
    log.info(
        "noise level %.4f of %.4f asked for: step %d of %d, timestep %g",
        *(start.level, start.asked, start.step, start.steps, start.timestep),
    )
    if abs(start.level - start.asked) > FAR:
        log.warning(
            "the nearest of %d steps has noise level %.3f, not the %.3f asked for: take more steps",
            *(start.steps, start.level, start.asked),
        )
    if (rest := left(scheduler, start)) > max(REST[0] * start.level, REST[1]):
        log.warning(
            "%s leaves noise of level %.2f in a clip that starts with %.2f, at step %d of %d: take "
            "another, such as pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)",
            *(type(scheduler).__name__, rest, start.level, start.step, start.steps),
        )


def _check(family: Family, request: Request) -> None:
    """Raise a `UserError` for what no family can do, or this one cannot."""
    family.check_guidance(request.guidance_2)
    if request.output not in OUTPUTS:
        raise UserError(f"output_type is one of {', '.join(OUTPUTS)}, not {request.output!r}")
    if request.posterior not in ("mode", "sample"):
        raise UserError(f"posterior is mode or sample, not {request.posterior!r}")
    if request.latents is not None and not isinstance(request.latents, Tensor):
        raise UserError(f"latents are a tensor, not a {type(request.latents).__name__}")
    if request.video is None and request.noise_scale != 1:
        raise UserError("without a video there is only noise_scale=1, generation from the prompt")


def _source(family: Family, request: Request) -> PaddedSource:
    """Return the corrupted clip, padded, and its frames, height and width."""
    usual = family.defaults
    if request.video is None:
        height, width = size_asked(request.size, (usual.height, usual.width))
        family.check_clip(request.frames, height, width)
        return PaddedSource(None, request.frames, height, width)
    pictures = pictures_of(request.video)
    height, width = size_asked(request.size, nearest_size(pictures[0], family.size_multiple))
    family.check_clip(len(pictures), height, width)
    pixels = degraded(to_pixels(pictures, height, width), *request.corrupt)
    frames = pixels.shape[2]
    return PaddedSource(lengthened(pixels, family.padded(frames)), frames, height, width)


def _noisy(
    family: Family,
    request: Request,
    pixels: Tensor | None,
    shape: tuple[int, int, int, int],
    start: StartStep,
) -> Tensor:
    """Return the latents that denoising starts from, one clip for every prompt."""
    scheduler, batch = family.pipe.scheduler, len(request.prompts)
    dtype, x = family.latent_dtype, None
    if start.level < 1 and pixels is not None:
        x = _encoded(family, request, pixels).to(family.device, dtype)
        if start.step == start.steps:
            return x
    noise = request.latents
    if noise is None:
        noise = family.draw((batch, *shape), request.generator)
    elif noise.shape != (batch, *shape):
        raise UserError(f"latents have the shape {(batch, *shape)} here, not {tuple(noise.shape)}")
    noise = noise.to(family.device, dtype)
    if start.asked == 1 or x is None:
        return noise * getattr(scheduler, "init_noise_sigma", 1.0)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(start.step)
    timesteps = scheduler.timesteps[start.step].expand(batch)
    if hasattr(scheduler, "add_noise"):
        noisy: Tensor = scheduler.add_noise(x, noise, timesteps)
    else:
        noisy = scheduler.scale_noise(x, timesteps, noise)
    return noisy


def _encoded(family: Family, request: Request, pixels: Tensor) -> Tensor:
    """Return the latents of the clip once for every prompt: its mode, or a draw for each."""
    batch, generators = len(request.prompts), request.generator
    if request.posterior == "mode":
        return family.encode(pixels).expand(batch, -1, -1, -1, -1)
    draws = generators if isinstance(generators, list) else [generators or torch.Generator()]
    drawn = [family.encode(pixels, generator) for generator in draws]
    return torch.cat(drawn).expand(batch, -1, -1, -1, -1)


def _denoised(
    family: Family,
    request: Request,
    words: PromptEmbeds,
    z: Tensor,
    start: StartStep,
    owner: Surface,
) -> Tensor:
    """Return the latents after the steps of the family's own scheduler, from the start on."""
    scheduler, order = family.pipe.scheduler, getattr(family.pipe.scheduler, "order", 1)
    step = family.stepper(request.generator, request.eta)
    owner.begin(request.guidance, request.guidance_2, start.steps - start.step)
    with family.pipe.progress_bar(total=(start.steps - start.step) // order) as bar:
        for i in range(start.step, start.steps):
            if owner.interrupt:
                break
            t = owner.current_timestep = scheduler.timesteps[i]
            seen = (
                scheduler.scale_model_input(z, t) if hasattr(scheduler, "scale_model_input") else z
            )
            weight = weight_now(owner, family, t, words)
            told = words if weight is not None else PromptEmbeds(words.told, None)
            scale = 1.0 if weight is None else weight
            prediction = family.guided(seen, t.expand(len(z)), told, scale)
            z = family.laid_out(step(i, prediction, z))
            if request.called:
                z, words = after_step(request.called, family, owner, (i - start.step, t), z, words)
            if (i + 1 - start.step) % order == 0:
                bar.update()
    owner.current_timestep = None
    return z


def _shown(family: Family, z: Tensor, frames: int, output: str) -> Any:
    """Return the frames of latents as pictures, array or tensor.

    Raises:
        UserError: if a value is NaN.
    """
    pixels = family.decode(z)[:, :, :frames]
    if not pixels.isfinite().all():
        raise UserError(
            "the model made no picture but infinite values: lower the guidance, or use bfloat16 "
            "or float32 where it is float16"
        )
    return family.pipe.video_processor.postprocess_video(pixels, output_type=output)
