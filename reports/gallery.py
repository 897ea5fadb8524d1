"""The gallery's data: every clip of the run beside its source, with its scores.

The page's script builds the gallery from this; nothing in it is markup.
"""

from typing import Any

from reports.loading import Run, is_number
from reports.media import Copies
from reports.summary import Summary
from reports.tables import decimals


def gallery_data(summary: Summary, copies: Copies) -> dict[str, Any]:
    """Return what the gallery shows, as JSON can hold it.

    metrics: name, arrow, sign (1 higher is better, -1 lower, 0 neither), digits, headline
    methods: label, anchor, seeds as text: scripts hold numbers to 53 bits only
    videos:  id -> caption and clip
    edits:   id, video, prompt, category
    clips:   method -> edit -> one entry a seed: the clip, and `scores` in the order of metrics
    A clip has a file and its frames a second, or the reason why there is none. A score is a number,
    or the place of its reason in `reasons`, as text. `partial` marks a clip that is never best.
    """
    run, reasons = summary.run, _Reasons()
    return {
        "metrics": _metrics(summary),
        "methods": [
            {"label": label, "anchor": m.anchor, "seeds": list(map(str, m.seeds))}
            for label, m in run.methods.items()
        ],
        "videos": {
            video.id: {"caption": video.caption, **copies.sources[video.id].to_dict()}
            for video in run.files.suite.videos.values()
            if video.id in copies.sources
        },
        "edits": [
            {name: getattr(edit, name) for name in ("id", "video", "prompt", "category")}
            for edit in run.edits.values()
        ],
        "clips": _clips(run, copies, reasons),
        "reasons": reasons.texts,
    }


class _Reasons:
    """Texts that occur often, each kept once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))

    @property
    def texts(self) -> list[str]:
        return list(self.places)


def _metrics(summary: Summary) -> list[dict[str, Any]]:
    headlines = {summary.headline(axis) for axis in ("alignment", "fidelity", "quality")}
    return [
        {
            "name": facts.name,
            "arrow": facts.arrow,
            "sign": facts.sign,
            "digits": decimals(summary.column(facts.name)),
            "headline": facts.name in headlines,
        }
        for facts in summary.run.metrics.values()
    ]


def _clips(run: Run, copies: Copies, reasons: _Reasons) -> dict[str, Any]:
    scores = _scores(run, reasons)
    found: dict[str, dict[str, list[Any]]] = {}
    for cell in run.cells:
        method, edit, _seed = cell
        entry = copies.clips[cell].to_dict() | {"scores": scores[cell]}
        if cell in run.partial_clips:
            entry["partial"] = True
        found.setdefault(method, {}).setdefault(edit, []).append(entry)
    return found


def _scores(run: Run, reasons: _Reasons) -> dict[tuple[str, str, int], list[float | str]]:
    """Return by clip five significant digits of each value, or the place of why there is none."""
    names = ("method", "edit", "seed", "value", "status", "reason")
    found: dict[tuple[str, str, int], list[float | str]] = {}
    for method, edit, seed, value, status, reason in zip(
        *(run.scores[name].tolist() for name in names), strict=True
    ):
        told = f"{status}: {reason}" if reason else str(status)
        shown = float(f"{value:.5g}") if is_number(value) else str(reasons.place(told))
        found.setdefault((method, edit, seed), []).append(shown)
    return found
