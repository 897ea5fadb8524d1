"""What `DreamixPipeline` has of a diffusers pipeline: its parts, and where a call has come to.

Whatever the pipeline within has can be read, and its parts be set, as if they were one's own:
`pipe.scheduler = ...` is what the next call and the next finetuning use. An attribute that nothing
would ever read is an `AttributeError`: in silence it would be lost.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from diffusers import SchedulerMixin
from torch import Tensor, nn

from dreamix.backends.adapters import bare
from dreamix.backends.families import family_of
from dreamix.backends.family import Family
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
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


# What only diffusers' own calls look at; here it would have no effect.
UNREAD = {
    "enable_free_init": "the noise is drawn once here",
    "enable_free_noise": "clips are denoised whole here",
    "load_ip_adapter": "no image is put beside the prompt here",
    "set_ip_adapter_scale": "no image is put beside the prompt here",
    "from_pipe": "make another DreamixPipeline(pipe) of the pipeline instead",
}
FIXED = ("pipe", "family")  # once they are there
INSTEAD = {
    **dict.fromkeys(("pipe", "family"), "make another DreamixPipeline(pipe)"),
    "guidance_scale": "give it in the call; in a callback set _guidance_scale",
    "guidance_scale_2": "give it in the call; in a callback set _guidance_scale_2",
    "num_timesteps": "give num_inference_steps in the call",
    "device": "use to(...)",
    "dtype": "use to(...)",
}


class Surface:
    """Attributes of the diffusers pipeline `pipe`, and of the call that runs.

    Its own are those that the class declares, and a subclass of it.
    """

    pipe: Any
    family: Family
    _interrupt: bool
    _guidance_scale: float | None
    _guidance_scale_2: float | None
    _num_timesteps: int | None
    _current_timestep: Tensor | None

    def __init__(self, pipe: object) -> None:
        self._interrupt = False
        self._guidance_scale = self._guidance_scale_2 = None
        self._num_timesteps = self._current_timestep = None
        self.family = family_of(pipe)
        self.pipe = pipe

    # -- of the call that runs, or ran last ------------------------------------------------------
    def begin(self, guidance: float, second: float | None, steps: int) -> None:
        """Note what a call starts with, where callbacks look for it."""
        self._guidance_scale, self._guidance_scale_2 = guidance, second
        self._num_timesteps = steps

    @property
    def interrupt(self) -> bool:
        """Whether no further step is taken; a callback sets it, or `_interrupt` as in diffusers."""
        return bool(self._interrupt)

    @interrupt.setter
    def interrupt(self, stop: bool) -> None:
        self._interrupt = stop

    @property
    def guidance_scale(self) -> float | None:
        """The weight of guidance; a callback sets `_guidance_scale`."""
        return self._guidance_scale

    @property
    def guidance_scale_2(self) -> float | None:
        """That of Wan 2.2's second expert, None where it is the same."""
        return self._guidance_scale_2

    @property
    def do_classifier_free_guidance(self) -> bool:
        """Whether the next step is guided."""
        return self._guidance_scale is not None and self._guidance_scale > 1

    @property
    def num_timesteps(self) -> int | None:
        """The steps that the call takes, from its noise level on."""
        return self._num_timesteps

    @property
    def current_timestep(self) -> Tensor | None:
        """The timestep that is being taken; None between calls."""
        return self._current_timestep

    @current_timestep.setter
    def current_timestep(self, timestep: Tensor | None) -> None:
        self._current_timestep = timestep

    # -- of the pipeline within ------------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        """Return what the diffusers pipeline has by that name; called where this class has none."""
        pipe = self.__dict__.get("pipe")
        if pipe is None or name.startswith("__"):
            raise AttributeError(name)
        if name in UNREAD:
            raise AttributeError(f"{name} has no effect on a DreamixPipeline: {UNREAD[name]}")
        try:
            return getattr(pipe, name)
        except AttributeError:
            raise AttributeError(_unknown(pipe, name)) from None

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute of one's own or a part of the pipeline; others are refused."""
        pipe, kind = self.__dict__.get("pipe"), cast(Any, type(self))
        if pipe is None or hasattr(kind, name) or name in _declared(kind):
            self._set_own(name, value)
        elif name in pipe.components:
            self._set_part(name, value)
        elif name in vars(pipe):
            setattr(pipe, name, value)
        else:
            raise AttributeError(_unknown(pipe, name))

    def _set_own(self, name: str, value: object) -> None:
        found = getattr(type(self), name, None)
        fixed = isinstance(found, property) and found.fset is None
        if fixed or (name in FIXED and name in self.__dict__):
            raise AttributeError(f"{name} cannot be set: {INSTEAD.get(name, 'it is read only')}")
        object.__setattr__(self, name, value)

    def _set_part(self, name: str, part: object) -> None:
        """Put a part into the pipeline.

        Raises:
            UserError: if it does not fit there.
        """
        before = getattr(self.pipe, name)
        check_part(self.pipe, name, part)
        setattr(self.pipe, name, part)
        try:
            self.__dict__["family"] = family_of(self.pipe)
        except UserError:
            setattr(self.pipe, name, before)
            raise


@cache
def _declared(kind: type) -> frozenset[str]:
    """Return the names of attributes that a class and those it comes from declare."""
    return frozenset(name for one in kind.__mro__ for name in vars(one).get("__annotations__", ()))


def _unknown(pipe: "DiffusionPipeline", name: str) -> str:
    """Return the line for an attribute that neither this class nor the pipeline has."""
    parts = sorted(pipe.components)
    hint = near_misses(name, [*parts, "interrupt"])
    return (
        f"a DreamixPipeline of a {type(pipe).__name__} has no attribute {name!r}{hint} "
        f"(its parts, which can be set: {', '.join(parts)})"
    )
