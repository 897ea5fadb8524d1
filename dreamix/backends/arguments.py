"""What a pipeline is called with, checked before any work: the wrong type or value is one line.

None alone means "as is usual": 0, an empty list and an empty text are values like any others.
"""

import math
import numbers
from collections.abc import Sequence

import torch

from dreamix.backends.family import Generators
from dreamix.core.errors import UserError
from dreamix.core.names import shown


def prompts_of(prompt: object, name: str = "prompt") -> list[str]:
    """Return prompts as a list.

    Raises:
        UserError: for anything but a text or several texts.
    """
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(prompt, Sequence) or isinstance(prompt, bytes):
        raise UserError(f"{name} is a text or a list of texts, not {_kind(prompt)}")
    if odd := [text for text in prompt if not isinstance(text, str)]:
        raise UserError(f"{name} is a text or a list of texts, not a list with {_kind(odd[0])}")
    if not prompt:
        raise UserError(f"{name} is an empty list: give one text or more")
    return list(prompt)


def negatives_of(negative: object, count: int) -> list[str]:
    """Return a negative prompt for every prompt; None is the empty one, as in diffusers."""
    if negative is None:
        return [""] * count
    found = prompts_of(negative, "negative_prompt")
    if isinstance(negative, str):
        return found * count
    if len(found) != count:
        raise UserError(f"{count} prompts need as many negative prompts, or one")
    return found


def generators_of(generator: object, count: int) -> Generators:
    """Return one generator, a list with one for every prompt, or None."""
    if generator is None or isinstance(generator, torch.Generator):
        return generator
    if not isinstance(generator, list | tuple):
        raise UserError(f"generator is a torch.Generator or a list of them, not {_kind(generator)}")
    if odd := [one for one in generator if not isinstance(one, torch.Generator)]:
        raise UserError(
            f"generator is a torch.Generator or a list of them, not a list with {_kind(odd[0])}"
        )
    if len(generator) != count:
        raise UserError(f"{count} prompts need as many generators, or one")
    return list(generator)


def count_of(value: object, usual: int, name: str) -> int:
    """Return a whole number of 1 or more, `usual` for None.

    Raises:
        UserError: for anything else.
    """
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise UserError(f"{name} is a whole number of 1 or more, not {_kind(value)}")
    return int(value)


def size_of(height: object, width: object) -> tuple[int | None, int | None]:
    """Return height and width, each None where it is that of the clip."""
    sides = {"height": height, "width": width}
    found = [side if side is None else count_of(side, 0, name) for name, side in sides.items()]
    return found[0], found[1]


def factors_of(corrupt: object) -> tuple[int, int]:
    """Return (time, space) of the corruption.

    Raises:
        UserError: for anything but two whole numbers.
    """
    pair = corrupt if isinstance(corrupt, Sequence) and not isinstance(corrupt, str) else ()
    whole = all(isinstance(n, numbers.Integral) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not whole:
        raise UserError(f"corrupt is (time, space), two whole numbers, not {shown(corrupt)}")
    return int(pair[0]), int(pair[1])


def number_of(value: object, usual: float, name: str) -> float:
    """Return a finite number, `usual` for None.

    Raises:
        UserError: for anything else.
    """
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise UserError(f"{name} is a number, not {_kind(value)}")
    return float(value)


def number_or_none(value: object, name: str) -> float | None:
    """Return a finite number, or None for None.

    Raises:
        UserError: for anything else.
    """
    return None if value is None else number_of(value, 0.0, name)


def _kind(value: object) -> str:
    """Return a value as a message tells it: None, numbers and texts as such, else its type."""
    if value is None or isinstance(value, str | numbers.Number):
        return shown(value)
    return f"a {type(value).__name__}"
