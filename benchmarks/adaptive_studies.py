"""Studies whose votes go where they decide most: errors of the rule, and the votes it saves.

    OMP_NUM_THREADS=1 python benchmarks/adaptive_studies.py [--studies 400] [--figure FILE]

The designs of `simulated_studies.py`, the question alignment, raters who come one after another
and up to four times as many as planned. Methods are alike, or ahead by 0, .3 and .6 points. A study
is wrong if a pair that is alike, over all raters and clips, is called different. Saved: votes that
were not asked for, beside a fixed plan of all raters. Peeking: a pair is called different at the
first look at which a t interval, clustered by rater, leaves zero.
"""

import argparse
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from scipy import stats as distributions
from simulated_studies import DESIGNS, EFFECTS, METHODS, Design, draw_panel, draw_study

from evaluation.stats.ratings import RaterVotes, StoppingRule, courses, open_methods
from reports.figures.style import COLOURS, INK, MUTED, SETTINGS, clean, figure

TIMES = 4  # raters at most, of those planned
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "adaptive.png"


class Outcome(NamedTuple):
    """One study by the rule."""

    different: list[tuple[int, int]]  # pairs
    alike: list[tuple[int, int]]
    asked: int  # votes
    planned: int  # votes of a fixed plan of all raters
    peeked: bool  # whether looking at t intervals calls any pair different


def simulated(design: Design, effects: np.ndarray, rule: StoppingRule, seed: int) -> Outcome:
    """Return how a study goes: raters come, decided methods are asked about no more."""
    rng = np.random.default_rng([19, seed])
    grown = design._replace(raters=TIMES * design.raters, votes=TIMES * design.votes)
    study = draw_study(grown, draw_panel(grown, rng), rng)
    value = np.clip(np.rint(study.latent[0] + effects[study.method]), 1, 5)
    shape = grown.raters, len(METHODS), grown.sources
    at = study.rater, study.method, study.source
    whole = RaterVotes(*(np.zeros(shape) for _ in range(3)))
    for part, amount in zip(whole, (np.ones_like(value), value, value**2), strict=True):
        np.add.at(part, at, amount)
    kept = RaterVotes(*(part.copy() for part in whole))
    needed, start = set(METHODS), rule.first
    for rater in range(rule.first, grown.raters):
        for name in set(METHODS) - needed:
            for part in kept:
                part[rater, METHODS.index(name)] = 0
        if not needed:
            continue
        start = rater + 1
        seen = RaterVotes(*(part[:start] for part in kept))
        needed = open_methods(courses({"q": seen}, METHODS, rule), METHODS)
    found = courses({"q": RaterVotes(*(part[:start] for part in kept))}, METHODS, rule)
    pairs = {
        state: [(METHODS.index(one.a), METHODS.index(one.b)) for one in found if one.state == state]
        for state in ("different", "alike")
    }
    asked = int(kept.counts[:start].sum())
    return Outcome(
        pairs["different"], pairs["alike"], asked, int(whole.counts.sum()), _peeked(whole, rule)
    )


def _peeked(votes: RaterVotes, rule: StoppingRule) -> bool:
    """Return whether a t interval by rater, looked at after each, ever leaves zero for a pair."""
    means = votes.means
    for i, k in combinations(range(len(METHODS)), 2):
        values = means[:, k] - means[:, i]
        values = values[np.isfinite(values)]
        t = np.arange(1, len(values) + 1)
        mean = np.cumsum(values) / t
        spread = np.sqrt(np.maximum(np.cumsum(values**2) / t - mean**2, 0) / np.maximum(t - 1, 1))
        limit = distributions.t.ppf(1 - 0.05 / 6, np.maximum(t - 1, 1))
        if (np.abs(mean) > limit * spread)[rule.first - 1 :].any():
            return True
    return False


def main() -> None:
    """Print the table, draw the figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    options = parser.parse_args()
    rows = []
    print("| design | methods | wrong | wrong by peeking | decided | votes asked of a fixed plan |")
    print("|---|---|--:|--:|--:|--:|")
    for name, design in DESIGNS.items():
        rule = StoppingRule(planned=max(20, design.raters), alike=0.3)
        for label, effects in (("alike", np.zeros(3)), ("0, .3, .6 ahead", EFFECTS)):
            found = [simulated(design, effects, rule, seed) for seed in range(options.studies)]
            rows.append((name, label, found))
            print(_line(name, label, effects, found), flush=True)
    _draw(rows, options.figure)


def _line(name: str, label: str, effects: np.ndarray, found: list[Outcome]) -> str:
    wrong = [any(effects[i] == effects[k] for i, k in one.different) for one in found]
    decided = np.mean([len(one.different) + len(one.alike) for one in found]) / 3
    share = np.mean([one.asked / one.planned for one in found])
    peeked = np.mean([one.peeked for one in found]) if not effects.any() else np.nan
    error = 100 * float(np.mean(wrong))
    spread = 100 * (np.mean(wrong) * (1 - np.mean(wrong)) / len(found)) ** 0.5
    of_peeking = f"{100 * peeked:.1f}" if np.isfinite(peeked) else "-"
    return (
        f"| {name} | {label} | {error:.1f} +- {spread:.1f} | {of_peeking} | {decided:.0%} "
        f"| {share:.0%} |"
    )


def _draw(rows: list[tuple[str, str, list[Outcome]]], file: Path) -> None:
    """Write the figure: votes asked in each study, beside a fixed plan of all raters."""
    with mpl.rc_context(SETTINGS):
        drawing = figure(7.4, 0.8 + 0.42 * len(rows))
        axes = drawing.subplots()
        for place, (_, label, found) in enumerate(rows):
            shares = np.array([100 * one.asked / one.planned for one in found])
            colour = COLOURS[0] if label == "alike" else COLOURS[1]
            low, middle, high = np.percentile(shares, [10, 50, 90])
            axes.plot([low, high], [place, place], color=colour, linewidth=4, alpha=0.35)
            axes.plot(middle, place, "o", color=colour, markeredgecolor=INK, markeredgewidth=0.4)
        axes.set_yticks(
            range(len(rows)), [f"{name}\n{label}" for name, label, _ in rows], fontsize=8
        )
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 104)
        axes.axvline(100, color=MUTED, linewidth=0.8)
        axes.set_xlabel("votes asked for, % of a fixed plan of all raters (median, 10 to 90%)")
        clean(axes, "y")
    file.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(file, dpi=150, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    main()
