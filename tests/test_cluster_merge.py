"""Merging: runs made in parts become the run that one command would have made."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from run_results import results

import evaluation.run.merging
from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.records import only_writer
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import variants
from evaluation.cli import bench
from evaluation.run.folder import RunFolder
from evaluation.run.merging import merge_runs
from evaluation.run.runner import run_suite, tally
from evaluation.schema import Cell

METHODS = "shuffled-frames,frozen-frame"
NAMES = ("ant", "bee", "cow")
Changer = Callable[[Path], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite, a run of it in one go, and the same in two shards."""
    place = tmp_path_factory.mktemp("merge")
    for seed, name in enumerate(NAMES):
        frames = np.random.default_rng(seed).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
        write_video(place / "suite" / f"{name}.mp4", Video(frames, 4), lossless=True)
    document = {
        "name": "three",
        "version": 1,
        "licence": "none",
        "videos": [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in NAMES],
        "edits": [
            {"id": f"{n}_{i}", "video": n, "prompt": f"a {n}, {i}", "category": "style"}
            for n in NAMES
            for i in range(2)
        ],
    }
    (place / "suite" / "suite.yaml").write_text(yaml.safe_dump(document))
    command(place, "whole")
    for number in (1, 2):
        command(place, "run", "--shard", f"{number}/2")
    return place


def command(place: Path, out: str, *words: str) -> None:
    run = ["run", str(place / "suite"), "--methods", METHODS, "--out", str(place / out), *words]
    done = CliRunner().invoke(bench, [*run, "--workers", "1", "--seeds", "2"])
    assert done.exit_code == 0, done.output


@pytest.fixture
def shards(place: Path, tmp_path: Path) -> list[Path]:
    """Copies of the two shards, to be spoilt."""
    names = [f"run.shard-{number}-of-2" for number in (1, 2)]
    return [shutil.copytree(place / name, tmp_path / name) for name in names]


def suite(place: Path) -> Suite:
    return load_suite(place / "suite")


def test_merged_shards_are_the_run_of_one_command(
    place: Path, shards: list[Path], tmp_path: Path
) -> None:
    """3 videos x 2 edits x 2 methods, which return the same for every seed and so run once."""
    merged = merge_runs(tmp_path / "out", shards)
    assert tally(merged)[0] == {"ok": 12}
    assert results(tmp_path / "out") == results(place / "whole")


def test_the_order_of_the_shards_does_not_count(
    place: Path, shards: list[Path], tmp_path: Path
) -> None:
    merge_runs(tmp_path / "out", shards[::-1])
    assert results(tmp_path / "out") == results(place / "whole")


def test_shards_hold_their_own_videos_only(place: Path) -> None:
    kept = [
        {path.stem for path in (place / f"run.shard-{n}-of-2" / "sources").glob("*.json")}
        for n in (1, 2)
    ]
    assert sorted([*kept[0], *kept[1]]) == sorted(NAMES)


