"""A run folder as the commands leave it, without computing: for the tests of the report.

The run has four videos of three edits each. Competing: alpha, be_ta (one failed clip), gamma (two
seeds). Anchors: unedited, frozen-frame. The means that tests expect follow from `value`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from dreamix.core.media import sha256_file, write_video
from dreamix.core.records import append_lines, write_json
from dreamix.core.video import Video
from dreamix.data.suite import Suite

EVIL = 'A dog & a "cat" <script>alert(1)</script> 100% $x_1$ \\alpha {~^#|`*_[a](b)'
ERROR = "RuntimeError: <b>out of memory</b> & more_than_100%"
VIDEOS = ("va", "vb", "vc", "vd")
CATEGORIES = ("motion", "object", "style")
METHODS = {"alpha": 1, "be_ta": 1, "gamma": 2, "unedited": 1, "frozen-frame": 1}  # name: seeds
ANCHORS = ("unedited", "frozen-frame")
METRICS = {  # name: axis, better, categories it is not for
    "clip_t_gain": ("alignment", "higher", []),
    "lpips": ("fidelity", "lower", ["motion"]),
    "brisque": ("quality", "lower", []),
    "motion_mag": ("motion", "neither", []),
}


def value(method: str, video: int, category: int, seed: int, metric: str) -> float:
    """Base of the method + 0.01 x video + 0.001 x category + 0.1 x seed.

    Over all twelve edits the middle two add (0 + 1 + 2 + 3) / 4 x 0.01 + 0.001 = 0.016.
    """
    bases = {
        "clip_t_gain": {"alpha": 0.3, "be_ta": 0.2, "gamma": 0.1, "unedited": 0.0},
        "lpips": {"alpha": 0.5, "be_ta": 0.2, "gamma": 0.4, "unedited": 0.0},
        "brisque": {"alpha": 0.4, "be_ta": 0.3, "gamma": 0.6, "unedited": 0.2},
        "motion_mag": {"alpha": 0.1, "be_ta": 0.1, "gamma": 0.1, "unedited": 0.1},
    }
    base = bases[metric].get(method, 0.05)
    return base + 0.01 * video + 0.001 * category + 0.1 * seed


def clip(shade: int, fps: float = 8.0, frames: int = 4) -> Video:
    """A square of the opposite shade that moves to the right by one pixel a frame, 64 x 48."""
    moving = np.full((frames, 48, 64, 3), shade, np.uint8)
    for number_, frame in enumerate(moving):
        frame[12:30, number_ : number_ + 18] = 255 - shade
    return Video(moving, fps)


def fabricate(folder: Path, videos: tuple[str, ...] = VIDEOS, media: bool = False) -> Path:
    """Write a run folder as `dreamix bench run` and `score` leave it, without computing."""
    edits = [
        {
            "id": f"{v}_{c}",
            "video": v,
            "category": c,
            "prompt": EVIL if (v, c) == ("va", "style") else f"{v} {c}",
        }
        for v in videos
        for c in CATEGORIES
    ]
    suite = {"name": "made-up", "version": 3, "licence": "CC0-1.0"}
    listing = {"videos": [{"id": v, "caption": f"clip {v}"} for v in videos], "edits": edits}
    write_json(folder / "suite.json", suite | listing)
    digest = Suite.read(folder / "suite.json").sha256
    write_json(folder / "run.json", _info(suite | {"sha256": digest}, edits))
    for number_, video in enumerate(videos):
        if media:
            write_video(folder / "sources" / f"{video}.mp4", clip(40 * number_), lossless=True)
            write_json(folder / "sources" / f"{video}.json", {"file": f"{video}.mp4"})
    rows: list[dict[str, Any]] = []
    for method, seeds in METHODS.items():
        for edit in edits:
            for seed in range(seeds):
                rows += _cell(folder, method, edit, seed, videos.index(edit["video"]), media)
    append_lines(folder / "scores.jsonl", rows)
    return folder


def _info(suite: dict[str, Any], edits: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {
        name: {
            "name": name,
            "axis": axis,
            "better": better,
            "bounds": [0, "inf"],
            "needs": ["source"],
            "not_for": not_for,
            "version": 1,
            "definition": f"Return {name} <i>as defined</i> in a paper.",
            "definition_id": f"id-{name}",
            "models": {"clip": "ViT-B-32 sha256 0123"},
            "settings": {"device": "cpu"},
            "policy": "pts",
        }
        for name, (axis, better, not_for) in METRICS.items()
    }
    methods = {
        label: {"name": label, "config": {"s": 0.5}, "anchor": label in ANCHORS, "seeds": seeds,
                "definition": "Returns something."}
        for label, seeds in METHODS.items()
    }  # fmt: skip
    return {
        "format": 1,
        "suite": suite,
        "edits": sorted(edit["id"] for edit in edits),
        "methods": methods,
        "versions": {"dreamix-toolkit": "0.1.0"},
        "scored_with": {"dreamix-toolkit": "0.1.0"},
        "metrics": facts,
        "not_run": {"clip_i": "get the weights with `dreamix weights get clip`"},
    }


def _cell(
    folder: Path, method: str, edit: dict[str, Any], seed: int, video: int, media: bool
) -> list[dict[str, Any]]:
    """Write one clip with its sidecar; return its scores."""
    place = folder / "clips" / method / edit["id"]
    row: dict[str, Any] = {"method": method, "edit": edit["id"], "seed": seed, "status": "ok"}
    row |= {"sha256": "0" * 64, "file": f"{seed}.mp4", "seconds": 2.0, "peak_memory_mb": 100.0}
    if method == "gamma":  # it finetunes for 30 s for the first edit of a video
        first = seed == 0 and edit["category"] == CATEGORIES[0]
        row |= {"seconds": 32.0 if first else 2.0}
        row |= {"facts": {"finetune_seconds": 30.0 if first else 0.0, "noise_level": 0.75}}
    if (method, edit["id"]) == ("be_ta", "va_style"):
        row = {key: row[key] for key in ("method", "edit", "seed")}
        row |= {"status": "failed", "reason": ERROR}
    elif media:
        shade = 40 * video + (10 if method not in ANCHORS else 0)
        write_video(place / f"{seed}.mp4", clip(shade), lossless=method in ANCHORS)
        row["sha256"] = sha256_file(place / f"{seed}.mp4")
    write_json(place / f"{seed}.json", row)
    return [_score(row, edit, video, metric) for metric in METRICS]


def _score(row: dict[str, Any], edit: dict[str, Any], video: int, metric: str) -> dict[str, Any]:
    score = {
        "method": row["method"],
        "edit": edit["id"],
        "seed": row["seed"],
        "metric": metric,
        "video": edit["video"],
        "category": edit["category"],
        "definition": f"id-{metric}",
    }
    if row["status"] != "ok":
        return score | {"status": row["status"], "reason": f"no clip: {row['reason']}"}
    score["clip"] = row["sha256"]
    if edit["category"] in METRICS[metric][2]:
        return score | {"status": "n/a", "reason": f"misleading for {edit['category']} edits"}
    category = CATEGORIES.index(edit["category"])
    number_ = value(row["method"], video, category, row["seed"], metric)
    return score | {"status": "ok", "value": number_, "delta": number_ - 0.25}
