"""What `DreamixPipeline` has of a diffusers pipeline: its parts, and where a call has come to.

Whatever the pipeline within has can be read, and its parts be set, as if they were one's own:
`pipe.scheduler = ...` is what the next call and the next finetuning use. An attribute that nothing
would ever read is an `AttributeError`: in silence it would be lost.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from dreamix.backends.families import family_of
from dreamix.backends.family import Family
from dreamix.backends.parts import check_part
from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

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
