"""Whatever metrics and questions are called, a report stays in its folder; no two share a file."""

from pathlib import Path

import numpy as np
import pytest
from drawn_run import drawn_run
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.build import write_tables
from reports.metrics.results import all_tables
from reports.summary import IntervalSettings, summarize
from reports.tables import LONGEST, file_name

STRAY = "0/../../../stray"  # the metric of shared/cases/scripts/hostile_runs.py


@pytest.mark.slow
@given(st.lists(st.text(max_size=200), unique=True, min_size=2, max_size=6))
@settings(max_examples=200, deadline=None)
def test_names_of_files_are_plain_and_differ(names: list[str]) -> None:
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(files)
    for file in files:
        assert file.isascii() and not set(file) & set('/\\:*?"<>|%#&{} \0')
        assert 0 < len(file) <= LONGEST and not file.startswith(".") and ".." not in file


def test_names_that_were_safe_stay_as_they_were() -> None:
    assert file_name("category_lpips.masked") == "category_lpips.masked"
    assert file_name("metric_rankings_fidelity") == "metric_rankings_fidelity"


def test_a_metric_called_like_a_path_stays_in_the_folder(tmp_path: Path) -> None:
    values = np.ones((2, 3, 1))
    run = drawn_run({STRAY: values}, np.zeros((2, 3, 1), int), better={STRAY: "higher"})
    summary = summarize(run, IntervalSettings(resamples=100))
    folder = tmp_path / "a/b/c/tables"
    write_tables(summary, all_tables(summary), folder)
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and p.parent != folder]
    assert outside == []
    assert (folder / "category_0@2F@2E.@2F@2E.@2F@2E.@2Fstray.md").is_file()
