"""Everything that is wrong with a suite, all at once, each with the line to mend.

The keys and their values are held to the form of `suite_form`; here the rows are held against each
other, against the files and against the worlds of their recipes.
"""

from pathlib import Path
from typing import Any, NamedTuple

from dreamix.core.errors import Problem, UserError
from dreamix.core.names import near_misses, shown
from dreamix.core.yaml_reading import Limits, read_document
from dreamix.core.yaml_typed import Findings
from dreamix.data.known_suites import suite_file
from dreamix.data.suite_entries import CATEGORIES
from dreamix.data.suite_files import check_files
from dreamix.data.suite_form import AS_WRITTEN, SuiteForm, suite_form
from dreamix.data.suite_rows import SuiteRow, rows_of
from dreamix.data.worlds import WORLDS, alternatives, why_no_recipe

# A suite needs about 5 levels. Aliases are refused: a shared value has no line of its own.
LIMITS = Limits(size=16 << 20, values=2_000_000, levels=20, aliases=False)
FILE_KEYS = ("sha256", "mask", "fps")  # They describe `path` and mean nothing beside a recipe.


class Examined(NamedTuple):
    """A suite file as it was understood, and its problems in the order of its lines."""

    suite: SuiteForm | None  # None where there are problems with its form
    problems: list[Problem]


def check_suite(path: Path, media_root: Path | None = None, *, files: bool = True) -> list[Problem]:
    """Return every problem of a suite, sorted by line; an empty list means that it can be used.

    path:       suite.yaml, the folder that holds it, or the name of a known suite.
    media_root: folder that the paths of the suite are relative to; default: the suite's folder.
    files:      also look for the files and compute their SHA-256.

    Raises:
        UserError: if the suite file or the media root does not exist.
    """
    return examine(path, media_root, files=files, sizes=True).problems


def examine(path: Path, media_root: Path | None, *, files: bool, sizes: bool = False) -> Examined:
    """Return what `check_suite` reports together with what was read.

    sizes: also look for clips that are too large for this machine, which a run can do without.
    """
    path = suite_file(path)
    document = read_document(path, LIMITS, AS_WRITTEN)
    found = Findings(document)
    if document.root is None:
        if not document.problems:
            found.add((), "the file is empty")
        return Examined(None, found.problems)
    suite = found.read_as(suite_form())
    videos, edits = rows_of("videos", found), rows_of("edits", found)
    by_id = _check_ids("video", videos, found)
    _check_ids("edit", edits, found)
    _check_sources(videos, found)
    if by_id:  # Without a single video, every edit would only repeat that.
        _check_references(edits, by_id, found)
    _check_words(edits, found)
    _check_categories(edits, found)
    _check_repeated_requests(edits, found)
    check_recipes(videos, edits, by_id, found)
    if files and isinstance(document.value, dict):
        check_files(videos, media_folder(path, media_root), found, sizes=sizes)
    return Examined(suite, found.problems)


def media_folder(path: Path, media_root: Path | None) -> Path:
    """Return the resolved folder that paths are relative to; a `UserError` if it is no folder."""
    folder = Path(path.parent if media_root is None else media_root)
    if not folder.is_dir():
        raise UserError(f"the media root {folder} is not a folder")
    return folder.resolve()


def _check_ids(kind: str, rows: list[SuiteRow], found: Findings) -> dict[str, SuiteRow]:
    """Return the first row of every id. Ids that differ only by case count as a clash too."""
    by_id: dict[str, SuiteRow] = {}
    by_lower: dict[str, SuiteRow] = {}
    for row in (row for row in rows if "id" in row.values):
        identifier = row.values["id"]
        first = by_lower.setdefault(identifier.lower(), row)
        if identifier in by_id:
            line = found.document.line(by_id[identifier].at("id"))
            found.add(row.at("id"), f"duplicate {kind} id {identifier!r} (first on line {line})")
        elif first is not row:
            line = found.document.line(first.at("id"))
            found.add(
                row.at("id"),
                f"{kind} id {identifier!r} differs only by case from {first.values['id']!r} "
                f"(line {line}): on some systems their files would be the same",
            )
        by_id.setdefault(identifier, row)
    return by_id


def _check_sources(videos: list[SuiteRow], found: Findings) -> None:
    """Every video has a path or a recipe, not both, and file keys only beside a path."""
    for row in videos:
        worlds = [name for name in WORLDS.names() if name in row.given]
        sources = [*(["path"] if "path" in row.given else []), *worlds]
        if len(sources) > 1:
            both = " or ".join(f"`{key}`" for key in sources)
            found.add(row.at(sources[-1]), f"a video has {both}, not both")
        elif not sources:
            found.add(row.place, f"a video needs `path` or {alternatives()}")
        elif "path" in row.given and "stills" in row.given:
            found.add(row.at("stills"), f"`stills` belongs to a video with {alternatives()}")
        elif "path" not in row.given:
            for key in (key for key in FILE_KEYS if key in row.given):
                found.add(row.at(key), f"`{key}` belongs to a video with `path`")


