"""The one loop of finetuning: a weighted sum of parts, each a loss under a mask of its own.

    L = alpha L_vid + (1 - alpha) L_frame                                     (Eq. 3 of Dreamix)

The embedded model's parts are the paper's, on x0 (`dreamix.diffusion.finetune`); a pretrained
network's are the mean of (prediction - target)^2 that it was trained with
(`dreamix.diffusion.objectives`), on latents (`dreamix.backends.tuning`).

The gradient of each part is computed inside its mask, because gradient checkpointing runs the
network again then; so only one part's activations are held at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.diffusion.masking import replaced
from dreamix.diffusion.settings import Finetuning, diverged

Terms = Callable[[torch.Generator], Iterable[Tensor]]  # of the loss of one draw: it is their sum
PRECISIONS = {"no": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class LossPart(NamedTuple):
    """One term of the objective."""

    name: str
    weight: float
    terms: Terms
    mask: Callable[[], AbstractContextManager[Any]]


class Training(NamedTuple):
    """How updates are made."""

    optimiser: str = "adamw"  # or adamw8bit, with bitsandbytes
    precision: str = "no"  # or bf16, fp16: the network runs under autocast
    device: str = "cpu"
    fused: bool = False  # AdamW as one kernel: quicker, other last bits


def adapt(
    parameters: list[nn.Parameter],
    parts: list[LossPart],
    settings: Finetuning,
    generator: torch.Generator,
    training: Training = Training(),  # noqa: B008
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train `parameters` in place; return the losses of every update by name of the part.

    Draws do not depend on the weights of the parts, so that ablations see the same noise.

    Raises:
        UserError: if a loss is no longer a number.
    """
    optimise, history = optimiser(parameters, settings.learning_rate, training), []
    scaler = torch.amp.GradScaler(training.device, enabled=training.precision == "fp16")
    for done in range(settings.steps):
        # Gradients of all terms; a loss that is no number ends it before the weights change.
        losses = add_gradients(parts, generator, scaler, training)
        if not all(torch.isfinite(torch.tensor(value)) for value in losses.values()):
            raise diverged(settings, done)
        bring_state(optimise)
        # Update.
        scaler.step(optimise)
        scaler.update()
        optimise.zero_grad(set_to_none=True)
        history.append(losses)
        if progress:
            progress(done + 1, settings.steps)
    check_finite(parameters, settings)
    return history


def check_finite(parameters: list[nn.Parameter], settings: Finetuning) -> None:
    """Raise a `UserError` if the last update left weights that are no numbers."""
    if not all(bool(p.isfinite().all()) for p in parameters):
        raise diverged(settings, settings.steps)


def add_gradients(
    parts: list[LossPart],
    generator: torch.Generator,
    scaler: torch.amp.GradScaler,
    training: Training,
) -> dict[str, float]:
    """Add the gradients of one update; return the losses of its parts, without their weights."""
    seeds = torch.randint(2**62, (len(parts),), generator=generator).tolist()
    losses: dict[str, float] = {}
    for part, seed in zip(parts, seeds, strict=True):
        if not part.weight:
            continue
        losses[part.name] = 0.0
        with part.mask():
            for term in _terms(part, torch.Generator().manual_seed(seed), training):
                if term.requires_grad:  # the frame pass of temporal layers alone trains nothing
                    scaler.scale(part.weight * term).backward()
                losses[part.name] += term.item()
    return losses


def _terms(part: LossPart, generator: torch.Generator, training: Training) -> Iterator[Tensor]:
    """Yield the terms of a part one after another, computed in the precision asked for."""
    terms = iter(part.terms(generator))
    while True:
        with autocast(training):
            term = next(terms, None)
        if term is None:
            return
        yield term


def optimiser(parameters: list[nn.Parameter], rate: float, training: Training) -> Any:
    """Return AdamW without weight decay, in 8 bits if asked.

    Raises:
        UserError: if the package is missing.
    """
    if training.optimiser == "adamw":
        return torch.optim.AdamW(parameters, rate, weight_decay=0.0, fused=training.fused or None)
    if training.optimiser != "adamw8bit":
        raise UserError(f"an optimiser is adamw or adamw8bit, not {training.optimiser!r}")
    try:
        from bitsandbytes.optim import AdamW8bit
    except ModuleNotFoundError:
        raise UserError(
            "adamw8bit needs the package bitsandbytes: pip install bitsandbytes"
        ) from None
    return AdamW8bit(parameters, rate, weight_decay=0.0)


def bring_state(optimise: torch.optim.Optimizer) -> None:
    """Move what an optimiser remembers to where offloading has put its weights since."""
    for weight, state in optimise.state.items():
        for name, x in state.items():
            if isinstance(x, Tensor) and x.ndim and x.device != weight.device:  # not the step
                state[name] = x.to(weight.device)


def autocast(training: Training) -> AbstractContextManager[Any]:
    """Return a block in which networks compute in the precision asked for."""
    if training.precision not in PRECISIONS:
        raise UserError(f"precision is {', '.join(PRECISIONS)}, not {training.precision!r}")
    dtype = PRECISIONS[training.precision]
    return torch.autocast(training.device, dtype=dtype) if dtype else nullcontext()


@contextmanager
def only_trained(networks: list[nn.Module], parameters: list[nn.Parameter]) -> Iterator[None]:
    """Let `parameters` alone have gradients while the block runs; flags come back afterwards.

    Gradients that were there before are dropped, so that the first update has its own alone.
    """
    chosen = {id(p) for p in parameters}
    before = [(p, p.requires_grad) for network in networks for p in network.parameters()]
    try:
        for p, _ in before:
            p.requires_grad_(id(p) in chosen)
            p.grad = None
        yield
    finally:
        for p, flag in before:
            p.requires_grad_(flag)
            p.grad = None


@contextmanager
def checkpointed(blocks: list[nn.Module]) -> Iterator[None]:
    """Trade time for memory while the block runs: activations within each are computed twice.

    diffusers' own switch does nothing in some of its networks (the blocks of UNet3DConditionModel).
    """
    with ExitStack() as undo:
        for block in blocks:
            undo.enter_context(replaced(block, partial(checkpoint, block.forward, **_REENTRANT)))
        yield


_REENTRANT = {"use_reentrant": False}  # the kind that takes keyword arguments
