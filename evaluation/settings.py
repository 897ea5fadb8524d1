"""Which models score the clips, and how they run: everything a user can choose about them."""

from dataclasses import asdict, dataclass, replace
from typing import Any

AUTO = "auto"
REAL_CLIP = "ViT-B-32-quickgelu:openai"  # what AUTO means for real footage
TOYBOX_CLIP = "toybox-clip"  # it comes with the toolkit
OF_WORLD = {"toybox": TOYBOX_CLIP}  # and for clips of a world that has a CLIP of its own


@dataclass(frozen=True)
class ModelSettings:
    """The choices that decide a score; device and batch move its seventh digit and its cost."""

    clip: str = AUTO  # open_clip MODEL:TAG, MODEL:PATH of a weights file, or toybox-clip
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
        return replace(self, clip=OF_WORLD.get(world or "", REAL_CLIP))

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as JSON can hold them."""
        return asdict(self)
