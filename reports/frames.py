"""The numbers of a report, unrounded, as tables for CSV."""

from typing import Any

import pandas as pd

from evaluation.schema import ClipRow
from reports.loading import FIELDS, Run
from reports.summary import Gap, Score, Summary, gaps


def scores_frame(summary: Summary) -> pd.DataFrame:
    """Return one row per method and metric with unrounded numbers, for CSV."""
    return pd.DataFrame(
        [
            {
                "method": label,
                "anchor": summary.run.methods[label].anchor,
                "metric": metric,
                "axis": summary.run.metrics[metric].axis,
                "better": summary.run.metrics[metric].better,
                **_flat(score),
                "delta_low": summary.deltas[label, metric].interval.low,
                "delta": summary.deltas[label, metric].interval.mid,
                "delta_high": summary.deltas[label, metric].interval.high,
            }
            for (label, metric), score in summary.scores.items()
        ]
    )


def categories_frame(summary: Summary) -> pd.DataFrame:
    """Return one row per method, metric and category with unrounded numbers, for CSV."""
    names = ("method", "metric", "category")
    rows = summary.categories.items()
    return pd.DataFrame([dict(zip(names, key, strict=True)) | _flat(score) for key, score in rows])


def _flat(score: Score) -> dict[str, float | int]:
    return {
        "value": score.interval.mid,
        "low": score.interval.low,
        "high": score.interval.high,
        "edits": score.edits,
        "videos": score.videos,
        **score.clips,
    }


def items_frame(run: Run) -> pd.DataFrame:
    """Return one row per score that there should be, with the reason where there is none."""
    return run.scores[["method", "edit", "video", "category", "seed", "metric", *FIELDS]]


def gaps_frame(run: Run) -> pd.DataFrame:
    """Return `summary.gaps` as a table, for CSV."""
    frame = pd.DataFrame(gaps(run), columns=list(Gap._fields))
    lists = {name: [" ".join(names) for names in frame[name]] for name in ("methods", "metrics")}
    return frame.assign(**lists)


def clips_frame(run: Run) -> pd.DataFrame:
    """Return one row per clip that was tried: status, cost, and what its method says of it.

    Facts are columns of their names; a clip whose method did not tell one has none there.
    """
    return pd.DataFrame([_clip(run, clip) for clip in run.clips.values()])


def _clip(run: Run, clip: ClipRow) -> dict[str, Any]:
    edit = run.edits[clip.edit]
    known = {
        "method": clip.method,
        "edit": edit.id,
        "video": edit.video,
        "category": edit.category,
        "seed": clip.seed,
        "status": clip.status,
        "seconds": clip.seconds,
        "peak_memory_mb": clip.peak_memory_mb,
    }
    return known | {name: fact for name, fact in (clip.facts or {}).items() if name not in known}
