"""Which models score the clips, and how they run: everything a user can choose about them."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ModelSettings:
    """The choices that decide a score; device and batch move its seventh digit and its cost."""

    clip: str = "ViT-B-32-quickgelu:openai"  # open_clip MODEL:TAG, or MODEL:PATH of a weights file
    clip_fit: str = "crop"  # how a frame becomes square: crop (open_clip's own), squash or pad
    flow: str = "dis"  # dis (OpenCV, no weights), or raft_large:PATH / raft_small:PATH
    dtype: str = "fp32"  # fp32, or bf16 (autocast; cosines are then off by about 1e-3)
    device: str = "cpu"  # a torch device
    batch: int = 64  # frames in one forward pass

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as JSON can hold them."""
        return asdict(self)
