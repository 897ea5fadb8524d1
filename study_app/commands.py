"""The commands of `dreamix` that this package brings; pyproject.toml lists them by name."""

from dreamix.core.deferred import Deferred

study = Deferred("study_app.cli:study", "Let people rate the edits of a run.")
