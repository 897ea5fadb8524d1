"""Where a run is made: executors, shards, and what is said when a cluster is not there."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from run_results import results

from dreamix.backends.base import is_pretrained
from dreamix.core.errors import UserError
from dreamix.core.media import write_image, write_video
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry, load_suite
from dreamix.methods.base import variants
from evaluation.cluster.bundles import pack, put_cell, take_cell, unpack
from evaluation.cluster.executors import OnRay, executor_of
from evaluation.cluster.ray_cluster import cause_of, room_of
from evaluation.cluster.shards import FINETUNING, Shard, absent, folder_of, shard_of, videos_of
from evaluation.run.folder import RunFolder
from evaluation.run.runner import Local, run_suite
from evaluation.schema import Cell

PROGRAM = "import sys; {}sys.argv[0] = 'dreamix'\nfrom dreamix.cli import main\n"


def noise(seed: int) -> Video:
    return Video(np.random.default_rng(seed).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8), 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite of two clips with an edit each."""
    folder = tmp_path_factory.mktemp("suite")
    for seed, name in enumerate(("ant", "bee")):
        write_video(folder / f"{name}.mp4", noise(seed), lossless=True)
    document = {
        "name": "two",
        "version": 1,
        "licence": "none",
        "videos": [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in ("ant", "bee")],
        "edits": [
            {"id": f"{n}_0", "video": n, "prompt": f"a {n}", "category": "style"}
            for n in ("ant", "bee")
        ],
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return folder


class TestSpelling:
    @pytest.mark.parametrize(
        ("text", "workers", "expected"),
        [
            (None, None, Local(7)),
            (None, 3, Local(3)),
            ("local", None, Local(7)),
            ("local", 3, Local(3)),
            ("local:2", None, Local(2)),
            ("local:2", 2, Local(2)),
            ("ray", None, OnRay("auto")),
            ("ray", 5, OnRay("auto", 5)),
            ("ray:local", None, OnRay("local")),
            ("ray:10.0.0.1:6379", None, OnRay("10.0.0.1:6379")),
        ],
    )
    def test_what_an_executor_means(
        self, text: str | None, workers: int | None, expected: object
    ) -> None:
        """7 cores; --workers is the older word for local:N."""
        assert executor_of(text, workers, None, cores=7) == expected

    @pytest.mark.parametrize(
        ("text", "workers", "gpus", "said"),
        [
            ("slurm", None, None, "--executor slurm: it is local:N, ray"),
            ("local:0", None, None, "--executor local:0: it is"),
            ("local:two", None, None, "--executor local:two: it is"),
            ("local:", None, None, "--executor local:: it is"),
            ("local:2", 3, None, "--executor local:2 and --workers 3 differ"),
            ("local:2", None, 0.5, "--gpus-per-worker is for --executor ray"),
            ("ray://head:10001", None, None, "Ray Client addresses do not do"),
            ("ray:head", None, None, "--executor ray:head: it is"),
            ("ray", None, 1.5, "--gpus-per-worker 1.5: a part of one GPU, or a whole number"),
        ],
    )
    def test_what_means_nothing_is_one_line(
        self, text: str, workers: int | None, gpus: float | None, said: str
    ) -> None:
        with pytest.raises(UserError, match=said):
            executor_of(text, workers, gpus, cores=7)

    @pytest.mark.parametrize("text", ["0/2", "3/2", "1/0", "1", "a/b", "-1/2", "1/2/3", "1.5/2"])
    def test_a_shard_that_is_none_is_one_line(self, text: str) -> None:
        with pytest.raises(UserError, match="i/n with i from 1 to n"):
            shard_of(text)

    def test_shards_count_from_one_and_have_folders_of_their_own(self) -> None:
        assert shard_of("2/8") == Shard(2, 8)
        assert folder_of(Path("runs/a"), Shard(2, 8)) == Path("runs/a.shard-2-of-8")


def suite_of(edits: list[int]) -> Suite:
    """A suite in which video i has `edits[i]` edits."""
    return Suite(
        name="many",
        version="1",
        licence="none",
        root=Path(),
        media_root=Path(),
        videos={f"v{i}": VideoEntry(f"v{i}", path=f"v{i}.mp4") for i in range(len(edits))},
        edits=tuple(
            Edit(f"v{i}_{j}", f"v{i}", "a", "style") for i, n in enumerate(edits) for j in range(n)
        ),
    )


class TestShards:
    @given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 40))
    @settings(max_examples=60, deadline=None)
    def test_every_video_is_in_exactly_one_shard(self, edits: list[int], parts: int) -> None:
        suite = suite_of(edits)
        shards = [videos_of(suite, Shard(number, parts)) for number in range(1, parts + 1)]
        assert sorted(video for shard in shards for video in shard) == sorted(suite.videos)

    @given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 10))
    @settings(max_examples=60, deadline=None)
    def test_no_shard_has_more_than_one_video_above_an_even_share(
        self, edits: list[int], parts: int
    ) -> None:
        """Who gets a video has the least then, so at most the mean: Graham's bound for any list."""
        suite = suite_of(edits)
        costs = {f"v{i}": n + FINETUNING for i, n in enumerate(edits)}
        for number in range(1, parts + 1):
            load = sum(costs[video] for video in videos_of(suite, Shard(number, parts)))
            assert load <= sum(costs.values()) / parts + max(costs.values())

    def test_shards_that_are_not_among_the_folders_are_named(self) -> None:
        """Three videos of one edit in four shards: the fourth has none, so it is not missed."""
        suite = suite_of([1, 1, 1])
        assert absent(suite, [Path("a.shard-2-of-4")]) == [Shard(1, 4), Shard(3, 4)]
        assert absent(suite, [Path("a"), Path("b")]) == []

    def test_the_order_of_the_file_does_not_count(self) -> None:
        """A suite whose rows were sorted has the same SHA-256, so it must have the same shards."""
        suite = suite_of([3, 1, 4, 1, 5])
        turned = suite_of([3, 1, 4, 1, 5])
        object.__setattr__(turned, "edits", tuple(reversed(suite.edits)))
        assert suite.sha256 == turned.sha256
        for number in (1, 2, 3):
            shard = Shard(number, 3)
            assert videos_of(suite, shard) == videos_of(turned, shard)


