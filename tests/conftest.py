"""Fixtures that every test file can use."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from family_names import EVERY, FIVE
from threadpoolctl import threadpool_limits

from dreamix.core.threads import limit_threads

if TYPE_CHECKING:
    from drawn_visit import Clock

    from dreamix import DreamixPipeline
    from reports.summary import RunSummary
    from study_app.app.app_state import Site
    from study_app.store.database import Database

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make gpu-check` sets."""
    parser.addoption("--device", default="cpu", help="of pipelines: cpu, cuda, auto")
    parser.addoption("--family-table", action="store_true", help="print checks by family")


MEMORY = Path("/dev/shm")
ROOM = 6 * 2**30  # bytes free there, or the folders are where temporary files are


def folders_in_memory() -> None:
    """Keep the tests' folders in memory: a commit waits 8 ms for a disk, and thousands are made.

    PYTEST_DEBUG_TEMPROOT, where it is set, and --basetemp stay. A killed process loses as much
    in memory as on a disk; no test cuts the power.
    """
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)
    if usable and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_configure(config: pytest.Config) -> None:
    """Limit threads; tell pipelines' tests their device, where bits ask for set algorithms."""
    shared = config.getoption("numprocesses", None) or "PYTEST_XDIST_WORKER" in os.environ
    threadpool_limits(limit_threads(1 if shared else None))  # numpy is loaded; torch reads it then
    if config.getoption("markexpr") == "not slow":  # slow tests write more than memory may hold
        folders_in_memory()
    if config.getoption("--device") == "cpu" and not config.getoption("--family-table"):
        return
    import family_table
    import torch

    device = family_table.device_of(config.getoption("--device"))
    os.environ["DREAMIX_TEST_DEVICE"] = device
    if device != "cpu":
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        torch.use_deterministic_algorithms(True, warn_only=True)
    if config.getoption("--family-table"):
        config.pluginmanager.register(family_table.FamilyTable(device))


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Put the main module back: Streamlit takes its place, and worker processes start from it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of real test footage that does not belong to the project; skips where it is absent."""
    folder = Path(os.environ.get("DREAMIX_SHARED", ROOT.parent / "shared"))
    if not (folder / "realset" / "suite.yaml").exists():
        pytest.skip(f"no real footage at {folder} (set DREAMIX_SHARED to a folder that holds it)")
    return folder


TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}


def spread(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Random weights whose embeddings differ from picture to picture and from text to text."""
    if len(shape) < 2:
        plain = np.ones(shape) if name.endswith("weight") else np.zeros(shape)
        return plain if "embedding" not in name else rng.normal(0, 0.1, shape)
    scale = {"token_embedding.weight": 1.0}.get(name, 2.0 / np.sqrt(np.prod(shape[1:])))
    return rng.normal(0, scale, shape)


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`--clip` of a CLIP with random weights, for whatever does not depend on what they know."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny-clip")
    rng = np.random.default_rng(0)
    weights = {
        name: torch.from_numpy(spread(name, tuple(tensor.shape), rng).astype(np.float32))
        for name, tensor in open_clip.CLIP(**TINY_CLIP).state_dict().items()
    }
    save_file(weights, folder / "tiny.safetensors")
    (folder / "tiny.json").write_text(json.dumps(TINY_CLIP))
    return f"tiny:{folder / 'tiny.safetensors'}"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fabricated run, scored and with its clips; see support/fabricated_run.py."""
    from fabricated_run import fabricate

    return fabricate(tmp_path_factory.mktemp("run"), media=True)


@pytest.fixture(scope="session")
def summary(run_folder: Path) -> "RunSummary":
    """What a report says about the fabricated run."""
    from reports.loading import load_run
    from reports.summary import IntervalSettings, summarize

    return summarize(load_run(run_folder), IntervalSettings(resamples=500))


@pytest.fixture(scope="session")
def made(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the finished report."""
    from reports.build import build_report
    from reports.summary import IntervalSettings

    out = tmp_path_factory.mktemp("report")
    build_report(run_folder, out, IntervalSettings(resamples=500))
    return out


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that runs while the tests do; skips where there is none."""
    import postgres

    if not postgres.programs():
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg")
    folder = postgres.new_folder()
    with postgres.server(folder, durable=False) as url:
        yield url
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def study_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with nothing in it, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.sqlite'}"
    from study_database import new_database

    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def database(study_url: str) -> "Iterator[Database]":
    """The open store of a study with nothing in it, of either kind."""
    from study_database import opened

    with opened(study_url) as found:
        yield found


@pytest.fixture(scope="session")
def rated_run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two methods and two anchors on one edit of each of four rendered videos."""
    from served_study import make_run

    return make_run(tmp_path_factory.mktemp("rated") / "run", root, videos=4)


@pytest.fixture(scope="session")
def built_study(rated_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small study of that run; see support/served_study.py."""
    from served_study import make_study

    return make_study(tmp_path_factory.mktemp("built") / "study", rated_run)


@pytest.fixture
def site(built_study: Path, tmp_path: Path) -> "Iterator[Site]":
    """That study as it is served, with a store of its own in which nothing is."""
    from drawn_visit import opened

    yield from opened(built_study, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """The time of the study's pages, which a test moves."""
    from drawn_visit import moved_clock

    return moved_clock(monkeypatch)


@pytest.fixture(scope="module", params=EVERY)
def family(request: pytest.FixtureRequest) -> str:
    """The name of a small pipeline: a test that takes it runs for every one."""
    return request.param


@pytest.fixture(scope="module", params=FIVE)
def one_each(request: pytest.FixtureRequest) -> "DreamixPipeline":
    """One of every family, for what has nothing to do with how its networks are built."""
    from tiny_pipelines import TINY, quiet

    from dreamix import DreamixPipeline

    return DreamixPipeline(quiet(TINY[request.param]()))
