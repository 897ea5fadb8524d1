"""How many bytes and operations an edit and a finetuning take, traced on the toolkit's own code.

    all parts on the accelerator   all weights + the most that any phase holds beside them
    offloaded                      the most of: weights that are there in a phase + what it holds

What a phase holds is exact for tensors. Not in it: the scratch memory of kernels, what the
allocator keeps in reserve, and the accelerator's own context (some hundred MB).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dreamix.backends.blueprint import Blueprint, Dtypes, build
from dreamix.backends.editing import PaddedSource, Request, edited_source
from dreamix.backends.family import Family
from dreamix.backends.pipeline import RARE, DreamixPipeline
from dreamix.backends.tracing import REST, Traced, bytes_of, new_mode, without_memory
from dreamix.backends.tuning import Tuning, latents_of, objective, trainable
from dreamix.diffusion.adapting import LossPart, Training, checkpointed, only_trained, optimiser
from dreamix.diffusion.levels import noise_levels
from dreamix.diffusion.settings import Finetuning

TRACED = 2  # steps: the second has what a solver remembers of the first
TEXT, ENCODE, DENOISE, DECODE, UPDATE = "text", "encode", "denoise", "decode", "update"


class Size(NamedTuple):
    """Of the clip."""

    width: int
    height: int
    frames: int


@dataclass(frozen=True)
class Setup:
    """How the toolkit runs a pipeline: on an accelerator, or on the processor."""

    dtypes: Dtypes = torch.float32
    tiling: bool = False  # of the autoencoder
    checkpointing: bool = False
    transfers: bool = False  # has the clip to be copied to where the networks are?
    rank: int | None = 32
    frames: int = 8  # single frames in an update
    alpha: float = 0.5


HALF: Dtypes = {"default": torch.bfloat16, "vae": torch.float32}
PROCESSOR = Setup()
ACCELERATOR = Setup(HALF, tiling=True, checkpointing=True, transfers=True)


def repeated(phase: str) -> bool:
    """Return True if a phase is gone through once for every step or update."""
    return phase.split()[-1] in (DENOISE, UPDATE)


@dataclass(frozen=True)
class Phases:
    """What the phases of one kind of work hold, in bytes beside the weights, and compute."""

    order: list[str]  # parts in the order in which they are called
    held: dict[str, int]
    flops: dict[str, float]  # of a step or an update, where there are several

    def all_flops(self, times: int) -> float:
        """Return the operations of the whole work: so many steps or updates."""
        return sum(n * (times if repeated(p) else 1) for p, n in self.flops.items())


@dataclass(frozen=True)
class Footprint:
    """Bytes and operations of a pipeline at one size, in one setup."""

    size: Size
    weights: dict[str, int]  # bytes by part
    sequence: list[str]  # of offloading; empty where parts do not come and go
    edit: Phases
    finetune: Phases | None  # None for an image model
    full: Phases | None  # finetuning of all weights
    trained: int  # bytes of the adapter

    def together(self, phases: Phases) -> int:
        """Return the peak with all parts on one device."""
        return sum(self.weights.values()) + max(phases.held.values())

    def offloaded(self, phases: Phases) -> int:
        """Return the peak where a part is only on the accelerator from its call on."""
        return self.worst(phases)[2]

    def worst(self, phases: Phases) -> tuple[str, set[str], int]:
        """Return the phase in which offloading holds most, the parts that are there, and bytes."""
        there = stays(phases.order, self.sequence)
        if not self.sequence:
            there = {phase: [set(self.weights)] for phase in phases.held}
        found = [
            (phase, parts, held + sum(self.weights[part] for part in parts))
            for phase, held in phases.held.items()
            for parts in there[phase]
        ]
        return max(found, key=lambda each: each[2])

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> "Footprint":
        """Return `as_dict` undone."""
        works = {name: Phases(**held[name]) for name in ("edit", "finetune", "full") if held[name]}
        return cls(**{**held, **works, "size": Size(*held["size"])})


def stays(order: list[str], sequence: list[str]) -> dict[str, list[set[str]]]:
    """Return the parts that are on the accelerator in each phase, each time the phase runs.

    order:    "phase:part", call after call.
    sequence: of diffusers' offloading: a part that is called sends the one before it away, and
              no other; so an autoencoder that has encoded stays until the end.
    """
    there: set[str] = set()
    found: dict[str, list[set[str]]] = {}
    for call in order:
        phase, _, part = call.partition(":")
        if part in sequence:
            there = there - set(sequence[: sequence.index(part)][-1:]) | {part}
        found.setdefault(phase, []).append(there)
    return found


def footprint(plan: Blueprint, size: Size, setup: Setup, *, full: bool = False) -> Footprint:
    """Return what editing and finetuning take with a pipeline built from `plan`.

    full: trace finetuning of all weights as well.

    Raises:
        UserError: for a size that its networks cannot take.
    """
    weights, edit = edit_footprint(plan, size, setup)
    dreamix = _opened(plan, setup)
    _, tuned, trained = finetuning_footprint(plan, size, setup)
    everything = replace(setup, rank=None)
    return Footprint(
        size=size,
        weights=weights,
        sequence=dreamix.pipe.model_cpu_offload_seq.split("->"),
        edit=edit,
        finetune=tuned,
        full=finetuning_footprint(plan, size, everything)[1] if full else None,
        trained=trained,
    )


def edit_footprint(plan: Blueprint, size: Size, setup: Setup) -> tuple[dict[str, int], Phases]:
    """Return the bytes of weights by part, and the phases of an edit."""
    dreamix = _opened(plan, setup)
    dreamix.family.check_clip(size.frames, size.height, size.width)
    return _weights(dreamix), _edit(dreamix, size, setup)


def finetuning_footprint(
    plan: Blueprint, size: Size, setup: Setup
) -> tuple[dict[str, int], Phases, int]:
    """Return the bytes of weights by part, the phases of a finetuning, and the adapter's bytes."""
    dreamix = _opened(plan, setup)
    dreamix.family.check_clip(size.frames, size.height, size.width)
    return _weights(dreamix), *_finetuning(dreamix, size, setup)


