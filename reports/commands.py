"""The commands of `dreamix` that this package brings; pyproject.toml lists them by name."""

from dreamix.core.deferred import Deferred

report = Deferred("reports.cli:report", "Write the report page of a run.")
analyze = Deferred("reports.cli:analyze", "Write tables, figures and methods paragraph of a study.")
leaderboard = Deferred(
    "reports.leaderboard.cli:leaderboard",
    "Enter the methods of runs on a leaderboard: static pages.",
)
meta = Deferred("reports.meta.cli:meta", "Hold metrics against ratings that stay: gold data.")
judge = Deferred("reports.judges.cli:judge", "Examine judges of edits on exact truth.")
