"""Callbacks after every step, as diffusers has them: what they are shown, and what they change.

A callback is called with (pipeline, step, timestep, tensors) and returns the tensors it changed.
Guidance is the pipeline's `_guidance_scale`, which a callback may set: above 1 it is the weight of
the next steps, at 1 and below the prompt alone is followed, by half the work.

`latents` have the shape (batch, channels, frames, height, width) in every family. `prompt_embeds`
are those of the prompts, or, where the family's own pipeline predicts both halves of guidance in
one batch, of the negative prompts and then the prompts, as long as there is guidance.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from dreamix.backends.arguments import number_of
from dreamix.backends.family import Family, PromptEmbeds
from dreamix.backends.surface import Surface
from dreamix.core.errors import UserError

HELD = ("latents", "prompt_embeds", "negative_prompt_embeds")  # what a callback may see and change
Callback = Callable[[Any, int, Tensor, dict[str, Any]], dict[str, Any] | None]


class Called(NamedTuple):
    """A callback, and the tensors it wants to see."""

    back: Callback
    held: Sequence[str]


def called_with(callback: Callback | None, held: Sequence[str]) -> Called | None:
    """Return a callback with the tensors it names itself (those of diffusers do), else `held`.

    Raises:
        UserError: if it is not callable, or asks for tensors that are not offered.
    """
    named = getattr(callback, "tensor_inputs", None)
    wanted = list(held if named is None else named) if not isinstance(held, str) else [held]
    if unknown := [name for name in wanted if name not in HELD]:
        raise UserError(f"a callback sees {', '.join(HELD)}, not {unknown[0]}")
    if callback is not None and not callable(callback):
        raise UserError(f"callback_on_step_end is a function, not a {type(callback).__name__}")
    return None if callback is None else Called(callback, wanted)


def after_step(
    call: Called,
    family: Family,
    owner: Surface,
    at: tuple[int, Tensor],
    z: Tensor,
    words: PromptEmbeds,
) -> tuple[Tensor, PromptEmbeds]:
    """Return latents and prompts as a callback leaves them.

    owner: the pipeline it is called with. at: number of the step, from 0, and its timestep.
    """
    shown = {"latents": z, **_embeds(family, owner, words)}
    before = {name: _version(tensor) for name, tensor in shown.items()}
    returned = call.back(owner, *at, {name: shown[name] for name in call.held})
    if not isinstance(returned, Mapping | None):
        raise UserError(f"a callback returns a dict of tensors, not a {type(returned).__name__}")
    after = {name: (returned or {}).get(name, shown[name]) for name in HELD}
    new = {  # what is another tensor, or the same that was written into
        name: tensor
        for name, tensor in after.items()
        if tensor is not shown[name] or _version(tensor) != before[name]
    }
    if "latents" in new:
        z = family.laid_out(_like(new["latents"], z, "latents"))
    return z, _words(family, words, new)


def weight_now(
    owner: Surface, family: Family, timestep: Tensor, words: PromptEmbeds
) -> float | None:
    """Return the weight of guidance at a timestep; None where there is none."""
    scale = number_of(owner.guidance_scale, 1.0, "guidance_scale")
    if scale <= 1:
        return None
    if words.against is None:
        raise UserError(
            "guidance cannot begin after the first step: call with a guidance_scale above 1"
        )
    low = number_of(owner.guidance_scale_2, scale, "guidance_scale_2")
    return family.weight(timestep, scale, low)


def _version(tensor: object) -> object:
    """Return how often a tensor was written into; where torch does not count, never the same."""
    if not isinstance(tensor, Tensor):
        return 0
    return object() if tensor.is_inference() else tensor._version


def _embeds(family: Family, owner: Surface, words: PromptEmbeds) -> dict[str, Tensor | None]:
    """Return what a callback is shown of the prompts."""
    told = family.states(words.told)
    against = None if words.against is None else family.states(words.against)
    joined = family.joined and (owner.guidance_scale or 1) > 1 and against is not None
    both = torch.cat([against, told]) if joined and against is not None else told
    return {"prompt_embeds": both, "negative_prompt_embeds": against}


def _words(family: Family, words: PromptEmbeds, new: dict[str, Any]) -> PromptEmbeds:
    """Return the prompts as a callback changed them."""
    told, against = words
    if "prompt_embeds" in new:
        name, changed, batch = "prompt_embeds", new["prompt_embeds"], len(told)
        halves = family.joined and isinstance(changed, Tensor) and len(changed) == 2 * batch
        if halves and against is not None:
            against = _reworded(family, changed[:batch], against, name)
            changed = changed[batch:]
        told = _reworded(family, changed, told, name)
    if "negative_prompt_embeds" in new:
        if against is None:
            raise UserError("without guidance no negative_prompt_embeds are read")
        name = "negative_prompt_embeds"
        against = _reworded(family, new[name], against, name)
    return PromptEmbeds(told, against)


def _reworded(family: Family, states: object, words: Tensor, name: str) -> Tensor:
    return family.reworded(_like(states, family.states(words), name), words)


def _like(new: object, old: Tensor, name: str) -> Tensor:
    """Return a tensor that has the shape of another.

    Raises:
        UserError: for anything else.
    """
    if not isinstance(new, Tensor):
        raise UserError(f"a callback returned {name} that are a {type(new).__name__}, not a tensor")
    if new.shape != old.shape:
        raise UserError(
            f"a callback returned {name} of the shape {tuple(new.shape)}, which are "
            f"{tuple(old.shape)} here"
        )
    return new.to(old)
