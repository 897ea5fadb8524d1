"""How often small panels find a difference of success that is none, and miss one that is there.

    OMP_NUM_THREADS=1 python benchmarks/panel_coverage.py [--studies 600]

Every rater sees every source, by all methods; effects are those of `stats_coverage.py`. The truth
is the mean of all studies. Prints a Markdown table, percent with Monte Carlo standard error.
"""

import argparse

import numpy as np
from rating_coverage import EFFECTS
from simulated_studies import Design, draw_panel, draw_study

from evaluation.stats.ratings import compare_success

PANELS = (3, 5, 8)  # raters


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=600)
    studies = parser.parse_args().studies
    print("| raters x 30 sources | false alarms | truth inside | mean width in points |")
    print("|---|--:|--:|--:|")
    for raters in PANELS:
        p, ends = measured(raters, studies)
        held = (ends[:, 0] <= ends[:, 1].mean()) & (ends[:, 1].mean() <= ends[:, 2])
        width = 100 * (ends[:, 2] - ends[:, 0]).mean()
        print(f"| {raters} | {share(p < 0.05)} | {share(held)} | {width:.0f} |")


def measured(raters: int, studies: int) -> tuple[np.ndarray, np.ndarray]:
    """Return p without a difference (studies,), and low, mid, high with one (studies, 3)."""
    design, p, ends = Design(raters, 30, 30, seen=30), [], []
    for number in range(studies):
        rng = np.random.default_rng([77, raters, number])
        study = draw_study(design, draw_panel(design, rng), rng)
        p.append(compare_success(study.ratings(np.zeros(3)))[0].p)
        found = compare_success(study.ratings(EFFECTS))[0]
        ends.append((found.low, found.mid, found.high))
    return np.array(p), np.array(ends)


def share(hits: np.ndarray) -> str:
    """Return a share in percent with its standard error."""
    mean = hits.mean()
    return f"{100 * mean:.1f} ± {100 * np.sqrt(mean * (1 - mean) / len(hits)):.1f}"


if __name__ == "__main__":
    main()
