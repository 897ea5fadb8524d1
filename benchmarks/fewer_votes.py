"""What a judge's scores save of votes: coverage, width and gain on ImagenHub's real ratings.

    python benchmarks/fewer_votes.py RATINGS.csv SCORES.csv.gz [--draws 1000] [--raters 3]

RATINGS and SCORES are ImagenHub's and VIEScore's as long tables (edit, method, rater, question,
value; edit, method, metric, question, part, value). For each pair of methods the 179 edits are the
population and their mean difference the truth. Labelled and unlabelled edits are drawn from them
with replacement, n and 179 - n, the same draws for every metric. Prints a Markdown table: bias of
the estimate, mean width (of people) or its ratio to that of people, share of 95% intervals that
hold the truth, and gain, the variance of people's estimates over that of the mixed ones.

    --noise     a metric of random numbers too, which must save nothing and cost nothing
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from reports.meta.saved import LABELLED, estimate

QUESTION = "SC"
METRICS = ("gpt4o_0shot", "gemini_0shot", "LPIPS")
PAIRS = (
    ("MagicBrush", "InstructPix2Pix"),
    ("InstructPix2Pix", "CycleDiffusion"),
    ("CycleDiffusion", "Prompt2prompt"),
    ("MagicBrush", "SDEdit"),
    ("Prompt2prompt", "Text2Live"),
    ("SDEdit", "Text2Live"),
)


class Pair(NamedTuple):
    """Two methods on all edits: votes (2, edits, raters) and metrics (metrics, 2, edits)."""

    name: str
    votes: np.ndarray
    metrics: np.ndarray

    @property
    def truth(self) -> float:
        """The mean difference, first method less second."""
        first, second = self.votes.mean(axis=(1, 2))
        return float(first - second)


def read_pairs(ratings: Path, scores: Path, question: str, names: list[str]) -> list[Pair]:
    """Return the pairs of PAIRS, metrics turned so that more is better."""
    rows = pd.read_csv(ratings).query("question == @question")
    people = rows.pivot_table("value", ["method", "edit"], "rater")
    metrics = {name: _metric(pd.read_csv(scores), name, question) for name in names}
    edits = people.index.get_level_values("edit").unique()
    return [
        Pair(
            f"{first} - {second}",
            np.stack([people.loc[m].reindex(edits).to_numpy() for m in (first, second)]),
            np.array([[metrics[n].loc[m].reindex(edits).to_numpy() for m in (first, second)]
                      for n in names]),
        )
        for first, second in PAIRS
    ]  # fmt: skip


def _metric(rows: pd.DataFrame, name: str, question: str) -> pd.Series:
    """Return a metric's value of every edit: the lower of a judge's two parts."""
    own = rows[rows["metric"] == name]
    own = own[own["question"].fillna(question) == question]
    value = own.groupby(["method", "edit"])["value"].min()
    return -value if name == "LPIPS" else value


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("ratings", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--question", default=QUESTION)
    parser.add_argument("--noise", action="store_true")
    asked = parser.parse_args()
    names = [*METRICS]
    pairs = read_pairs(asked.ratings, asked.scores, asked.question, names)
    if asked.noise:
        names.append("noise")
        draw = np.random.default_rng(5).normal(size=(1, *pairs[0].metrics.shape[1:]))
        pairs = [one._replace(metrics=np.concatenate([one.metrics, draw])) for one in pairs]
    print(
        "| pair | n | people: bias, width, cover | "
        + " | ".join(f"{name}: bias, ratio, cover, gain; used: ratio, cover" for name in names)
        + " |"
    )
    print("|---|--:|" + "---|" * (1 + len(names)))
    for pair in pairs:
        for n in LABELLED:
            print(_line(pair, n, asked.draws), flush=True)


def _line(pair: Pair, n: int, draws: int) -> str:
    """Return the row of one pair and size."""
    edits, rng = pair.votes.shape[1], np.random.default_rng([7, n])
    drawn = rng.integers(edits, size=(draws, edits))
    found = [
        [
            estimate(pair.votes, metric, one, n, np.random.default_rng(k))
            for k, one in enumerate(drawn)
        ]
        for metric in pair.metrics
    ]
    people = np.array([one.people[:3] for one in found[0]])
    cells = ["{:+.3f}, {:.3f}, {:.1f}".format(*_said(people, pair.truth))]
    for several in found:
        mixed, used = (np.array([getattr(one, what)[:3] for one in several])
                       for what in ("powered", "used"))  # fmt: skip
        bias, width, cover = _said(mixed, pair.truth)
        gain = people[:, 1].var() / mixed[:, 1].var()
        _, wide, covers = _said(used, pair.truth)
        of = _said(people, pair.truth)[1]
        cells.append(
            f"{bias:+.3f}, {width / of:.2f}, {cover:.1f}, {gain:.2f}; {wide / of:.2f}, {covers:.1f}"
        )
    return f"| {pair.name} ({pair.truth:.3f}) | {n} | " + " | ".join(cells) + " |"


def _said(ends: np.ndarray, truth: float) -> tuple[float, float, float]:
    """Return bias, mean width and coverage in percent of intervals (draws, low mid high)."""
    low, mid, high = ends.T
    held = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return float(mid.mean() - truth), float(np.nanmean(high - low)), 100 * float(held.mean())


if __name__ == "__main__":
    main()
