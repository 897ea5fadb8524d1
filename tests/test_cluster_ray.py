"""A run on a Ray cluster of two nodes: what one process makes, whatever dies meanwhile."""

import importlib.util
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fake_backend
import numpy as np
import pytest
from ray_nodes import Nodes
from run_results import results
from tiny_cascade import save_tiny

import evaluation.cluster.ray_pool
from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry, load_suite
from dreamix.methods.base import variants
from evaluation.cluster.executors import OnRay
from evaluation.cluster.shards import Shard, folder_of, videos_of
from evaluation.run.folder import RunFolder
from evaluation.run.merging import merge_runs
from evaluation.run.runner import Executor, Local, run_suite, tally

pytestmark = pytest.mark.slow
NAMES = ("ant", "bee", "cow", "dog")
FAKES = "fake:slow=0.03", "b=fake:noise=0.1", "unedited"
MODELS = "dreamix:steps=1:finetune_steps=1", "text-to-video:steps=1", "unedited"
PAIR = "blue-ball-falling-room_02", "brown-box-resting-space_00"  # edits of the quick Toybox suite


@pytest.fixture(scope="module")
def nodes(root: Path) -> Iterator[Nodes]:
    """A cluster of two nodes with one processor each, which this process may connect to."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install 'dreamix-toolkit[cluster]'")
    path = os.pathsep.join([str(root / "tests" / "support"), os.environ.get("PYTHONPATH", "")])
    nodes = Nodes({"PYTHONPATH": path, fake_backend.REGISTERED: "1"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", nodes.env["RAY_TMPDIR"])
        try:
            nodes.add()
            yield nodes
        finally:
            nodes.stop()
    assert nodes.processes() == []


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_backend.install(monkeypatch)


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> fake_backend.FakeSuite:
    """Four clips of files with three edits each."""
    folder = tmp_path_factory.mktemp("pets")
    for seed, name in enumerate(NAMES):
        frames = np.random.default_rng(seed).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
        write_video(folder / f"{name}.mp4", Video(frames, 3), lossless=True)
    return fake_backend.FakeSuite(
        name="pets",
        version="1",
        licence="none",
        root=folder,
        media_root=folder,
        videos={name: VideoEntry(name, f"an {name}", f"{name}.mp4") for name in NAMES},
        edits=tuple(Edit(f"{n}_{i}", n, f"a {n}", "style") for n in NAMES for i in range(3)),
    )


@pytest.fixture(scope="module")
def pets_alone(pets: Suite, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The run of `FAKES` on the pets by one process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    with pytest.MonkeyPatch.context() as patch:
        fake_backend.install(patch)
        make(pets, out, Local(1))
    return results(out)


@pytest.fixture(scope="module")
def quick(root: Path) -> Suite:
    return load_suite(root / "datasets" / "toybox" / "quick.yaml")


@pytest.fixture(scope="module")
def cascade(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`--backend` of the embedded cascade with few weights, random ones."""
    return f"toybox:{save_tiny(tmp_path_factory.mktemp('cascade'))}"


