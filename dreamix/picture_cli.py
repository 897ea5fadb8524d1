"""`dreamix animate` and `dreamix subject`: still pictures in, a clip out."""

from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from dreamix.core.video import Video
from dreamix.editing_options import live_line, note, say_or_stop, shared_options
from dreamix.remote.place_type import Place

IMAGE = Place(exists=True, dir_okay=False)
SECONDS = 2.0  # that the embedded model's clips last
LARGEST = 1920  # pixels of a picture's longer side; no model here works on more


class PictureOptions(NamedTuple):
    """What both commands are told."""

    prompt: str
    backend: str
    settings: tuple[str, ...]
    seed: int
    finetuned: Path | None
    strip_file: Path | None
    out: Path


@click.command()
@click.argument("image", type=IMAGE)
@shared_options(prompt=True)
@click.option(
    "--camera",
    default="none",
    show_default=True,
    metavar="WORD",
    help="zoom-in|out, pan-left|right|up|down, turn-left|right, tilt-up|down or none.",
)
@click.option(
    "--amount",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.3,
    show_default=True,
    help="How far the camera gets: zoom factor less 1, share of the picture, or radians.",
)
@click.option(
    "--fill",
    default="replicate",
    show_default=True,
    help="What is beyond the picture's edge: replicate, reflect or white.",
)
@click.option("--frames", type=click.IntRange(2), default=16, show_default=True, help="To make.")
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    default=8.0,
    show_default=True,
    help="Frames a second of the coarse clip.",
)
@click.option("--noise", type=click.FloatRange(0, 1), help="Noise level: 0 coarse clip, 1 prompt.")
def animate(image: Path, **chosen: Any) -> None:
    """Set the picture IMAGE in motion, as a prompt says.

    A moving camera makes a coarse clip of it, and Dreamix edits that. Beside OUT a JSON file says
    how it was made.
    """
    from dreamix.data.camera import check_camera

    check_camera(chosen["camera"], chosen["amount"], chosen["fill"])
    picture, frames, fps = _read(image), chosen.pop("frames"), chosen.pop("fps")
    source = Video(np.repeat(picture[None], frames, axis=0), fps)
    _make("animate", [image], source, "motion", chosen)


@click.command()
@click.argument("images", type=IMAGE, nargs=-1, required=True)
@shared_options(prompt=True)
@click.option(
    "--length",
    type=click.IntRange(1),
    help="Frames to make.  [default: what is usual of the model; some make no more]",
)
def subject(images: tuple[Path, ...], **chosen: Any) -> None:
    """Put the subject of a few pictures, IMAGES, where a prompt says, in motion.

    The model is finetuned on the pictures alone; the clip is made from noise. Pictures of other
    sizes are fitted into the first one's. Beside OUT a JSON file says how it was made.
    """
    first, *others = (_read(image) for image in images)
    height, width = first.shape[:2]
    fitted = [first, *(_fitted(picture, height, width) for picture in others)]
    _make("subject", [*images], Video(np.stack(fitted), len(images) / SECONDS), "subject", chosen)


def _read(image: Path) -> np.ndarray:
    """Return a picture, upright; a large one is shrunk: a clip of a camera's 12 MP takes 5 GB."""
    import cv2

    from dreamix.core.media import read_image

    picture = read_image(image)
    height, width = picture.shape[:2]
    if max(height, width) <= LARGEST:
        return picture
    scale = LARGEST / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    note(f"note: {image.name} is shrunk from {width}x{height} to {size[0]}x{size[1]}")
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _fitted(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the middle of a picture in another aspect, at this size."""
    import cv2

    scale = max(height / picture.shape[0], width / picture.shape[1])
    size = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    larger = cv2.resize(picture, size, interpolation=way)
    top, left = (larger.shape[0] - height) // 2, (larger.shape[1] - width) // 2
    return np.ascontiguousarray(larger[top : top + height, left : left + width])


def _make(
    name: str, images: list[Path], source: Video, category: str, told: dict[str, Any]
) -> None:
    """Make the clip, write it and say so."""
    asked = PictureOptions(**{field: told.pop(field) for field in PictureOptions._fields})
    say_or_stop(lambda: _made(name, images, source, category, asked, told))


def _made(
    name: str,
    images: list[Path],
    source: Video,
    category: str,
    asked: PictureOptions,
    given: dict[str, Any],
) -> str:
    from dreamix import single_edit as one
    from dreamix.backends.base import open_backend
    from dreamix.core.media import sha256_file
    from dreamix.data.suite import Edit
    from dreamix.methods.base import METHODS

    one.check_endings(asked.out, asked.strip_file)
    one.check_apart(images, asked.out, asked.strip_file)
    found, model = METHODS.get(name), open_backend(asked.backend, asked.finetuned)
    config = one.configured(found, given, asked.settings, model)
    known = one.clip_source(images[0], None)
    edit = Edit("edit", known.entry.id, asked.prompt, category)
    request = one.request_for(known, edit, asked.seed, name)
    request = request.of(source)
    if line := one.limits(model, known):
        note(line)
    with live_line() as request.progress:
        done = one.make(request, found, model, config)
    one.write(asked.out, asked.strip_file, request, done)
    if name == "animate" and len(done.clip) != len(source):
        note(f"note: {model.name} makes {len(done.clip)} frames of {len(source)}, as long in time")
    pictures = [{"path": image.name, "sha256": sha256_file(image)} for image in images]
    one.write_record(asked.out, request, model, config, done, pictures=pictures)
    return f"{asked.out}: {one.spell(done, name)}"
