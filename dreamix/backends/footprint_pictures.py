"""How much Plug-and-Play on an image model takes, traced on the toolkit's own code.

Pictures are worked on a batch at a time, so that memory does not grow with the clip. All parts stay
on the accelerator: they are small, and every step of a batch needs the U-Net.
"""

import torch
from torch import Tensor, nn

from dreamix.backends.blueprint import Blueprint, Dtypes, build
from dreamix.backends.footprint import DECODE, DENOISE, ENCODE, TEXT, Footprint, Phases, Setup, Size
from dreamix.backends.image import AT_ONCE, MULTIPLE, Pictures
from dreamix.backends.image_injection import PictureEdit, injected, inverted, itinerary
from dreamix.backends.names import Weights
from dreamix.backends.tracing import Traced, bytes_of, new_mode, without_memory
from dreamix.core.errors import UserError

INVERT = "invert"
TRACED = 2  # steps


def picture_footprint(
    name: str, plan: Blueprint, size: Size, setup: Setup, edit: PictureEdit | None = None
) -> Footprint:
    """Return what an edit of `size.frames` pictures takes.

    edit: its settings; those that are usual of `name` by default.

    Raises:
        UserError: for a size that the networks cannot take.
    """
    if size.width % MULTIPLE or size.height % MULTIPLE:
        raise UserError(
            f"{name} takes heights and widths that are multiples of {MULTIPLE}, "
            f"not {size.width}x{size.height}"
        )
    pictures = pictures_of(name, plan, setup.dtypes)
    usual = pictures.usual
    edit = edit or settings(pictures, usual["steps"], usual["steps"] * usual["inversion"])
    parts = {k: m for k, m in pictures.pipe.components.items() if isinstance(m, nn.Module)}
    weights = {part: bytes_of(module) for part, module in parts.items()}
    mode = new_mode()
    there = without_memory([*parts.values()], mode)
    with mode:
        batch = torch.zeros(AT_ONCE, 3, size.height, size.width, dtype=torch.uint8)
    traced = Traced(there.values(), scratch=not setup.transfers)
    phases = _edit(pictures, batch, traced, edit, -(-size.frames // AT_ONCE))
    return Footprint(size, weights, [], phases, None, None, 0)


def pictures_of(
    name: str, plan: Blueprint, dtypes: Dtypes = torch.float32, device: str = "meta"
) -> Pictures:
    """Return an image model built from configurations alone."""
    pictures = Pictures(name, Weights(plan.source), None, None)
    pictures.pipe = build(plan, dtypes, device)
    return pictures


def _edit(
    pictures: Pictures, batch: Tensor, traced: Traced, whole: PictureEdit, batches: int
) -> Phases:
    """Return the phases of an edit of so many batches of pictures, of which one is traced."""
    pipe, short = pictures.pipe, settings(pictures, TRACED, TRACED)
    with torch.no_grad(), traced:
        with traced.phase(TEXT):
            words = pictures.words("", "a")
        with traced.phase(ENCODE):
            z = pictures.encoded(batch)
        with traced.phase(INVERT):
            trace = inverted(pipe, z, words.nothing, short)
        with traced.phase(DENOISE):
            z = injected(pipe, trace, words, short)
        with traced.phase(DECODE):
            pictures.decoded(z)
    saved = (whole.steps - TRACED) * z.nbytes  # latents of steps that were not traced
    held = {p: n + (saved if p in (INVERT, DENOISE, DECODE) else 0) for p, n in traced.peak.items()}
    times = {INVERT: _calls(pipe, whole) / _calls(pipe, short), DENOISE: 1 / TRACED}
    flops = {
        phase: count * times.get(phase, 1) * (1 if phase == TEXT else batches)
        for phase, count in traced.flops.items()
    }
    order = [f"{TEXT}:text_encoder", f"{ENCODE}:vae", f"{INVERT}:unet", f"{DENOISE}:unet"]
    return Phases([*order, f"{DECODE}:vae", "rest:"], held, flops)


def settings(pictures: Pictures, steps: int, inversion: int) -> PictureEdit:
    """Return the settings of a backend's usual preset in which the most is computed."""
    official = pictures.presets["plug-and-play"] == "official"

    def negative(share: float) -> float:
        return share if official else 1.0

    return PictureEdit(steps, inversion, steps, steps, 7.5, negative, denoised=official)


def _calls(pipe: object, edit: PictureEdit) -> int:
    """Return how often the inversion calls the network."""
    return len(itinerary(pipe, edit)[1])
