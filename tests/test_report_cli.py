"""The command that writes a report: what it prints, what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fabricated_run import fabricate

from dreamix.core.errors import UserError
from reports.cli import report


@pytest.fixture
def command() -> Callable[..., Any]:
    def call(*arguments: str | Path) -> Any:
        return CliRunner().invoke(report, [str(argument) for argument in arguments])

    return call


@pytest.mark.slow
def test_command_writes_into_the_run_and_prints_the_summary(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    folder = fabricate(tmp_path)
    done = command(folder, "--no-media", "--resamples", "100")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"report page: {folder / 'report' / 'index.html'}"
    assert (folder / "report" / "index.html").is_file()
    assert "Alignment: alpha has the highest" in done.output


def test_command_refuses_what_is_no_run(command: Callable[..., Any], tmp_path: Path) -> None:
    done = command(tmp_path)
    assert isinstance(done.exception, UserError)
    assert "is not a run folder: it has no run.json" in str(done.exception)


def test_command_refuses_a_run_without_scores(command: Callable[..., Any], tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    (folder / "scores.jsonl").unlink()
    done = command(folder)
    assert isinstance(done.exception, UserError)
    assert "has no scores yet; `dreamix bench score" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (folder / "report").exists()
