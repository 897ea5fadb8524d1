"""Preference: strengths of methods from choices between two clips."""

from evaluation.stats.preference.choice_rows import ChoiceRows, read_choices
from evaluation.stats.preference.choices import count_choices
from evaluation.stats.preference.strengths import (
    Preference,
    PreferenceIntervals,
    PreferencePair,
    bradley_terry,
    compare_preferences,
    influence,
    preference_intervals,
    win_probability,
)

__all__ = [
    "ChoiceRows",
    "Preference",
    "PreferenceIntervals",
    "PreferencePair",
    "bradley_terry",
    "compare_preferences",
    "count_choices",
    "influence",
    "preference_intervals",
    "read_choices",
    "win_probability",
]
