"""Draws docs/images/architecture.svg: the rooms, the files between them, and the three trips.

python docs/make_architecture.py           write it
python docs/make_architecture.py --check   exit 1 if the picture is another

The picture has a ground of its own and follows the reader's light or dark scheme. Every room that
it names is a folder of the checkout; tests/test_docs.py holds it to that.
"""

import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images" / "architecture.svg"
WIDTH, HEIGHT = 960, 774

# what -> (fill, edge) by day and by night; words and numbers have a fill only
COLOURS = {
    "ground": (("#ffffff", "none"), ("#14181e", "none")),
    "floor": (("#f2f4f7", "#c9d0d9"), ("#1d232b", "#3b4552")),
    "room": (("#ffffff", "#8a94a3"), ("#272f3a", "#66717f")),
    "file": (("#fff6df", "#c29a3a"), ("#3a321c", "#b08d3c")),
    "words": (("#1c232d", "none"), ("#e8ecf1", "none")),
    "small": (("#4a5563", "none"), ("#aab4c0", "none")),
    "number": (("#ffffff", "none"), ("#14181e", "none")),
    "prompt": (("#1f6fc4", "none"), ("#6cb0f5", "none")),
    "clip": (("#c4561f", "none"), ("#f09a6a", "none")),
    "vote": (("#23864a", "none"), ("#6fce94", "none")),
}
FONTS = """\
svg { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 14px }
.small { font-size: 12px } .number { font-size: 11px; font-weight: 700 }
.name { font-weight: 600 } .floor-name { font-size: 15px; font-weight: 700 }"""


class Box(NamedTuple):
    """A rectangle with a name and lines below it."""

    x: int
    y: int
    width: int
    height: int
    name: str
    lines: tuple[str, ...] = ()


class Trip(NamedTuple):
    """A way through the rooms: the places of its numbered stops, and what happens on it."""

    kind: str
    words: str
    stops: tuple[tuple[int, int], ...]


FLOORS = (
    Box(16, 16, 928, 116, "people and pages"),
    Box(16, 228, 928, 252, "evaluation"),
    Box(16, 498, 928, 230, "dreamix"),
)
FILES = (
    Box(32, 152, 430, 56, "ratings", ("database and its export: votes, playback, declaration",)),
    Box(498, 152, 430, 56, "run folder", ("run.json, clips/METHOD/EDIT/SEED.mp4, scores.jsonl",)),
)
ROOMS = (
    Box(
        32,
        46,
        430,
        72,
        "study_app",
        ("screens; one action, one transaction", "plan, store, export"),
    ),
    Box(498, 46, 430, 72, "reports", ("tables, figures, sentences", "one page, one paper")),
    Box(
        32,
        258,
        210,
        136,
        "evaluation/stats",
        ("ratings, agreement, preference,", "meta, composite"),
    ),
    Box(258, 258, 204, 62, "evaluation/run", ("folder, cells, failures,", "merging")),
    Box(258, 332, 204, 62, "evaluation/cluster", ("workers, Ray, shards",)),
    Box(498, 258, 204, 62, "evaluation/score", ("decode, embed,", "measure, row")),
    Box(718, 258, 210, 62, "evaluation/metrics", ("one file a metric",)),
    Box(498, 332, 204, 62, "evaluation/sample", ("an edit and its source,", "frame by frame")),
    Box(
        718,
        332,
        210,
        62,
        "evaluation/features",
        ("CLIP, LPIPS, flow: loaded", "once, kept by content"),
    ),
    Box(
        32,
        406,
        430,
        62,
        "evaluation/gold",
        ("ratings and scores of others: formats in,", "the folder of an export out"),
    ),
    Box(
        498,
        406,
        430,
        62,
        "evaluation/judge",
        (
            "vision-language models: stills, questions, answers,",
            "archive; their audit on exact truth",
        ),
    ),
    Box(32, 528, 210, 56, "dreamix/methods", ("one file a method",)),
    Box(258, 528, 204, 56, "dreamix/backends", ("one file a model family",)),
    Box(498, 528, 430, 56, "dreamix/diffusion", ("noise, sampling, finetuning, masking",)),
    Box(32, 594, 430, 56, "dreamix/data", ("suites, masks, cameras; what a world is",)),
    Box(498, 594, 430, 56, "dreamix/core", ("video, media, records, registry, seeds",)),
    Box(32, 660, 430, 56, "dreamix/suite_formats", ("one file a format of other benchmarks",)),
    Box(498, 660, 430, 56, "dreamix/remote", ("places at stores and web servers: fetched, sent",)),
)
TRIPS = (
    Trip(
        "prompt",
        "a prompt becomes a clip",
        ((446, 274), (226, 544), (446, 544), (912, 544), (852, 168)),
    ),
    Trip(
        "clip",
        "a clip becomes a score",
        ((882, 168), (686, 274), (912, 348), (912, 274), (912, 168)),
    ),
    Trip(
        "vote",
        "a vote becomes a sentence",
        ((446, 62), (446, 168), (226, 274), (912, 62)),
    ),
)


