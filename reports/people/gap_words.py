"""What all differences between methods on one question amount to, in words."""

from typing import NamedTuple

from reports.loading import is_number
from reports.people.gaps import ALIKE, SUCCESS, Gap
from reports.tables import number
from reports.wording import listed, plural, those

FEW_PAIRS = 3  # up to so many are all named


class Places(NamedTuple):
    """Where methods stand on common edits."""

    ranks: dict[str, int]  # equal scores share one; 0 for a method that is not ranked
    best: frozenset[str]  # of rank 1, whatever their gaps hide


def places_without_gaps(scores: dict[str, float]) -> Places:
    """Return where methods stand that all have the same edits."""
    known = {name: score for name, score in scores.items() if is_number(score)}
    ranks = {
        name: 1 + sum(other > score + ALIKE for other in known.values())
        for name, score in known.items()
    }
    best = frozenset(name for name, rank in ranks.items() if rank == 1)
    return Places(dict.fromkeys(scores, 0) | ranks, best)


def said_of(
    gaps: list[Gap], alpha: float, scores: dict[str, float], places: Places | None = None
) -> str:
    """Return who is ahead of whom, and which differences are not significant or not testable.

    scores: of the methods; NaN for one that has none.
    places: of the methods; left out, none lacks an edit.
    """
    places = places or places_without_gaps(scores)
    reasons = {one.why_not for one in gaps}
    if "" not in reasons:
        means = listed([f"{name} {_score(gaps[0], value)}" for name, value in scores.items()])
        return f"no difference can be tested: {listed(sorted(reasons))} ({means})"
    if all(map(_alike, gaps)):
        return _nothing_differs(gaps[0], [*scores.values()])
    if len(gaps) <= FEW_PAIRS:
        return _all(gaps, alpha, scores)
    return _many(gaps, alpha, places)


def _nothing_differs(one: Gap, scores: list[float]) -> str:
    """Return that all pairs are alike; methods on different edits can have different means."""
    if max(scores) - min(scores) > ALIKE:
        return "nothing differs: no two methods differ on the edits that both have"
    return f"nothing differs: all methods have {_score(one, scores[0])}"


def state(one: Gap, alpha: float) -> str:
    """Return the conclusion about a pair, in a few words."""
    if one.why_not:
        return "cannot be compared"
    sign = one.sign(alpha)
    if not sign:
        return "do not differ significantly"
    return f"differ in favour of {one.a if sign > 0 else one.b}"


def _all(gaps: list[Gap], alpha: float, scores: dict[str, float]) -> str:
    """Return a clause for every method that is ahead of others, and for every other pair."""
    clauses = []
    for name in _ranked(scores):
        if ahead := _ahead(gaps, name, alpha):
            beaten = [f"{one.b} by {_text(one, unit=k == 0)}" for k, one in enumerate(ahead)]
            clauses.append(f"{name} {_verb(gaps[0])} {listed(beaten)}")
    clauses += _open([one for one in gaps if not one.sign(alpha) and not one.why_not])
    clauses += [_untested(one) for one in gaps if one.why_not]
    return "; ".join(clauses)


def _many(gaps: list[Gap], alpha: float, places: Places) -> str:
    """Return the place of the methods with the highest score, and counts of the other pairs."""
    tops = [name for name, rank in places.ranks.items() if rank == 1]
    if not tops:
        text = "methods have too few edits in common to be ranked; of "
        return f"{text}{plural(len(gaps), 'pair')}, {_differ(gaps, alpha)}{_count_untested(gaps)}"
    top = tops[0]
    ahead = sorted(_ahead(gaps, top, alpha), key=lambda one: one.mid)
    open_ = [one for one in _of(gaps, top) if not one.sign(alpha) and not one.why_not]
    rest = [one for one in gaps if top not in (one.a, one.b)]
    clauses = [
        _place(top, ahead, gaps, places),
        *_behind(gaps, top, alpha),
        *_not_ahead([one for one in open_ if one.mid >= -ALIKE], "its lead over {}"),
        *_not_ahead([_lag(one) for one in open_ if one.mid < -ALIKE], "its lag behind {}"),
        f"of the {plural(len(rest), 'pair')} without it, {_differ(rest, alpha)}",
    ]
    return "; ".join(clauses) + _count_untested(gaps)


def _differ(gaps: list[Gap], alpha: float) -> str:
    count = sum(one.sign(alpha) != 0 for one in gaps)
    return f"{count} differ{'s' if count == 1 else ''} significantly"


