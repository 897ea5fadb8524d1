"""The suite of a call that was made before: its YAML and its clips are not read over again.

The snapshot in the run folder stands for suite.yaml while the file system says of that file and of
every clip what it said when they were last read: sizes, times, inodes. In any other case all is
read and checked.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from dreamix.core.errors import UserError
from dreamix.core.records import to_json, write_whole
from dreamix.core.typed import STRICT, read_typed
from dreamix.data.known_suites import suite_file
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import media_folder
from evaluation.run.folder import RunFolder
from evaluation.run.identity import state_of
from evaluation.run.versions import versions

READ = ".suite-read.json"


@dataclass(frozen=True)
class Read:
    """Which suite.yaml was read, in which state, by which toolkit."""

    __pydantic_config__ = STRICT
    file: str
    state: str
    media_root: str
    toolkit: str


def suite_for(path: Path, media_root: Path | None, out: Path) -> Suite:
    """Return the suite at `path`, as `load_suite` does, for a run at `out`."""
    now, run = _state(path, media_root), RunFolder(out)
    if now is None or not _was_read(run, now):
        return load_suite(path, media_root)
    try:
        root = suite_file(path).parent.resolve()
        suite = replace(run.suite, root=root, media_root=Path(now.media_root))
        if _stand(suite, run):
            return suite
    except UserError:  # the run is damaged: that is said when it is opened
        pass
    return load_suite(path, media_root)


def note_suite(path: Path, media_root: Path | None, suite: Suite, run: RunFolder) -> None:
    """Keep that `suite` is what stands at `path`, if the snapshot of the run is just that."""
    now = _state(path, media_root)
    if now is None or _was_read(run, now) or _rows(suite) != _rows(run.suite):
        return
    with write_whole(run.place(READ)) as file:
        file.write(to_json(vars(now)).encode())


def _state(path: Path, media_root: Path | None) -> Read | None:
    """Return what is there now; None if it cannot be told: `load_suite` says why."""
    try:
        file = suite_file(path)
        folder = media_folder(file, media_root)
        state = state_of(file)["state"]
    except (UserError, OSError):
        return None
    return Read(str(file.resolve()), state, str(folder), versions()["dreamix-toolkit"])


def _was_read(run: RunFolder, now: Read) -> bool:
    try:
        place = run.place(READ)
        return place.is_file() and read_typed(place, Read) == now
    except UserError:
        return False


def _stand(suite: Suite, run: RunFolder) -> bool:
    """Return True if every clip stands as the run found it; masks are looked at each time."""
    return not any(video.mask for video in suite.videos.values()) and all(
        path is None or _stands(run, video, path)
        for video, path in ((video, suite.source_path(video)) for video in suite.videos)
    )


def _stands(run: RunFolder, video: str, path: Path) -> bool:
    try:
        kept = run.kept_source(video)
        known = kept.origin.get("state") if kept and kept.origin else None
        return known == state_of(path)["state"]
    except OSError:
        return False


def _rows(suite: Suite) -> dict[str, object]:
    told = suite.to_dict()
    return {key: told[key] for key in told if key not in ("root", "media_root")}
