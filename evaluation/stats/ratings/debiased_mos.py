"""MOS of methods by the rater model: plain MOS with raters' biases out and noisy raters down."""

import numpy as np

from evaluation.stats.ratings.p910 import RaterModel
from evaluation.stats.ratings.votes import Votes
from evaluation.stats.two_way_cluster import mean_of_source_means


def modelled_scores(votes: Votes, model: RaterModel) -> np.ndarray:
    """Return each method's mean of source means of its items' qualities, float (methods,).

    model: of these votes, by `votes.item` and `votes.rater`. NaN for a method without votes.
    """
    source = np.zeros(votes.edits, np.int64)
    source[votes.edit] = votes.source
    quality = np.full(votes.edits * votes.methods, np.nan)
    quality[: len(model.quality)] = model.quality
    alike = np.ones((votes.sources, 1))
    found = [
        mean_of_source_means(column[:, None], source, alike, votes.sources)[0]
        for column in quality.reshape(votes.edits, votes.methods).T
    ]
    return np.array(found)
