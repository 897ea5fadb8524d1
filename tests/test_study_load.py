"""Servers killed again and again while people rate: what was confirmed is there, and once."""

import subprocess
import sys
from pathlib import Path

import postgres
import pytest
from served_study import free_port, make_run, make_study

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "study_load.py"
OPTIONS = {"raters": 8, "minutes": 0.5, "arrival": 3, "think": 1, "kill": 7}


@pytest.fixture(scope="module")
def folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("load")
    run = make_run(base / "run", root, videos=12)
    changes = {"trials: 20": "trials: 12", "kind: open": "kind: prolific"}
    return make_study(base / "study", run, **changes)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_what_was_confirmed_outlives_kills(store: str, folder: Path) -> None:
    """Eight raters half a minute; the server, or PostgreSQL, is killed every seven seconds.

    Raters keep their own list of what the page confirmed; the benchmark compares it with the
    database and ends with 1 if an answer is missing, other than it was, or there twice.
    """
    if store == "postgresql" and not postgres.programs():
        pytest.skip("PostgreSQL is not installed")
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    command = [sys.executable, BENCHMARK, "--study", folder, "--store", store, *options]
    done = subprocess.run(
        [*command, f"--port={free_port()}"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count("killed and started") >= 2
