"""What a multiverse says of two methods, in one sentence: holds, holds in part, flips, or nothing.

Where verdicts differ, the choice is named that tells them apart best: by Goodman and Kruskal's tau,
the share of the disagreement between universes that vanishes once the level of a choice is known,
corrected for the number of its levels as R^2 is.

Source: Goodman & Kruskal, Measures of Association for Cross Classifications, Journal of the
American Statistical Association 49 (1954), section 9.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dreamix.core.wording import listed, percent, plural
from reports.multiverse.universes import Multiverse, Universe
from reports.tables import number

CLEAR = 0.5  # share of the disagreement that makes a choice the explanation
FEW = 4  # levels that a sentence names
NAMES = {
    "protocol": "the protocol",
    "judge": "the judge",
    "frames": "the frames shown to the judge",
    "failures": "what becomes of failures",
    "average": "how edits are averaged",
}


class Deciding(NamedTuple):
    """The choice whose levels tell verdicts apart best."""

    choice: str
    share: float  # of the disagreement; 1: each level has one verdict
    levels: dict[str, list[str]]  # by verdict: the levels in which it is the commonest


class PairClaim(NamedTuple):
    """Two methods in all universes, the one that is better more often first."""

    first: str
    second: str
    better: int  # universes in which the first is
    worse: int
    untold: int
    deciding: Deciding | None  # where verdicts differ, and some choice tells them apart
    because: str  # why, as a clause; "" where nothing is known

    @property
    def compared(self) -> int:
        """In how many universes the two could be compared."""
        return self.better + self.worse + self.untold

    @property
    def kind(self) -> str:
        """How the claim stands, in a word or two."""
        if not self.compared:
            return "not compared"
        if self.worse:
            return "flips"
        if self.better == self.compared:
            return "holds in all"
        return "holds in part" if self.better else "cannot be told"


def reduction(verdicts: Sequence[str], levels: Sequence[str]) -> float:
    """Return Goodman and Kruskal's tau of verdicts given levels, corrected; NaN if undefined.

    verdicts, levels: of each universe. Undefined where verdicts do not differ, and where every
    universe has a level of its own.
    """
    count, kinds = len(verdicts), len(set(levels))
    if len(set(verdicts)) < 2 or not 1 < kinds < count:
        return float("nan")
    whole = 1 - sum(n * n for n in Counter(verdicts).values()) / count**2
    sizes = Counter(levels)
    together = Counter(zip(levels, verdicts, strict=True))
    rest = 1 - sum(n * n / sizes[level] for (level, _), n in together.items()) / count
    return 1 - rest / whole * (count - 1) / (count - kinds)


def claims(given: Multiverse) -> list[PairClaim]:
    """Return what there is to say of every pair."""
    return [_claim(given, place) for place in range(len(given.pairs))]


def _claim(given: Multiverse, place: int) -> PairClaim:
    names, held = given.pairs[place], given.of(place)
    counts = Counter(one.verdict for _, one in held)
    turned = counts["second"] > counts["first"]
    words = dict(zip(("first", "second"), names[::-1] if turned else names, strict=True))
    said = [
        (universe, names[one.verdict == "second"] if one.verdict in words else "")
        for universe, one in held
    ]
    told = [(universe, who) for universe, who in said if who]
    flips = len({who for _, who in told}) > 1
    deciding = _deciding(told if flips else said)
    because = _because(given, place, deciding) if deciding and flips else ""
    return PairClaim(
        words["first"],
        words["second"],
        max(counts["first"], counts["second"]),
        min(counts["first"], counts["second"]),
        counts["not told apart"],
        deciding,
        because,
    )


def _deciding(said: list[tuple[Universe, str]]) -> Deciding | None:
    """Return the choice that tells verdicts apart best, the one of fewer levels where two do."""
    verdicts = [who for _, who in said]
    levels = {choice: [universe.choices[choice] for universe, _ in said] for choice in NAMES}
    varied = {choice: of for choice, of in levels.items() if len(set(of)) > 1}
    if len(set(verdicts)) > 1 and len(varied) == 1:
        return Deciding(choice := next(iter(varied)), 1.0, _levels(said, choice))
    found = []
    for choice, of in varied.items():
        share = reduction(verdicts, of)
        if np.isfinite(share) and share > 0:
            found.append((-round(share, 9), len(set(of)), choice))
    if not found:
        return None
    share, _, choice = min(found, key=lambda one: one[:2])
    return Deciding(choice, -share, _levels(said, choice))


def _levels(said: list[tuple[Universe, str]], choice: str) -> dict[str, list[str]]:
    """Return the levels of a choice under their commonest verdict."""
    by_level: dict[str, Counter[str]] = defaultdict(Counter)
    for universe, who in said:
        by_level[universe.choices[choice]][who] += 1
    found: dict[str, list[str]] = defaultdict(list)
    for level, counts in by_level.items():
        found[counts.most_common(1)[0][0]].append(level)
    return dict(found)


def _because(given: Multiverse, place: int, deciding: Deciding) -> str:
    """Return what stands behind a choice that turns a verdict."""
    first, second = given.pairs[place]
    if deciding.choice == "failures":
        one, other = (f"{name} lacks {given.gaps[name]}" for name in (first, second))
        return f"of {plural(given.edits, 'edit')}, {one} and {other}"
    if deciding.choice != "protocol":
        return ""
    leads = [one for one in given.leads[place] if np.isfinite(one.effect)]
    ahead = max(leads, key=lambda one: one.effect)
    behind = min(leads, key=lambda one: one.effect)
    if not behind.effect < 0 < ahead.effect:
        return ""
    return (
        f"{first} leads most in {ahead.metric} ({number(ahead.effect, 2)} standard deviations of "
        f"an edit), {second} in {behind.metric} ({number(-behind.effect, 2)})"
    )


def sentence(one: PairClaim) -> str:
    """Return the sentence on two methods, as "Topic: sentence."."""
    return f"{one.first} against {one.second}: {_verdict(one)}."


def untouched_sentence(made: Multiverse) -> list[str]:
    """Return how often each method is ahead of the unedited clip and behind it; none without it."""
    if not made.untouched:
        return []
    said = []
    for place, name in enumerate(made.gaps):
        counts = Counter(row[place].verdict for _, row in made.untouched)
        said.append(f"{name} is ahead of the unedited clip under {counts['first']} and behind it "
                    f"under {counts['second']}")  # fmt: skip
    few = "; so few source videos could not show more" if made.hopeless_untouched else ""
    every = f"{plural(len(made.untouched), 'protocol')} with their judges"
    return [f"Doing nothing: of {every}, {'; '.join(said)}{few}."]


def _verdict(one: PairClaim) -> str:
    if one.kind == "not compared":
        return "no universe has values of both"
    every = plural(one.compared, "universe")
    if one.kind == "holds in all":
        return f"{one.first} is better in all {every}" if one.compared > 1 else (
            f"{one.first} is better in the one universe there is"
        )  # fmt: skip
    if one.kind == "cannot be told":
        return f"they cannot be told apart in any of {every}"
    better = f"{one.first} is better in {one.better} of {every}"
    if one.kind == "holds in part":
        return f"{better}, worse in none; in {one.untold} they cannot be told apart{_where(one)}"
    untold = f", and in {one.untold} they cannot be told apart" if one.untold else ""
    return f"the claim flips: {better}, {one.second} in {one.worse}{untold}{_turning(one)}"


def _where(one: PairClaim) -> str:
    """Return where two methods cannot be told apart, if a choice says it."""
    found = one.deciding
    if found is None or found.share < CLEAR or "" not in found.levels:
        return ""
    mostly = "" if found.share == 1 else "mostly "
    return f", {mostly}by {NAMES[found.choice]}: {_named(found, '')}"


def _turning(one: PairClaim) -> str:
    """Return which choice turns the verdict."""
    found = one.deciding
    if found is None:
        return "; no choice by itself explains it"
    sides = [
        f"{name} under {_named(found, name)}"
        for name in (one.first, one.second)
        if name in found.levels
    ]
    decides = "decide" if found.choice == "frames" else "decides"
    if found.share == 1:
        said = f"; {NAMES[found.choice]} alone {decides} which: {', '.join(sides)}"
    else:
        share = percent(found.share, 1)
        said = f"; most of it is explained by {NAMES[found.choice]} ({share})"
        said = said if found.share >= CLEAR else (
            f"; no choice by itself explains most of it, {NAMES[found.choice]} most ({share})"
        )  # fmt: skip
        said += f": mostly {', '.join(sides)}"
    return f"{said}. Behind it: {one.because}" if one.because else said


def _named(found: Deciding, who: str) -> str:
    """Return the levels at which a verdict is the commonest; the number of many."""
    levels = found.levels[who]
    if len(levels) <= FEW:
        return listed(levels)
    rest = len(found.levels) > 1 and all(
        len(others) <= FEW for name, others in found.levels.items() if name != who
    )
    return f"the other {len(levels)}" if rest else f"{len(levels)} of them"