def _check_references(edits: list[SuiteRow], by_id: dict[str, SuiteRow], found: Findings) -> None:
    for row in edits:
        video: Any = row.values.get("video")
        if video is not None and video not in by_id:
            found.add(row.at("video"), f"unknown video {video!r}{near_misses(video, [*by_id])}")


def _check_words(edits: list[SuiteRow], found: Findings) -> None:
    """Something is asked in words; where another key is wrong, it may be these that are meant."""
    odd = {place[:2] for place in found.places}
    for row in edits:
        if not {"prompt", "instruction"} & row.given and row.place not in odd:
            found.add(row.at("prompt"), "an edit needs `prompt` or `instruction`")


def _check_categories(edits: list[SuiteRow], found: Findings) -> None:
    """A category is one that is known, or that the suite declares."""
    whole = found.document.value
    declared = whole.get("categories") if isinstance(whole, dict) else None
    names = [*CATEGORIES, *(declared if isinstance(declared, dict) else ())]
    for row in (row for row in edits if "category" in row.values):
        if (category := row.values["category"]) not in names:
            hint, known = near_misses(category, names), ", ".join(names)
            told = f"unknown category {shown(category, 200)}{hint} (known: {known}"
            found.add(row.at("category"), f"{told}; others stand under `categories` of the suite)")


def _check_repeated_requests(edits: list[SuiteRow], found: Findings) -> None:
    """One wish under two ids would count twice in every average."""
    first: dict[tuple[str, ...], SuiteRow] = {}
    for row in (row for row in edits if "video" in row.values):
        words = {key: row.values.get(key) for key in ("prompt", "instruction")}
        told = [key for key, value in words.items() if isinstance(value, str)]
        if not told:
            continue
        wish = (row.values["video"], *(" ".join(str(words[key] or "").split()) for key in words))
        earlier = first.setdefault(wish, row)
        if earlier is not row:
            line = found.document.line(earlier.at(told[0]))
            found.add(row.at(told[0]), f"the same video and {told[0]} as on line {line}")


# -- recipes of worlds, and whether edits change them -------------------------------------------
def check_recipes(
    videos: list[SuiteRow], edits: list[SuiteRow], by_id: dict[str, SuiteRow], found: Findings
) -> None:
    """Report every unknown field, every incomplete recipe, every edit without effect."""
    for world in WORLDS.names():
        _check_world(world, videos, [row for row in edits if world in row.values], by_id, found)


def _check_world(
    world: str,
    videos: list[SuiteRow],
    edits: list[SuiteRow],
    by_id: dict[str, SuiteRow],
    found: Findings,
) -> None:
    scenes = {row.place: _scene(world, row, {}, found) for row in videos}
    for row in edits:
        video = by_id.get(row.values.get("video", ""))
        if video is not None and world not in video.given:
            found.add(row.at(world), f"its video {row.values['video']!r} has no `{world}`")
            continue
        original = scenes[video.place] if video is not None else None
        edited = _scene(world, row, original, found)
        # Its stills may be what an edit goes on from.
        stills = video is not None and "stills" in video.given
        if edited is not None and edited == original and not stills:
            found.add(row.at(world), "the edit changes nothing of its video's scene")


def _scene(
    world: str, row: SuiteRow, base: dict[str, Any] | None, found: Findings
) -> dict[str, Any] | None:
    """Return the whole recipe of a row laid over `base`, or None after reporting.

    base: None where nothing is known of what lies below; then its fields are looked at alone.
    """
    if world not in row.values:
        return None
    recipe: dict[str, Any] = row.values[world]
    whole = {**(base or {}), **recipe}
    if base is not None and not (reason := why_no_recipe(world, whole)):
        return WORLDS.get(world).whole(whole)
    reasons = {key: _why_no_field(world, key, value) for key, value in recipe.items()}
    for key, why in reasons.items():
        if why:
            found.add(row.at(world, key), why)
    if base is not None and not any(reasons.values()):
        found.add(row.at(world), str(reason))
    return None


def _why_no_field(world: str, field: str, value: object) -> str | None:
    """Return the words of the `UserError` that a field alone raises, or None."""
    try:
        WORLDS.get(world).field_alone(field, value)
    except UserError as error:
        return str(error)
    return None
