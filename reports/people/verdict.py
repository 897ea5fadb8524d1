"""The executive sentences about a study: who is ahead of whom, by how much, and how surely.

All is computed; nothing is praised. A difference counts as one if Holm's adjusted p is below the
level; an interval, which is not adjusted, can exclude zero without that, and then it is said.
"""

from dreamix.core.wording import listed, plural, titled
from reports.people.differences import (
    ALIKE,
    POWER,
    Detectable,
    Difference,
    Places,
    TopicDifferences,
    detectable,
    detected,
    digits_of,
    gaps_of,
    places_of,
    places_without_gaps,
    scores_of,
    sizes_of,
    unknown,
)
from reports.people.exclusions import exclusions_sentence
from reports.people.outcome import SUCCESS, People
from reports.tables import ends_text, is_number, number, those

FEW_PAIRS = 3  # up to so many are all named


def said_of(
    gaps: list[Difference], alpha: float, scores: dict[str, float], places: Places | None = None
) -> str:
    """Return who is ahead of whom, and which differences are not significant or not testable.

    scores: of the methods; NaN for one that has none.
    places: of the methods; left out, none lacks an edit.
    """
    said = _said(gaps, alpha, scores, places or places_without_gaps(scores))
    return said if said.startswith(tuple(scores)) else f"{said[0].upper()}{said[1:]}"


def _said(gaps: list[Difference], alpha: float, scores: dict[str, float], places: Places) -> str:
    reasons = {one.why_not for one in gaps}
    if "" not in reasons:
        means = listed([f"{name} {_score(gaps[0], value)}" for name, value in scores.items()])
        return f"no difference can be tested: {listed(sorted(reasons))} ({means})"
    if all(map(_alike, gaps)):
        return _nothing_differs(gaps[0], [*scores.values()])
    if len(gaps) <= FEW_PAIRS:
        return _all(gaps, alpha, scores)
    return _many(gaps, alpha, places)


def _nothing_differs(one: Difference, scores: list[float]) -> str:
    """Return that all pairs are alike; methods on different edits can have different means."""
    if max(scores) - min(scores) > ALIKE:
        return "nothing differs: no two methods differ on the edits that both have"
    what = "succeeds on" if one.question == SUCCESS else "has a mean vote of"
    of = " of the edits" if one.question == SUCCESS else ""
    return f"nothing differs: every method {what} {_score(one, scores[0])}{of}"


def _all(gaps: list[Difference], alpha: float, scores: dict[str, float]) -> str:
    """Return a clause for every method that is ahead of others, and for every other pair."""
    clauses = []
    for name in _ranked(scores):
        if ahead := _ahead(gaps, name, alpha):
            beaten = [f"{one.b} by {_text(one, unit=k == 0)}" for k, one in enumerate(ahead)]
            clauses.append(f"{name} {_verb(gaps[0])} {listed(beaten)}")
    clauses += _open([one for one in gaps if not one.sign(alpha) and not one.why_not])
    clauses += [_untested(one) for one in gaps if one.why_not]
    return "; ".join(clauses)


def _many(gaps: list[Difference], alpha: float, places: Places) -> str:
    """Return the place of the methods with the highest score, and counts of the other pairs."""
    tops = [name for name, rank in places.ranks.items() if rank == 1]
    if not tops:
        text = f"the methods have too few edits in common to be ranked; {_differ(gaps, alpha)}"
        return f"{text}{_count_untested(gaps)}"
    top = tops[0]
    ahead = sorted(_ahead(gaps, top, alpha), key=lambda one: one.mid)
    open_ = [one for one in _of(gaps, top) if not one.sign(alpha) and not one.why_not]
    rest = [one for one in gaps if top not in (one.a, one.b)]
    clauses = [
        _place(top, ahead, gaps, places),
        *_behind(gaps, top, alpha),
        *_leads([one for one in open_ if one.mid >= -ALIKE], alone=not ahead),
        *_lags([_lag(one) for one in open_ if one.mid < -ALIKE]),
        _differ(rest, alpha, "other "),
    ]
    return "; ".join(clauses) + _count_untested(gaps)


def _differ(gaps: list[Difference], alpha: float, which: str = "") -> str:
    """Return how many pairs differ significantly; which: "other ", of pairs beside those said."""
    count, pairs = sum(one.sign(alpha) != 0 for one in gaps), plural(len(gaps), f"{which}pair")
    if count == len(gaps) > 1:
        return f"all {pairs} differ significantly"
    who = f"none of the {pairs}" if not count else f"{count} of the {pairs}"
    return f"{who} differ{'s' if count < 2 else ''} significantly"


