"""Rapidata: results of comparisons of two clips, as its SDK writes them.

Votes carry no name of a rater, so they cannot be told apart by person: what is kept is one value a
clip and edit, the share of the votes that it won, averaged over the clips it was compared with.
Demographics are not read.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from dreamix.core.names import shown
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import json_value
from evaluation.gold.formats.names import edit_and_method, why_no_name

Shares = dict[tuple[str, str], list[tuple[int, float]]]  # (edit, method) -> (place, share)


@rating_format("rapidata")
def read_rapidata(path: Path, asked: ImportSettings) -> GatheredRatings:
    """JSON of compare results: mean scores, the share of votes that a clip won (--scale 0:1)."""
    found = GatheredRatings(means=True)
    told = json_value(path, found)
    info, results = _parts(told)
    if results is None:
        found.wrong(path, 1, "it should have info and a list of results")
        return found
    kind = info.get("type") or info.get("orderType")
    if str(kind).lower() != "compare":
        found.wrong(path, 1, f"type {shown(kind)}: only results of compare orders are read")
        return found
    shares: Shares = defaultdict(list)
    prompts: dict[str, str] = {}
    for place, one in enumerate(results, start=1):
        _take(path, place, one, asked, shares, prompts, found)
    question = _question(info)
    for (edit, method), won in shares.items():
        mean = sum(share for _, share in won) / len(won)
        row = RatingRow(str(path), won[0][0], edit, method, question, mean)
        found.rows.append(row._replace(prompt=prompts.get(edit, "")))
    found.remarks.append(
        "votes carry no rater: a value is the share of votes that a clip won, averaged over the "
        "clips it was compared with (Both and Neither count half for each); demographics are not "
        "read; line is the number of the result"
    )
    return found


def _parts(told: Any) -> tuple[dict[str, Any], list[Any] | None]:
    if not isinstance(told, dict) or not isinstance(told.get("results"), list):
        return {}, None
    info = told.get("info")
    return (info, told["results"]) if isinstance(info, dict) else ({}, None)


def _question(info: dict[str, Any]) -> str:
    name = info.get("name")
    return name if isinstance(name, str) and name.strip() else "preferred"


def _take(
    path: Path,
    place: int,
    one: Any,
    asked: ImportSettings,
    shares: Shares,
    prompts: dict[str, str],
    found: GatheredRatings,
) -> None:
    """Add the shares of one comparison; what is wrong with it is noted by its number."""
    counts = one.get("aggregatedResults") if isinstance(one, dict) else None
    if not isinstance(counts, dict) or len(counts) < 2 or not all(map(_is_count, counts.values())):
        found.wrong(path, place, f"result {place} has no counts of two clips: aggregatedResults")
        return
    clips = {name: count for name, count in counts.items() if name not in ("Both", "Neither")}
    ties = sum(count for name, count in counts.items() if name not in clips)
    total = sum(counts.values())
    named = {name: edit_and_method(name, asked) for name in clips}
    for name, fits in named.items():
        if not fits:
            found.wrong(path, place, why_no_name(name))
    edits = {fits[0] for fits in named.values() if fits}
    if len(clips) != 2 or not total or len(edits) > 1:
        found.wrong(path, place, f"result {place} should compare two clips of one edit, with votes")
        return
    for name, fits in named.items():
        if fits:
            shares[fits].append((place, (clips[name] + ties / 2) / total))
            prompts[fits[0]] = str(one.get("context") or "")


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
