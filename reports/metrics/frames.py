"""The numbers of a run, unrounded, for CSV; and what is remarked of how clips were read."""

from typing import Any, NamedTuple

import pandas as pd

from evaluation.schema import ClipRow
from evaluation.score.remarks import kind_of
from reports.loading import FIELDS, KEY, Run
from reports.metrics.results import mean_bounds, rank_bounds
from reports.summary import MissingValues, RunSummary, Score, gaps
from reports.tables import Table, table_of


class Remark(NamedTuple):
    """One remark on clips of one method."""

    method: str
    remark: str
    clips: int
    example: str  # METHOD/EDIT/SEED of one of them


def remarks(run: Run) -> list[Remark]:
    """Return the remarks of a run, method by method, the commonest first; each clip counts once.

    Those that differ in their numbers only are one, shown with the numbers of its example.
    """
    every = run.scores[KEY[:3]].assign(remarks=run.flag("remarks", without=()))
    rows = every[every["remarks"].map(bool)].explode("remarks").drop_duplicates()
    found = [
        Remark(
            str(method),
            _spelt(part["remarks"]),
            len(part[KEY[:3]].drop_duplicates()),
            "/".join(map(str, part.iloc[0][KEY[:3]])),
        )
        for (method, _), part in rows.groupby(["method", rows["remarks"].map(kind_of)])
    ]
    place = {label: k for k, label in enumerate(run.methods)}
    return sorted(found, key=lambda one: (place[one.method], -one.clips, one.remark))


def _spelt(texts: "pd.Series[str]") -> str:
    return texts.iloc[0] + (" (others with other numbers)" if texts.nunique() > 1 else "")


def remarks_table(run: Run) -> Table | None:
    """Return the remarks as a table; None if there are none."""
    found = remarks(run)
    if not found:
        return None
    return table_of(
        "remarks",
        "How clips were read",
        "What has to be known of how frames of a clip and its source were paired, or of how the "
        "clip was read, where it is not the plain case.",
        [one.method for one in found],
        [
            ("remark", [one.remark for one in found]),
            ("clips", [one.clips for one in found]),
            ("for example", [one.example for one in found]),
        ],
    )


def scores_frame(summary: RunSummary) -> pd.DataFrame:
    """Return one row per method and metric with unrounded numbers, for CSV.

    value: the mean on a method's own edits; common_value: on those on which methods are compared,
    and the rank by it; worst_value, best_value: the mean with every gap at the worst, at the best.
    """
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
                **_common(summary.common[label, metric]),
                **_place(summary, label, metric),
            }
            for (label, metric), score in summary.scores.items()
        ]
    )


def _common(score: Score) -> dict[str, Any]:
    low, mid, high = score.interval
    return {"common_value": mid, "common_low": low, "common_high": high,
            "common_edits": score.edits}  # fmt: skip


def _place(summary: RunSummary, label: str, metric: str) -> dict[str, Any]:
    """Return the rank of a competing method and what its gaps could hide; nothing of an anchor."""
    names = ("rank", "called_best", "gaps", "worst_value", "best_value", "best_rank", "worst_rank")
    if summary.run.methods[label].anchor:
        return dict.fromkeys(names, pd.NA)
    found, at = summary.standings[metric], summary.run.ranked.index(label)
    ends = rank_bounds(summary, label, metric)
    rank = int(found.ranks[at]) if ends and found.ranks[at] else pd.NA
    best = label in summary.best(metric)
    values = mean_bounds(summary, label, metric)
    return dict(
        zip(
            names,
            (rank, best, int(found.gaps[at]), *values, *(ends or (pd.NA, pd.NA))),
            strict=True,
        )
    )


def categories_frame(summary: RunSummary) -> pd.DataFrame:
    """Return one row per method, metric and category with unrounded numbers, for CSV."""
    names = ("method", "metric", "category")
    return pd.DataFrame(
        [
            dict(zip(names, key, strict=True))
            | _flat(score)
            | _common(summary.common_categories[key])
            for key, score in summary.categories.items()
        ]
    )


def _flat(score: Score) -> dict[str, Any]:
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
    names = ["method", "edit", "video", "category", "seed", "metric", *FIELDS]
    said = [" | ".join(lines) for lines in run.flag("remarks", without=())]
    return run.scores[names].assign(partial=run.flag("partial"), remarks=said)


def remarks_frame(run: Run) -> pd.DataFrame:
    """Return what is remarked of clips as a table, for CSV."""
    return pd.DataFrame(remarks(run), columns=list(Remark._fields))


def gaps_frame(run: Run) -> pd.DataFrame:
    """Return `summary.gaps` as a table, for CSV."""
    frame = pd.DataFrame(gaps(run), columns=list(MissingValues._fields))
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
