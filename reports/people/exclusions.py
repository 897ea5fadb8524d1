"""Whether conclusions of a study hang on the raters that were left out."""

from dreamix.core.wording import listed
from reports.people.differences import Difference, TopicDifferences, gaps_of
from reports.people.outcome import People

ELSEWHERE = "None here; whom the origin of the ratings had left out is not told."
NOBODY = "No rater with votes was excluded."
NAMED = 4  # changes of conclusions


def state(one: Difference, alpha: float) -> str:
    """Return the conclusion about a pair, in a few words."""
    if one.why_not:
        return "cannot be compared"
    sign = one.sign(alpha)
    if not sign:
        return "do not differ significantly"
    return f"differ in favour of {one.a if sign > 0 else one.b}"


def exclusions_sentence(people: People, gaps: TopicDifferences) -> str:
    """Return whether conclusions change if excluded raters are kept, and what they alone rated."""
    rated = set(people.export.own["method"])
    lost = [m for m in people.export.methods if m in rated and m not in people.methods]
    alone = (
        f" {listed(lost)} {'has' if len(lost) == 1 else 'have'} votes from excluded raters only."
    )
    return _decided(people, gaps) + (alone if lost and people.everyone else "")


def _decided(people: People, gaps: TopicDifferences) -> str:
    if not people.everyone:
        return f"Exclusions: {ELSEWHERE if people.export.origin else NOBODY}"
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


def changed(people: People, gaps: TopicDifferences) -> list[str]:
    """Return the comparisons whose sign or significance is another with everyone's votes."""
    if not people.everyone:
        return []
    alpha, everyone = people.how.alpha, gaps_of(people, people.everyone)
    found = []
    for topic, several in gaps.items():
        for one, other in zip(several, everyone[topic], strict=True):
            without, with_ = state(one, alpha), state(other, alpha)
            if without != with_:
                said = f"{without} without them but {with_} with them"
                found.append(f"on {topic}, {one.a} and {one.b} {said}")
    return found
