"""What a metric sees: one edit beside its source, frames paired."""

from evaluation.sample.views import Arrays, Flow, Models, Pair, Sample, View, pair_views

__all__ = ["Arrays", "Flow", "Models", "Pair", "Sample", "View", "pair_views"]
