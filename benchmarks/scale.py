"""Seconds of calls on runs of 1,250, 2,500 and 5,000 edits by three methods with ten metrics.

    python benchmarks/scale.py --folder SCRATCH --figure docs/images/scale.png

"run", "score" and "compare" have nothing to do: what they should cost is finding that out. "report"
makes the page anew, its clips for the gallery once ("first") and with them there ("again"). CPU
seconds are those of the process, user and system; wall seconds depend on who else uses the machine.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scale_project import MEASURES, build

DREAMIX = str(Path(sys.executable).with_name("dreamix"))
SIZES = (1250, 2500, 5000)
METRICS = ("--metrics", ",".join(MEASURES))
BRING = ("suite.yaml", "--methods", "external:outputs/*", "--out", "run")
CALLS = {
    "report, first": ("report", "run"),
    "report, again": ("report", "run"),
    "run": ("bench", "run", *BRING),
    "score": ("bench", "score", "run", *METRICS),
    "compare": ("bench", "compare", *BRING, *METRICS),
}


class Spent(NamedTuple):
    """What a call cost, in seconds."""

    wall: float
    cpu: float


def call(folder: Path, *arguments: str) -> Spent:
    """Run the program in a folder and return what it cost; a failure ends the benchmark."""
    began = time.perf_counter()
    process = subprocess.Popen([DREAMIX, *arguments], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
    return Spent(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def measured(scratch: Path, edits: int) -> dict[str, Spent]:
    """Return what each call costs on a project of so many edits, built unless it is there."""
    folder = scratch / f"{edits}-edits"
    if not (folder / "run" / "scores.parquet").exists():
        build(folder, edits)
    call(folder, *CALLS["compare"])  # whatever there is to do is done
    subprocess.run(["rm", "-rf", str(folder / "run" / "report")], check=True)
    spent = {}
    for what, arguments in CALLS.items():
        if what == "compare":
            call(folder, *arguments)  # makes the page that the next one finds
        spent[what] = call(folder, *arguments)
    return spent


def table(found: dict[int, dict[str, Spent]]) -> str:
    """Return the Markdown table: CPU seconds, wall seconds beside them."""
    sizes = list(found)
    lines = [
        "| call | " + " | ".join(f"{size:,} edits" for size in sizes) + " | times the edits |",
        "|---|" + "--:|" * (len(sizes) + 1),
    ]
    for what in CALLS:
        spent = [found[size][what] for size in sizes]
        cells = " | ".join(f"{one.cpu:.1f} ({one.wall:.0f})" for one in spent)
        lines.append(f"| {what} | {cells} | {growth(sizes, [one.cpu for one in spent]):.2f} |")
    return "\n".join(lines)


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return by which power of the number of edits the seconds grow, from the first to the last.

    1 is linear; calls whose start costs as much as their work are below.
    """
    import math

    if len(sizes) < 2:
        return float("nan")
    return math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])


def draw(found: dict[int, dict[str, Spent]], path: Path) -> None:
    """Draw CPU seconds by number of edits: calls with nothing to do, and reports, side by side."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    groups = (("run", "score", "compare"), ("report, first", "report, again"))
    for axis, names, title in zip(axes, groups, ("nothing to do", "a report"), strict=True):
        for name in names:
            axis.plot(
                list(found), [found[size][name].cpu for size in found], marker="o", label=name
            )
        axis.set(title=title, xlabel="edits, by three methods", ylabel="CPU seconds")
        axis.set(xlim=(0, None), ylim=(0, None))
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table and draw the figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True, help="for the projects; some 400 MB")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options = parser.parse_args()
    found = {edits: measured(options.folder.resolve(), edits) for edits in options.sizes}
    print(table(found))
    if options.figure:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
