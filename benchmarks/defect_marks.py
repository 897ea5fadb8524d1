"""Do marks of raters find defects whose place is known? Toybox clips with injected defects.

    python benchmarks/defect_marks.py --folder SCRATCH --figure docs/images/defects.png

Exact edits of Toybox scenes get defects of a known kind, time and place: none by "clean", one by
"one", two by "two". Simulated raters watch them through the study's own flow and store, and mark
each defect with a chance of 0.8, with normal errors of its ends (0.15 s) and of its box (0.04 of
the picture), the wrong kind at times (0.15), and now and then a place where nothing is (0.1).
Measured is what the export and the report say: how far marks overlap with the truth and with each
other, in time and in time and place.
"""

import argparse
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from dreamix.core.media import read_video, write_video
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite
from evaluation.stats.agreement import TIME, TIME_AND_PLACE, overlap
from reports.figures.style import save
from reports.parts import stamped
from reports.people.defects import defects_of, defects_part, of_method
from reports.people.export import read_export
from reports.people.outcome import people_of
from reports.summary import IntervalSettings
from study_app.build_command import build_and_declare
from study_app.export.writing import export
from study_app.marks import Box, DefectMark
from study_app.open_study import open_study
from study_app.plan import Item
from study_app.simulated_raters import Crowd, SimulatedRater, method_merit, simulate
from study_app.spec.study import STUDY_FILE
from study_app.spec.template import TEMPLATE
from study_app.store.tables import Trial

ROOT = Path(__file__).resolve().parents[1]
METHODS = {"clean": 0, "one": 1, "two": 2}  # defects of a clip
FINDS, WRONG_KIND, FALSE_ALARM = 0.8, 0.15, 0.1
SECONDS_OFF, PLACE_OFF = 0.15, 0.04


class Defect(NamedTuple):
    """A defect that was put into a clip: seconds, and a box in shares of the picture."""

    kind: str
    start: float
    end: float
    box: tuple[float, float, float, float]  # x, y, width, height


