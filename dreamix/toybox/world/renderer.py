"""From a scene to pixels: backdrop, shadow, subject, then what is in the air, then the style."""

import numpy as np

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.toybox.world.backgrounds import BACKDROPS, backdrop_picture
from dreamix.toybox.world.effects import apply_effect
from dreamix.toybox.world.fixedmath import block_sums, draw
from dreamix.toybox.world.motion import (
    GROUND,
    HEIGHT,
    TICKS,
    TICKS_A_SECOND,
    WIDTH,
    Affine,
    backdrop_shift,
    camera_map,
    subject_map,
)
from dreamix.toybox.world.painting import LEFT, TOP
from dreamix.toybox.world.scene import Scene
from dreamix.toybox.world.styles import apply_style
from dreamix.toybox.world.subject import paint_shadow, paint_subject


def render(
    scene: Scene, frames: int = 16, height: int = HEIGHT, width: int = WIDTH, fps: float = 8.0
) -> Video:
    """Return the scene's clip, the same bytes on every machine.

    A scene lasts 2 s. Fewer frames show its beginning: 8 frames are the first 8 of 16. The
    picture is 3:5, `height` a multiple of 12; another size shows the same view more or less fine.
    """
    planes = _planes(scene, frames, height, width, fps)
    return Video(np.ascontiguousarray(planes.transpose(1, 2, 3, 0)), fps)


def render_empty(scene: Scene, frames: int = 16, fps: float = 8.0) -> Video:
    """Return the scene's clip without its subject and its shadow, 96x160."""
    planes = _planes(scene, frames, HEIGHT, WIDTH, fps, subject=False)
    return Video(np.ascontiguousarray(planes.transpose(1, 2, 3, 0)), fps)


