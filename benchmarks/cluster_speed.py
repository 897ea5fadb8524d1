"""How much sooner a run is done by two workers than by one, and that its results are the same.

    python benchmarks/cluster_speed.py

Runs `dreamix bench run` on the quick Toybox suite with the embedded model: by one process, by
two, by two shards at once and their merge, and by a Ray cluster of one and of two nodes with one
processor each. Draws docs/images/cluster.png. Seconds are those of the whole command, from its
start to its end; starting the nodes of the cluster is not in them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from ray_nodes import Nodes
from run_results import results

from evaluation.cluster.shards import Shard, folder_of
from reports.figures.style import ANCHOR, COLOURS, SETTINGS, clean, figure

ROOT = Path(__file__).parents[1]
DREAMIX = Path(sys.executable).with_name("dreamix")
SUITE = ROOT / "datasets" / "toybox" / "quick.yaml"
METHODS = "dreamix:steps=10:finetune_steps=10,text-to-video:steps=10"
FIGURE = ROOT / "docs" / "images" / "cluster.png"


def main() -> None:
    """Measure every way and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", default="*", help="pattern of edit ids, to measure less")
    parser.add_argument("--figure", type=Path, default=FIGURE)
    asked = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured(Path(folder), asked.edits)
    print(f"load of the machine before and after: {before:.1f}, {os.getloadavg()[0]:.1f}\n")
    print("| | seconds | times as fast |\n|---|--:|--:|")
    for name, spent in seconds.items():
        print(f"| {name} | {spent:.0f} | {seconds['one process'] / spent:.2f} |")
    draw(seconds, asked.figure)


def measured(folder: Path, edits: str) -> dict[str, float]:
    """Return the seconds of each way; one that makes anything else ends the benchmark."""
    ways: dict[str, Callable[[Path], float]] = {
        "one process": lambda out: by_command(out, edits, "--executor", "local:1"),
        "two processes": lambda out: by_command(out, edits, "--executor", "local:2"),
        "two shards, merged": lambda out: by_shards(out, edits),
        "Ray, one node": lambda out: by_ray(out, edits, 1),
        "Ray, two nodes": lambda out: by_ray(out, edits, 2),
    }
    seconds = {}
    for number, (name, way) in enumerate(ways.items()):
        out = folder / f"run{number}"
        seconds[name] = way(out)
        assert results(out) == results(folder / "run0"), f"{name}: other results"
        print(f"{name}: {seconds[name]:.1f} s, same results", file=sys.stderr)
    return seconds


def command(out: Path, edits: str, *words: str) -> list[str]:
    """Return the command of a run."""
    run = [str(DREAMIX), "bench", "run", str(SUITE), "--methods", METHODS, "--edits", edits]
    return [*run, "--out", str(out), *words]


def by_command(out: Path, edits: str, *words: str) -> float:
    """Return the seconds of one command."""
    began = time.perf_counter()
    subprocess.run(command(out, edits, *words), check=True, stdout=sys.stderr)
    return time.perf_counter() - began


def by_shards(out: Path, edits: str) -> float:
    """Return the seconds of two commands at once, that know nothing of each other, and a merge."""
    began, parts = time.perf_counter(), [Shard(1, 2), Shard(2, 2)]
    one = "--executor", "local:1", "--shard"
    jobs = [
        subprocess.Popen(command(out, edits, *one, f"{i}/{n}"), stdout=sys.stderr) for i, n in parts
    ]
    assert not any([job.wait() for job in jobs])
    folders = [str(folder_of(out, part)) for part in parts]
    subprocess.run([str(DREAMIX), "bench", "merge", str(out), *folders], check=True, stdout=2)
    return time.perf_counter() - began


def by_ray(out: Path, edits: str, nodes: int) -> float:
    """Return the seconds of a command on a cluster of so many nodes, started before."""
    started = Nodes({})
    try:
        for _ in range(nodes - 1):
            started.add()
        os.environ.update(started.env)
        return by_command(out, edits, "--executor", f"ray:{started.address}")
    finally:
        started.stop()


def draw(seconds: dict[str, float], file: Path) -> None:
    """Write the figure: how many times as fast each way is as one process."""
    with mpl.rc_context(SETTINGS):
        drawing = figure(6.4, 2.6)
        axes = drawing.subplots()
        for place, (name, spent) in enumerate(seconds.items()):
            times = seconds["one process"] / spent
            colour = COLOURS[0] if name.startswith("Ray") else COLOURS[1]
            axes.barh(place, times, height=0.62, color=ANCHOR if not place else colour)
            axes.text(times + 0.02, place, f"{times:.2f} ({spent:.0f} s)", va="center", fontsize=8)
        axes.set_yticks(range(len(seconds)), [*seconds])
        axes.invert_yaxis()
        axes.set_xlim(0, 0.5 + max(seconds["one process"] / one for one in seconds.values()))
        axes.set_xlabel("times as fast as one process, on two cores")
        clean(axes, "x")
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file, dpi=150, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    main()
