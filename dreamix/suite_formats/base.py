"""What a format is: a function that puts a suite together of another benchmark's files.

    @suite_format("mybench", title="MyBench", licence="CC BY 4.0", free=True)
    def mybench(path: Path, draft: Draft) -> None:
        for row in draft.rows(read_json_document(path, LIMITS), MyRow): ...

It adds videos and edits to a `Draft` and notes what is wrong, without guessing; the draft is then
checked like any suite. `write` turns a suite into a file of the format, where it can be.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dreamix.core.registry import Registry
from dreamix.core.yaml_reading import Limits
from dreamix.data.suite import Edit, Suite
from dreamix.suite_formats.draft import Draft

LIMITS = Limits(size=64 << 20, values=2_000_000, levels=20, aliases=False)  # of foreign files

Read = Callable[[Path, Draft], None]
Write = Callable[[Suite], str]  # the text of a file; what does not fit is a `UserError`


@dataclass(frozen=True)
class SuiteFormat:
    """How another benchmark keeps its edits."""

    name: str
    title: str  # as the benchmark calls itself
    licence: str  # of clips and prompts, as it is stated; empty: whose suite it is says it
    free: bool  # whether that allows copies of the clips
    read: Read
    write: Write | None  # None: suites are not written in this format
    holds: frozenset[str]  # of PARTS, that it has a place for

    @property
    def definition(self) -> str:
        """What PATH is, and how outputs of a method lie: the docstring."""
        return " ".join((self.read.__doc__ or "").split())


FORMATS: Registry[SuiteFormat] = Registry(
    "format", "dreamix.suite_formats", "dreamix.suite_formats"
)


# What an edit may have and a format may have no place for -> how it is read off an edit.
PARTS: dict[str, Callable[[Edit], object]] = {
    "prompt": lambda edit: edit.prompt,
    "instruction": lambda edit: edit.instruction,
    "from": lambda edit: edit.from_phrase,
    "to": lambda edit: edit.to_phrase,
    "tags": lambda edit: edit.tags,
    "questions": lambda edit: edit.questions,
    "references": lambda edit: edit.references,
}


def suite_format(
    name: str,
    *,
    title: str,
    licence: str,
    free: bool,
    write: Write | None = None,
    holds: Iterable[str] = (),
) -> Callable[[Read], Read]:
    """Return a decorator that registers a function under `name` and gives it back unchanged.

    holds: what `write` has a place for; all else that a suite has is said to be left out.
    """
    if unknown := sorted({*holds} - PARTS.keys()):
        raise ValueError(f"format {name} holds {unknown[0]!r}, which is no part of an edit")

    def add(read: Read) -> Read:
        told = SuiteFormat(name, title, licence, free, read, write, frozenset(holds))
        FORMATS.add(name, told, read.__module__)
        return read

    return add