def _behind(gaps: list[Difference], top: str, alpha: float) -> list[str]:
    """Return a clause for those that are ahead of the highest: some that are not ranked."""
    ahead = [_lag(one) for one in _of(gaps, top) if one.sign(alpha) < 0]
    is_behind = "succeeds less often than" if gaps[0].question == SUCCESS else "is behind"
    named = listed([f"{one.b} ({_text(one)})" for one in ahead])
    return [f"it {is_behind} {named}"] if ahead else []


def _lag(one: Difference) -> Difference:
    """Return how far b is ahead of a, with the names in their places."""
    return one.turned._replace(a=one.a, b=one.b)


def _place(top: str, ahead: list[Difference], gaps: list[Difference], places: Places) -> str:
    """Return how many methods the highest is ahead of, and by how much of the nearest of them."""
    others, verb = len(places.ranks) - 1, _verb(gaps[0])
    if len(ahead) == others:
        return f"{top} {verb} all {others} others, the nearest, {ahead[0].b}, by {_text(ahead[0])}"
    tied = [name for name, rank in places.ranks.items() if rank == 1]
    score = "rate of success" if gaps[0].question == SUCCESS else "mean vote"
    its = "its place depends" if len(tied) == 1 else "their place depends"
    hangs = "" if places.best >= set(tied) else f", though {its} on missing votes"
    beats = f"{verb} {len(ahead)} of the {others} others"
    if not ahead:
        often = "does not succeed significantly more often than"
        is_ = often if gaps[0].question == SUCCESS else "is not significantly ahead of"
        beats = f"{is_} any of the {others} others"
    if len(tied) > 1:
        return f"{those(tied)} share the highest {score}{hangs}; {top} {beats}"
    joined = f"{',' * bool(hangs)} {'and' if ahead else 'but'}"
    return f"{top} has the highest {score}{hangs}{joined} {beats}"


def _leads(open_: list[Difference], alone: bool) -> list[str]:
    """Return a clause for the methods that the highest is not shown to be ahead of.

    alone: it is ahead of nobody, which is said already.
    """
    if not open_:
        return []
    first = max(open_, key=lambda one: one.mid)
    if len(open_) > FEW_PAIRS:
        text = f"its largest lead{' of these' * (not alone)} is over {first.b} ({_note(first)})"
        return [
            text if alone else f"its leads over {len(open_)} others are not significant; {text}"
        ]
    named = listed([f"{one.b} ({_note(one)})" for one in open_])
    s, is_ = ("s", "are") if open_[1:] else ("", "is")
    return [f"its lead{s} over {named} {is_} not significant"]


def _lags(behind: list[Difference]) -> list[str]:
    """Return a clause for the methods that the highest trails, though not significantly."""
    if len(behind) > FEW_PAIRS:
        last = max(behind, key=lambda one: one.mid)
        return [f"it trails {len(behind)} others, most of all {last.b} ({_note(last)}), "
                "but not significantly"]  # fmt: skip
    named = listed([f"{one.b} ({_note(one)})" for one in behind])
    return [f"it trails {named}, but not significantly"] if behind else []


def _of(gaps: list[Difference], name: str) -> list[Difference]:
    """Return the differences of one method from the others, as its own lead."""
    return [one if one.a == name else one.turned for one in gaps if name in (one.a, one.b)]


def _ahead(gaps: list[Difference], name: str, alpha: float) -> list[Difference]:
    return [one for one in _of(gaps, name) if one.sign(alpha) > 0]


def _ranked(scores: dict[str, float]) -> list[str]:
    scored = [name for name, score in scores.items() if is_number(score)]
    return sorted(scored, key=lambda name: -scores[name])


def _open(gaps: list[Difference]) -> list[str]:
    """Return one clause for the differences that are not significant, none if there are none."""
    turned = [one if one.mid >= 0 else one.turned for one in gaps]
    named = listed([f"between {one.a} and {one.b} ({_note(one)})" for one in turned])
    s, are = ("s", "are") if turned[1:] else ("", "is")
    return [f"the difference{s} {named} {are} not significant"] if turned else []