Spoil = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def flicker(part: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Every second frame is much brighter."""
    found = part.astype(int)
    found[::2] += 70
    return np.clip(found, 0, 255).astype(np.uint8)


def distorted(part: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Rows slide apart in a wave."""
    high = part.shape[1]
    shift = np.round(0.2 * part.shape[2] * np.sin(np.arange(high) / 3)).astype(int)
    return np.stack([[np.roll(row, s, 0) for row, s in zip(f, shift, strict=True)] for f in part])


def leaked(part: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Colours are turned round."""
    return part[..., [2, 0, 1]]


def motion(part: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """It stands still."""
    return np.repeat(part[:1], len(part), axis=0)


def text(part: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Strokes that mean nothing."""
    found = part.copy()
    high, wide = part.shape[1:3]
    ends = rng.integers(0, (wide, high), (8, 2))
    for frame in found:
        cv2.polylines(frame, [ends.astype(np.int32)], False, (255, 255, 255), 1)
    return found


SPOIL: dict[str, Spoil] = {f.__name__: f for f in (flicker, distorted, leaked, motion, text)}


def defects_for(edit: Edit, method: str, seconds: float) -> list[Defect]:
    """Return what is to be wrong with a clip; each in a half of its time of its own."""
    rng = rng_for("defects", edit.id, method)
    found = []
    for number in range(METHODS[method]):
        span = seconds / METHODS[method]
        start = number * span + rng.uniform(0, 0.4) * span
        end = min(start + rng.uniform(0.4, 0.6) * span, (number + 1) * span)
        width, height = rng.uniform(0.25, 0.5, 2)
        place = (*rng.uniform((0, 0), (1 - width, 1 - height)), width, height)
        kind = str(rng.choice(list(SPOIL)))
        found.append(Defect(kind, float(start), float(end), tuple(map(float, place))))
    return found


def spoiled(video: Video, defects: list[Defect], rng: np.random.Generator) -> Video:
    """Return the clip with the defects in it."""
    frames = video.frames.copy()
    for defect in defects:
        x, y, width, height = defect.box
        at = np.arange(len(video)) / video.fps
        when = np.flatnonzero((defect.start <= at) & (at < defect.end))
        rows = slice(int(y * video.height), int((y + height) * video.height))
        columns = slice(int(x * video.width), int((x + width) * video.width))
        part = frames[when[0] : when[-1] + 1, rows, columns]
        frames[when[0] : when[-1] + 1, rows, columns] = SPOIL[defect.kind](part, rng)
    return Video(frames, video.fps, video.times)


def make_run(folder: Path, suite: Suite, edits: list[Edit]) -> None:
    """Write the clips of every method, and the run that they are brought into."""
    run_suite(suite, variants("ideal"), folder / "exact", edits=[edit.id for edit in edits])
    for edit in edits:
        exact = read_video(folder / "exact" / "clips" / "ideal" / edit.id / "0.mp4")
        for method in METHODS:
            rng = rng_for("spoil", edit.id, method)
            clip = spoiled(exact, defects_for(edit, method, exact.duration), rng)
            write_video(folder / "outputs" / method / f"{edit.id}.mp4", clip, lossless=True)
    columns = variants(f"external:{folder}/outputs/*")
    run_suite(suite, columns, folder / "run", edits=[edit.id for edit in edits])


def make_study(folder: Path) -> None:
    """Write and build a study that asks where the clips are broken."""
    words = TEMPLATE.read_text().replace("$name", "defects").replace("$run", "../run")
    words = words.replace("$methods", f"[{', '.join(METHODS)}]").replace(
        "  ask: false", "  ask: true"
    )
    for old, new in (
        ("trials: 20", "trials: 10"),
        ("votes: 5", "votes: 6"),
        ("display_height: 360", "display_height: 192"),
        ("traps: 1", "traps: 0"),
        ("gold: 1", "gold: 0"),
        ("training: 3", "training: 0"),
    ):
        words = words.replace(old, new, 1)
    (folder / "study").mkdir(exist_ok=True)
    (folder / "study" / STUDY_FILE).write_text(words)
    build_and_declare(folder / "study", None, None)


Truth = dict[tuple[str, str], list[Defect]]  # of an edit by a method


def marking(truth: Truth, seconds: dict[str, float]) -> Callable[..., list[DefectMark]]:
    """Return what simulated raters mark: the truth, seen imperfectly."""

    def mark(person: SimulatedRater, item: Item, trial: Trial) -> list[DefectMark]:
        rng, length = person.rng, seconds[item.edit]
        found = [
            _seen(d, rng, length) for d in truth[item.edit, item.methods[0]] if rng.random() < FINDS
        ]
        if rng.random() < FALSE_ALARM:
            start, width = rng.uniform(0, 0.6 * length), rng.uniform(0.2, 0.4)
            box = (*rng.uniform(0, 1 - width, 2), width, width)
            kind = str(rng.choice(list(SPOIL)))
            found.append(_seen(Defect(kind, start, start + 0.3 * length, box), rng, length))
        return found

    return mark


def _seen(defect: Defect, rng: np.random.Generator, length: float) -> DefectMark:
    start, end = np.sort(np.clip(rng.normal((defect.start, defect.end), SECONDS_OFF), 0, length))
    x, y, width, height = np.array(defect.box) + rng.normal(0, PLACE_OFF, 4)
    x, y = np.clip((x, y), 0, 0.9)
    width, height = np.clip((width, height), 0.05, (1 - x, 1 - y))
    kind = str(rng.choice(list(SPOIL))) if rng.random() < WRONG_KIND else defect.kind
    return DefectMark(
        clip="edit",
        start=float(start),
        end=float(end),
        kind=kind,  # type: ignore[arg-type]
        severity=int(rng.integers(1, 4)),
        box=Box(x=float(x), y=float(y), width=float(width), height=float(height)),
    )


def rated(folder: Path, truth: Truth, raters: int) -> Path:
    """Let simulated raters do the study; return its export."""
    running = open_study(folder / "study", f"sqlite:///{folder / 'study' / 'simulated.sqlite'}")
    plan = running.plan
    seconds = {item.edit: plan.clips[item.right].seconds for item in plan.of_kind("rating")}
    merit = method_merit(running, {"clean": 4.0, "one": 3.3, "two": 2.7})
    crowd = Crowd(raters=raters, careless=0, drop_out=0)
    simulate(running, crowd, merit, marking=marking(truth, seconds))
    done = export(running, folder / "export", 0)
    running.database.engine.dispose()
    return done.folder


def truth_boxes(defects: list[Defect], length: float) -> np.ndarray:
    """Return defects as boxes in shares of the clip, float (defects, 3, 2)."""
    rows = [
        [
            (d.start / length, d.end / length),
            (d.box[0], d.box[0] + d.box[2]),
            (d.box[1], d.box[1] + d.box[3]),
        ]
        for d in defects
    ]
    return np.array(rows, float).reshape(-1, 3, 2)


def table(folder: Path, truth: Truth, lengths: dict[str, float]) -> Iterator[str]:
    """Yield the lines of a Markdown table: what marks say of each method, against the truth."""
    found = defects_of(read_export(folder), IntervalSettings())
    assert found
    heads = ("method", "defects", "viewings", "marked", "truth, time", "truth, time and place")
    yield f"| {' | '.join(heads)} |"
    yield "|---|--:|--:|--:|--:|--:|"
    for place, method in enumerate(found.methods):
        seen = of_method(found, method)
        hits: dict[int, list[float]] = {TIME: [], TIME_AND_PLACE: []}
        for at in seen.tolist():
            edit = str(found.seen["edit"][at])
            known = truth_boxes(truth[edit, method], lengths[edit])
            for dimensions, values in hits.items():
                if len(known) and len(found.boxes[at]):
                    values.append(overlap(found.boxes[at], known, dimensions))
        told = [f"{np.mean(values):.2f}" if values else "-" for values in hits.values()]
        share = f"{100 * found.shares.mos[place]:.0f}%"
        cells = (method, str(METHODS[method]), str(len(seen)), share, *told)
        yield f"| {' | '.join(cells)} |"
    for name, one in (("time", found.in_time), ("time and place", found.in_place)):
        low, mid, high = one.overlap
        yield (
            f"\nTwo raters, {name}: {mid:.2f} [{low:.2f}, {high:.2f}] over {one.pairs} pairs on "
            f"{one.clips} clips; on different clips {one.chance:.2f}."
        )


def main() -> None:
    """Make the clips, let raters mark them, print the table and draw the timelines."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--videos", type=int, default=12)
    parser.add_argument("--raters", type=int, default=30)
    asked = parser.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    suite = load_suite(ROOT / "datasets" / "toybox")
    videos = sorted({edit.video for edit in suite.edits})[: asked.videos]
    edits = [next(e for e in suite.edits if e.video == video) for video in videos]
    make_run(asked.folder, suite, edits)
    lengths = {
        e.id: read_video(asked.folder / "outputs" / "clean" / f"{e.id}.mp4").duration for e in edits
    }
    truth = {(e.id, m): defects_for(e, m, lengths[e.id]) for e in edits for m in METHODS}
    make_study(asked.folder)
    exported = rated(asked.folder, truth, asked.raters)
    print("\n".join(table(exported, truth, lengths)))
    part = defects_part(people_of(read_export(exported), IntervalSettings()))
    assert part
    print("\n".join(part.found))
    if asked.figure:
        (drawing,) = stamped(part).drawings
        save(drawing.figure, asked.folder, "defects")
        shutil.copy(asked.folder / "defects.png", asked.figure)


if __name__ == "__main__":
    main()
