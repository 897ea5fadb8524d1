"""Whether the files that a suite names exist, lie inside its folder and hold what it says."""

from pathlib import Path

from dreamix.core.errors import TooLarge, UserError
from dreamix.core.media import MediaInfo, check_clip_size, probe, sha256_file
from dreamix.core.media_images import mask_files
from dreamix.core.yaml_reading import Place
from dreamix.core.yaml_typed import Findings
from dreamix.data.suite_rows import SuiteRow

SHOWN = 12  # Digits of a SHA-256 that a message shows.


def check_files(videos: list[SuiteRow], root: Path, found: Findings, *, sizes: bool) -> None:
    """Report clips and masks that are missing, outside `root`, damaged or not what they should be.

    root:  the media root, resolved.
    sizes: also report clips that are too large for this machine. A run goes on without those.
    """
    for row in videos:
        clip = _followed(row, "path", root, found)
        mask = _followed(row, "mask", root, found)
        info = _check_clip(row, clip, found, sizes) if clip is not None else None
        if mask is not None:
            _check_mask(row, mask, info, found, sizes)


def _followed(row: SuiteRow, key: str, root: Path, found: Findings) -> Path | None:
    """Return the resolved file or folder that a key names, or None after reporting."""
    if key not in row.values:
        return None
    name, place = row.values[key], row.at(key)
    try:
        path = (root / name).resolve()
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # Python 3.11 and 3.12 raise the latter for a loop.
        found.add(place, f" {name!r} cannot be followed: {error}")
        return None
    if not path.is_relative_to(root):
        found.add(place, f" {name!r} leaves the suite's folder through a symbolic link")
    elif not exists:
        found.add(place, f"no such file or folder: {name} (looked in {root}; see --media-root)")
    elif path.is_dir() and (link := _leaving(path, root)):
        found.add(place, f" {name!r} leaves the suite's folder: {link} is a link out of it")
    else:
        return path
    return None


def _leaving(folder: Path, root: Path) -> str | None:
    """Return the name of a link in a folder of frames that leads out of `root`."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return path.name
    return None


def _check_clip(row: SuiteRow, clip: Path, found: Findings, sizes: bool) -> MediaInfo | None:
    """Return what the clip says of itself, or None after reporting what is wrong with it."""
    name = row.values["path"]
    try:
        if "sha256" in row.values and (why := _why_other(clip, row)):
            found.add(row.at("sha256"), why)
            return None
        info = probe(clip)
        if sizes:
            check_clip_size(clip)
    except UserError as error:
        _add(row.at("path"), error, found, sizes)
        return None
    if info.fps is None and "fps" not in row.given:
        found.add(row.at("path"), f"`fps` is needed: {name} states no frame rate")
    elif info.fps is not None and "fps" in row.given:
        found.add(row.at("fps"), f"{name} has a frame rate of its own, drop `fps`")
    return info


def _add(place: Place, error: UserError, found: Findings, sizes: bool) -> None:
    if sizes or not isinstance(error, TooLarge):
        found.add(place, str(error))


def _why_other(clip: Path, row: SuiteRow) -> str | None:
    """Return that a clip is not the one whose SHA-256 is stated; None where it is."""
    stated, is_now = row.values["sha256"].lower(), sha256_file(clip)
    if stated == is_now:
        return None
    return (
        f"wrong sha256 of {row.values['path']}: expected {stated[:SHOWN]}..., "
        f"found {is_now[:SHOWN]}...; it is another file or a damaged copy"
    )


def _check_mask(
    row: SuiteRow, mask: Path, clip: MediaInfo | None, found: Findings, sizes: bool
) -> None:
    """A mask has the size and, where both are known, the number of frames of its clip."""
    place = row.at("mask")
    try:
        files = mask_files(mask)
        info = probe(files[0] if files else mask)
    except UserError as error:
        _add(place, error, found, sizes)
        return
    if clip is None:
        return
    frames = len(files) if files else info.frames
    if (info.width, info.height) != (clip.width, clip.height):
        both = f"{info.width}x{info.height} pixels, the clip {clip.width}x{clip.height}"
        found.add(place, f"the mask has {both}")
    elif frames and clip.frames and frames != clip.frames:
        found.add(place, f"the mask has {frames} frames, the clip {clip.frames}")
