"""Where the scores of a metric come from that neither the toolkit nor a package computes."""

import os
from dataclasses import dataclass
from typing import Any, Literal

from dreamix.core.typed import STRICT
from evaluation.schema import Sha256


@dataclass(frozen=True)
class ImportInfo:
    """A table of scores that was imported."""

    __pydantic_config__ = STRICT
    source: str  # what computed them, as their table says
    file: str  # name of the table
    place: str  # where it stood, seen from the run folder; never opened
    sha256: Sha256
    missing: tuple[float, ...] = ()  # numbers that stood for no score


@dataclass(frozen=True)
class CommandInfo:
    """A program that the user named. It is told of, never run because it stands here."""

    __pydantic_config__ = STRICT
    text: str  # as it was given
    files: dict[str, Sha256]  # words of it that are small files: scripts
    version: str | None = None  # as the program says

    @property
    def said(self) -> str:
        """The program as tables name it: its script, without the folders of this machine."""
        words = self.text.split() or [""]
        script = next((word for word in words if word in self.files), words[0])
        name = os.path.basename(script)
        return f"{name}, version {self.version}" if self.version else name


_ANSWERS = {
    ("scale", "token"): "expected score",
    ("scale", "json"): "score in words",
    ("checklist", "token"): "probabilities of answers",
    ("checklist", "json"): "answers in words",
}


@dataclass(frozen=True)
class JudgeInfo:
    """A vision-language model that was asked."""

    __pydantic_config__ = STRICT
    model: str
    form: Literal["token", "json"]  # how its answers were read
    frames: dict[str, Any]  # which stills it was shown
    audit: str | None = None  # its line
    asks: Literal["scale", "checklist"] = "scale"

    @property
    def said(self) -> str:
        """The judge as tables name it, with what its audit said."""
        how = _ANSWERS[self.asks, self.form]
        told = f"{self.model} as a judge, {how}, {self.frames.get('count')} frames a clip"
        return f"{told}; {self.audit or 'not audited'}"
