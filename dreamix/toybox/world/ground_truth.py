"""What is known about a rendered clip without looking at it: masks, depth, flow, words.

All of it follows from the maps that placed the subject and the camera. Style, shading, shadow and
what is in the air (snow, rain, fog, fireflies) do not count: the flow is that of the surfaces.
"""

from dataclasses import dataclass

import numpy as np

from dreamix.toybox.world.motion import HEIGHT, WIDTH, Affine, subject_map
from dreamix.toybox.world.renderer import check_size, screen_map
from dreamix.toybox.world.scene import VALUES, Scene
from dreamix.toybox.world.shapes import SHAPES
from dreamix.toybox.world.subject import local_coordinates


@dataclass(frozen=True, eq=False)
class Truth:
    """The exact truth of a clip of `frames` pictures; the arrays are read-only.

    masks:      bool (frames, height, width), True where the middle of the pixel is subject.
    depth:      uint8 of the same shape, order from the viewer: 0 = subject, 1 = backdrop.
    flow_forward:  float32 (frames - 1, height, width, 2), pixels (x right, y down): how far the
        surface point seen in the middle of the pixel in frame t has moved by frame t + 1.
    flow_backward: the same for a point seen in frame t + 1, back to its place in frame t.
    occluded_forward, occluded_backward: bool (frames - 1, height, width), True where that place
        cannot be seen, because the subject is before it or because it lies outside the frame.
    attributes: the scene's words by field (colour, shape, ...), without the seed.
    """

    masks: np.ndarray
    depth: np.ndarray
    flow_forward: np.ndarray
    flow_backward: np.ndarray
    occluded_forward: np.ndarray
    occluded_backward: np.ndarray
    attributes: dict[str, str]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


def truth(
    scene: Scene, frames: int = 16, height: int = HEIGHT, width: int = WIDTH, fps: float = 8.0
) -> Truth:
    """Return the exact truth of `render(scene, frames, height, width, fps)`."""
    ticks, k = check_size(frames, height, width, fps)
    camera = [screen_map(scene, tick, k) for tick in ticks]
    subject = [
        subject_map(scene, tick).then(view) for tick, view in zip(ticks, camera, strict=True)
    ]
    across = np.arange(width, dtype=np.float32) + 0.5
    down = np.arange(height, dtype=np.float32)[:, None] + 0.5
    masks = _inside(scene.shape, subject, across, down)
    grid = _Grid(scene.shape, across, down)
    forward = grid.flow(masks[:-1], camera[:-1], camera[1:], subject[:-1], subject[1:])
    backward = grid.flow(masks[1:], camera[1:], camera[:-1], subject[1:], subject[:-1])
    return Truth(
        masks=masks,
        depth=(~masks).astype(np.uint8),
        flow_forward=forward[0],
        flow_backward=backward[0],
        occluded_forward=forward[1],
        occluded_backward=backward[1],
        attributes={name: getattr(scene, name) for name in VALUES},
    )


def _inside(shape: str, maps: list[Affine], across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return where the subject is, bool (frames, height, width), at pixel coordinates."""
    return SHAPES[shape].distance(*local_coordinates(maps, across, down)) <= 0


@dataclass(frozen=True)
class _Grid:
    """The pixel centres of a frame, and the shape that hides some of them."""

    shape: str
    across: np.ndarray  # (width,)
    down: np.ndarray  # (height, 1)

    def flow(
        self,
        masks: np.ndarray,
        camera: list[Affine],
        next_camera: list[Affine],
        subject: list[Affine],
        next_subject: list[Affine],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the flow from one list of moments to another, and where it is occluded."""
        if not subject:
            return np.empty((0, *masks.shape[1:], 2), np.float32), np.empty(masks.shape, bool)
        world = self._shift(camera, next_camera)
        solid = self._shift(subject, next_subject)
        flow = np.where(masks[..., None], solid, world)
        x, y = self.across + flow[..., 0], self.down + flow[..., 1]
        outside = (x < 0) | (x >= len(self.across)) | (y < 0) | (y >= len(self.down))
        behind = _inside(self.shape, next_subject, x, y) & ~masks
        return flow, outside | behind

    def _shift(self, before: list[Affine], after: list[Affine]) -> np.ndarray:
        """Return how far each pixel moves, float32 (moments, height, width, 2)."""
        shift = np.empty((len(before), len(self.down), len(self.across), 2), dtype=np.float32)
        for out, one, two in zip(shift, before, after, strict=True):
            step = one.inverse().then(two)
            out[..., 0] = (step.a - 1) * self.across + step.b * self.down + step.x
            out[..., 1] = step.c * self.across + (step.d - 1) * self.down + step.y
        return shift
