"""The columns of people: what the raters of one study said, as a site keeps it.

Votes of two studies are never put together: their raters, wording and panels differ, so each study
has columns of its own, and ranks among the methods that it rated. Only means, counts and who is
shown to be ahead of whom are kept, no vote and no rater.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Gt, Lt

from dreamix.core.errors import UserError
from dreamix.core.records import to_json
from dreamix.core.typed import STRICT, Name
from evaluation.schema import Sha256
from evaluation.stats.ratings import item_success
from reports.ground import TIE
from reports.leaderboard.entry import BoardSuite
from reports.leaderboard.standing import Standing, kept_leads, standing_of
from reports.leaderboard.views import EditsView
from reports.people.differences import Difference, gaps_of, places_without_gaps
from reports.people.export import StudyExport, read_export
from reports.people.outcome import SUCCESS, People, items_of, people_of
from reports.people.pairs import Pairs, QuestionChoices, pairs_of
from reports.summary import IntervalSettings


@dataclass(frozen=True)
class TopicStanding:
    """What raters said on one question, or by success."""

    __pydantic_config__ = STRICT
    topic: str
    standing: Standing  # by labels of the study's methods
    lacking: dict[str, int]  # label -> edits that were rated by others and not by it


@dataclass(frozen=True)
class StudyResults:
    """A study in numbers; it holds no vote."""

    __pydantic_config__ = STRICT
    id: Name
    name: str
    suite: Sha256
    design: Literal["absolute", "pairwise"]
    simulated: bool
    means: bool  # only mean scores were known
    scale: tuple[float, float]
    threshold: float
    confidence: Annotated[float, Gt(0), Lt(1)]
    raters: int
    votes: int
    ratings_sha256: Sha256
    source: str  # of ratings that were collected elsewhere; "" for a study of the toolkit
    licence: str
    entries: dict[str, Name]  # label of a method -> entry
    views: dict[str, tuple[TopicStanding, ...]]
    format: Literal[1] = 1

    def __post_init__(self) -> None:
        """Check what types cannot say."""
        if not self.scale[0] < self.scale[1]:
            raise ValueError("scale should be a low and a high end")

    def check(self, suite: BoardSuite) -> None:
        """Raise a `ValueError` unless it is of this suite."""
        if self.suite != suite.sha256:
            raise ValueError(f"{self.id} is of another suite than board.json")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def check_export(export: StudyExport, suite: BoardSuite) -> list[str]:
    """Return why the ratings cannot stand beside the entries of a suite."""
    own = export.own
    known = {edit.id: edit.video for edit in suite.edits}
    pairs = sorted(set(zip(own["edit"], own["video"], strict=True)))
    strange = [str(edit) for edit, video in pairs if known.get(edit) != video]
    if not strange:
        return [] if pairs else [f"study: {export.name} has no ratings"]
    more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
    return [
        f"study: {export.name} rated {len(strange)} of its {len(pairs)} edits that {suite.said} "
        f"does not have, or not of these sources: {', '.join(strange[:3])}{more}"
    ]


def study_results(
    folder: Path,
    suite: BoardSuite,
    entries: dict[str, str],
    views: Iterable[EditsView],
    how: IntervalSettings,
    step: Callable[[], None],
) -> StudyResults:
    """Return what the raters of an export said, view by view.

    entries: label of a method -> id of its entry. step: is told of each view that is done.
    """
    export = read_export(folder)
    own, origin = export.own, export.origin or {}
    found = {}
    for view in views:
        if topics := _topics(_on_edits(export, view.edits), how, needed=not view.kind):
            found[view.key] = topics
        step()
    told = to_json([export.name, export.simulated, sorted(entries.items())])
    return StudyResults(
        id=f"study-{hashlib.sha256(told.encode()).hexdigest()[:10]}",
        name=export.name,
        suite=suite.sha256,
        design="pairwise" if export.design == "pairwise" else "absolute",
        simulated=export.simulated,
        means=export.means,
        scale=export.scale,
        threshold=export.threshold,
        confidence=how.confidence,
        raters=0 if export.means else int(own["rater"].nunique()),
        votes=len(own),
        ratings_sha256=export.ratings_sha256,
        source=str(origin.get("source") or origin.get("format") or ""),
        licence=str(origin.get("licence") or ""),
        entries=entries,
        views=found,
    )


def _on_edits(export: StudyExport, edits: Iterable[str]) -> StudyExport:
    """Return an export as if these edits alone had been rated."""
    return replace(export, long=export.long[export.long["edit"].isin(set(edits))])


def _topics(export: StudyExport, how: IntervalSettings, needed: bool) -> tuple[TopicStanding, ...]:
    """Return what can be said of the methods; nothing where too little was rated, unless needed."""
    try:
        if export.design == "pairwise":
            return tuple(_choices(pairs_of(export, how)))
        return tuple(_votes(people_of(export, how)))
    except UserError:
        if needed:
            raise
        return ()


def _votes(people: People) -> Iterable[TopicStanding]:
    gaps = gaps_of(people, people.kept)
    for topic in (*people.questions, SUCCESS):
        yield _topic(people, topic, gaps[topic])


def _topic(people: People, topic: str, differences: list[Difference]) -> TopicStanding:
    kept, labels = people.kept, people.methods
    at = [kept.ratings.methods.index(label) for label in labels]
    stands = kept.standings[topic]
    if topic == SUCCESS:
        rate = kept.success.items
        ends = [(rate.low[k], rate.share[k], rate.high[k]) for k in at]
        edits = [int(rate.counted[k]) for k in at]
    else:
        scores = kept.scores[topic]
        ends = [(scores.low[k], scores.mos[k], scores.high[k]) for k in at]
        edits = [int(scores.items[k]) for k in at]
    lacking = {label: int(stands.gaps[k]) for label, k in zip(labels, at, strict=True)}
    return TopicStanding(
        topic,
        standing_of(
            tuple(labels), ends, edits, [int(stands.ranks[k]) for k in at],
            _ahead(people, topic, differences),
        ),
        {label: count for label, count in lacking.items() if count},
    )  # fmt: skip


def _ahead(people: People, topic: str, differences: list[Difference]) -> np.ndarray:
    """Return who is shown to be ahead of whom, whatever the edits that it lacks could hide."""
    labels, ratings = people.methods, people.kept.ratings
    shown = np.zeros((len(labels),) * 2, bool)
    for one in differences:
        a, b = labels.index(one.a), labels.index(one.b)
        sign = one.sign(people.how.alpha)
        shown[a, b], shown[b, a] = sign > 0, sign < 0
    if not people.kept.standings[topic].gaps.any():
        return shown
    by_success = topic == SUCCESS
    items = item_success(ratings) if by_success else items_of(ratings, topic)
    whole = items[[ratings.methods.index(label) for label in labels]]
    gaps = ~np.isfinite(whole) & np.isfinite(whole).any(axis=0)
    low, high = (0.0, 1.0) if by_success else ratings.scale
    worst, best = (np.where(gaps, end, whole) for end in (low, high))
    sources = None if by_success else ratings.source
    return shown & kept_leads(whole, worst, best, TIE * (high - low), sources)


def _choices(pairs: Pairs) -> Iterable[TopicStanding]:
    for one in pairs.kept:
        if one.model and one.ends:
            yield TopicStanding(one.question, _strengths(one, pairs), {})


def _strengths(one: QuestionChoices, pairs: Pairs) -> Standing:
    """Return the strengths of methods in choices between two, on the log scale."""
    assert one.model and one.ends
    names, strength = one.rows.methods, one.model.strength
    every = range(len(names))
    shown = [[a != b and one.shown(a, b, pairs.how.alpha) for b in every] for a in every]
    scores = {name: float(value) for name, value in zip(names, strength, strict=True)}
    own = pairs.export.own
    own = own[(own["question"] == one.question) & ~own["excluded"].astype(bool)]
    sides = [own[(own["method_left"] == name) | (own["method_right"] == name)] for name in names]
    ranks = places_without_gaps(scores).ranks
    return standing_of(
        names,
        [*zip(one.ends.low, strength, one.ends.high, strict=True)],
        [int(side["edit"].nunique()) for side in sides],
        [ranks[name] for name in names],
        np.array(shown, bool),
    )
