"""Seconds to score a suite: ours cold and cached, a plain loop, the models' forward passes alone.

    python benchmarks/scoring_speed.py SUITE --outputs 'OUTPUTS/*' [--clip MODEL:PATH]

Without --clip, a ViT-B/32 with random weights is made: time does not depend on what it knows.
The plain loop takes metric after metric and clip after clip, reads both clips from disk each time
and calls open_clip, lpips, scikit-image, OpenCV and brisque as their READMEs show, the frames of
one clip as one batch. "Pure forward" is the time of the models alone on every clip once, inputs
ready in memory. Needs `pip install scikit-image brisque==0.2.0 libsvm-official`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from plain_loop import plain_scores
from pure_forward import forward_seconds

DREAMIX = Path(sys.executable).with_name("dreamix")
ANCHORS = "unedited,frozen-frame,shuffled-frames"


def random_clip(folder: Path) -> str:
    """Return --clip of a ViT-B/32 whose weights nobody trained."""
    import open_clip
    from safetensors.torch import save_file

    path = folder / "random-vit-b-32.safetensors"
    save_file(open_clip.create_model("ViT-B-32-quickgelu").state_dict(), path)
    return f"ViT-B-32-quickgelu:{path}"


def timed(work: Callable[[], object]) -> float:
    """Return the wall seconds of a call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dreamix(*arguments: str) -> str:
    """Run the program and return what it printed."""
    done = subprocess.run([str(DREAMIX), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("suite", type=Path)
    parser.add_argument("--outputs", required=True)
    parser.add_argument("--clip")
    parser.add_argument("--skip-plain", action="store_true", help="ours and pure forward only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run, printed = Path(name) / "run", []
        clip = options.clip or random_clip(Path(name))
        methods = f"external:{options.outputs},{ANCHORS}"
        dreamix("bench", "run", str(options.suite), "--methods", methods, "--out", str(run))
        score = ["bench", "score", str(run), "--clip", clip]
        seconds = {"ours, cold": timed(lambda: printed.append(dreamix(*score)))}
        seconds["ours, again"] = timed(lambda: dreamix(*score))
        print(printed[0], flush=True)
        seconds["pure forward, 2 processes"] = forward_seconds(run, clip, processes=2)
        if not options.skip_plain:
            metrics = sorted(json.loads((run / "run.json").read_text())["metrics"])
            seconds["plain loop"] = timed(lambda: plain_scores(run, clip, metrics))
        report(seconds)


def report(seconds: dict[str, float]) -> None:
    """Print a Markdown table of seconds and ratios to ours, cold."""
    ours = seconds["ours, cold"]
    print("| what | seconds | times ours, cold |\n|---|--:|--:|")
    for what, spent in seconds.items():
        print(f"| {what} | {spent:.1f} | {spent / ours:.3f} |")


if __name__ == "__main__":
    main()