@pytest.fixture(scope="module")
def alone(quick: Suite, cascade: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The run of `MODELS` on two Toybox edits by one process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    model_run(quick, cascade, out, Local(1))
    return results(out)


def make(
    suite: Suite,
    out: Path,
    executor: Executor,
    *,
    specs: tuple[str, ...] = FAKES,
    act: Callable[[int], None] | None = None,
) -> RunFolder:
    """Return the run of the fakes; act: called with the number of cells that are done."""
    columns = [column for spec in specs for column in variants(spec)]
    progress = None if act is None else lambda done, *_, **__: act(done)
    return run_suite(suite, columns, out, backend="fake", executor=executor, progress=progress)


def model_run(
    suite: Suite, model: str, out: Path, executor: Executor, edits: tuple[str, ...] = PAIR
) -> RunFolder:
    columns = [column for spec in MODELS for column in variants(spec)]
    run = run_suite(suite, columns, out, edits=[*edits], backend=model, executor=executor)
    assert tally(run)[0] == {"ok": len(edits) * len(MODELS)}
    return run


def unseen(patch: pytest.MonkeyPatch) -> None:
    """Let the driver leave its sign where workers do not look: they share no folder with it."""
    patch.setattr(evaluation.cluster.ray_pool, "probe_of", lambda out: out / ".elsewhere")


class TestWithAModel:
    """A small cascade: real finetuning, real sampling, few steps."""

    def test_workers_that_share_the_folder(
        self, nodes: Nodes, quick: Suite, cascade: str, alone: dict[str, bytes], tmp_path: Path
    ) -> None:
        model_run(quick, cascade, tmp_path / "run", OnRay(nodes.address))
        assert results(tmp_path / "run") == alone

    def test_workers_that_send_their_clips(
        self,
        nodes: Nodes,
        quick: Suite,
        cascade: str,
        alone: dict[str, bytes],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        unseen(monkeypatch)
        model_run(quick, cascade, tmp_path / "run", OnRay(nodes.address))
        assert results(tmp_path / "run") == alone
        assert not (tmp_path / "run" / "finetuned").exists(), "they worked elsewhere"

    def test_shards(
        self, quick: Suite, cascade: str, alone: dict[str, bytes], tmp_path: Path
    ) -> None:
        """Of three, two hold one video each of the two that are run."""
        out, shards = tmp_path / "run", [Shard(number, 3) for number in (1, 2, 3)]
        parts = [
            (shard, tuple(e for e in PAIR if quick.edit(e).video in videos_of(quick, shard)))
            for shard in shards
        ]
        made = [
            model_run(quick, cascade, folder_of(out, shard), Local(1), edits)
            for shard, edits in parts
            if edits
        ]
        assert len(made) > 1
        merge_runs(out, [run.path for run in made])
        assert results(out) == alone


@pytest.mark.parametrize("executor", ["two processes", "one worker"])
def test_how_many_there_are_does_not_show(
    nodes: Nodes, pets: Suite, pets_alone: dict[str, bytes], tmp_path: Path, executor: str
) -> None:
    chosen = Local(2) if executor == "two processes" else OnRay(nodes.address, workers=1)
    make(pets, tmp_path / "run", chosen)
    assert results(tmp_path / "run") == pets_alone


class TestLosses:
    @pytest.mark.parametrize("shared", [True, False])
    def test_a_worker_and_a_node_are_lost(
        self,
        nodes: Nodes,
        pets: Suite,
        pets_alone: dict[str, bytes],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        shared: bool,
    ) -> None:
        """A process is killed after 15 of 36 cells, the plug of a whole node pulled after 20."""
        lost: list[int] = []
        node = nodes.started[-1]

        def act(done: int) -> None:
            if done >= 15 and not lost:
                victim = nodes.workers()[0]
                victim.kill()
                lost.append(victim.pid)
            if done >= 20 and node.poll() is None:
                nodes.pull_the_plug(node)
                lost.append(node.pid)

        if not shared:
            unseen(monkeypatch)
        executor = OnRay(nodes.address)
        try:
            run = make(pets, tmp_path / "run", executor, act=act)
        finally:
            nodes.add()
        assert len(lost) == 2
        assert 1 <= len(executor.remarks) <= 2
        assert all("was lost" in remark for remark in executor.remarks)
        assert tally(run)[0] == {"ok": 36}
        assert results(tmp_path / "run") == pets_alone

    def test_a_cell_that_kills_its_workers_is_a_row_and_costs_no_other(
        self, nodes: Nodes, pets: fake_backend.FakeSuite, tmp_path: Path
    ) -> None:
        edits = (Edit("ant_0", "ant", "poison", "style"), *pets.edits[1:4])
        suite = replace(pets, edits=edits)
        executor = OnRay(nodes.address)
        run = make(suite, tmp_path / "run", executor, specs=("fake",))
        statuses, reasons = tally(run)
        assert statuses == {"ok": 3, "failed": 1}
        (reason,) = reasons
        assert reason.startswith("3 workers died over it, the last: The actor is dead because")
        failed = [row.edit for cell in run.cells() if (row := run.clip_row(cell)).reason]  # type: ignore[union-attr]
        assert failed == ["ant_0"]


DRIVER = """
import pickle, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
from dreamix.methods.base import variants
from evaluation.cluster.executors import OnRay
from evaluation.run.runner import run_suite
suite = pickle.loads(Path(sys.argv[1]).read_bytes())
columns = [column for spec in sys.argv[4:] for column in variants(spec)]
run_suite(suite, columns, Path(sys.argv[2]), backend="fake", executor=OnRay(sys.argv[3]))
"""


def test_stopped_by_ctrl_c_then_killed_then_finished(
    nodes: Nodes, pets: Suite, tmp_path: Path
) -> None:
    """Each time as soon as one more clip of a model is there; the third call does the rest."""
    slow = "fake:slow=0.1", "b=fake:noise=0.1:slow=0.1", "unedited"  # 0.3 s a clip
    alone = results(make(pets, tmp_path / "alone", Local(2), specs=slow).path)
    out, suite = tmp_path / "run", tmp_path / "suite"
    suite.write_bytes(pickle.dumps(pets))
    command = [sys.executable, "-c", DRIVER, str(suite), str(out), nodes.address, *slow]
    env = os.environ | nodes.env

    def made() -> int:
        return len([*out.glob("clips/*/*/*.json")]) - len([*out.glob("clips/unedited/*/*.json")])

    codes = []
    for end in (signal.SIGINT, signal.SIGKILL):
        before = made()
        driver = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
        while driver.poll() is None and made() == before:
            time.sleep(0.01)
        driver.send_signal(end)
        codes.append(driver.wait(30))
        assert made() < 24, "it was stopped in the middle"
    assert codes == [-signal.SIGINT, -signal.SIGKILL]
    subprocess.run(command, env=env, check=True)
    assert results(out) == alone
    deadline = time.monotonic() + 10
    while nodes.workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert nodes.workers() == [], "actors of a driver that is gone are gone too"


class TestFinetuning:
    @pytest.mark.parametrize("shared", [True, False])
    def test_a_video_is_finetuned_on_once(
        self,
        nodes: Nodes,
        pets: Suite,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        shared: bool,
    ) -> None:
        """The fake says 10 s for a finetuning it did, 0 for one that it found."""
        if not shared:
            unseen(monkeypatch)
        run = make(pets, tmp_path / "run", OnRay(nodes.address), specs=("fake",))
        facts = [run.clip_row(cell).facts for cell in run.cells()]  # type: ignore[union-attr]
        assert sum(fact["finetune_seconds"] for fact in facts) == 10 * len(NAMES)  # type: ignore[index]


def test_a_source_that_is_not_on_the_node_is_sent(
    nodes: Nodes,
    pets: Suite,
    pets_alone: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver tells of files at a place that no node has."""
    plain = evaluation.cluster.ray_pool.origin
    monkeypatch.setattr(
        evaluation.cluster.ray_pool,
        "origin",
        lambda path: plain(path) | {"path": "/nowhere/at/all.mp4"},
    )
    unseen(monkeypatch)
    make(pets, tmp_path / "run", OnRay(nodes.address))
    assert results(tmp_path / "run") == pets_alone


class TestMisuse:
    def test_other_weights_on_every_node(
        self, nodes: Nodes, pets: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(fake_backend.IDENTITY, "two")
        with pytest.raises(UserError, match=r"no worker can help.*weights of backend fake are one"):
            make(pets, tmp_path / "run", OnRay(nodes.address))

    def test_other_versions_on_every_node(
        self, nodes: Nodes, pets: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(evaluation.cluster.ray_pool, "versions", lambda: {"numpy": "0.1"})
        with pytest.raises(UserError, match=r"it has numpy \S+ \(not 0.1\)"):
            make(pets, tmp_path / "run", OnRay(nodes.address))

    def test_more_gpus_than_there_are(self, nodes: Nodes, pets: Suite, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="has the 1 CPU and 1 GPU that a worker needs"):
            make(pets, tmp_path / "run", OnRay(nodes.address, gpus=1))

    def test_no_cluster_there(self, nodes: Nodes, pets: Suite, tmp_path: Path) -> None:
        with pytest.raises(
            UserError, match=r"no cluster at 127\.0\.0\.1:1: start one with"
        ) as caught:
            make(pets, tmp_path / "run", OnRay("127.0.0.1:1"))
        assert "\n" not in str(caught.value)