class TestBundles:
    def test_a_clip_arrives_as_it_was(self, tmp_path: Path) -> None:
        write_video(tmp_path / "a" / "cat.mp4", noise(1))
        there = unpack(pack(tmp_path / "a" / "cat.mp4"), tmp_path / "b", one_file=True)
        assert there == tmp_path / "b" / "cat.mp4"
        assert there.read_bytes() == (tmp_path / "a" / "cat.mp4").read_bytes()

    def test_a_folder_of_frames_arrives_as_a_folder(self, tmp_path: Path) -> None:
        """Also one of a single frame, which is not a file."""
        write_image(tmp_path / "frames" / "0.png", noise(1).frames[0])
        there = unpack(pack(tmp_path / "frames"), tmp_path / "b", one_file=False)
        assert there == tmp_path / "b"
        assert [path.name for path in there.iterdir()] == ["0.png"]

    def test_a_cell_moves_from_one_run_folder_to_another(
        self, folder: Path, tmp_path: Path
    ) -> None:
        run = run_suite(load_suite(folder), variants("frozen-frame"), tmp_path / "a")
        cell, before = Cell("frozen-frame", "ant_0", 0), results(tmp_path / "a")
        made = take_cell(run, cell)
        assert run.clip_row(cell) is None
        assert not list(run.sidecar(cell).parent.iterdir())
        put_cell(run, cell, made)
        assert results(tmp_path / "a") == before

    def test_a_failure_moves_without_a_clip(self, folder: Path, tmp_path: Path) -> None:
        run = run_suite(load_suite(folder), variants("m=external:pattern=a/{edit}.mp4"), tmp_path)
        cell = run.cells()[0]
        made = take_cell(run, cell)
        assert made.clip is None
        put_cell(RunFolder(tmp_path), cell, made)
        assert run.clip_row(cell).status == "failed"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("node", "gpus", "room"),
    [
        ({"CPU": 8.0}, 0, 8),
        ({"CPU": 8.0, "GPU": 2.0}, 0, 8),
        ({"CPU": 8.0, "GPU": 2.0}, 1, 2),
        ({"CPU": 8.0, "GPU": 2.0}, 0.5, 4),
        ({"CPU": 8.0, "GPU": 2.0}, 0.3, 6),  # three on each: a worker's share is on one GPU
        ({"CPU": 8.0, "GPU": 3.0}, 2, 1),
        ({"CPU": 1.0, "GPU": 4.0}, 1, 1),
        ({"CPU": 8.0}, 0.5, 0),
        ({"GPU": 1.0}, 1, 0),  # a head that is to run nothing has --num-cpus 0
        ({"CPU": 4.0, "GPU": 1.0}, 0.1, 4),
    ],
)
def test_how_many_workers_a_node_holds(node: dict[str, float], gpus: float, room: int) -> None:
    assert room_of(node, gpus) == room


