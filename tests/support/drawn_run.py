"""Runs in memory with values, gaps, partial clips and refusals as a test draws them."""

from typing import Any

import numpy as np
import pandas as pd
from made_up_run import method_info, metric_info, run_info

from dreamix.data.suite import Edit
from evaluation.schema import ClipRow
from reports.loading import Run

STATES = ("ok", "failed", "missing", "refused", "partial", "undefined")


def drawn_run(
    values: dict[str, np.ndarray],
    states: np.ndarray,
    *,
    better: dict[str, str],
    axis: dict[str, str] | None = None,
    bounds: dict[str, tuple[str, str]] | None = None,
    labels: tuple[str, ...] = ("ma", "mb", "mc", "md", "me"),
    anchors: int = 0,
    videos: int | None = None,
) -> Run:
    """Return a run of methods (the last `anchors` are anchors) on edits with seeds.

    values: metric -> float (methods, edits, seeds).
    states: of STATES (methods, edits, seeds), for all metrics.
    """
    methods, edits, seeds = states.shape
    names = labels[:methods]
    known = {
        label: method_info(label, anchor=k >= methods - anchors, seeds=seeds)
        for k, label in enumerate(names)
    }
    every = {
        f"e{e:02d}": Edit(f"e{e:02d}", f"v{e % (videos or edits):02d}", "p", f"c{e % 2}")
        for e in range(edits)
    }
    facts = {
        name: metric_info(
            name,
            (axis or {}).get(name, "fidelity"),
            better[name],
            (bounds or {}).get(name, ("-inf", "inf")),
        )
        for name in values
    }
    rows: list[dict[str, Any]] = []
    clips = {}
    for m, label in enumerate(names):
        for e, edit in enumerate(every.values()):
            for s in range(seeds):
                state = STATES[states[m, e, s]]
                made = state in ("ok", "partial", "undefined")
                clips[label, edit.id, s] = ClipRow(label, edit.id, s, "ok" if made else "failed")
                for name in values:
                    row = {"method": label, "edit": edit.id, "seed": s, "metric": name}
                    row |= {"video": edit.video, "category": edit.category}
                    rows.append(row | _score(state, values[name][m, e, s]))
    columns = pd.DataFrame(rows)
    return Run(None, run_info(known, every, facts), known, facts, every, clips, columns, "0" * 64)


def _score(state: str, value: float) -> dict[str, Any]:
    """Return the score of a clip in this state; statuses as `reports.loading` gives them."""
    status = {"partial": "ok", "refused": "n/a", "undefined": "n/a"}.get(state, state)
    found = float(value) if status == "ok" else np.nan
    return {
        "status": status,
        "value": found,
        "delta": found,
        "source_value": np.nan,
        "pairs": np.nan,
        "share": np.nan,
        "covers": 0.5 if state == "partial" else 1.0,
        "partial": state == "partial",
        "made": state in ("ok", "partial", "undefined"),
        "reason": None if status == "ok" else state,
        "note": None,
        "remarks": (),
    }