def style() -> str:
    """Return the colours of both schemes and the fonts."""

    def rules(night: bool) -> list[str]:
        chosen = {name: pair[night] for name, pair in COLOURS.items()}
        return [f".{name} {{ fill: {a}; stroke: {b} }}" for name, (a, b) in chosen.items()]

    night = ["@media (prefers-color-scheme: dark) {", *rules(night=True), "}"]
    return "\n".join([FONTS, *rules(night=False), *night])


def text(x: int, y: int, words: str, kind: str, anchor: str = "start") -> str:
    """Return one line of text."""
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def drawn_box(box: Box, kind: str) -> list[str]:
    """Return a box: the rectangle, its name, what is in it."""
    name = "floor-name words" if kind == "floor" else "name words"
    rows = [text(box.x + 12, box.y + 21, box.name, name)]
    rows += [text(box.x + 12, box.y + 40 + 16 * i, row, "small") for i, row in enumerate(box.lines)]
    place = f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
    return [f'<rect {place} rx="6" class="{kind}"/>', *rows]


def dot(x: int, y: int, kind: str) -> str:
    """Return a stop without its number."""
    return f'<circle cx="{x}" cy="{y}" r="9" class="{kind}"/>'


def drawn_trip(trip: Trip) -> list[str]:
    """Return the numbered stops of a trip."""
    stops = [*enumerate(trip.stops, 1)]
    dots = [dot(x, y, trip.kind) for _, (x, y) in stops]
    return dots + [text(x, y + 4, str(number), "number", "middle") for number, (x, y) in stops]


def legend() -> list[str]:
    """Return what the colours mean, below the floors."""
    parts = [text(928, 756, "imports go down only", "small", "end")]
    for i, trip in enumerate(TRIPS):
        x = 40 + 220 * i
        parts += [dot(x, 751, trip.kind), text(x + 16, 756, trip.words, "small")]
    return parts


def picture() -> str:
    """Return the picture as SVG."""
    kinds = (("floor", FLOORS), ("file", FILES), ("room", ROOMS))
    parts = [line for kind, boxes in kinds for box in boxes for line in drawn_box(box, kind)]
    parts += [line for trip in TRIPS for line in drawn_trip(trip)]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>The rooms of the toolkit, the files between them, and three trips</title>"
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" class="ground"/>'
    parts = [head, title, f"<style>\n{style()}\n</style>", ground, *parts, *legend(), "</svg>"]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the picture, or check it."""
    if "--check" not in sys.argv:
        OUT.write_text(picture(), encoding="utf-8")
    elif not OUT.is_file() or OUT.read_text(encoding="utf-8") != picture():
        sys.exit(f"{OUT}: run `python docs/make_architecture.py`")


if __name__ == "__main__":
    main()