def _behind(gaps: list[Gap], top: str, alpha: float) -> list[str]:
    """Return a clause for those that are ahead of the highest: some that are not ranked."""
    ahead = [_lag(one) for one in _of(gaps, top) if one.sign(alpha) < 0]
    is_behind = "succeeds less often than" if gaps[0].question == SUCCESS else "is behind"
    named = listed([f"{one.b} ({_text(one)})" for one in ahead])
    return [f"it {is_behind} {named}"] if ahead else []


def _lag(one: Gap) -> Gap:
    """Return how far b is ahead of a, with the names in their places."""
    return one.turned._replace(a=one.a, b=one.b)


def _place(top: str, ahead: list[Gap], gaps: list[Gap], places: Places) -> str:
    """Return how many methods the highest is ahead of, and by how much of the nearest of them."""
    others, verb = len(places.ranks) - 1, _verb(gaps[0])
    if len(ahead) == others:
        return f"{top} {verb} all {others} others, the nearest, {ahead[0].b}, by {_text(ahead[0])}"
    tied = [name for name, rank in places.ranks.items() if rank == 1]
    hangs = "" if places.best >= set(tied) else ", a place that hangs on what is lacking"
    first = (
        f"{top} is highest{hangs}{',' * bool(hangs)} and"
        if len(tied) == 1
        else f"{those(tied)} are highest{hangs}; {top}"
    )
    return f"{first} {verb} {len(ahead) or 'none'} of {others} others"


def _not_ahead(open_: list[Gap], which: str) -> list[str]:
    """Return a clause for the methods that the highest is not shown to be ahead of, or behind."""
    if not open_:
        return []
    if len(open_) > FEW_PAIRS:
        last = max(open_, key=lambda one: one.mid)
        named = f"{len(open_)} others, of which {last.b} is furthest ({_note(last)}),"
    else:
        named = listed([f"{one.b} ({_note(one)})" for one in open_])
    return [f"{which.format(named)} is not significant"]


def _of(gaps: list[Gap], name: str) -> list[Gap]:
    """Return the differences of one method from the others, as its own lead."""
    return [one if one.a == name else one.turned for one in gaps if name in (one.a, one.b)]


def _ahead(gaps: list[Gap], name: str, alpha: float) -> list[Gap]:
    return [one for one in _of(gaps, name) if one.sign(alpha) > 0]


def _ranked(scores: dict[str, float]) -> list[str]:
    scored = [name for name, score in scores.items() if is_number(score)]
    return sorted(scored, key=lambda name: -scores[name])


def _open(gaps: list[Gap]) -> list[str]:
    """Return one clause for the differences that are not significant, none if there are none."""
    turned = [one if one.mid >= 0 else one.turned for one in gaps]
    named = [f"of {one.a} and {one.b} ({_note(one)})" for one in turned]
    if not named:
        return []
    plural_ = named[1:]
    return [
        f"the difference{'s' if plural_ else ''} {listed(named)} {'are' if plural_ else 'is'} not "
        "significant"
    ]


def _note(one: Gap) -> str:
    """Return a difference, with its p where the interval, not adjusted, excludes zero all the same.

    A difference that rounds to nothing on every edit is said to be none.
    """
    if _alike(one):
        return "alike on every edit"
    excludes = is_number(one.low) and not one.low <= ALIKE <= one.high + 2 * ALIKE
    return _text(one) + (f", adjusted p {number(one.p_holm, 3)}" if excludes else "")


def _alike(one: Gap) -> bool:
    """Return whether there is neither a difference nor a doubt about it."""
    spread = one.high - one.low if is_number(one.low) and not one.alike else 0.0
    return not one.why_not and abs(one.mid) < ALIKE and spread < ALIKE


def _untested(one: Gap) -> str:
    return f"{one.a} and {one.b} cannot be compared: {one.why_not}"


def _count_untested(gaps: list[Gap]) -> str:
    untested = sum(bool(one.why_not) for one in gaps)
    return f"; {plural(untested, 'pair')} cannot be compared" if untested else ""


def _verb(one: Gap) -> str:
    return "succeeds more often than" if one.question == SUCCESS else "beats"


def _text(one: Gap, unit: bool = True) -> str:
    points = " percentage points" if one.question == SUCCESS else " points"
    return f"{one.text}{points if unit else ''}"


def _score(one: Gap, value: float) -> str:
    if not is_number(value):
        return "no votes"
    return f"{number(100 * value, 0)}%" if one.question == SUCCESS else number(value, 2)
