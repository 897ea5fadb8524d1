"""The findings of the Dreamix paper, asked of Toybox: which of them replicate?

    make bench-full                                       # RUN: Dreamix, the baselines, all edits
    python benchmarks/findings.py runs/toybox-full runs/ablations [--out docs/findings.md]

Makes and scores the second run if it is not there: the rows of the paper's ablation on the edits of
motion and style, both finetuned for as long as the presets of other categories are. Every line is
the mean difference over edits that both methods made, signed so that the paper's finding is above
0, with a 95% interval from whole source videos drawn anew. A finding replicates if the interval is
above 0, is contradicted if it is below, and cannot be told otherwise.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dreamix.core.seeding import rng_for
from evaluation.stats.intervals import Interval, cluster_bootstrap
from evaluation.stats.resampling import Resampling

DREAMIX = Path(sys.executable).with_name("dreamix")
TUNED = "finetune_steps=64"
ABLATIONS = {
    "mixed": f"dreamix:{TUNED}",
    "video-only": f"dreamix:ablation=video-only:{TUNED}",
    "frames-only": f"dreamix:ablation=frames-only:{TUNED}",
    "no-finetune": "dreamix:ablation=no-finetune",
}
ASKED = ("motion", "style")
METRICS = (
    "toybox_success,judge_success,judge_alignment,judge_fidelity,judge_quality,toybox_nearness"
)


PAGE = """# The paper's findings, tested on Toybox

Written by `python benchmarks/findings.py {full} {ablations} --out docs/findings.md` from two
runs: `make bench-full` (29 videos, 127 edits) and the rows of the paper's ablation on the {count}
edits of motion and style. Each line is a mean difference over the edits that both methods made,
signed so that the paper's finding is above 0, with a 95% interval from resampled source videos.
A finding *replicates* if the interval is above 0, is *contradicted* if it is below, and *cannot be
told* otherwise. The paper asked people about clips of a model trained on real footage; here a judge
and the exact truth of rendered clips answer about a small model. `toybox_success` is strict on
motion: it requires the new motion where and when the exact edit has it.

Means by category of edit, from the first run's report:

![Means by category](images/categories.png)
"""


class Claim(NamedTuple):
    """One says more than the other in a metric, `sign` 1, or less, `sign` -1."""

    finding: str
    metric: str
    sign: int
    one: str
    other: str
    category: str | None = None


def _against(finding: str, metric: str, sign: int, one: str, others: list[str]) -> list[Claim]:
    return [Claim(finding, metric, sign, one, other) for other in others]


OF_METHODS = [
    *_against(
        "Dreamix succeeds more often",
        "toybox_success",
        1,
        "dreamix",
        ["text-to-video", "plug-and-play"],
    ),
    *_against(
        "Plug-and-Play is worst in temporal quality",
        "warp_error.self_flow",
        1,
        "plug-and-play",
        ["dreamix", "text-to-video"],
    ),
    *_against(
        "Plug-and-Play is worst in temporal quality",
        "flicker",
        -1,
        "plug-and-play",
        ["dreamix", "text-to-video"],
    ),
    *_against(
        "Text-to-Video is lowest in fidelity",
        "lpips",
        1,
        "text-to-video",
        ["dreamix", "plug-and-play"],
    ),
    *_against(
        "Text-to-Video is lowest in fidelity",
        "toybox_nearness",
        1,
        "text-to-video",
        ["dreamix", "plug-and-play"],
    ),
]
OF_ABLATIONS = [
    *(
        Claim("Mixed finetuning beats video-only on motion", metric, 1, "mixed", other, "motion")
        for metric in ("toybox_success", "judge_success", "judge_alignment")
        for other in ("video-only", "no-finetune")
    ),
    *(
        Claim("Style is best without finetuning", metric, 1, "no-finetune", "mixed", "style")
        for metric in ("toybox_success", "judge_success", "judge_alignment")
    ),
]


def ablation_run(full: Path, run: Path) -> None:
    """Make and score the ablations on the edits of `ASKED`, as far as they are not there."""
    scores = pd.read_parquet(full / "scores.parquet")
    edits = sorted(set(scores[scores.category.isin(ASKED)].edit))
    methods = ",".join(f"{label}={spec}" for label, spec in ABLATIONS.items())
    chosen = [part for edit in edits for part in ("--edits", edit)]
    suite = "datasets/toybox/suite.yaml"
    make = [DREAMIX, "bench", "run", suite, "--methods", methods, "--workers", "2", *chosen]
    subprocess.run([*make, "--out", run], check=True)
    score = [DREAMIX, "bench", "score", run, "--metrics", METRICS, "--workers", "2"]
    subprocess.run(score, check=True)


def tested(claim: Claim, scores: pd.DataFrame) -> tuple[Interval, int]:
    """Return the signed mean difference with its interval, and the number of edits."""
    rows = scores[(scores.metric == claim.metric) & (scores.seed == 0)]
    if claim.category:
        rows = rows[rows.category == claim.category]
    wide = rows.pivot_table(index=["edit", "video"], columns="method", values="value")
    both = wide[[claim.one, claim.other]].dropna()
    difference = claim.sign * (both[claim.one] - both[claim.other])
    videos = both.index.get_level_values("video").to_numpy()
    rng = rng_for("findings", *claim)
    return cluster_bootstrap(difference.to_numpy(), videos, Resampling(rng)), len(both)


def verdict(found: Interval) -> str:
    """Return what an interval says of a claim."""
    if found.low > 0:
        return "replicates"
    return "contradicted" if found.high < 0 else "cannot be told"


def table(claims: list[Claim], scores: pd.DataFrame) -> list[str]:
    """Return the rows of a Markdown table."""
    head = "| the paper's finding | by | difference | edits | |"
    lines = [head, "|---|---|--:|--:|---|"]
    for claim in claims:
        found, count = tested(claim, scores)
        pair = (claim.one, claim.other) if claim.sign > 0 else (claim.other, claim.one)
        by = f"`{claim.metric}`: {pair[0]} - {pair[1]}"
        interval = f"{found.mid:.4g} [{found.low:.4g}, {found.high:.4g}]"
        lines.append(f"| {claim.finding} | {by} | {interval} | {count} | {verdict(found)} |")
    return lines


def means(claims: list[Claim], scores: pd.DataFrame) -> str:
    """Return the mean of every metric and method that the claims speak of, in one line."""
    asked = {(c.metric, method, c.category) for c in claims for method in (c.one, c.other)}
    parts = []
    for metric, method, category in sorted(asked, key=str):
        rows = scores[(scores.metric == metric) & (scores.method == method) & (scores.seed == 0)]
        rows = rows[rows.category == category] if category else rows
        where = f" on {category}" if category else ""
        parts.append(f"`{metric}`{where} {method} {rows.value.mean():.4g}")
    return f"Means: {'; '.join(parts)}."


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("full", type=Path)
    parser.add_argument("ablations", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    ablation_run(options.full, options.ablations)
    ablations = pd.read_parquet(options.ablations / "scores.parquet")
    facts = {
        "full": options.full,
        "ablations": options.ablations,
        "count": ablations.edit.nunique(),
    }
    lines = [PAGE.format(**facts)]
    parts = (
        ("Methods", options.full, OF_METHODS),
        ("Ablations", options.ablations, OF_ABLATIONS),
    )
    for title, run, claims in parts:
        scores = pd.read_parquet(run / "scores.parquet")
        lines += [f"## {title}\n", *table(claims, scores), "", means(claims, scores), ""]
    if options.out:
        options.out.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
