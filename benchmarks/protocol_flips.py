"""How many claims about two editors survive other protocols and judges, on real edits and answers.

    python benchmarks/protocol_flips.py RATINGS.csv SCORES.csv.gz [--judges gpt4o_0shot,...]

RATINGS and SCORES are ImagenHub's and VIEScore's as long tables (edit, method, rater, question,
value; edit, method, metric, question, part, value): eight editors of pictures, 179 edits of 116
pictures, three people, and the published answers of judges of 0 to 10 in four parts: the change is
there, nothing else was changed, natural, free of artifacts. They stand for alignment, fidelity (and
exclusivity), and, their mean, quality; an answer that is missing is a failure. The protocols are
those that come along and need no more. Prints a Markdown table of claims for every judge alone and
for sets of them, and beside it what people say: their mean SC times PQ, tested alike. "1shot" is
the same model with an example in its prompt.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dreamix.data.suite import Edit
from evaluation.run.elsewhere import JudgeInfo
from evaluation.run.folder import RunFolder
from evaluation.run.info import FORMAT, MethodInfo, MetricInfo, RunInfo, SuiteInfo
from evaluation.stats.meta import LabelSwaps
from evaluation.stats.multiplicity import holm
from reports.loading import Run
from reports.multiverse.claims import PairClaim, claims, sentence
from reports.multiverse.protocols import shipped_protocols
from reports.multiverse.universes import multiverse
from reports.summary import IntervalSettings

ZERO, ONE = ("gpt4o_0shot", "gemini_0shot"), ("gpt4o_1shot", "gemini_1shot")
FOUR = (*ZERO, *ONE)
SETS = ((ZERO[0],), (ZERO[1],), (ZERO[0], ONE[0]), ZERO, FOUR, (*FOUR, "llava_0shot"))
PARTS = {  # of a judge's metrics: question and parts
    "alignment": ("SC", (0,)),
    "fidelity": ("SC", (1,)),
    "exclusivity": ("SC", (1,)),
    "quality": ("PQ", (0, 1)),
}
KINDS = ("holds in all", "holds in part", "flips", "cannot be told")
HOW = IntervalSettings(resamples=200)


class Said(NamedTuple):
    """What people say of two methods: who is better, or nobody."""

    pair: frozenset[str]
    better: str


def run_of(scores: pd.DataFrame, judges: Sequence[str]) -> Run:
    """Return the judges' answers as a run in memory; what is missing has failed."""
    edits = {name: Edit(name, source_of(name), "-", "object") for name in sorted(set(scores.edit))}
    methods = {name: MethodInfo(name, {}, False, (0,)) for name in sorted(set(scores.method))}
    metrics, rows = {}, []
    for judge in judges:
        for part, (question, numbers) in PARTS.items():
            name = f"{judge}.{part}"
            metrics[name] = metric_info(name, judge)
            held = scores[(scores.metric == judge) & (scores.question == question)]
            found = held[held.part.isin(numbers)].groupby(["method", "edit"]).value
            whole = found.mean().where(found.count() == len(numbers))
            rows += [row(method, edits[edit], name, whole.get((method, edit), np.nan))
                     for method in methods for edit in edits]  # fmt: skip
    suite = SuiteInfo("ImagenHub", 1, "MIT", "0" * 64)
    info = RunInfo(FORMAT, suite, tuple(edits), methods, metrics=metrics)
    folder = RunFolder.__new__(RunFolder)  # nothing is on disk, and nothing is read
    return Run(folder, info, methods, metrics, edits, {}, pd.DataFrame(rows), "0" * 64)


def source_of(edit: str) -> str:
    """Return the picture of an edit: its turns, sample_IMAGE_TURN, share one."""
    return edit.rpartition("_")[0]


def metric_info(name: str, judge: str) -> MetricInfo:
    """Return a metric of a judge."""
    told = JudgeInfo(judge, "json", {"count": 1, "side": 512})
    return MetricInfo(
        name, "other", "higher", "A published answer.", (0, 10), (), (), 1, "published", {},
        "one picture", judge=told,
    )  # fmt: skip


def row(method: str, edit: Edit, metric: str, value: float) -> dict[str, object]:
    """Return a row of scores as reports load them."""
    known = bool(np.isfinite(value))
    return {
        "method": method, "edit": edit.id, "seed": 0, "metric": metric, "video": edit.video,
        "category": edit.category, "status": "ok" if known else "failed", "value": value,
        "reason": None if known else "no answer", "made": True, "partial": False,
    }  # fmt: skip


def people(ratings: pd.DataFrame, methods: set[str]) -> list[Said]:
    """Return what people say of every two of some methods, Holm-adjusted over the pairs."""
    rated = ratings[ratings.method.isin(methods)]
    rated = rated.pivot_table("value", ["method", "edit", "rater"], "question")
    means = (rated.SC * rated.PQ).groupby(["method", "edit"]).mean().unstack("edit")
    sources = np.array([source_of(edit) for edit in means.columns])
    swaps = LabelSwaps(sources, sources, HOW.resampling("people"))
    names = list(means.index)
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    rows = {name: means.loc[name].to_numpy() for name in names}
    gaps = [swaps.compare(rows[a], rows[b], "edits") for a, b in pairs]
    adjusted = holm(np.array([gap.p for gap in gaps]))
    return [
        Said(frozenset(pair), "" if p >= HOW.alpha else pair[gap.mid < 0])
        for pair, gap, p in zip(pairs, gaps, adjusted, strict=True)
    ]


def line(judges: Sequence[str], found: list[PairClaim], said: list[Said], universes: int) -> str:
    """Return a line of the table."""
    better = {one.pair: one.better for one in said}
    kinds = Counter(one.kind for one in found)
    cells = [", ".join(judges), str(universes), *(str(kinds[kind]) for kind in KINDS)]
    for kinds_of in (("holds in all",), ("holds in part",), ("flips",)):
        of = [one for one in found if one.kind in kinds_of]
        told = [better[frozenset((one.first, one.second))] for one in of]
        agree = sum(who == one.first for who, one in zip(told, of, strict=True))
        turned = sum(who == one.second for who, one in zip(told, of, strict=True))
        cells.append(f"{agree}, {len(of) - agree - turned}, {turned}")
    choices = Counter(one.deciding.choice for one in found if one.deciding and one.worse)
    cells.append(", ".join(f"{name} {n}" for name, n in choices.most_common()) or "-")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ratings", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--judges", help="These alone, with a sentence on every pair.")
    asked = parser.parse_args()
    scores = pd.read_csv(asked.scores)
    said = people(pd.read_csv(asked.ratings), set(scores.method))
    told = sum(bool(one.better) for one in said)
    print(f"people tell {told} of {len(said)} pairs apart\n")
    print("| judges | universes | hold in all | in part | flip | cannot be told | "
          "people: of all | of part | of flips | flips are decided by |")  # fmt: skip
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")
    for judges in [tuple(asked.judges.split(","))] if asked.judges else SETS:
        made = multiverse(run_of(scores, judges), shipped_protocols(), HOW)
        found = claims(made)
        print(line(judges, found, said, len(made.universes)), flush=True)
        if asked.judges:
            print("", *(sentence(one) for one in found), sep="\n")


if __name__ == "__main__":
    main()
