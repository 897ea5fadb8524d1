"""The commands of `dreamix` that this package brings; pyproject.toml lists them by name."""

from dreamix.core.deferred import Deferred

bench = Deferred("evaluation.cli:bench", "Make, score and compare edits on a suite.")
weights = Deferred("evaluation.weights_cli:weights", "Show and fetch the weights of metric models.")
import_ratings = Deferred(
    "evaluation.gold.cli:import_ratings", "Read ratings that were collected elsewhere."
)
