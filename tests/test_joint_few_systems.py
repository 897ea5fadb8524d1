"""Four public leaderboard rows: what the stats module says of a correlation over four systems.

LOVEU-TGVE 2023 gives one row of means a method, of automatic metrics and of people. The rows look
like data for "does CLIP follow people?", and the answer has to be that nobody can tell.
"""

import numpy as np
import pytest
import scipy.stats
from fabricated_joint import Meant, fabricate_joint

from evaluation.stats.meta import (
    Claim,
    Statistic,
    bootstrap_correlation,
    correlate,
    smallest_p,
    system_note,
)
from evaluation.stats.resampling import Resampling
from reports.people.league import league_part

# Hugging Face space of the challenge: CLIP-F, CLIP-T, PickScore | people on quality, text.
ROWS = {
    "Noah Wukong": (91.25, 27.21, 20.72, 0.465, 0.538),
    "T2I_HERO": (92.27, 25.57, 20.22, 0.564, 0.531),
    "PAIR": (92.47, 25.53, 19.79, 0.387, 0.399),
    "RewardT2VE": (92.17, 27.55, 20.55, 0.438, 0.451),
}
CLIP_T, TEXT = 1, 4


def column(place: int) -> np.ndarray:
    """One metric of the four systems on the one item that a leaderboard is, float (4, 1)."""
    return np.array([[row[place]] for row in ROWS.values()])


def test_four_rows_support_no_claim_in_words_and_numbers() -> None:
    """Spearman 0.4: ranks (3, 2, 1, 4) and (4, 3, 1, 2), 1 - 6 * 6 / 60. Its exact one-sided p is
    the share of the 24 orders with rho of 0.4 or more, 9 / 24 (listed by scipy)."""
    found = correlate(column(CLIP_T), column(TEXT), level="system", kind="spearman")
    assert found.value == pytest.approx(0.4)
    exact = scipy.stats.permutation_test(
        (column(CLIP_T)[:, 0],),
        lambda x: scipy.stats.spearmanr(x, column(TEXT)[:, 0]).statistic,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=np.inf,
    )
    assert exact.pvalue == pytest.approx(9 / 24)
    assert smallest_p(4) == pytest.approx(1 / 24)
    assert "4 systems cannot support a claim at system level" in system_note(4)
    assert "p = 1/4! = 0.042" in system_note(4)


def test_the_interval_over_systems_covers_nearly_everything() -> None:
    found = bootstrap_correlation(
        column(CLIP_T),
        column(TEXT),
        Statistic("correlation", "system", "spearman"),
        Resampling(np.random.default_rng(0), 4000),
        claim=Claim("systems"),
    )
    assert found.low < -0.9 and found.high > 0.9


@pytest.mark.slow
def test_a_report_on_four_methods_says_so() -> None:
    part = league_part(fabricate_joint(methods=4, metrics={"m": Meant("alignment", "alignment")}))
    assert part
    assert any("4 methods cannot support a claim at system level" in note for note in part.notes)
