"""Plug-and-Play on Stable Diffusion: inversion, then denoising with the source's features injected.

Tumanyan et al. 2023, as both public implementations do it (table in docs/plug-and-play.md):

    z_t = sqrt(abar_t) x0(z_s, u) + sqrt(1 - abar_t) eps(z_s, u, "")        DDIM, from s to t
    features: the last convolution of up_blocks[1].resnets[1], before its shortcut is added
    attention: queries and keys of self-attention, from up_blocks[1].attentions[1] on

At every step the network sees [source, against..., target]; the source is a saved latent of that
step, with no words, and what the chosen layers compute for it is given to all the others. They
differ in which latent that is, and in the timestep u that the network is told on the way up:

    pnp-diffusers  the inversion's, u = t; the edit starts from the highest of its own steps
    official       that of the inversion denoised again, u = s; the edit starts from the very top
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from dreamix.backends.adapters import has_fused_projections
from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.diffusion.injection import Sampler, denoise_injected
from dreamix.diffusion.levels import Scheduler
from dreamix.diffusion.settings import FeatureInjection

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline, UNet2DConditionModel

ATTENTION = {1: (1, 2), 2: (0, 1, 2), 3: (0, 1, 2)}  # of the up blocks: output_blocks 4 to 11
FEATURE = (1, 1)  # up block and residual block: output_blocks[4]


class PictureEdit(NamedTuple):
    """How pictures are edited."""

    steps: int  # of the denoising
    inversion: int  # of the inversion, at most one a step of the schedule
    feature_steps: int  # first steps with injected features
    attention_steps: int  # first steps with injected queries and keys
    guidance: float
    negative: Callable[[float], float]  # share of the steps done -> weight of the negative prompt
    denoised: bool = False  # as the official one: the source is denoised again from the top


def picture_edit(how: FeatureInjection) -> PictureEdit:
    """Return the settings in steps, counted as the implementation counts them."""
    official = how.implementation == "official"
    features, attention = (
        min(how.steps, int(share * how.steps) + official) if share else 0  # i <= 40 of 50, or < 40
        for share in (how.features, how.attention)
    )
    usual = "denoised" if official else "inverted"
    source = usual if how.source is None else how.source
    return PictureEdit(
        how.steps,
        how.steps * how.inversion,
        features,
        attention,
        how.guidance,
        how.negative,
        denoised=source == "denoised",
    )


class Trace(NamedTuple):
    """The source on its way: latents, float32 (pictures, 4, height, width)."""

    start: Tensor  # where the edit begins
    at: dict[int, Tensor]  # by timestep of the denoising: whose features are injected


class InjectionEmbeds(NamedTuple):
    """Prompts as the network reads them, each (1, tokens, width)."""

    nothing: Tensor
    negative: Tensor
    target: Tensor


def scheduler_of(pipe: "DiffusionPipeline", steps: int) -> DDIMScheduler:
    """Return DDIM as both implementations set it, on the pipeline's noise, with its timesteps set.

    A folder may hold another solver's settings, or none: DDIM's defaults in diffusers are those
    for pixels, and would cut latents off at 1.
    """
    theirs = {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}
    uncut = {"clip_sample": False, "thresholding": False}
    scheduler = DDIMScheduler.from_config(pipe.scheduler.config, **theirs, **uncut)
    scheduler.set_timesteps(steps, device=pipe.device)
    return scheduler


@torch.no_grad()
def inverted(
    pipe: "DiffusionPipeline",
    z: Tensor,
    nothing: Tensor,
    edit: PictureEdit,
    progress: Progress | None = None,
) -> Trace:
    """Return the source noised by the network itself, and on from there as `edit` asks.

    z: float32 (pictures, 4, height, width), clean; it stays so whatever the network computes in:
    a thousand steps in half precision would add up to an error that can be seen.
    """
    scheduler, places, top = itinerary(pipe, edit)
    levels, told, saved = scheduler.alphas_cumprod.double(), nothing.expand(len(z), -1, -1), {}
    kept = {int(t) for t in scheduler.timesteps}
    for done, (here, there) in enumerate(pairwise([0, *places])):
        asked = here if edit.denoised or there < here else there
        output = pipe.unet(z.to(pipe.unet.dtype), asked, encoder_hidden_states=told).sample
        x0, eps = parted(scheduler, output, z, levels[here])
        z = (levels[there].sqrt() * x0 + (1 - levels[there]).sqrt() * eps).to(z.dtype)
        if there in kept:
            saved[there] = z
        if done + 1 == top:
            start = z
        if progress:
            progress(done + 1, len(places))
    return Trace(start, saved)


def itinerary(pipe: "DiffusionPipeline", edit: PictureEdit) -> tuple[DDIMScheduler, list[int], int]:
    """Return the scheduler of the denoising, the source's timesteps after 0, how many go up.

    Up through those of the denoising and of the finer inversion: as far as the denoising begins,
    or to the top and down again.
    """
    most = pipe.scheduler.config.num_train_timesteps - 1
    if edit.steps > most:
        raise UserError(f"plug-and-play on this model takes up to {most} steps, not {edit.steps}")
    scheduler = scheduler_of(pipe, edit.steps)
    finer = scheduler_of(pipe, min(edit.inversion, most)).timesteps
    up = sorted({*map(int, scheduler.timesteps), *map(int, finer)})
    if edit.denoised:
        return scheduler, [*up, *up[-2::-1]], len(up)
    up = [t for t in up if t <= int(scheduler.timesteps[0])]
    return scheduler, up, len(up)


def parted(scheduler: Scheduler, output: Tensor, z: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Return x0 and eps of latents at a level abar, whichever of them the network predicts."""
    keep, noise = level.sqrt(), (1 - level).sqrt()
    z, output = z.double(), output.double()
    if scheduler.config.prediction_type == "v_prediction":
        return keep * z - noise * output, keep * output + noise * z
    return (z - noise * output) / keep, output


