"""What a family of diffusers models declares, so that one pipeline can edit with all of them.

Clips have one shape everywhere here, (batch, channels, frames, height, width), whatever shape a
family's network takes. Pixels are float32 in -1..1; latents are normalised, as the network sees
them. A family is bound to one loaded diffusers pipeline and keeps nothing of a clip.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor, nn

from dreamix.backends.names import Pretrained
from dreamix.core.errors import UserError
from dreamix.diffusion.guidance import guide
from dreamix.diffusion.masking import as_frames, temporal_parameters

if TYPE_CHECKING:
    from diffusers import DiffusionPipeline

Generators = torch.Generator | list[torch.Generator] | None
Stepper = Callable[[int, Tensor, Tensor], Tensor]  # (step, prediction, z) -> z one step cleaner


class PromptEmbeds(NamedTuple):
    """Prompts as the network reads them, and what guidance leads away from; None: no guidance."""

    told: Tensor
    against: Tensor | None


class Defaults(NamedTuple):
    """What diffusers' own pipeline of the family does when nothing is said."""

    steps: int
    guidance: float
    height: int
    width: int
    frames: int
    fps: float = 8.0  # at which diffusers' examples of the family write their clips


class Family(ABC):
    """One family, bound to a loaded pipeline `pipe`."""

    name: ClassVar[str]
    pipelines: ClassVar[tuple[str, ...]]  # classes of diffusers it fits
    network_name: ClassVar[str]  # "unet" or "transformer": the prefix of adapter files too
    separable: ClassVar[bool]  # has it temporal layers of its own?
    masking: ClassVar[str]  # how its frame pass is masked, in words
    departs: ClassVar[str]  # what of that departs from the paper
    lora: ClassVar[dict[str, str]]  # choice -> regular expression of the layers adapted
    defaults: ClassVar[Defaults]
    pretrained: ClassVar[dict[str, Pretrained]]  # by the names of backends
    joined: ClassVar[bool] = True  # does its own pipeline predict both halves of guidance at once?

    def __init__(self, pipe: "DiffusionPipeline") -> None:
        self.pipe = pipe

    # -- parts ---------------------------------------------------------------------------------
    @property
    def networks(self) -> dict[str, Any]:
        """The networks that denoise, by component name: one, or Wan 2.2's two experts."""
        return {self.network_name: getattr(self.pipe, self.network_name)}

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute in."""
        dtype: torch.dtype = next(iter(self.networks.values())).dtype
        return dtype

    @property
    def latent_dtype(self) -> torch.dtype:
        """What latents are kept in between steps, as the family's own pipeline keeps them."""
        return self.dtype

    @property
    def device(self) -> torch.device:
        """Where the networks compute, which with offloading is not where they rest."""
        device: torch.device = self.pipe._execution_device
        return device

    @property
    @abstractmethod
    def blocks(self) -> list[nn.Module]:
        """The parts of the networks that gradient checkpointing computes twice."""

    # -- shapes --------------------------------------------------------------------------------
    @property
    def frame_multiple(self) -> int | None:
        """The k of a causal autoencoder that takes n k + 1 frames; None: any count of frames."""
        return None

    @property
    @abstractmethod
    def size_multiple(self) -> int:
        """What height and width have to be multiples of."""

    def padded(self, frames: int) -> int:
        """Return the least count of frames, `frames` or more, that the autoencoder takes."""
        if self.frame_multiple is None:
            return frames
        return -(-(frames - 1) // self.frame_multiple) * self.frame_multiple + 1

    @abstractmethod
    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """Return (channels, frames, height, width) of the latents of a clip that is padded."""

    @property
    def most_frames(self) -> int | None:
        """The most frames that the networks take; None: as many as memory has room for."""
        return None

    def check_clip(self, frames: int, height: int, width: int) -> None:
        """Raise a `UserError` for a size or a length that the networks cannot take."""
        if self.most_frames is not None and frames > self.most_frames:
            raise UserError(f"{self.name} takes {self.most_frames} frames at most, not {frames}")
        multiple = self.size_multiple
        if height % multiple or width % multiple or min(height, width) < multiple:
            raise UserError(
                f"{self.name} takes heights and widths that are multiples of {multiple}, "
                f"not {height}x{width}"
            )

    # -- autoencoder and text ------------------------------------------------------------------
    @abstractmethod
    def encode(self, pixels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents of clips, float32: the posterior's mode, or a draw if told how."""

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Return the pixels of latents, float32."""

    @abstractmethod
    def embed(self, prompts: Sequence[str], negative: Sequence[str] | None) -> PromptEmbeds:
        """Return prompts as the network reads them; `negative` None: without guidance."""

    def states(self, words: Tensor) -> Tensor:
        """Return prompts as the family's own pipeline calls them `prompt_embeds`."""
        return words

    def reworded(self, states: Tensor, words: Tensor) -> Tensor:
        """Return prompts with other states; the inverse of `states`."""
        return states

    # -- network -------------------------------------------------------------------------------
    @abstractmethod
    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the network's prediction for noisy latents; `timesteps` has one for each."""

    def turns(self, timesteps: Tensor) -> list[Any]:
        """Return which clips of a batch each network predicts, network by network."""
        return [slice(None)]

    def check_guidance(self, second: float | None) -> None:
        """Raise a `UserError` for a second weight of guidance where one network denoises."""
        if second is not None:
            raise UserError(
                f"guidance_scale_2 is of the second expert of Wan 2.2; this {self.name} has none"
            )

    def weight(self, timestep: Tensor, first: float, second: float) -> float:
        """Return the weight of guidance at a timestep; `second` is that of a second expert."""
        return first

    def guided(self, z: Tensor, timesteps: Tensor, words: PromptEmbeds, scale: float) -> Tensor:
        """Return the prediction under classifier-free guidance, both halves in one batch."""
        if words.against is None:
            return self.predict(z, timesteps, words.told)
        both = self.predict(
            torch.cat([z, z]),
            torch.cat([timesteps, timesteps]),
            torch.cat([words.against, words.told]),
        )
        without, told = both.chunk(2)
        return guide(without, told, scale)

    def draw(self, shape: Sequence[int], generator: Generators) -> Tensor:
        """Return standard normal noise, drawn in the order the family's own pipeline draws it.

        shape: (batch, channels, frames, height, width).
        """
        return randn_tensor(tuple(shape), generator, self.device, self.latent_dtype)

    def laid_out(self, z: Tensor) -> Tensor:
        """Return latents in the memory layout of the family's own pipeline: equal to the last bit.

        Convolutions of one layout and of another differ in the last bits of their sums.
        """
        return z.transpose(1, 2).contiguous().transpose(1, 2)

    def set_steps(self, steps: int, shape: Sequence[int]) -> None:
        """Set the schedule for latents (channels, frames, height, width), on which few depend."""
        self.pipe.scheduler.set_timesteps(steps, device=self.device)

    def stepper(self, generator: Generators, eta: float) -> Stepper:
        """Return a function that takes steps of the pipeline's scheduler."""
        scheduler = self.pipe.scheduler
        options = accepted(scheduler.step, eta=eta, generator=generator)

        def step(i: int, prediction: Tensor, z: Tensor) -> Tensor:
            t = scheduler.timesteps[i]
            cleaner: Tensor = scheduler.step(prediction, t, z, **options, return_dict=False)[0]
            return cleaner

        return step

    # -- frames alone --------------------------------------------------------------------------
    def frame_clips(self, pixels: Tensor) -> Tensor:
        """Return the latents of every frame, encoded alone: (F, C, 1, H, W)."""
        return torch.cat([self.encode(frame) for frame in as_frames(pixels).split(1)])

    def frame_pass(self) -> AbstractContextManager[None]:
        """Return a block in which the networks see every frame alone."""
        return nullcontext()

    def chosen(self, where: str) -> dict[str, list[nn.Parameter]]:
        """Return the weights that full finetuning trains, by network: all, spatial or temporal."""
        self.check_choice(where)
        found = {}
        for name, network in self.networks.items():
            temporal = {id(p) for p in temporal_parameters(network)}
            found[name] = [
                p
                for p in network.parameters()
                if where == "all" or (id(p) in temporal) == (where == "temporal")
            ]
        return found

    def check_choice(self, where: str) -> None:
        """Raise a `UserError` for a choice of layers that the family does not have."""
        if where not in self.lora:
            raise UserError(f"{self.name} finetunes {' or '.join(self.lora)} layers, not {where!r}")


def accepted(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    """Return those of `options` that `function` takes."""
    return {k: v for k, v in options.items() if k in inspect.signature(function).parameters}
