"""`dreamix study` as a whole: its commands, and the analysis that reports make of it."""

from dreamix.report_cli import analyze
from study_app.cli import study

study.add_command(analyze)

__all__ = ["study"]
