"""What the leagues say, in words: the findings, the cautions, and what was done."""

from dreamix.core.wording import listed, plural
from evaluation.stats.meta import ENOUGH, RankedMetric, smallest_p
from reports.ground import TIE
from reports.people.agreement import SHORT, Agreement, headline
from reports.people.joint import Joint
from reports.tables import ends_text, is_number, number, p_text, those

WHY = (
    "Metrics are ranked by acc_eq: given two methods' edits of the same video and prompt, does the "
    "metric prefer the one that raters prefer, and tie where they tie? This is what a metric is "
    "used for. It does not depend on how hard a video is, and it rests on many pairs, where a "
    "correlation over methods rests on a few points. A metric with few different values ties on "
    "pairs that raters tell apart, and every such tie counts as an error."
)
ALONE = (
    "There is only one method, so no two edits of a video can be compared, and metrics are ranked "
    "by Kendall's tau over the method's edits. How hard each video is therefore matters."
)
METHOD = (
    "A metric can seem to follow raters just by telling methods apart. The line for the method "
    "alone shows how far that goes: it sees no clip and prefers whichever method raters preferred "
    "on the other videos."
)
IN_SAMPLE = (
    "Epsilon, the difference up to which a metric counts as tied, is calibrated on the same votes "
    "that it is judged by: in simulations, nominal 95% intervals of acc_eq held the population's "
    "value in 93% of cases. The column beside it takes each video's epsilon from the other videos."
)
NO_VOTES = (
    "Only mean scores are known, no single votes: what single raters or half of the panel would "
    "reach, and so how near a metric comes to people, is not known."
)
CEILINGS = (
    "; ceilings of Pearson correlations are the square root of the Spearman-Brown reliability of "
    "random halves of the panel [@spearman1910; @brown1910]"
)
HALVES = "random halves of the panel against the other half, for one random vote on every edit "
ALPHA = 0.05
MANY = 5  # names in a sentence


def found_sentence(found: Agreement) -> str:
    """Return which metric follows raters best, how surely, and what people themselves reach."""
    topic = f"Metrics and {found.question}"
    if not found.table:
        return f"{topic}: No metric can be compared with raters: {found.why_not}."
    best, name = found.ranked[0], SHORT[found.table.statistic.name]
    tops = found.tops
    verb = "has" if len(tops) == 1 else "share"
    text = f"{topic}: {those(tops)} {verb} the highest {name} with raters, {_ends(best)}."
    if len(found.ranked) == 1:
        only = "ranked" if found.apart else "with values"
        text = f"{topic}: {best.name}, the only metric {only}, has {name} {_ends(best)}."
    more = (_beside(found), _ground(found), _company(found), _own(found), _below(found))
    return f"{text} {''.join(more)}".rstrip()


def _beside(found: Agreement) -> str:
    """Return what people reach, guessing, and knowing the method alone."""
    said = []
    if is_number(found.halves.mean):
        said.append(f"half of the raters reach {number(found.halves.mean, 2)} against the others")
    if found.table and found.table.statistic.name == "acc_eq":
        said.append(f"guessing reaches {number(found.guess, 2)}")
    if is_number(found.method):
        said.append(f"knowing only which method made an edit reaches {number(found.method, 2)}")
    return f"For comparison, {listed(said)}. " if said else ""


def _ground(found: Agreement) -> str:
    """Return what the place of the best hangs on, where metrics lack values on different edits."""
    text, best = "", found.ranked[0]
    if lacks := best.missing - min(row.missing for row in found.ranked):
        text += f"{best.name} lacks a value for {plural(lacks, 'clip')} that another metric has. "
    if found.ahead:
        verb = "reaches" if len(found.ahead) == 1 else "reach"
        text += f"Where both have values, {listed([*found.ahead])} {verb} more. "
    if not found.apart:
        return text
    verb = "has" if len(found.apart) == 1 else "have"
    return f"{text}{listed([*found.apart])} {verb} values for too few clips to be ranked. "


def _company(found: Agreement) -> str:
    """Return which metrics are not significantly worse than the best."""
    tops = found.tops
    rest = [row for row in found.ranked if row.name not in tops]
    if not rest:
        return ""
    every = "every other" if not found.apart else "every other ranked"
    near = [row.name for row in rest if not row.p_best < ALPHA]
    if not near:
        return f"{tops[0]} is significantly better than {every} metric. "
    if len(near) > MANY:
        return f"{len(near)} of the {len(rest)} other metrics are not significantly worse. "
    verb = "is" if len(near) == 1 else "are"
    return f"{listed(near)} {verb} not significantly worse. "


