"""One edit of one clip, outside any suite: what `dreamix edit` does."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamix.backends.base import WORLD, VideoModel, spec_of
from dreamix.backends.names import BACKENDS
from dreamix.core.config import config_from_dict
from dreamix.core.errors import DoesNotApply, UserError
from dreamix.core.media import read_edit, write_image, write_video
from dreamix.core.records import write_json
from dreamix.core.video import Video
from dreamix.data.strip import strip
from dreamix.data.suite import Edit, Suite, VideoEntry
from dreamix.data.worlds import WORLDS, instruction_of, read
from dreamix.methods.base import METHODS, EditRequest, Made, Method

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ASSUMED = "motion"  # category of an edit of which nothing is known: what the paper is about

Say = Callable[[str], None]


class EditSource(NamedTuple):
    """The clip to edit and what is known of it."""

    entry: VideoEntry
    folder: Path  # that the entry's path is relative to


class Done(NamedTuple):
    """An edit that was made."""

    clip: Video
    facts: dict[str, Any]  # what the method says of how it was made
    seconds: float


def clip_source(clip: Path, caption: str | None) -> EditSource:
    """Return a clip of the user's as a source."""
    path = clip.resolve()
    return EditSource(VideoEntry("source", caption, path.name), path.parent)


def scene_source(caption: str, seed: int, world: str) -> EditSource:
    """Return a scene of a world as a source.

    Raises:
        UserError: for a caption that the world cannot read.
    """
    recipe = WORLDS.get(world).recipe(caption, seed)
    return EditSource(VideoEntry("source", caption, recipe=recipe, world=world), Path())


def edit_of(
    source: EditSource,
    prompt: str | None,
    category: str | None,
    say: Say,
    instruction: str | None = None,
) -> Edit:
    """Return the edit; its category, if not told, is what differs between two captions."""
    before, after = read(source.entry.caption), read(prompt)
    changes: dict[str, Any] = {}
    if before and after and before.world is after.world:
        known = before.fields
        changes = {k: v for k, v in after.fields.items() if k not in known or v != known[k]}
    if category is None and after and changes:
        category = after.world.category(changes)
    if category is None:
        category = ASSUMED
        say(f"note: taken for a {ASSUMED} edit; --category says otherwise")
    world = source.entry.world if changes else None
    is_ideal = world is not None and after is not None and WORLDS.get(world) is after.world
    recipe, world = (changes, world) if is_ideal else (None, None)  # the ideal edit is known then
    return Edit("edit", source.entry.id, prompt, category, recipe, world, instruction)


def instruction_for(source: EditSource, prompt: str | None) -> str | None:
    """Return what a scene's world says of the change from its caption to a prompt, if it does."""
    world, caption = source.entry.world, source.entry.caption
    known = world is not None and caption is not None and prompt is not None
    return instruction_of(str(world), str(caption), str(prompt)) if known else None


def check_words(found: Method, **given: str | None) -> None:
    """Raise a `UserError` if nothing is asked, or not in the words that the method reads."""
    if not any(given.values()):
        raise UserError("say what is asked: --prompt what is to be seen, --instruction what to do")
    if missing := [name for name, words in given.items() if name in found.reads and not words]:
        raise UserError(f"{found.name} reads the {missing[0]} of an edit: give --{missing[0]} too")


def limits(backend: VideoModel, source: EditSource) -> str | None:
    """Return the line a user must read whose clip the backend may know nothing of; else None."""
    if source.entry.recipe is not None or backend.knows == WORLD:
        return None
    others = sorted({*BACKENDS.names()} - {backend.name.partition(":")[0]})
    return (
        f"note: backend {backend.name} knows {backend.knows} only; this clip is resized and taken "
        f"for one of them (other backends: {', '.join(others) or 'none so far'})"
    )