def _weights(dreamix: DreamixPipeline) -> dict[str, int]:
    return {name: bytes_of(part) for name, part in _networks(dreamix).items()}


def _opened(plan: Blueprint, setup: Setup) -> DreamixPipeline:
    dreamix = DreamixPipeline(build(plan, setup.dtypes))
    if setup.tiling:
        dreamix.enable_vae_tiling()
    return dreamix


def _networks(dreamix: DreamixPipeline) -> dict[str, nn.Module]:
    """Return the parts that have weights."""
    parts = dreamix.pipe.components.items()
    return {name: part for name, part in parts if isinstance(part, nn.Module)}


def _fakes(dreamix: DreamixPipeline, size: Size) -> tuple[dict[Tensor, Tensor], Tensor]:
    """Put tensors without memory into all parts; return which stands for which, and a clip."""
    mode = new_mode()
    made = without_memory(list(_networks(dreamix).values()), mode)
    with mode:
        pixels = torch.zeros(1, 3, size.frames, size.height, size.width)
    return made, pixels


def _watched(family: Family, traced: Traced, setup: Setup) -> None:
    """Let the work of a family be counted by phase."""
    encode = family.encode

    def encoded(pixels: Tensor, *draw: Any) -> Tensor:
        there: Tensor = encode(pixels.clone() if setup.transfers else pixels, *draw)
        return there

    works: dict[str, Callable[..., Any]] = {
        ENCODE: encoded,
        TEXT: family.embed,
        DENOISE: family.guided,
        DECODE: family.decode,
    }
    names = {ENCODE: "encode", TEXT: "embed", DENOISE: "guided", DECODE: "decode"}
    for phase, work in works.items():
        setattr(family, names[phase], traced.named(phase, work))


