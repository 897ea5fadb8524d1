"""Run folders for a leaderboard, by hand: one metric from 0 to 1, clips that are a few bytes.

Nobody decodes a clip for a leaderboard: what counts is that its SHA-256 is that of its row.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dreamix.core.records import append_lines, write_json
from dreamix.data.suite import Suite

Value = Callable[[int, int], float | None]  # source, edit of it -> score; None: the clip failed
CATEGORIES = ("motion", "style")
REASON = "RuntimeError: out of memory"


def submitted(
    folder: Path,
    values: Mapping[str, Value],
    *,
    said: Mapping[str, Any] | None = None,
    anchors: tuple[str, ...] = (),
    seeds: int | list[int] = 1,
    sources: int = 8,
    each: int = 1,
    tags: tuple[str, ...] = (),
    definition: str = "d1",
    source: str = "",
    suite: str = "made-up",
    shade: str = "",
) -> Path:
    """Return the folder of a run in which every clip has a score or a reason.

    values: score of a method's clips. said: what submission.yaml holds; left out, a licence.
    shade: makes the bytes of all clips others. source: what computed the metric elsewhere.
    """
    edits = [
        {"id": f"v{s}_{e}", "video": f"v{s}", "category": CATEGORIES[e % 2],
         "prompt": f"{suite} {s} {e}", **({"tags": [*tags]} if e == 0 and tags else {})}
        for s in range(sources) for e in range(each)
    ]  # fmt: skip
    about = {"name": suite, "version": "1", "licence": "CC0-1.0"}
    videos = [{"id": f"v{s}", "caption": f"clip {s}"} for s in range(sources)]
    write_json(folder / "suite.json", about | {"videos": videos, "edits": edits})
    digest = Suite.read(folder / "suite.json").sha256
    write_json(folder / "run.json", _info(about | {"sha256": digest}, edits, values, anchors,
                                          seeds, definition, source))  # fmt: skip
    for video in videos:
        (folder / "sources").mkdir(exist_ok=True)
        (folder / "sources" / f"{video['id']}.mp4").write_bytes(video["id"].encode())
        write_json(folder / "sources" / f"{video['id']}.json", {"file": f"{video['id']}.mp4"})
    rows = []
    for label, value in values.items():
        for place, edit in enumerate(edits):
            for seed in range(seeds) if isinstance(seeds, int) else seeds:
                number = value(place // each, place % each)
                rows.append(_clip(folder, label, edit, seed, number, definition, shade))
    append_lines(folder / "scores.jsonl", rows)
    (folder / "submission.yaml").write_text(yaml.safe_dump(said or {"licence": "MIT"}))
    return folder


def steps(value: float, tilt: float = 0.0) -> Value:
    """Return scores around a value that rise a little from source to source; tilt: by category."""
    return lambda source, edit: value + 0.002 * source + tilt * (1 if edit % 2 else -1)


def _info(
    suite: dict[str, Any],
    edits: list[dict[str, Any]],
    labels: Mapping[str, Value],
    anchors: tuple[str, ...],
    seeds: int | list[int],
    definition: str,
    source: str,
) -> dict[str, Any]:
    metric: dict[str, Any] = {
        "name": "score", "axis": "alignment", "better": "higher", "definition": "Return it.",
        "bounds": [0, 1], "needs": [], "not_for": [], "version": 1, "definition_id": definition,
        "models": {}, "policy": "pts",
    }  # fmt: skip
    if source:
        table = f"{definition}.csv"
        metric["imported"] = {"source": source, "file": table, "place": f"../{table}",
                              "sha256": hashlib.sha256(table.encode()).hexdigest()}  # fmt: skip
    methods = {
        label: {"name": label, "config": {"strength": 0.5}, "anchor": label in anchors,
                "seeds": seeds, "place": place}
        for place, label in enumerate(labels)
    }  # fmt: skip
    return {
        "format": 3 if isinstance(seeds, list) else 1,
        "suite": suite,
        "edits": sorted(edit["id"] for edit in edits),
        "methods": methods,
        "metrics": {"score": metric},
        "versions": {"dreamix-toolkit": "0.1.0"},
        "scored_with": {"dreamix-toolkit": "0.1.0"},
    }


def _clip(
    folder: Path,
    label: str,
    edit: dict[str, Any],
    seed: int,
    value: float | None,
    definition: str,
    shade: str,
) -> dict[str, Any]:
    """Write a clip and its row; return its score."""
    place = folder / "clips" / label / edit["id"]
    place.mkdir(parents=True, exist_ok=True)
    row = {"method": label, "edit": edit["id"], "seed": seed}
    score = row | {"metric": "score", "video": edit["video"], "category": edit["category"],
                   "definition": definition}  # fmt: skip
    if value is None:
        write_json(place / f"{seed}.json", row | {"status": "failed", "reason": REASON})
        return score | {"status": "failed", "reason": f"no clip: {REASON}"}
    data = f"{label} {edit['id']} {seed} {shade}".encode()
    (place / f"{seed}.mp4").write_bytes(data)
    made = {"status": "ok", "file": f"{seed}.mp4", "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data), "seconds": 3.0, "peak_memory_mb": 2048.0}  # fmt: skip
    write_json(place / f"{seed}.json", row | made)
    return score | {"status": "ok", "value": value, "covers": 1.0, "clip": made["sha256"]}
