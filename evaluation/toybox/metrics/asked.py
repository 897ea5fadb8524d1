"""Which attributes of a Toybox clip an edit is asked to change, and which to keep."""

from typing import NamedTuple

from dreamix.core.errors import DoesNotApply, UserError
from dreamix.toybox.world import parse_caption
from evaluation.sample import Sample
from evaluation.toybox.judge import visible


class Asked(NamedTuple):
    """Attribute -> word: what the prompt says anew, and what it says as the source's caption.

    Only what can be seen: the colour is in neither where the prompt's style is pencil or sepia.
    """

    changed: dict[str, str]
    kept: dict[str, str]


def asked(sample: Sample) -> Asked:
    """Return what the prompt changes and keeps; `DoesNotApply` unless both texts are Toybox's."""
    before, after = words(sample.caption or "", "caption"), words(sample.prompt, "prompt")
    seen = {field: after[field] for field in visible(after)}
    changed = {field: word for field, word in seen.items() if word != before[field]}
    return Asked(changed, {field: word for field, word in seen.items() if field not in changed})


def words(text: str, what: str) -> dict[str, str]:
    """Return attribute -> word of a sentence; `DoesNotApply` names `what` if it is not Toybox's."""
    try:
        return parse_caption(text)
    except UserError as error:
        raise DoesNotApply(f"the {what} is not a sentence of Toybox: {error}") from None