@torch.no_grad()
def injected(
    pipe: "DiffusionPipeline",
    trace: Trace,
    words: InjectionEmbeds,
    edit: PictureEdit,
    progress: Progress | None = None,
) -> Tensor:
    """Return the latents of the edited pictures.

    trace: what `inverted` returned. The empty prompt is not computed where the negative one has
           all the weight throughout.
    """
    check_layers(pipe.unet)
    scheduler = scheduler_of(pipe, edit.steps)
    weights = [edit.negative(i / max(edit.steps - 1, 1)) for i in range(edit.steps)]
    against = [words.negative] if min(weights) == 1 else [words.nothing, words.negative]
    told = [words.nothing, *against, words.target]
    spoken = torch.cat([word.expand(len(trace.start), -1, -1) for word in told])

    def predict(i: int, batch: Tensor) -> Tensor:
        t, seen = scheduler.timesteps[i], batch.to(spoken.dtype)
        output: Tensor = pipe.unet(seen, t, encoder_hidden_states=spoken).sample
        return output.float()

    def down(i: int, prediction: Tensor, z: Tensor) -> Tensor:
        cleaner: Tensor = scheduler.step(prediction, scheduler.timesteps[i], z).prev_sample
        return cleaner

    sampler = Sampler(
        len(scheduler.timesteps),
        lambda i: trace.at[int(scheduler.timesteps[i])],
        predict,
        down,
        lambda i: layers_at(pipe.unet, edit, i),
    )
    return denoise_injected(
        trace.start, sampler, len(against), edit.guidance, edit.negative, progress
    )


def layers_at(unet: "UNet2DConditionModel", edit: PictureEdit, done: int) -> list[nn.Module]:
    """Return the layers injected at step `done`, from 0."""
    features = [feature_layer(unet)] if done < edit.feature_steps else []
    attention = attention_layers(unet) if done < edit.attention_steps else []
    return [*features, *attention]


def feature_layer(unet: "UNet2DConditionModel") -> nn.Module:
    """Return the convolution whose output is injected."""
    block, residual = FEATURE
    layer: nn.Module = unet.up_blocks[block].resnets[residual].conv2
    return layer


def attention_layers(unet: "UNet2DConditionModel") -> list[nn.Module]:
    """Return the projections of queries and keys that are injected."""
    return [
        projection
        for block, places in ATTENTION.items()
        for place in places
        for transformer in unet.up_blocks[block].attentions[place].transformer_blocks
        for projection in (transformer.attn1.to_q, transformer.attn1.to_k)
    ]


def check_layers(unet: "UNet2DConditionModel") -> None:
    """Raise a `UserError` for a network that does not have Stable Diffusion's up blocks."""
    try:
        layers = [feature_layer(unet), *attention_layers(unet)]
    except (AttributeError, IndexError):
        raise UserError(
            "Plug-and-Play needs the up blocks of Stable Diffusion 1 or 2; this network has others"
        ) from None
    if has_fused_projections(unet):
        raise UserError("Plug-and-Play cannot see fused projections: call unfuse_qkv_projections()")
    assert layers


def pictures_in_batches(
    batches: Sequence[Tensor], work: Callable[[Tensor], list[Tensor]]
) -> list[Tensor]:
    """Return what `work` makes of each batch, put together again, one tensor a prompt.

    A batch that does not fit the accelerator's memory is halved, down to one picture.
    """
    parts: list[list[Tensor]] = []
    waiting = list(batches)
    while waiting:
        batch = waiting.pop(0)
        try:
            parts.append(work(batch))
        except torch.cuda.OutOfMemoryError:
            if len(batch) == 1:
                raise
            torch.cuda.empty_cache()
            waiting[:0] = [*batch.split(-(-len(batch) // 2))]
    return [torch.cat(several) for several in zip(*parts, strict=True)]
