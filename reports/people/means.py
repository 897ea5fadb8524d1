"""Mean scores without single votes: what is said instead, and what cannot be said at all.

Where only the mean of an edit's votes is known, methods are ranked and compared for the panel as it
was, with source videos as the only sample. Everything that looks at raters one by one is left out,
and one section says so.
"""

from dreamix.core.wording import listed
from reports.parts import ReportPart
from reports.people.outcome import People
from reports.subjects import subject

CAPTION = (
    "Mean opinion scores on {questions} from {low:g} to {high:g} (means of source means), with "
    "{level:g}% intervals over source videos, the panel as it was: single votes are not known. "
    "Success: the share of edits whose mean score is above {threshold:g} on every question. "
    "Methods that share a letter in a column do not differ significantly (Holm's correction). "
    "Bold: the highest, whatever values a method lacks."
)
DONE = (
    "Only mean scores were at hand, no single votes. A method's mean opinion score is the mean "
    "over source videos of the mean over a source's edits, with {level:g}% t intervals from "
    "variances clustered by source video, cut where the scale ends: they take the panel as it was.",
    "An edit succeeds if its mean score is above {threshold:g} on every question. Shares of edits "
    "have intervals for clustered data [@korn1998] with source videos as clusters.",
)
DONE_PAIRS = (
    "Methods were compared in pairs on the edits that {whose} have scores on, with variances "
    "clustered by source video{votes}. Success was compared by the difference of shares over "
    "common edits, with a sign-flip test over source videos and a score interval for paired shares "
    "[@tango1998]{own}.",
    "Letters are a compact display of these comparisons at the {alpha:g}% level [@piepho2004].",
)
COMPARED = (
    "Difference of mean opinion scores, first method minus second, over the edits that {whose} "
    "have, with its {level:g}% interval over source videos (not adjusted), the panel as it was; p "
    "is adjusted by Holm over all pairs and questions. P(better): on what share of the edits the "
    "first has the higher mean, ties counted half. Bold: significant at the {alpha:g}% level."
)
SUCCESS_COMPARED = (
    "Difference of the shares of edits that succeed, first method minus second, in percentage "
    "points over the edits that {whose} have, with its {level:g}% score interval (source videos as "
    "clusters); p is from flipping the signs of source videos, adjusted by Holm over the pairs. "
    "Bold: significant at the {alpha:g}% level."
)
DONE_COMPARED = (
    "As an effect size that assumes no distance between grades, we give P(A > B) + P(tie) / 2 "
    "[@vargha2000] over the mean scores of two edits of one source and prompt.",
)
CAN = (
    "Only the mean score of every edit is known, not who gave which vote. What can be said: which "
    "method has the higher mean for this panel, on other source videos like these, with intervals "
    "and tests over source videos; and how far a metric follows the panel's means."
)
CANNOT = (
    "What cannot be said without single votes: whether other raters would agree (every interval "
    "here takes the panel as it was, and a claim about raters like these needs their votes); how "
    "far raters agreed with each other (alpha, intraclass correlation), so how reliable a mean is; "
    "how votes were spread on an edit; whether a rater was careless or severe; how well a single "
    "rater, or half of the panel, follows the others, so how near a metric comes to people; what "
    "difference another study of this size could find; and ordinal models of the votes."
)


@subject("means-only", "raters", after="preferences")
def means_part(people: People) -> ReportPart | None:
    """Return what mean scores can say and what not; None where single votes are known."""
    if not people.export.means:
        return None
    return ReportPart(
        id="means-only",
        title="What mean scores cannot say",
        found=(
            f"Votes: Only mean scores on {listed(people.questions)} are known, no single votes: "
            "nothing can be said of raters, their agreement, or what other raters would prefer.",
        ),
        notes=(CAN, CANNOT),
    )