def configured(
    found: Method,
    given: dict[str, Any],
    settings: tuple[str, ...],
    backend: VideoModel | None = None,
) -> Any:
    """Return the method's configuration.

    given: values by field, None for those not given. settings: texts "KEY=VALUE".
    A pretrained backend's usual settings stand where nothing is given.

    Raises:
        UserError: for a setting that it has no field for, and for a backend that the method cannot
            edit with.
    """
    found.check_fit(backend)
    values = found.usual(backend)
    values |= {key: value for key, value in given.items() if value is not None}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--set {setting}: that is not KEY=VALUE")
        values[key.strip()] = value.strip()
    return config_from_dict(found.config, values, f"method {found.name}")


def request_for(source: EditSource, edit: Edit, seed: int, label: str) -> EditRequest:
    """Return what the method is asked: a suite of one clip and one edit."""
    suite = Suite(
        name="edit",
        version="1",
        licence="that of the clip",
        root=source.folder,
        media_root=source.folder,
        videos={source.entry.id: source.entry},
        edits=(edit,),
    )
    return EditRequest(suite, edit, seed, label)


def make(request: EditRequest, found: Method, backend: VideoModel | None, config: object) -> Done:
    """Return what the method makes of the request."""
    request.progress("reading the clip")
    source = request.source
    began = time.perf_counter()
    try:
        (edited,) = found.make([request], backend, config)
    except DoesNotApply as reason:
        raise UserError(f"{found.name} does not apply here: {reason}") from None
    clip, facts = edited if isinstance(edited, Made) else (edited, {})
    if isinstance(clip, Path):
        clip = read_edit(clip, source).video
    return Done(clip, facts, time.perf_counter() - began)


def check_endings(out: Path, strip_file: Path | None) -> None:
    """Raise a `UserError` now, not after minutes of work, if a file cannot be what it is called."""
    for file, ending in ((out, ".mp4"), (strip_file, ".png")):
        if file and file.suffix.lower() != ending:
            raise UserError(f"cannot write {file}: its name has to end in {ending}")


def check_apart(inputs: list[Path], out: Path, strip_file: Path | None) -> None:
    """Raise a `UserError` if what is to be written would replace what is to be read."""
    read = {file.resolve() for file in inputs}
    for option, file in (("--out", out), ("--strip", strip_file)):
        if file and file.resolve() in read:
            raise UserError(f"{option} {file} is an input, which it would replace: name another")


def write(out: Path, strip_file: Path | None, request: EditRequest, done: Done) -> None:
    """Write the clip and, if wanted, the strip of source over edit; each is whole or not there."""
    write_video(out, done.clip)
    if strip_file:
        write_image(strip_file, strip(request.source, done.clip))


def write_record(
    out: Path,
    request: EditRequest,
    backend: VideoModel | None,
    config: "DataclassInstance",
    done: Done,
    **more: Any,
) -> None:
    """Write beside the clip how it was made; more: what else is to be in the record."""
    torch = sys.modules.get("torch") if backend else None  # a backend may do without
    record = {
        "method": request.label,
        "config": asdict(config),
        "backend": backend and {"name": backend.name, "identity": backend.identity},
        "source": request.suite.videos[request.edit.video].to_dict(),
        "edit": request.edit.to_dict(),
        "seed": request.seed,
        "seconds": round(done.seconds, 2),
        "threads": torch.get_num_threads() if torch else 1,  # for the last bits
        "cpu": torch.backends.cpu.get_cpu_capability() if torch else None,  # likewise
        "facts": done.facts,
        **more,
        "toolkit": version("dreamix-toolkit"),
    }
    if packages := _packages(request.label, backend):
        record["packages"] = packages
    write_json(out.with_suffix(".json"), record)


def _packages(name: str, backend: VideoModel | None) -> dict[str, str]:
    """Return name and version of the other packages that brought the method and the backend."""
    found = [METHODS.brought_by(name)]
    if backend:
        found.append(BACKENDS.brought_by(spec_of(backend.name).kind))
    return {package.name: package.version for package in found if package}


def spell(done: Done, label: str) -> str:
    """Return the result in words."""
    size = f"{len(done.clip)} frames of {done.clip.width}x{done.clip.height}"
    facts = "".join(f", {key} {value}" for key, value in done.facts.items())
    return f"{size}, {label}{facts}, {done.seconds:.1f} s"