def _edit(dreamix: DreamixPipeline, size: Size, setup: Setup) -> Phases:
    """Return the phases of an edit with guidance, of `TRACED` steps."""
    family, (made, pixels) = dreamix.family, _fakes(dreamix, size)
    traced = Traced(made.values(), scratch=not setup.transfers)
    _watched(family, traced, setup)
    source = PaddedSource(pixels, size.frames, size.height, size.width)
    if (padded := family.padded(size.frames)) != size.frames:
        source = source._replace(pixels=pixels[:, :, :1].expand(-1, -1, padded, -1, -1).clone())
    with traced:
        if not setup.transfers and source.pixels is not None:
            traced.hold(source.pixels)
        edited_source(family, _request(family, size), source, dreamix)
    flops = {p: n / (TRACED if p == DENOISE else 1) for p, n in traced.flops.items()}
    networks = [f"{DENOISE}:{name}" for name in family.networks]
    order = [f"{TEXT}:text_encoder", f"{ENCODE}:vae", *networks, f"{DECODE}:vae", f"{REST}:"]
    return Phases(order, traced.peak, flops)


def _request(family: Family, size: Size) -> Request:
    """Return an edit of `TRACED` steps, without the first: it may begin without the clip."""
    scheduler = family.pipe.scheduler
    shape = family.latent_shape(family.padded(size.frames), size.height, size.width)
    family.set_steps(TRACED + 1, shape)
    level = float(noise_levels(scheduler)[1])
    return Request(
        prompts=["a"],
        negative=[""],
        video=None,
        noise_scale=level,
        guidance=family.defaults.guidance,
        guidance_2=None,
        steps=TRACED + 1,
        size=(size.height, size.width),
        frames=size.frames,
        corrupt=(1, 1),
        eta=0.0,
        posterior="mode",
        latents=None,
        generator=torch.Generator(),
        output="pt",
        called=None,
    )


def _finetuning(dreamix: DreamixPipeline, size: Size, setup: Setup) -> tuple[Phases, int]:
    """Return the phases of a finetuning, and the bytes that are trained."""
    family = dreamix.family
    settings = Finetuning(1, 1e-4, setup.alpha, setup.frames)
    tuning = Tuning([RARE], settings, setup.rank, "all", setup.checkpointing, "adamw", "no")
    chosen = trainable(family, tuning, torch.Generator())
    made, pixels = _fakes(dreamix, size)
    _one_expert(family)
    weights: list[Any] = [made[p] for p in chosen]
    adapter = {id(weight) for weight in weights if setup.rank is not None}
    there = [x for x in made.values() if id(x) not in adapter]
    traced = Traced(there, scratch=not setup.transfers)
    _watched(family, traced, setup)
    with traced:
        if setup.rank is None and not setup.transfers:
            dreamix.keep_original()  # for `reset`; beside an accelerator it is not on it
        for weight in weights:  # those of an adapter: all others were there before
            traced.hold(weight)
        clip = latents_of(family, pixels, setup.alpha)
        with torch.no_grad():
            words = family.embed(tuning.prompts, None).told
        with traced.phase(UPDATE):
            _update(family, weights, objective(family, clip, words, settings), setup)
    networks = [f"{UPDATE}:{name}" for name in family.networks]
    order = [f"{ENCODE}:vae", f"{TEXT}:text_encoder", *networks, f"{REST}:"]
    trained = sum(x.untyped_storage().nbytes() for x in weights)
    return Phases(order, traced.peak, {**traced.flops}), trained


def _one_expert(family: Any) -> None:
    """Let one of several networks predict all frames of an update: that is when it holds most."""
    first, *others = family.networks
    if others:
        family.experts = lambda timesteps: [first] * len(timesteps)


def _update(family: Family, weights: list[Any], parts: list[LossPart], setup: Setup) -> None:
    """Run one update, beside what AdamW keeps from its first one on."""
    networks = list(family.networks.values())
    blocks = family.blocks if setup.checkpointing else []
    with only_trained(networks, weights), checkpointed(blocks):
        optimise = optimiser(weights, 1e-4, Training())
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        optimise.step()
        optimise.zero_grad(set_to_none=True)
        for part in parts:
            with part.mask():
                for term in part.terms(torch.Generator()):
                    (part.weight * term).backward()
        with torch.no_grad():  # on an accelerator AdamW takes the roots of all moments at once
            roots = [torch.empty_like(w) for w in weights if setup.transfers]
        optimise.step()
        del roots
