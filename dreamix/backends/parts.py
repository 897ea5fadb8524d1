"""Which parts may take the place of those that a diffusers pipeline was put together from."""

from typing import TYPE_CHECKING

from diffusers import SchedulerMixin
from torch import nn

from dreamix.backends.adapters import bare
from dreamix.core.errors import UserError
from dreamix.diffusion.levels import Scheduler, is_flow

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

UNSET = {  # parts that may be read and not be changed
    "motion_adapter": "its layers are in the unet already: from_pretrained takes motion_adapter=",
    "image_encoder": "no image is put beside the prompt here",
    "feature_extractor": "no image is put beside the prompt here",
}
# Settings in which a part has to be like the one before it: the rest of the pipeline fits them.
FITS = (
    *("in_channels", "out_channels", "latent_channels", "z_dim", "patch_size", "patch_size_t"),
    *("text_dim", "text_embed_dim", "caption_channels", "cross_attention_dim"),
    *("scale_factor_spatial", "scale_factor_temporal"),
    *("spatial_compression_ratio", "temporal_compression_ratio"),
)


def check_part(pipe: "DiffusionPipeline", name: str, part: object) -> None:
    """Raise a `UserError` for what cannot stand where a part of the pipeline stands.

    A scheduler may be any of diffusers' for the same kind of noise; networks and autoencoder keep
    the class and the shapes that the rest of the pipeline was put together for.
    """
    before, after = bare(getattr(pipe, name)), bare(part)
    if name in UNSET:
        raise UserError(f"{name} cannot be set: {UNSET[name]}")
    if after is None and before is not None:
        raise UserError(f"{name} cannot be None: the pipeline needs it")
    if name == "scheduler":
        _check_scheduler(before, after)
    if isinstance(before, nn.Module):
        _check_network(name, before, after)


def _check_scheduler(before: Scheduler, after: object) -> None:
    if not isinstance(after, SchedulerMixin):
        raise UserError(f"scheduler is a scheduler of diffusers, not {_kind(after)}")
    if is_flow(after) != is_flow(before):
        new, old = (
            f"{type(one).__name__} is {'for' if is_flow(one) else 'not for'} flow matching"
            for one in (after, before)
        )
        raise UserError(f"the network was trained on another kind of noise: {new}, {old}")


def _check_network(name: str, before: nn.Module, after: object) -> None:
    from diffusers import ModelMixin  # it loads transformers

    kind = type(before) if isinstance(before, ModelMixin) else nn.Module
    if not isinstance(after, kind):
        raise UserError(f"{name} is {_kind(before)}, not {_kind(after)}")
    old, new = (getattr(one, "config", None) for one in (before, after))
    for setting in FITS if isinstance(before, ModelMixin) else ():
        if (had := getattr(old, setting, None)) != (has := getattr(new, setting, None)):
            raise UserError(
                f"this {name} does not fit the pipeline: its {setting} is {has}, not {had}; "
                "from_pretrained takes it as an option"
            )


def _kind(part: object) -> str:
    """Return what something is, in words."""
    if isinstance(part, type):
        return f"the class {part.__name__}"
    name = type(part).__name__
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"
