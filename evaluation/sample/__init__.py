"""What a metric sees: one edit beside its source, frames paired."""

from evaluation.sample.views import Pair, Sample, View, pair_views

__all__ = ["Pair", "Sample", "View", "pair_views"]
