"""Anchor: the still image seen by a moving camera, and nothing else. What `animate` starts from."""

from dataclasses import dataclass

from dreamix.core.video import Video
from dreamix.methods.animate import ASKED, camera_of, coarse
from dreamix.methods.base import EditRequest, method


@dataclass(frozen=True)
class CameraOnlyConfig:
    """Settings of the camera; see `animate`."""

    camera: str = ASKED
    amount: float = 0.3
    fill: str = "replicate"


@method("camera-only", config=CameraOnlyConfig, anchor=True, seeded=False)
def camera_only(request: EditRequest, backend: object, config: CameraOnlyConfig) -> Video:
    """Returns the first frame seen by the camera that is asked for: motion without a model."""
    camera = camera_of(request.prompt if config.camera == ASKED else "", config.camera)
    return coarse(request.source, camera, config.amount, config.fill)