def test_more_shards_than_videos_leave_some_with_nothing_to_do(place: Path, tmp_path: Path) -> None:
    run = ["run", str(place / "suite"), "--methods", METHODS, "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(bench, [*run, "--shard", "5/5"])
    assert done.exit_code == 0
    assert "shard 5/5 has no videos" in done.output
    assert not list(tmp_path.iterdir())


def test_merging_again_changes_nothing(shards: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    merge_runs(out, shards)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.suffix == ".mp4"}
    merge_runs(out, shards)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("stop_at", [0, 3, 7])
def test_a_merge_that_was_stopped_is_finished_by_the_same_command(
    place: Path,
    shards: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop_at: int,
) -> None:
    """It stops after a clip and before its sidecar."""
    bring, count = evaluation.run.merging.write_json, iter(range(1000))

    def stopping(path: Path, value: object) -> None:
        if "clips" in path.parts and next(count) == stop_at:
            raise KeyboardInterrupt
        bring(path, value)

    monkeypatch.setattr(evaluation.run.merging, "write_json", stopping)
    with pytest.raises(KeyboardInterrupt):
        merge_runs(tmp_path / "out", shards)
    monkeypatch.undo()
    merge_runs(tmp_path / "out", shards)
    assert results(tmp_path / "out") == results(place / "whole")


def test_what_a_shard_lacks_is_made_by_the_command_of_the_whole(
    place: Path, shards: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(bench, ["merge", str(out), str(shards[0])])
    assert done.exit_code == 0
    assert "note: shard 2/2 is not among them" in done.output
    columns = [column for name in METHODS.split(",") for column in variants(name)]
    run_suite(suite(place), columns, out, seeds=2)
    assert results(out) == results(place / "whole")


def test_missing_clips_are_counted_and_the_exit_code_says_so(
    shards: list[Path], tmp_path: Path
) -> None:
    RunFolder(shards[1]).sidecar(Cell("frozen-frame", "ant_0", 0)).unlink(missing_ok=True)
    RunFolder(shards[0]).sidecar(Cell("frozen-frame", "ant_0", 0)).unlink(missing_ok=True)
    done = CliRunner().invoke(bench, ["merge", str(tmp_path / "out"), *map(str, shards)])
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith("1 of 12 clips are missing")
    assert "11 ok, 1 missing clips of 2 runs" in done.output


def test_runs_of_two_methods_are_merged_too(place: Path, tmp_path: Path) -> None:
    for name in METHODS.split(","):
        run_suite(suite(place), variants(name), tmp_path / name, seeds=2)
    merge_runs(tmp_path / "out", [tmp_path / name for name in METHODS.split(",")])
    assert results(tmp_path / "out") == results(place / "whole")


def spoil_row(folder: Path, **changes: object) -> None:
    """Change the sidecar of the first clip."""
    run = RunFolder(folder)
    path = run.sidecar(run.cells()[0])
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_failure_gives_way_to_a_clip(place: Path, shards: list[Path], tmp_path: Path) -> None:
    twin = shutil.copytree(shards[0], tmp_path / "twin")
    spoil_row(twin, status="failed", reason="no memory", file=None, sha256=None, size=None)
    merge_runs(tmp_path / "out", [twin, *shards])
    assert results(tmp_path / "out") == results(place / "whole")


def other_suite(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    info["suite"]["sha256"] = "0" * 64
    (folder / "run.json").write_text(json.dumps(info))


def other_settings(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    info["methods"]["frozen-frame"]["config_hash"] = "0"
    (folder / "run.json").write_text(json.dumps(info))


def other_model(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    info["methods"]["frozen-frame"]["backend"] = {"name": "toybox", "identity": "abc"}
    (folder / "run.json").write_text(json.dumps(info))


def other_case(folder: Path) -> None:
    """Both folders are one on the usual file systems of macOS and Windows."""
    info = json.loads((folder / "run.json").read_text())
    info["methods"]["Frozen-Frame"] = info["methods"].pop("frozen-frame")
    (folder / "run.json").write_text(json.dumps(info))


def other_clip(folder: Path) -> None:
    spoil_row(folder, sha256="0" * 64)


def other_source(folder: Path) -> None:
    next((folder / "sources").glob("*.mp4")).write_bytes(b"another clip")


def no_run(folder: Path) -> None:
    (folder / "run.json").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_suite, "twin is of suite three .00000000.*cannot be merged"),
        (other_settings, "'frozen-frame' with another configuration than"),
        (other_model, r"'frozen-frame' with another model .none, now toybox abc. than"),
        (other_case, "'frozen-frame' and 'Frozen-Frame' differ only by case"),
        (other_clip, "are of different clips"),
        (other_source, "these runs edited different clips called"),
        (no_run, "twin is not a run folder"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_written(
    shards: list[Path], tmp_path: Path, change: Changer, said: str
) -> None:
    twin = shutil.copytree(shards[0], tmp_path / "twin")
    change(twin)
    with pytest.raises(UserError, match=said) as caught:
        merge_runs(tmp_path / "new" / "out", [shards[0], twin])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_a_damaged_clip_is_not_taken_over(shards: list[Path], tmp_path: Path) -> None:
    clip = next((shards[0] / "clips").rglob("*.mp4"))
    clip.write_bytes(bytes(clip.stat().st_size))
    with pytest.raises(UserError, match="is not what its sidecar says"):
        merge_runs(tmp_path / "out", shards)


def test_a_shard_that_is_being_made_is_waited_for(shards: list[Path], tmp_path: Path) -> None:
    with only_writer(shards[1]), pytest.raises(UserError, match="another command is writing to"):
        merge_runs(tmp_path / "out", shards)


def test_the_target_is_not_one_of_the_sources(shards: list[Path]) -> None:
    with pytest.raises(UserError, match="leave it out of the list"):
        merge_runs(shards[0], shards)


def test_where_files_cannot_be_linked_they_are_copied(
    place: Path, shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    merge_runs(tmp_path / "out", shards)
    assert results(tmp_path / "out") == results(place / "whole")
    for clip in (tmp_path / "out" / "clips").rglob("*.mp4"):
        assert clip.stat().st_nlink == 1
