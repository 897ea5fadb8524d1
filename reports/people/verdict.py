"""The executive sentences about a study: who is ahead of whom, by how much, and how surely.

All is computed; nothing is praised. A difference counts as one if Holm's adjusted p is below the
level; an interval, which is not adjusted, can exclude zero without that, and then it is said.
"""

from reports.loading import is_number
from reports.people.cells import ends_text
from reports.people.detect import POWER, Detectable, detectable, detected, sizes_of, unknown
from reports.people.gap_words import Places, said_of, state
from reports.people.gaps import SUCCESS, Gaps, alpha_of, gaps_of
from reports.people.outcome import Outcome, People
from reports.tables import number
from reports.wording import listed, plural

NAMED = 4  # changes of conclusions


def verdict(people: People, gaps: Gaps | None = None) -> tuple[str, ...]:
    """Return the sentences, each "Topic: sentence."; gaps: of the raters who count, if known."""
    gaps = gaps or gaps_of(people, people.kept)
    topics = [*people.questions, SUCCESS]
    said = [_topic(people, topic, gaps) for topic in topics]
    return (*said, *_power(detectable(people), people), _exclusions(people, gaps))


def scores_of(people: People, outcome: Outcome, topic: str) -> dict[str, float]:
    """Return each method's MOS on a question, or its rate of success, by label."""
    success = outcome.success.items.share
    found = success if topic == SUCCESS else outcome.scores[topic].mos
    at = outcome.ratings.methods.index
    return {name: float(found[at(name)]) for name in people.methods}


def places_of(people: People, outcome: Outcome, topic: str) -> Places:
    """Return where methods stand on a question, or by success, on common edits."""
    one, names = outcome.standings[topic], outcome.ratings.methods
    ranks = {name: int(one.ranks[names.index(name)]) for name in people.methods}
    return Places(ranks, frozenset(names[at] for at in one.called_best))


def _topic(people: People, topic: str, gaps: Gaps) -> str:
    scores = scores_of(people, people.kept, topic)
    if not any(map(is_number, scores.values())):
        return f"{topic.capitalize()}: No edit has votes on every question."
    if len(people.methods) == 1:
        return f"{topic.capitalize()}: {_alone(people, topic)}; there is nothing to compare."
    places = places_of(people, people.kept, topic)
    said = said_of(gaps[topic], alpha_of(people), scores, places)
    return f"{topic.capitalize()}: {said}{_ground(people, topic)}."


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
    return f"{name}, the only method, has a mean vote of {number(mos, 2)} {ends_text(low, high)}"


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
        f"(points of the scale; {100 * POWER:.0f}% power at the {100 * alpha_of(people):g}% "
        f"level); smaller differences may exist without being significant here.{more}"
    ]


def _exclusions(people: People, gaps: Gaps) -> str:
    """Return whether conclusions change if excluded raters are kept, and what they alone rated."""
    rated = set(people.export.own["method"])
    lost = [m for m in people.export.methods if m in rated and m not in people.methods]
    have = "has" if len(lost) == 1 else "have"
    alone = f" {listed(lost)} {have} votes from excluded raters only."
    return _decided(people, gaps) + (alone if lost and people.everyone else "")


def _decided(people: People, gaps: Gaps) -> str:
    if not people.everyone:
        return "Exclusions: No rater with votes was excluded."
    count = len(people.everyone.ratings.raters) - len(people.kept.ratings.raters)
    votes = "the excluded rater's votes" if count == 1 else f"the {count} excluded raters' votes"
    tests = sum(len(several) for several in gaps.values())
    if not tests:
        return f"Exclusions: There is no comparison that leaving out {votes} could change."
    moved = changed(people, gaps)
    if all(one.why_not for several in gaps.values() for one in several) and not moved:
        return f"Exclusions: Even with {votes}, no comparison can be tested."
    text = f"Exclusions: Including {votes} would change"
    if tests == 1:
        return f"{text} the one conclusion: {moved[0]}." if moved else f"{text} no conclusion."
    which = f"of the {tests} conclusions"
    if not moved:
        return f"{text} none {which}."
    more = f"; and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    return f"{text} {len(moved)} {which}: {'; '.join(moved[:NAMED])}{more}."


def changed(people: People, gaps: Gaps) -> list[str]:
    """Return the comparisons whose sign or significance is another with everyone's votes."""
    if not people.everyone:
        return []
    alpha, everyone = alpha_of(people), gaps_of(people, people.everyone)
    found = []
    for topic, several in gaps.items():
        for one, other in zip(several, everyone[topic], strict=True):
            states = state(one, alpha), state(other, alpha)
            if states[0] != states[1]:
                said = f"{states[0]} without them but {states[1]} with them"
                found.append(f"on {topic}, {one.a} and {one.b} {said}")
    return found
