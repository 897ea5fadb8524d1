"""`dreamix study analyze` and `dreamix report --study`: what they write, print and refuse."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fabricated_export import drawn, write_export
from fabricated_run import fabricate

from dreamix.core.errors import UserError
from reports.cli import analyze, report

FAST = ("--resamples", "100")


def call(command: Any, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "export"
    return write_export(folder, drawn((0.0, 1.5)), excluded=(0,), simulated=True)


@pytest.fixture(scope="module")
def analyzed(export: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of the analysis, and what the command printed."""
    out = tmp_path_factory.mktemp("analysis") / "out"
    done = call(analyze, export, "--no-run", "--out", out, *FAST)
    assert done.exit_code == 0, done.output
    return out, done.output


@pytest.mark.slow
def test_an_export_is_analyzed_and_the_verdict_printed(analyzed: tuple[Path, str]) -> None:
    """alpha, the second of the methods, is 1.5 points above beta in what was drawn."""
    out, printed = analyzed
    assert "What raters said:" in printed
    assert "Alignment (simulated raters): alpha beats beta by 1." in printed
    assert printed.splitlines()[-1] == f"report page: {out / 'index.html'}"


@pytest.mark.slow
def test_every_form_is_there(analyzed: tuple[Path, str]) -> None:
    out, _ = analyzed
    for name in ("index.html", "paper.tex", "methods/methods.tex", "methods/references.bib"):
        assert (out / name).is_file(), name
    figures = {path.suffix for path in (out / "figures").iterdir()}
    assert figures == {".svg", ".png", ".pdf"}
    tables = {path.suffix for path in (out / "tables").iterdir()}
    assert tables == {".md", ".tex", ".csv"}


def test_nothing_of_simulated_raters_is_without_its_stamp(analyzed: tuple[Path, str]) -> None:
    out, printed = analyzed
    for path in [*(out / "figures").iterdir(), *(out / "tables").iterdir()]:
        assert path.name.startswith("simulated_"), path
        if path.suffix in (".md", ".tex"):
            assert "SIMULATED" in path.read_text(), path
        if path.suffix == ".csv":
            assert path.read_text().splitlines()[0].endswith('"simulated"'), path
        if path.suffix == ".svg":
            assert path.stat().st_size > 1000
    said = [line for line in printed.splitlines() if ": " in line and "report page" not in line]
    assert said and all("(simulated raters)" in line for line in said)


@pytest.mark.slow
def test_a_missing_run_is_said_and_raters_stand_alone(export: Path, tmp_path: Path) -> None:
    done = call(analyze, export, "--out", tmp_path / "out", *FAST)
    assert done.exit_code == 0, done.output
    assert "raters alone; --run names the run folder" in done.stderr


@pytest.mark.parametrize("command", [analyze, report])
def test_what_is_no_study_is_one_line(command: Any, tmp_path: Path) -> None:
    run = fabricate(tmp_path / "run")
    arguments = (tmp_path,) if command is analyze else (run, "--study", tmp_path)
    done = call(command, *arguments, *FAST)
    assert isinstance(done.exception, UserError)
    assert "is neither a study (no study.yaml) nor an export of one" in str(done.exception)


@pytest.mark.slow
def test_a_study_of_another_run_is_one_line(export: Path, tmp_path: Path) -> None:
    done = call(report, fabricate(tmp_path / "run"), "--study", export, "--no-media", *FAST)
    assert isinstance(done.exception, UserError)
    assert "rated none of the edits of" in str(done.exception)
