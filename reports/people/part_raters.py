"""The quality of the raters: who they were, how far they agree, whom rules would flag."""

import numpy as np
import pandas as pd

from evaluation.stats.ratings import FEW_VOTES
from reports.loading import is_number
from reports.parts import Drawing, Part
from reports.people.cells import ends_text
from reports.people.detect import ESTIMATE
from reports.people.outcome import People
from reports.people.plots_raters import raters_figure
from reports.people.rater_numbers import Agreed, Screened, agreed, everyone_of, screened
from reports.people.rater_tables import agreement_table, flags_table, model_table, who_table
from reports.subjects import subject
from reports.tables import number
from reports.wording import listed, plural

DONE = (
    "Agreement is Krippendorff's ordinal alpha [@krippendorff2018] with {level:g}% percentile "
    "intervals over {resamples} resamples of source videos, intraclass correlations of one vote "
    "and of mean votes, ICC(2,1) and ICC(2,k) [@shrout1979], from variance components "
    "{estimate} [@searle1992], and each rater's correlation with the mean of all others.",
    "Biases and inconsistencies of raters follow the model of ITU-T P.910 [@p910; @li2020], each "
    "rater's variance shrunk to the pooled one by 5 pseudo-votes.",
    "The rules of ITU-R BT.500 [@bt500] and ITU-T P.913 [@p913], and a variance of votes below "
    "0.15, were counted as flags and excluded nobody.",
)
REPEATS = "Repeats were compared with first votes by quadratically weighted kappa [@cohen1968]."


@subject("raters", "raters", after="defects")
def raters_part(people: People) -> Part:
    """Return counts, agreement, flags and the rater model."""
    found = [agreed(people, question) for question in people.questions]
    seen = [screened(people, question) for question in people.questions]
    excluded = _excluded(people)
    facts = {"level": 100 * people.how.confidence, "resamples": people.how.resamples,
             "estimate": ESTIMATE}  # fmt: skip
    repeated = any(one.retest.pairs for one in found)
    return Part(
        id="raters",
        title="The raters",
        found=(_sentence(people, found),),
        notes=_notes(seen),
        drawings=(_drawing(people, seen, excluded),),
        tables=(who_table(people.export), agreement_table(found, people.how.confidence)),
        folded=(flags_table(seen, excluded), model_table(people, found)),
        frames=(("raters", _frame(people, seen, excluded)), ("agreement", _agreement_frame(found))),
        done=(*(text.format(**facts) for text in DONE), *([REPEATS] if repeated else [])),
    )


def _excluded(people: People) -> np.ndarray:
    """Return which raters with votes are excluded, bool (raters,)."""
    kept = set(people.kept.ratings.raters)
    return np.array([name not in kept for name in everyone_of(people).raters], bool)


def _sentence(people: People, found: list[Agreed]) -> str:
    """Return who counts, and how far they agree."""
    alphas = [
        f"{number(a.mid, 2)} {ends_text(a.low, a.high)} on {one.question}"
        for one in found
        if is_number((a := one.alpha).mid)
    ]
    means = [
        f"{number(one.icc.average, 2)} on {one.question}"
        for one in found
        if is_number(one.icc.average)
    ]
    if not alphas:
        why = (
            "no edit has two votes that could differ" if _varied(people) else "all votes are alike"
        )
        return f"Raters: {_who(people)}. Their agreement is not defined, since {why}."
    text = f"Raters: {_who(people)}. Their agreement (Krippendorff's alpha) is {listed(alphas)}."
    each = number(found[0].icc.k, 1).removesuffix(".0")
    votes = "a single vote" if each == "1" else f"the mean of {each} votes"
    more = f" On an edit, {votes} has a reliability of {listed(means)}."
    return text + (more if means else "")


def _who(people: People) -> str:
    came, rated = len(people.export.raters), len(everyone_of(people).raters)
    count = len(people.kept.ratings.raters)
    if came == rated == count:
        return "The one rater who came counts" if came == 1 else f"All {came} raters who came count"
    out = f"{rated - count} {'was' if rated - count == 1 else 'were'} excluded"
    return (
        f"Of {plural(came, 'rater')} who came, {rated} rated and {count} "
        f"{'counts' if count == 1 else 'count'}" + (f" ({out})" if rated > count else "")
    )


def _varied(people: People) -> bool:
    return bool(np.ptp(people.kept.ratings.value) > 0)


def _notes(seen: list[Screened]) -> tuple[str, ...]:
    """Return the warning about raters of few votes, if there are any."""
    few = max(int(one.few_votes.sum()) for one in seen)
    if not few:
        return ()
    rated = max(int((one.votes > 0).sum()) for one in seen)
    return (
        f"{few} of {plural(rated, 'rater')} gave fewer than {FEW_VOTES} votes on a question. At "
        "so few votes, a rater's bias and inconsistency are mostly noise: the figure shows the "
        "group and is no judgement of anyone.",
    )


def _drawing(people: People, seen: list[Screened], excluded: np.ndarray) -> Drawing:
    return Drawing(
        "raters",
        raters_figure(seen, excluded),
        f"Scatter of raters' bias against their inconsistency on {listed(people.questions)}.",
        "Each rater's bias (mean deviation from the edits' scores, 0 on average) and inconsistency "
        "(spread around that bias), in points of the scale, by the model of P.910 with shrunk "
        "variances; excluded raters are shown too. Dashed: the medians. Raters lower down are "
        "steadier; raters further left are more severe.",
    )


def _frame(people: People, seen: list[Screened], excluded: np.ndarray) -> pd.DataFrame:
    """Return a row for every rater and question; raters by pseudonym."""
    names = everyone_of(people).raters
    parts = [
        pd.DataFrame(
            {"rater": names, "question": one.question, "excluded": excluded, "votes": one.votes,
             "few_votes": one.few_votes, "bias": one.bias, "inconsistency": one.inconsistency,
             "spearman_with_others": one.spearman}
            | {rule.lower().replace(" ", "_"): flag for rule, flag in one.flags.items()}
        )
        for one in seen
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _agreement_frame(found: list[Agreed]) -> pd.DataFrame:
    rows = [
        {"question": one.question}
        | {f"alpha_{name}": value for name, value in one.alpha._asdict().items()}
        | {f"icc_{name}": value for name, value in one.icc._asdict().items()}
        | {"one_out_pearson": one.one_out.mean_pearson}
        | {"one_out_spearman": one.one_out.mean_spearman}
        | {f"retest_{name}": value for name, value in one.retest._asdict().items()}
        for one in found
    ]
    return pd.DataFrame(rows)
