"""Which models score the clips, and how they run: everything a user can choose about them."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.registry import NamedRegistry

AUTO = "auto"
REAL_CLIP = "ViT-B-32-quickgelu:openai"  # what AUTO means for real footage


class OwnClip(NamedTuple):
    """A CLIP that knows one world and comes along: what AUTO means for clips of that world."""

    name: str  # as --clip takes it
    title: str  # of the world, as its identity names it
    folder: Path  # that holds its weights
    remark: str  # what who reads its values must know, after "CLIP in this run is NAME: "


OWN_CLIPS: NamedRegistry[OwnClip] = NamedRegistry("CLIP of world", "dreamix.clips")  # by world


def own_clip(name: str) -> OwnClip | None:
    """Return the CLIP of a world that has this name; None where none has."""
    return next((clip for clip in OWN_CLIPS.each() if clip.name == name), None)


@dataclass(frozen=True)
class ModelSettings:
    """The choices that decide a score; device and batch move its seventh digit and its cost."""

    clip: str = AUTO  # open_clip MODEL:TAG, MODEL:PATH of a weights file, or the name of an OwnClip
    clip_fit: str = AUTO  # how a frame becomes square: crop, squash or pad; auto: the model's own
    flow: str = "dis"  # dis (OpenCV, no weights), or raft_large:PATH / raft_small:PATH
    dtype: str = "fp32"  # fp32, or bf16 (autocast; cosines are then off by about 1e-3)
    device: str = "cpu"  # a torch device
    batch: int = 64  # frames in one forward pass

    def on(self, world: str | None) -> "ModelSettings":
        """Return the settings with the CLIP that AUTO stands for on a suite.

        world: that renders all of its videos, if there is one. A CLIP that was named stays.
        """
        if self.clip != AUTO:
            return self
        if world is None or world not in OWN_CLIPS.names():
            return replace(self, clip=REAL_CLIP)
        return replace(self, clip=OWN_CLIPS.get(world).name)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as JSON can hold them."""
        return asdict(self)