def _note(one: Difference) -> str:
    """Return a difference, with its p where the interval, not adjusted, excludes zero all the same.

    A difference that rounds to nothing on every edit is said to be none.
    """
    if _alike(one):
        return "alike on every edit"
    excludes = is_number(one.low) and not one.low <= ALIKE <= one.high + 2 * ALIKE
    return _text(one) + (f", adjusted p {_p(one.p_holm)}" if excludes else "")


def _p(p: float) -> str:
    return "1" if p > 0.9995 else number(p, 3)


def _alike(one: Difference) -> bool:
    """Return whether there is neither a difference nor a doubt about it."""
    spread = one.high - one.low if is_number(one.low) and not one.alike else 0.0
    return not one.why_not and abs(one.mid) < ALIKE and spread < ALIKE


def _untested(one: Difference) -> str:
    return f"{one.a} and {one.b} cannot be compared: {one.why_not}"


def _count_untested(gaps: list[Difference]) -> str:
    untested = sum(bool(one.why_not) for one in gaps)
    return f"; {plural(untested, 'pair')} cannot be compared" if untested else ""


def _verb(one: Difference) -> str:
    return "succeeds more often than" if one.question == SUCCESS else "beats"


def _text(one: Difference, unit: bool = True) -> str:
    return one.text(_unit(one) if unit else "")


def _unit(one: Difference) -> str:
    return " percentage points" if one.question == SUCCESS else " points"


def _score(one: Difference, value: float) -> str:
    if not is_number(value):
        return "no votes"
    return f"{number(100 * value, 0)}%" if one.question == SUCCESS else number(value, one.digits)


def verdict(people: People, gaps: TopicDifferences | None = None) -> tuple[str, ...]:
    """Return the sentences, each "Topic: sentence."; gaps: of the raters who count, if known."""
    gaps = gaps or gaps_of(people, people.kept)
    topics = [*people.questions, SUCCESS]
    said = [_topic(people, topic, gaps) for topic in topics]
    return (*said, *_power(detectable(people), people), exclusions_sentence(people, gaps))


def _topic(people: People, topic: str, gaps: TopicDifferences) -> str:
    scores = scores_of(people, people.kept, topic)
    if not any(map(is_number, scores.values())):
        return f"{titled(topic)}: No edit has votes on every question."
    if len(people.methods) == 1:
        return f"{titled(topic)}: {_alone(people, topic)}; there is nothing to compare."
    places = places_of(people, people.kept, topic)
    said = said_of(gaps[topic], people.how.alpha, scores, places)
    return f"{titled(topic)}: {said}{_ground(people, topic)}."


def _ground(people: People, topic: str) -> str:
    """Return on which edits methods were compared, where they do not have the same."""
    one, names = people.kept.standings[topic], people.kept.ratings.methods
    if not one.gaps.any() or not one.ground.ranked:
        return ""
    apart = [names[at] for at in one.ground.apart]
    text = f" (on the {plural(int(one.ground.edits.sum()), 'edit')} that all ranked methods have"
    if not apart:
        return f"{text})"
    is_, them = ("is", "it") if len(apart) == 1 else ("are", "one of them")
    text += f"; {listed(apart)} {is_} not ranked, and pairs with {them} are compared on the edits"
    return f"{text} that both have)"


def _alone(people: People, topic: str) -> str:
    """Return what the only method has reached."""
    name, kept = people.methods[0], people.kept
    at = kept.ratings.methods.index(name)
    if topic == SUCCESS:
        share, low, high = (100 * float(a[at]) for a in kept.success.items[:3])
        return f"{name} succeeds on {number(share, 0)}% {ends_text(low, high, 0)} of the edits"
    scores = kept.scores[topic]
    mos, low, high = (float(a[at]) for a in (scores.mos, scores.low, scores.high))
    d = digits_of(kept.ratings.scale)
    return f"{name}, the only method, has a mean vote of {number(mos, d)} {ends_text(low, high, d)}"


def _power(found: list[Detectable], people: People) -> list[str]:
    if not found:
        return []
    known = [one for one in found if one.study]
    if not known:
        return [f"Power: What this study can detect is not known: {unknown(found)}."]
    what = listed([detected(people, one, one.alone) for one in known])
    more = f" It is not known {unknown(found)}." if len(known) < len(found) else ""
    return [
        f"Power: With {sizes_of(known)}, a single comparison can detect a difference of {what} "
        f"(points of the scale; {100 * POWER:.0f}% power at the {100 * people.how.alpha:g}% "
        f"level); smaller differences may exist without being significant here.{more}"
    ]