def test_of_ray_s_message_the_sentence_that_says_why_is_told() -> None:
    """As Ray 2.60 words the death of a process."""
    error = Exception(
        "The actor died unexpectedly before finishing this task.\n\tclass_name: Worker\n\tpid: 12\n"
        "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR"
    )
    assert cause_of(error) == "The actor is dead because its worker process has died"


def test_which_backends_get_a_gpu_of_their_own() -> None:
    """The embedded model is made for processors; pretrained pipelines are not."""
    names = "toybox", "wan2.1-1.3b", "sd1.5"
    assert [is_pretrained(name) for name in names] == [False, True, True]


@pytest.mark.parametrize("first", [0, 1, 5])
def test_the_job_array_of_the_docs_makes_every_shard_once(
    root: Path, tmp_path: Path, first: int
) -> None:
    """Slurm's three variables as it sets them for `--array=FIRST-(FIRST + 2)`."""
    (tmp_path / "dreamix").write_text("#!/bin/sh\necho $*\n")
    (tmp_path / "dreamix").chmod(0o755)
    told = []
    for task in range(first, first + 3):
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_COUNT": "3"}
        env |= {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MIN": str(first)}
        command = ["bash", str(root / "docs" / "slurm" / "array.sbatch"), "s.yaml", "run", "a,b"]
        done = subprocess.run([*command, "--seeds", "2"], env=env, capture_output=True, text=True)
        told.append(done.stdout.split())
    before = ["bench", "run", "s.yaml", "--out", "run", "--methods", "a,b", "--shard"]
    after = ["--executor", "local:1", "--seeds", "2"]
    assert told == [[*before, f"{number}/3", *after] for number in (1, 2, 3)]


def dreamix(before: str, *words: str) -> "subprocess.CompletedProcess[str]":
    code = PROGRAM.format(before) + "main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


def test_without_ray_its_executor_is_one_line_that_says_what_to_install(
    folder: Path, tmp_path: Path
) -> None:
    """None in sys.modules makes Python say what it says of a package that is not there."""
    words = ["bench", "run", str(folder), "--methods", "unedited", "--out", str(tmp_path / "run")]
    done = dreamix("sys.modules['ray'] = None; ", *words, "--executor", "ray")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'dreamix-toolkit[cluster]'" in done.stderr


def test_nothing_of_ray_is_loaded_when_it_is_not_asked_for(folder: Path, tmp_path: Path) -> None:
    words = ["bench", "run", str(folder), "--methods", "unedited", "--out", str(tmp_path / "run")]
    code = PROGRAM.format("") + "try: main()\nfinally: print('ray' in sys.modules)"
    command = [sys.executable, "-c", code, *words, "--executor", "local:1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "2 ok clips" in done.stdout, done.stderr
    assert done.stdout.strip().endswith("False")
