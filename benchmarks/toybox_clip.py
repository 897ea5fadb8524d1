"""Measures toybox-clip: on held-out scenes, and on the ideal edits of the Toybox suite.

    python benchmarks/toybox_clip.py [--scenes 500] [--clip FOLDER]

Prints Markdown. None of the scenes' combinations of colour, shape, motion and place was trained on.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dreamix.core.threads import one_thread
from dreamix.data.suite import Edit, load_suite
from dreamix.methods.base import variants
from dreamix.toybox.training.clip import HeldOut
from dreamix.toybox.training.clip_frames import blurred, coarse
from dreamix.toybox.training.clip_model import open_tokenizer
from dreamix.toybox.world import VALUES
from evaluation.run.runner import run_suite
from evaluation.schema import ScoreRow
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from evaluation.toybox import weights

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = Path(weights.__file__).parent / "toybox_clip"
METRICS = ("clip_t_gain", "clip_t", "clip_dir", "frame_acc")
DAMAGE: dict[str, Callable[[Tensor], Tensor]] = {
    "as rendered": lambda pixels: pixels,
    "through 24x40": coarse,
    "blurred, sigma 1.5 of 64": lambda pixels: blurred(pixels, 1.5),
    "noise, sigma 0.1": lambda pixels: (pixels + 0.1 * _noise(pixels)).clamp(0, 1),
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=500, help="a multiple of 100")
    parser.add_argument("--clip", type=Path, default=SHIPPED)
    options = parser.parse_args()
    one_thread()
    print(held_out_table(options.clip, options.scenes))
    print()
    print(suite_table(options.clip))


def held_out_table(folder: Path, scenes: int) -> str:
    """Return accuracies by state of the frames: 1 of 100 captions, then right word or wrong."""
    test = HeldOut(open_tokenizer(folder), scenes)
    model = _plain(folder)
    columns = ["top1", *VALUES]
    lines = ["| frames | 1 of 100 | " + " | ".join(VALUES) + " |", "|---" * 9 + "|"]
    for name, change in DAMAGE.items():
        with torch.inference_mode():
            found = test.accuracies(model, change(test.pixels))
        lines.append(f"| {name} | " + " | ".join(f"{found[c]:.1%}" for c in columns) + " |")
    return "\n".join(lines)


def suite_table(folder: Path) -> str:
    """Return, by category, on how many edits the ideal edit has a better score than the source."""
    suite = load_suite(ROOT / "datasets" / "toybox")
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        run_suite(suite, [v for name in ("unedited", "ideal") for v in variants(name)], out)
        score_run(out, [*METRICS], ModelSettings(clip=f"toybox-clip:{folder}"))
        rows = {(r.method, r.metric, r.edit): r for r in read_scores(out / "scores.jsonl").values()}
    heads = ["category", "edits", *METRICS]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    groups: dict[str, list[Edit]] = {}
    for edit in suite.edits:
        groups.setdefault(edit.category, []).append(edit)
    for name, edits in {**groups, "all": [*suite.edits]}.items():
        won = [sum(better(rows, metric, edit.id) for edit in edits) for metric in METRICS]
        shares = [f"{count} ({count / len(edits):.0%})" for count in won]
        lines.append(f"| {name} | {len(edits)} | {' | '.join(shares)} |")
    missed = [e for e in suite.edits if not better(rows, "clip_t_gain", e.id)]
    names = ", ".join(f"{edit.id} ({edit.category})" for edit in missed)
    return "\n".join([*lines, "", f"No gain: {names or 'none'}"])


def better(rows: dict[tuple[str, str, str], ScoreRow], metric: str, edit: str) -> bool:
    """Return True if the ideal edit's value is above the source's (clip_dir: above 0)."""
    ideal, source = (rows[method, metric, edit].value for method in ("ideal", "unedited"))
    return ideal is not None and ideal > (0 if source is None else source)


def _plain(folder: Path) -> Any:
    """Return the model as open_clip itself opens it."""
    import open_clip

    with torch.random.fork_rng(devices=[]):
        return open_clip.create_model(f"local-dir:{folder}").eval()


def _noise(pixels: Tensor) -> Tensor:
    drawn = np.random.default_rng(0).standard_normal(tuple(pixels.shape), dtype=np.float32)
    return torch.from_numpy(drawn)


if __name__ == "__main__":
    main()
