"""Whether the files that a suite names exist, lie inside its folder and hold what it says."""

from pathlib import Path

from dreamix.core.errors import TooLarge, UserError
from dreamix.core.media import MediaInfo, check_clip_size, probe, sha256_file
from dreamix.data.masks import mask_files
from dreamix.data.suite_yaml import Record, Report

SHOWN = 12  # Digits of a SHA-256 that a message shows.


def check_files(videos: list[Record], root: Path, report: Report, *, sizes: bool) -> None:
    """Report clips and masks that are missing, outside `root`, damaged or not what they should be.

    root:  the media root, resolved.
    sizes: also report clips that are too large for this machine. A run goes on without those.
    """
    for row in videos:
        clip = _found(row, "path", root, report)
        mask = _found(row, "mask", root, report)
        info = _check_clip(row, clip, report, sizes) if clip is not None else None
        if mask is not None:
            _check_mask(row, mask, info, report, sizes)


def _found(row: Record, key: str, root: Path, report: Report) -> Path | None:
    """Return the resolved file or folder that a key names, or None after reporting."""
    if key not in row.values:
        return None
    name, line = row.values[key], row.lines[key]
    try:
        path = (root / name).resolve()
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 raise the latter for a loop.
        report.add(line, f"{key} {name!r} cannot be followed: {error}")
        return None
    if not path.is_relative_to(root):
        report.add(line, f"{key} {name!r} leaves the suite's folder through a symbolic link")
    elif not exists:
        report.add(line, f"no such file or folder: {name} (looked in {root}; see --media-root)")
    elif path.is_dir() and (link := _leaving(path, root)):
        report.add(line, f"{key} {name!r} leaves the suite's folder: {link} is a link out of it")
    else:
        return path
    return None


def _leaving(folder: Path, root: Path) -> str | None:
    """Return the name of a link in a folder of frames that leads out of `root`."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return path.name
    return None


def _check_clip(row: Record, clip: Path, report: Report, sizes: bool) -> MediaInfo | None:
    """Return what the clip says of itself, or None after reporting what is wrong with it."""
    try:
        found = sha256_file(clip) if "sha256" in row.values else None
        if found is not None and found != row.values["sha256"]:
            report.add(row.lines["sha256"], _wrong_sha256(row, found))
            return None
        info = probe(clip)
        if sizes:
            check_clip_size(clip)
    except UserError as error:
        _add(row.lines["path"], error, report, sizes)
        return None
    if info.fps is None and "fps" not in row.lines:
        report.add(row.lines["path"], f"`fps` is needed: {row.values['path']} states no frame rate")
    elif info.fps is not None and "fps" in row.lines:
        report.add(
            row.lines["fps"], f"{row.values['path']} has a frame rate of its own, drop `fps`"
        )
    return info


def _add(line: int, error: UserError, report: Report, sizes: bool) -> None:
    if sizes or not isinstance(error, TooLarge):
        report.add(line, str(error))


def _wrong_sha256(row: Record, found: str) -> str:
    return (
        f"wrong sha256 of {row.values['path']}: expected {row.values['sha256'][:SHOWN]}..., "
        f"found {found[:SHOWN]}...; it is another file or a damaged copy"
    )


def _check_mask(
    row: Record, mask: Path, clip: MediaInfo | None, report: Report, sizes: bool
) -> None:
    """A mask has the size and, where both are known, the number of frames of its clip."""
    try:
        files = mask_files(mask)
        info = probe(files[0] if files else mask)
    except UserError as error:
        _add(row.lines["mask"], error, report, sizes)
        return
    if clip is None:
        return
    frames = len(files) if files else info.frames
    if (info.width, info.height) != (clip.width, clip.height):
        both = f"{info.width}x{info.height} pixels, the clip {clip.width}x{clip.height}"
        report.add(row.lines["mask"], f"the mask has {both}")
    elif frames and clip.frames and frames != clip.frames:
        report.add(row.lines["mask"], f"the mask has {frames} frames, the clip {clip.frames}")
