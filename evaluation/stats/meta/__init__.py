"""Meta-evaluation: how far automatic metrics follow people, how surely, and how far they could."""

from evaluation.stats.meta.bootstrap import (
    Calibration,
    Claim,
    MetaInterval,
    Resample,
    bootstrap_accuracy,
    bootstrap_correlation,
    bootstrap_soft_pairwise,
)
from evaluation.stats.meta.coefficients import FEW, KINDS, Kind, coefficient, midranks
from evaluation.stats.meta.correlation import (
    ENOUGH,
    LEVELS,
    WITHIN,
    Constants,
    Level,
    correlate,
    level_vectors,
    mean_of,
    smallest_p,
    system_means,
    system_note,
)
from evaluation.stats.meta.data import cells, common, mean_votes, merged, sources_of, why_no_value
from evaluation.stats.meta.difference_worth import Worth, difference_worth
from evaluation.stats.meta.label_swaps import Average, LabelSwaps, MeanGap
from evaluation.stats.meta.metric_pairs import compare_metrics
from evaluation.stats.meta.noise_ceiling import (
    SplitHalf,
    leave_one_rater_out,
    spearman_brown,
    split_half,
)
from evaluation.stats.meta.p1401 import (
    Mapping,
    Prediction,
    correlation_test,
    cross_validated_rmse,
    evaluate_prediction,
    fit_mapping,
    outlier_test,
    predict,
    rmse_test,
)
from evaluation.stats.meta.pair_draws import Draws, accuracy_draws, soft_pairwise_draws
from evaluation.stats.meta.permutation import (
    EQUAL_GAP,
    Tally,
    count_passed,
    outcome_gaps,
    sign_tally,
)
from evaluation.stats.meta.ranking import MetricRanking, RankedMetric, metric_ranking
from evaluation.stats.meta.rater_panels import PanelStatistic, half_panels, one_vote, systems_alone
from evaluation.stats.meta.rater_place import RaterPlace, rater_places
from evaluation.stats.meta.score_swaps import (
    Contest,
    Swap,
    Swaps,
    correlation_contest,
    soft_pairwise_contest,
    swaps,
)
from evaluation.stats.meta.soft_pairwise import (
    one_sided_p,
    sign_p,
    signs,
    soft_pairwise_accuracies,
    soft_pairwise_accuracy,
)
from evaluation.stats.meta.statistic import Statistic, statistic_value
from evaluation.stats.meta.swap_kernels import swapped_pearson
from evaluation.stats.meta.ties import (
    out_of_sample_accuracy,
    pairwise_accuracy,
    tie_calibrated_accuracy,
)

__all__ = [
    "ENOUGH",
    "EQUAL_GAP",
    "FEW",
    "KINDS",
    "LEVELS",
    "WITHIN",
    "Average",
    "Calibration",
    "Claim",
    "Constants",
    "Contest",
    "Draws",
    "Kind",
    "LabelSwaps",
    "Level",
    "Mapping",
    "MeanGap",
    "MetaInterval",
    "MetricRanking",
    "PanelStatistic",
    "Prediction",
    "RankedMetric",
    "RaterPlace",
    "Resample",
    "SplitHalf",
    "Statistic",
    "Swap",
    "Swaps",
    "Tally",
    "Worth",
    "accuracy_draws",
    "bootstrap_accuracy",
    "bootstrap_correlation",
    "bootstrap_soft_pairwise",
    "cells",
    "coefficient",
    "common",
    "compare_metrics",
    "correlate",
    "correlation_contest",
    "correlation_test",
    "count_passed",
    "cross_validated_rmse",
    "difference_worth",
    "evaluate_prediction",
    "fit_mapping",
    "half_panels",
    "leave_one_rater_out",
    "level_vectors",
    "mean_of",
    "mean_votes",
    "merged",
    "metric_ranking",
    "midranks",
    "one_sided_p",
    "one_vote",
    "out_of_sample_accuracy",
    "outcome_gaps",
    "outlier_test",
    "pairwise_accuracy",
    "predict",
    "rater_places",
    "rmse_test",
    "sign_p",
    "sign_tally",
    "signs",
    "smallest_p",
    "soft_pairwise_accuracies",
    "soft_pairwise_accuracy",
    "soft_pairwise_contest",
    "soft_pairwise_draws",
    "sources_of",
    "spearman_brown",
    "split_half",
    "statistic_value",
    "swapped_pearson",
    "swaps",
    "system_means",
    "system_note",
    "systems_alone",
    "tie_calibrated_accuracy",
    "why_no_value",
]
