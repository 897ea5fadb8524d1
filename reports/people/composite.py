"""A composite of all metrics on every axis: whether it follows raters better than a single one."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from dreamix.core.errors import UserError
from dreamix.core.wording import plural, titled
from evaluation.schema import AXES
from evaluation.score.composite_file import Origin, write_composites
from evaluation.stats.composite import Gain, Learned, learn_composite, rivals, sentence, verdict
from evaluation.stats.meta import Statistic
from reports.parts import ReportPart
from reports.people.joint import Joint
from reports.subjects import subject
from reports.tables import (
    NOTHING,
    Estimate,
    Head,
    Table,
    TableCell,
    ends_cell,
    p_text,
    plain_cell,
    table_of,
)

FILE = "composite.json"
LEVELS = {"item": "within edits", "edits": "within methods", "global": "over all"}
DONE = (
    "For every axis a composite of the automatic metrics was learned on mean votes by ridge "
    "regression [@hoerl1970] with non-negative weights [@slawski2013]; each source video was "
    "predicted from a model of the others, its penalty chosen within those, and compared with the "
    "single metric that was best on the others. Differences have intervals over source videos and "
    "p-values of a permutation test with source videos as blocks [@deutsch2021resampling], both "
    "widened by the correction for models that share their data [@nadeau2003]."
)
FOREIGN = (
    "The weights belong to this study: other videos, methods and raters may call for others. They "
    "are in {file}, which `dreamix bench score --composite` applies."
)
HYPHEN = re.compile(r"(?<!\w)-(?=\d)")  # that stands for a minus sign


@subject("composites", "metrics and raters", after="metrics-by-category")
def composite_part(joint: Joint) -> ReportPart | None:
    """Return the composites of all axes; None for a run without metrics."""
    if not joint.names:
        return None
    learned: dict[str, Learned] = {}
    said = []
    for question in (name for name in joint.votes if name in AXES):
        try:
            learned[question] = _learn(joint, question)
            said.append(_sentence(joint, question, learned[question]))
        except UserError as error:
            said.append(f"Composite of {question}: There is none. {_sentence_of(str(error))}")
    text = _file(joint, learned)
    return ReportPart(
        id="composites",
        title="A composite of the metrics",
        found=tuple(said),
        notes=_notes(joint, learned, text),
        tables=tuple(_gain_table(*one, joint.people.how.confidence) for one in learned.items()),
        folded=tuple(_weight_table(joint, *one) for one in learned.items()),
        frames=(("composites", _frame(learned)),) if learned else (),
        files=((FILE, text),) if text else (),
        done=(DONE,) if learned else (),
    )


def _learn(joint: Joint, question: str) -> Learned:
    return learn_composite(
        joint.metrics,
        joint.votes[question],
        names=list(joint.names),
        sources=joint.sources,
        axis=question,
        resampling=joint.people.resampling("composite", question),
    )


def _sentence(joint: Joint, question: str, learned: Learned) -> str:
    said = sentence(learned, question, simulated=joint.people.export.simulated)
    return f"Composite of {question}: {_signed(said.removeprefix('SIMULATED: '))}"


def _sentence_of(text: str) -> str:
    """Return a reason as a sentence."""
    return _signed(f"{text[0].upper()}{text[1:]}")


def _signed(text: str) -> str:
    return HYPHEN.sub("\N{MINUS SIGN}", f"{text.rstrip('.')}.")


def _notes(joint: Joint, learned: dict[str, Learned], text: str) -> tuple[str, ...]:
    notes = [(axis, note) for axis, one in learned.items() for note in one.notes]
    said = tuple(f"{titled(axis)}: {_signed(note)}" for axis, note in notes)
    file = f"simulated_{FILE}" if joint.people.export.simulated else FILE
    return (FOREIGN.format(file=file), *said) if text else said


def _file(joint: Joint, learned: dict[str, Learned]) -> str:
    """Return the text of the file of composites, empty where there is none to write."""
    people, suite = joint.people, joint.run.info.suite
    ratings = people.kept.ratings
    origin = Origin(
        suite=suite.name,
        suite_sha256=suite.sha256,
        study=people.export.name,
        ratings_sha256=people.export.ratings_sha256,
        raters=len(ratings.raters),
        simulated=people.export.simulated,
        scale=ratings.scale,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        try:
            write_composites(path, learned, joint.run.metrics, origin)
        except UserError:
            return ""
        return path.read_text(encoding="utf-8")


def _gain_table(question: str, learned: Learned, level: float) -> Table:
    gains, late = learned.gains, learned.hindsight
    verdicts = [verdict(gain, other) for gain, other in zip(gains, late, strict=True)]
    named = f"{rivals(gains[0])}; in hindsight {rivals(late[0])}"
    return table_of(
        f"composite_{question}",
        f"{titled(question)}: the composite and the best single metric",
        f"The first line decides; the most frequent best single metric there is {named}. "
        f"Intervals ({100 * level:g}%) are over source videos and p is two-sided, both widened "
        "because the models share their data. "
        f"The predicted mean votes have an error (RMSE) of {_two(learned.rmse)} points, always "
        f"predicting the mean one of {_two(learned.rmse_mean)}. On methods that the model had not "
        f"seen, r is {_two(learned.unseen.item)} within edits and {_two(learned.unseen.within)} "
        "within methods.",
        [_named(gain.statistic) for gain in gains],
        [
            (Head("composite", hint="held out: each source video predicted from the others"),
             [plain_cell(gain.composite) for gain in gains]),
            (Head("best single", hint="chosen on the other videos, for each video anew"),
             [plain_cell(gain.single) for gain in gains]),
            ("difference", [_delta(gain, said == "better")
                            for gain, said in zip(gains, verdicts, strict=True)]),
            (Head("p", hint="two-sided"), [p_text(gain.p) for gain in gains]),
            (Head("best in hindsight", hint="the metric that is best on all videos"),
             [plain_cell(gain.single) for gain in late]),
            ("difference from it", [_delta(gain) for gain in late]),
            ("verdict", verdicts),
        ],
        first="statistic",
    )  # fmt: skip


def _delta(gain: Gain, best: bool = False) -> TableCell:
    return ends_cell(Estimate(gain.low, gain.delta, gain.high), best=best)


def _two(value: float) -> str:
    return plain_cell(value).main


def _named(statistic: Statistic) -> str:
    if statistic.name != "correlation":
        return "acc_eq"
    return f"{statistic.kind.split('_')[0].capitalize()}, {LEVELS[statistic.level]}"


def _weight_table(joint: Joint, question: str, learned: Learned) -> Table:
    """Return the metrics that have a weight, the heaviest first, and what became of the others."""
    model = learned.model
    order = [int(k) for k in np.argsort(-model.weights, kind="stable") if model.weights[k] > 0]
    names = [learned.names[k] for k in order]
    facts = [joint.run.metrics[name] for name in names]
    means = [one.sign * float(model.means[k]) for one, k in zip(facts, order, strict=True)]
    return table_of(
        f"composite_weights_{question}",
        f"{titled(question)}: weights of the composite",
        f"Predicted mean vote = {_two(model.intercept)} + sum of weight x (value - mean) / "
        f"deviation, each metric turned so that more is better. "
        f"{_unused(len(learned.names) - len(order))}{_left_out(len(learned.left_out))}",
        names,
        [
            ("meant for", [one.axis for one in facts]),
            (Head("weight", hint="points of the scale for one standard deviation towards better"),
             [plain_cell(float(model.weights[k]), 3) for k in order]),
            (Head("mean", hint="of the metric, in its unit"),
             [f"{mean:.4g}".replace("-", "\N{MINUS SIGN}") for mean in means]),
            (Head("deviation", hint="of the metric, in its unit"),
             [f"{model.scales[k]:.4g}" for k in order]),
            (Head("gaps filled", hint="rated edits on which its mean stood for it in learning"),
             [learned.imputed.get(name, 0) or NOTHING for name in names]),
        ],
        first="metric",
    )  # fmt: skip


def _unused(count: int) -> str:
    return f"{plural(count, 'more metric')} got no weight. " if count else ""


def _left_out(count: int) -> str:
    if not count:
        return "No metric was left out."
    why = "for missing values or for being constant"
    return f"{plural(count, 'metric')} {'was' if count == 1 else 'were'} left out {why}."


def _frame(learned: dict[str, Learned]) -> pd.DataFrame:
    rows = []
    for question, one in learned.items():
        for gain, hindsight in zip(one.gains, one.hindsight, strict=True):
            for rival, side in (("best in folds", gain), ("best in hindsight", hindsight)):
                rows.append(
                    {"question": question, "statistic": _named(side.statistic), "against": rival,
                     "metric": side.rival, "composite": side.composite, "single": side.single,
                     "difference": side.delta, "low": side.low, "high": side.high, "p": side.p,
                     "verdict": verdict(gain, hindsight)}
                )  # fmt: skip
    return pd.DataFrame(rows)
