"""Ratings: votes in, mean scores, success rates, comparisons of methods and models of votes out."""

from evaluation.stats.ratings.components import MOST_LEVELS, variance_components, vote_components
from evaluation.stats.ratings.confidence_sequence import (
    Course,
    RaterVotes,
    StoppingRule,
    courses,
    open_methods,
    sequence_bounds,
)
from evaluation.stats.ratings.cumulative_link import (
    OrdinalMethods,
    clmm,
    ordinal_comparisons,
    ordinal_methods,
)
from evaluation.stats.ratings.link import likelihood
from evaluation.stats.ratings.mcmc_diagnostics import Mixing, effective_draws, mixing, rhat
from evaluation.stats.ratings.mos import (
    MethodScores,
    bootstrap_scores,
    item_scores,
    method_scores,
    source_weights,
)
from evaluation.stats.ratings.ordinal_bayes import (
    Posterior,
    Rounds,
    gibbs_chain,
    posterior,
    posterior_differences,
)
from evaluation.stats.ratings.p910 import FEW_VOTES, RaterModel, debiased_mos, rater_model
from evaluation.stats.ratings.paired import (
    Comparison,
    bootstrap_differences,
    compare_methods,
    mos_difference,
)
from evaluation.stats.ratings.power import (
    Deviations,
    Power,
    detectable_difference,
    deviations_of,
    difference_error,
    helped,
    raters_needed,
)
from evaluation.stats.ratings.prediction_powered import (
    MetricOnEdits,
    PoweredEstimate,
    powered_difference,
    powered_mean,
)
from evaluation.stats.ratings.probability_of_superiority import superiority
from evaluation.stats.ratings.share_differences import flip_p, paired_shares
from evaluation.stats.ratings.success_pairs import SuccessGap, compare_success
from evaluation.stats.ratings.success_rates import (
    Success,
    SuccessRate,
    item_success,
    korn_graubard,
    success,
    success_sweep,
    success_votes,
)
from evaluation.stats.ratings.votes import (
    Ratings,
    Votes,
    by_votes,
    common_votes,
    read_ratings,
    votes_on,
)

__all__ = [
    "FEW_VOTES",
    "MOST_LEVELS",
    "Comparison",
    "Course",
    "Deviations",
    "MethodScores",
    "MetricOnEdits",
    "Mixing",
    "OrdinalMethods",
    "Posterior",
    "Power",
    "PoweredEstimate",
    "RaterModel",
    "RaterVotes",
    "Ratings",
    "Rounds",
    "StoppingRule",
    "Success",
    "SuccessGap",
    "SuccessRate",
    "Votes",
    "bootstrap_differences",
    "bootstrap_scores",
    "by_votes",
    "clmm",
    "common_votes",
    "compare_methods",
    "compare_success",
    "courses",
    "debiased_mos",
    "detectable_difference",
    "deviations_of",
    "difference_error",
    "effective_draws",
    "flip_p",
    "gibbs_chain",
    "helped",
    "item_scores",
    "item_success",
    "korn_graubard",
    "likelihood",
    "method_scores",
    "mixing",
    "mos_difference",
    "open_methods",
    "ordinal_comparisons",
    "ordinal_methods",
    "paired_shares",
    "posterior",
    "posterior_differences",
    "powered_difference",
    "powered_mean",
    "rater_model",
    "raters_needed",
    "read_ratings",
    "rhat",
    "sequence_bounds",
    "source_weights",
    "success",
    "success_sweep",
    "success_votes",
    "superiority",
    "variance_components",
    "vote_components",
    "votes_on",
]