def render_base(scene: Scene, frames: int = 16, fps: float = 8.0) -> np.ndarray:
    """Return the clip on the base grid, uint8 (frames, 24, 40, 3): exact 4x4 means of `render`."""
    planes = _planes(scene, frames, HEIGHT, WIDTH, fps).astype(np.uint16)
    total = block_sums(planes.reshape(3, frames, HEIGHT // 4, 4, WIDTH // 4, 4))
    return np.ascontiguousarray(((total + 8) >> 4).astype(np.uint8).transpose(1, 2, 3, 0))


def _planes(
    scene: Scene, frames: int, height: int, width: int, fps: float, subject: bool = True
) -> np.ndarray:
    """Return the clip as colour planes, uint8 (3, frames, height, width)."""
    ticks, k = check_size(frames, height, width, fps)
    camera = [screen_map(scene, tick, k) for tick in ticks]
    planes = _backdrop(scene, camera, height, width, k)
    if subject:
        _subject(scene, planes, ticks, camera, k)
    if scene.effect != "none":
        apply_effect(scene.effect, planes, ticks, k)
    if scene.style != "none":
        apply_style(scene.style, planes)
    return planes


def _subject(
    scene: Scene, planes: np.ndarray, ticks: list[float], camera: list[Affine], k: float
) -> None:
    """Paint the subject and its shadow into `planes`, in place."""
    _shadow(scene, planes, ticks, camera)
    maps = [subject_map(scene, tick).then(view) for tick, view in zip(ticks, camera, strict=True)]
    halo = BACKDROPS[scene.background].halo
    paint_subject(planes, scene.colour, scene.shape, maps, halo, k)


def check_size(frames: int, height: int, width: int, fps: float) -> tuple[list[float], float]:
    """Return the ticks of the frames and the pixels per world unit.

    Raises:
        UserError: for a size that cannot be rendered.
    """
    if height % 12 or height <= 0 or height * WIDTH != width * HEIGHT:
        raise UserError(
            "a Toybox picture is 3:5 and a multiple of 12 high, such as 96x160, "
            f"not {height}x{width}"
        )
    if frames < 1 or not fps > 0 or (frames - 1) * TICKS_A_SECOND > (TICKS - 1) * fps:
        raise UserError(
            f"a Toybox scene lasts 2 s (16 frames at 8 fps), not {frames} frames at {fps} fps"
        )
    return [i * TICKS_A_SECOND / fps for i in range(frames)], height / HEIGHT


def screen_map(scene: Scene, tick: float, k: float) -> Affine:
    """Return the map from the world to pixels at `k` pixels per world unit."""
    return camera_map(scene, tick).then(Affine(0.0, 0.0, k, 0.0, 0.0, k))


def _backdrop(scene: Scene, camera: list[Affine], height: int, width: int, k: float) -> np.ndarray:
    """Return the backdrop as the camera sees it, uint8 (3, frames, height, width)."""
    picture = _lit(scene, backdrop_picture(scene.background, k))
    left = LEFT + backdrop_shift(scene)
    planes = np.empty((3, len(camera), height, width), dtype=np.uint8)
    for t, view in enumerate(camera):
        columns = _fixed_point(width, view.x, view.a, left, k)
        rows = _fixed_point(height, view.y, view.d, TOP, k)
        planes[:, t] = _sampled(picture, rows, columns)
    return planes


def _lit(scene: Scene, picture: np.ndarray) -> np.ndarray:
    """Return the backdrop in the scene's own light: up to 7 % brighter, 6 % warmer or cooler."""
    bright = draw(0.93, 1.07, "toybox", "light", scene.seed)
    warm = draw(-0.06, 0.06, "toybox", "warmth", scene.seed)
    levels = np.arange(256, dtype=np.float32)
    gains = (bright * (1 + warm), bright, bright * (1 - warm))
    tables = [np.minimum(levels * gain + 0.5, 255).astype(np.uint8) for gain in gains]
    return np.stack([table[plane] for table, plane in zip(tables, picture, strict=True)])


def _fixed_point(count: int, offset: float, scale: float, start: float, k: float) -> np.ndarray:
    """Return the place in the picture of each of `count` pixels, in 256ths of a pixel, int64.

    `scale` and `offset` map the world to pixels, along one axis; the picture begins at `start`.
    """
    centres = (np.arange(count) + 0.5 - offset) / scale
    return np.floor(((centres - start) * k - 0.5) * 256 + 0.5).astype(np.int64)


def _sampled(picture: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the picture at rows x columns (in 256ths of a pixel), bilinear, uint8."""
    if _whole_steps(rows) and _whole_steps(columns):
        top, left = int(rows[0]) >> 8, int(columns[0]) >> 8
        return picture[:, top : top + len(rows), left : left + len(columns)]
    down = _mixed(picture[:, rows >> 8], picture[:, (rows >> 8) + 1], (rows & 255)[:, None])
    return _mixed(down[:, :, columns >> 8], down[:, :, (columns >> 8) + 1], columns & 255)


def _whole_steps(places: np.ndarray) -> bool:
    """Return whether `places` are neighbouring whole pixels, so that nothing is to be mixed."""
    return bool((places == places[0] + 256 * np.arange(len(places))).all() and not places[0] & 255)


def _mixed(one: np.ndarray, two: np.ndarray, weight: np.ndarray) -> np.ndarray:
    second: np.ndarray = weight.astype(np.uint16)
    return ((one * (256 - second) + two * second + 128) >> 8).astype(np.uint8)


def _shadow(scene: Scene, planes: np.ndarray, ticks: list[float], camera: list[Affine]) -> None:
    """Darken the floor below the subject: less, and less wide, the higher it is."""
    strength = BACKDROPS[scene.background].shadow
    if not strength:
        return
    spots = []
    for tick in ticks:
        place = subject_map(scene, tick)
        near = 1 - min(max(GROUND - place.y - place.scale, 0.0) / 70, 0.8)
        spots.append((place.x, GROUND, place.scale * (0.5 + 0.6 * near), strength * near))
    paint_shadow(planes, spots, camera)
