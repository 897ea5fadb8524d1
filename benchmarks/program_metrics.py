"""Seconds that `--metrics cmd:` costs over the program's own, for 1,000 clips.

    python benchmarks/program_metrics.py [--waits] [--milliseconds 25 50 100] [--profile]

The program reads both files of a clip and then does a fixed amount of work in one thread, which
takes about so many milliseconds where nothing else runs; with --waits it waits for so long, as one
does whose model is on a GPU. "alone" is the program with all requests
as its standard input; "ours" is `dreamix bench score` on a run without scores, from its start to
its end: clips decoded, requests made, answers on disk as they come, table sorted. Best of --rounds.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.folder import RunFolder
from evaluation.run.runner import run_suite
from evaluation.score.answers import Requests

PER_VIDEO = 40  # edits
CALL = [sys.executable, "-c", "from dreamix.cli import main; main()"]
PROGRAM = """
import hashlib, json, sys, time

rounds, seconds = int(sys.argv[1]), float(sys.argv[2])
for line in sys.stdin:
    clip = json.loads(line)
    held = b"".join(open(clip[name], "rb").read() for name in ("source", "edited"))
    for _ in range(rounds):
        held = hashlib.sha256(held[:64] * 256).digest()
    time.sleep(seconds)
    print(json.dumps({"id": clip["id"], "value": held[0]}), flush=True)
"""


def moving(seed: int) -> Video:
    """Blocks of colour that slide, 16 frames of 256x256."""
    tiles = np.random.default_rng(seed).integers(0, 256, (32, 64, 3), dtype=np.uint8)
    wide = np.kron(tiles, np.ones((8, 8, 1), np.uint8))
    return Video(np.stack([wide[:, 8 * t : 8 * t + 256] for t in range(16)]), 8)


def made_run(folder: Path, clips: int) -> Path:
    """Return a run of so many clips without scores."""
    videos = [f"v{number}" for number in range(clips // PER_VIDEO)]
    edits = [
        {"id": f"{v}_{k}", "video": v, "prompt": f"{v}, {k}", "category": "style"}
        for v in videos
        for k in range(PER_VIDEO)
    ]
    for number, video in enumerate(videos):
        write_video(folder / f"{video}.mp4", moving(number))
    for number in range(PER_VIDEO):
        write_video(folder / "kinds" / f"{number}.mp4", moving(1000 + number))
    (folder / "ours").mkdir()
    for edit in edits:
        os.link(
            folder / "kinds" / f"{edit['id'].split('_')[1]}.mp4", folder / f"ours/{edit['id']}.mp4"
        )
    listed = [{"id": v, "path": f"{v}.mp4"} for v in videos]
    suite = {"name": "many", "version": 1, "licence": "none", "videos": listed, "edits": edits}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    columns = variants(f"ours=external:pattern={folder}/ours/{{edit}}.mp4")
    run_suite(load_suite(folder), columns, folder / "run")
    return folder / "run"


def rounds_for(milliseconds: float) -> int:
    """Return how much work takes so long here."""
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < 1.0:
        for _ in range(100):
            hashlib.sha256(b"x" * 8192).digest()
        done += 100
    return max(1, round(done * milliseconds / 1000))


def alone(program: list[str], run: Path, folder: Path) -> float:
    """Return the seconds of the program with all requests at once."""
    found = RunFolder(run)
    requests = Requests(found)
    lines = [requests.line(cell, row) for cell in found.cells() if (row := found.clip_row(cell))]
    (folder / "requests").write_bytes(b"".join(lines))
    with open(folder / "requests", "rb") as asked, open(folder / "answers", "wb") as told:
        began = time.perf_counter()
        subprocess.run(program, stdin=asked, stdout=told, check=True)
        return time.perf_counter() - began


def ours(program: list[str], run: Path, *, again: bool = False) -> float:
    """Return the seconds of `dreamix bench score`; again: with the scores that are there."""
    if not again:
        for name in ("scores.jsonl", "scores.parquet", ".settled.json"):
            (run / name).unlink(missing_ok=True)
    began = time.perf_counter()
    spec = f"cmd:work={' '.join(program)}"
    subprocess.run(
        [*CALL, "bench", "score", str(run), "--metrics", spec],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def profile(program: list[str], run: Path) -> None:
    """Print where one process spends its time while the program works."""
    import cProfile
    import pstats

    from evaluation.score.scoring import score_run
    from evaluation.settings import ModelSettings

    with cProfile.Profile() as found:
        score_run(run, [], ModelSettings(), commands=[f"cmd:work={' '.join(program)}"])
    pstats.Stats(found).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--milliseconds", type=float, nargs="+", default=[25, 50, 100])
    parser.add_argument("--waits", action="store_true", help="it waits and does not compute")
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = made_run(folder, options.clips)
        (folder / "work.py").write_text(PROGRAM)
        print("| a clip takes | alone, s | ours, s | over | again, s |\n|--:|--:|--:|--:|--:|")
        for milliseconds in options.milliseconds:
            computes = not options.waits
            rounds = rounds_for(milliseconds) if computes else 0
            waits = 0 if computes else milliseconds / 1000
            work = [sys.executable, str(folder / "work.py"), str(rounds), str(waits)]
            if options.profile:
                profile(work, run)
                continue
            own = min(alone(work, run, folder) for _ in range(options.rounds))
            told = min(ours(work, run) for _ in range(options.rounds))
            again = ours(work, run, again=True)
            over = f"{100 * (told / own - 1):+.1f}%"
            print(
                f"| {milliseconds:g} ms | {own:.1f} | {told:.1f} | {over} | {again:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
