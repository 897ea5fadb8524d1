"""What a method is asked: one edit of a suite, with its source and its words."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property

from dreamix.core.errors import DoesNotApply
from dreamix.core.progress import Progress
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite
from dreamix.data.suite_entries import TEXTS


def unheard(_: str) -> None:
    """Take a progress message for nobody."""


@dataclass
class EditRequest:
    """One edit that a method is asked to make.

    seed:     number of the repetition; draw from `rng_for(method, edit.id, seed)`.
    progress: call it with where a slow method is, such as "denoising 12/25", as often as you like.
    """

    suite: Suite
    edit: Edit
    seed: int
    label: str  # the method's name in this run
    load_source: Callable[[str], Video] | None = None  # video id -> clip; the suite's by default
    progress: Callable[[str], None] = field(default=unheard, compare=False)

    @cached_property
    def source(self) -> Video:
        """The clip to edit, decoded or rendered at its first use."""
        return (self.load_source or self.suite.source)(self.edit.video)

    @property
    def names(self) -> tuple[str | int, ...]:
        """What the noise of this edit is named after: the same for every method."""
        return "edit", self.edit.id, self.seed

    @property
    def unseeded_names(self) -> tuple[str | int, ...]:
        """The same of a method whose result does not depend on the seed."""
        return "edit", self.edit.id, 0

    @property
    def caption(self) -> str:
        """What the source shows, in words; a suite that does not tell is a `DoesNotApply`."""
        told = self.suite.videos[self.edit.video].caption
        if told is None:
            raise DoesNotApply(f"video {self.edit.video} has no caption, which this method needs")
        return told

    @property
    def prompt(self) -> str:
        """What the edit is to show, in words; an edit that does not tell is a `DoesNotApply`."""
        return self._told("prompt", self.edit.prompt)

    @property
    def instruction(self) -> str:
        """What to change, in words; an edit that does not tell is a `DoesNotApply`."""
        return self._told("instruction", self.edit.instruction)

    @property
    def phrases(self) -> tuple[str, str]:
        """Words for what is to change and for what it becomes; without them: `DoesNotApply`."""
        told = self.edit.from_phrase, self.edit.to_phrase
        return self._told("phrases", told[0]), self._told("phrases", told[1])

    def _told(self, text: str, words: str | None) -> str:
        if words is None:
            raise DoesNotApply(f"edit {self.edit.id} has no {TEXTS[text]}, which this method reads")
        return words

    def check_texts(self, texts: Collection[str]) -> None:
        """Raise `DoesNotApply` for an edit without these texts, or that words alone do not tell."""
        for text in sorted(texts):
            getattr(self, text)
        if texts and (shown := self.edit.references):
            told = f"edit {self.edit.id} refers to {shown[0]}"
            raise DoesNotApply(f"{told}; this method reads words alone")

    def of(self, clip: Video) -> "EditRequest":
        """Return the same request of another clip."""
        return replace(self, load_source=lambda _: clip)

    def progress_of(self, doing: str) -> Progress:
        """Return a callback that reports steps as messages: "finetuning 12/64"."""
        return lambda done, total: self.progress(f"{doing} {done}/{total}")