def _own(found: Agreement) -> str:
    """Return how the best metric that is meant for the question stands, if another leads."""
    own = found.best_own
    if found.own & set(found.tops):
        return ""
    if own is None:
        no = "No ranked metric" if found.own & set(found.apart) else "No metric of the run"
        return f"{no} is meant for {found.question}. "
    who = f"{found.tops[0]} is not" if len(found.tops) == 1 else "None of the best is"
    best = [
        row.name for row in found.ranked if row.name in found.own and own.value - row.value <= TIE
    ]
    those_best = (
        f"that is, {own.name}, reaches" if len(best) == 1 else f"that are, {those(best)}, reach"
    )
    return (
        f"{who} meant for {found.question}; the best {those_best} "
        f"{_ends(own)} (p = {p_text(own.p_best)}, adjusted over the metrics). "
    )


def _below(found: Agreement) -> str:
    """Return a caution where the best metric is not shown to beat guessing, or the method alone."""
    best = found.ranked[0]
    if not is_number(best.low):
        return "One source video says nothing about others."
    who = best.name
    if len(found.ranked) > 1:
        who = f"{best.name}, though chosen as the best of {len(found.ranked)},"
    if not found.surely > found.guess:
        return f"{who} is not shown to beat guessing, so no metric is shown to follow raters."
    if found.surely <= found.method:
        return f"{who} is not shown to know more about an edit than which method made it."
    return ""


def notes(joint: Joint, found: list[Agreement]) -> tuple[str, ...]:
    """Return what has to be known before the numbers."""
    systems = len(joint.systems)
    said = [WHY, METHOD, IN_SAMPLE] if systems > 1 else [ALONE]
    if 1 < systems < ENOUGH:
        said.append(_few(systems))
    said += [
        note for one in found if one.table for note in one.table.notes if "source videos" in note
    ]
    if joint.left_out:
        said.append(f"Not compared with raters: {_left_out(joint.left_out)}.")
    if systems > 1 and (without := _no_single_rater(joint, found)):
        said.append(without)
    return tuple(dict.fromkeys(said))


def _left_out(reasons: dict[str, str]) -> str:
    """Return metrics by why they are not held against raters: "a and b (reason); c (reason)"."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return "; ".join(f"{listed(several)} ({why})" for why, several in names.items())


def _few(systems: int) -> str:
    return (
        f"{systems} methods cannot support a claim at system level: even a perfect ranking has "
        f"p = 1/{systems}! = {smallest_p(systems):.3g} in an exact one-sided test. SPA, in the "
        "second tables, compares confidence instead of ranks, but over only "
        f"{plural(systems * (systems - 1) // 2, 'pair')} of methods; its interval is about other "
        "videos, not other methods."
    )


def _no_single_rater(joint: Joint, found: list[Agreement]) -> str:
    if joint.people.export.means:
        return NO_VOTES
    people = [one.table.people for one in found if one.table]
    if not people or any(each and each.raters for each in people):
        return ""
    if all(each and len(each.values) < 2 for each in people):
        return "With one rater there is nobody to compare with, so what people reach is not known."
    return (
        "No rater saw two methods on the same edit, so single raters cannot be ranked beside the "
        "metrics; one random vote per edit, whoever gave it, stands in for them."
    )


def done(joint: Joint, ranked: list[Agreement]) -> tuple[str, ...]:
    """Return the sentences of the methods paragraph."""
    if not ranked:
        return ()
    how, swaps = joint.people.how, ranked[0].permutations
    if headline(joint).name == "acc_eq":
        first = (
            "Metrics were compared with mean votes by pairwise accuracy with ties within an edit "
            "(acc_eq), a metric's ties calibrated on the same votes and, beside it, with each "
            "source video's threshold from the others [@deutsch2023ties]; "
        )
        test = "of the metrics' verdicts on pairs of methods"
    else:
        first = "Metrics were compared with mean votes by Kendall's tau-b between edits; "
        test = "of the metrics' standardized scores"
    halves = ceilings = ""
    if not joint.people.export.means:
        halves = f"{HALVES}against the others, and for "
        ceilings = CEILINGS
    return (
        f"{first}intervals are {100 * how.confidence:g}% percentiles of {how.resamples} "
        "resamples of source videos.",
        "Two metrics were compared, on the clips for which both have values, by a two-sided "
        "permutation test "
        f"({swaps} random swaps {test}, all edits of a source video together) "
        "[@deutsch2021resampling; @phipson2010]. The best metric, and the order, are chosen by the "
        "data that test them, so p-values are adjusted by the largest difference under each swap, "
        "step-down [@westfall1993]: those against the best over all claims that a metric of the "
        "question is not the best [@hsu1981], the others over all pairs. A cluster begins where a "
        "metric is worse than every metric above it at adjusted p < 0.05.",
        f"For comparison, the same statistic was computed for {halves}each method's mean vote on "
        "the other source videos.",
        "Soft pairwise accuracy [@thompson2024spa] and correlations within edits, between edits "
        f"and over all are also given{ceilings}.",
    )


def _ends(row: RankedMetric) -> str:
    return f"{number(row.value, 2)} {ends_text(row.low, row.high)}"
