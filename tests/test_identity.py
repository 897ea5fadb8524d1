"""A source or an output is what its bytes are: wherever it stands, whenever it was written."""

import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_suites import bring, clip_bytes, noise, put_clip, put_frames, seeds_brought, small_suite

from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_image
from dreamix.core.records import read_json, write_json
from dreamix.data.suite import Suite, load_suite
from evaluation.run import identity
from evaluation.run.folder import RunFolder
from evaluation.run.merging import merge_runs
from evaluation.run.runner import pending_units, tally

EDITS = ("duck_00", "duck_01")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite, outputs of two methods (files, frames) and a run of them."""
    one = tmp_path / "one"
    for number, edit in enumerate(EDITS):
        put_clip(one / "outputs" / "ours" / f"{edit}.mp4", number)
        put_frames(one / "outputs" / "frames" / edit, 10 + number)
    monkeypatch.chdir(one)
    bring(small_suite(one, EDITS), Path("run"), "external:outputs/*", "unedited")
    return one


def copied(project: Path) -> Path:
    """A copy of the project with times of its own."""
    two = project.parent / "two"
    shutil.copytree(project, two, copy_function=shutil.copy)
    return two


def clips(run: Path) -> dict[str, tuple[bytes, int]]:
    """Contents and time stamps of the clips of a run."""
    files = sorted([*run.glob("clips/*/*/*.mp4"), *run.glob("sources/*.mp4")])
    return {str(p.relative_to(run)): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def without_sha256(path: Path, old_path: str) -> None:
    """Give a sidecar the origin that versions before run format 3 wrote."""
    row = read_json(path)
    if row["origin"]:
        told = {"files": row["origin"]["files"], "size": row["origin"]["size"], "mtime_ns": 1}
        row["origin"] = {**told, "path": old_path}
        write_json(path, row)


def as_format_2(run: Path, outputs: str) -> None:
    """Turn a run into one of format 2: counts of seeds, absolute patterns, origins by time."""
    info = read_json(run / "run.json")
    info["format"] = 2
    for label, entry in info["methods"].items():
        entry["seeds"] = len(entry["seeds"])
        for key in ("brought", "beside"):
            entry.pop(key, None)
        if entry["name"] == "external":
            entry["config"] = {
                "pattern": f"{outputs}/{label}/{{edit}}",
                "method": None,
                "rows": None,
            }
            entry["config_hash"] = "0123456789ab"
    write_json(run / "run.json", info)
    for path in [*run.glob("clips/*/*/*.json"), *run.glob("sources/*.json")]:
        without_sha256(path, f"{outputs}/somewhere")


class TestAProjectGoesOn:
    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["copied", "moved", "touched", "linked"])
    def test_wherever_it_is(self, project: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
        before = clips(project / "run")
        place = project.parent / "two"
        if how == "copied":
            shutil.copytree(project, place)
        elif how == "linked":
            place.symlink_to(project)
        elif how == "moved":
            project.rename(place)
        else:
            place = project
            for path in [*project.glob("*.mp4"), *project.glob("outputs/*/*")]:
                os.utime(path)
        monkeypatch.chdir(place)
        run = bring(
            load_suite(place), Path("run"), "external:outputs/*", "unedited", "frozen-frame"
        )
        assert tally(run)[0] == {"ok": 8}
        after = clips(place / "run")
        assert {name: after[name] for name in before} == before

    def test_with_absolute_patterns(self, project: Path) -> None:
        two = copied(project)
        before = clips(two / "run")
        run = bring(load_suite(two), two / "run", f"external:{two}/outputs/*")
        assert (tally(run)[0], clips(two / "run")) == ({"ok": 6}, before)

    @pytest.mark.parametrize("outputs", ["/gone/outputs", "C:\\work\\outputs"])
    def test_from_a_run_of_format_2(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, outputs: str
    ) -> None:
        """Also from another system, whose paths have backslashes."""
        two = copied(project)
        as_format_2(two / "run", outputs)
        before = clips(two / "run")
        monkeypatch.chdir(two)
        for _ in range(2):
            run = bring(load_suite(two), Path("run"), "external:outputs/*", "unedited")
            assert (tally(run)[0], clips(two / "run")) == ({"ok": 6}, before)
        assert read_json(two / "run/run.json")["format"] == 3
        assert run.info.methods["ours"].seeds == (0,)

    def test_from_any_folder(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An output that failed is found again where it is, by a call about another method."""
        put_clip(project / "outputs/third/duck_00.mp4", 3)
        suite = load_suite(project)
        assert tally(bring(suite, Path("run"), "external:outputs/third"))[0]["failed"] == 1
        put_clip(project / "outputs/third/duck_01.mp4", 4)
        monkeypatch.chdir(project.parent)
        run = bring(suite, project / "run", "unedited")
        assert tally(run)[0] == {"ok": 8}
        assert seeds_brought(run, "third", "duck_01") == {0: clip_bytes(4)}

    def test_a_copy_can_be_merged_with_its_original(self, project: Path, tmp_path: Path) -> None:
        two = copied(project)
        bring(load_suite(two), two / "run", f"external:{two}/outputs/*")
        run = merge_runs(tmp_path / "all", [project / "run", two / "run"])
        assert tally(run)[0] == {"ok": 6}
        assert pending_units(run) == []
        put_clip(two / "outputs/ours/duck_00.mp4", 50)
        assert len(pending_units(run)) == 1, "its places are those of the last part"


class TestWhatHasChanged:
    def refused(self, project: Path) -> None:
        """Unedited is the source itself: it cannot be made anew beside clips of the old one."""
        _, reasons = tally(bring(load_suite(project), Path("run"), "external:outputs/*"))
        assert "duck.mp4 has changed since" in next(iter(reasons))

    def test_a_source_is_refused(self, project: Path) -> None:
        put_clip(project / "duck.mp4", 7)
        self.refused(project)

    def test_a_source_of_the_same_size_and_time_is_refused(self, project: Path) -> None:
        """Its inode and the time that no program can set tell that it was written."""
        path = project / "duck.mp4"
        state = path.stat()
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        self.refused(project)

    @pytest.mark.parametrize("label", ["ours", "frames"])
    def test_an_output_is_brought_in_anew(self, project: Path, label: str) -> None:
        if label == "ours":
            put_clip(project / "outputs/ours/duck_01.mp4", 8)
        else:
            write_image(project / "outputs/frames/duck_01/00001.png", noise(9).frames[0])
        before = clips(project / "run")
        run = bring(load_suite(project), Path("run"), "external:outputs/*")
        changed = {k for k, v in clips(project / "run").items() if v != before[k]}
        assert changed == {f"clips/{label}/duck_01/0.mp4"}
        if label == "frames":
            made = read_video(run.path / f"clips/{label}/duck_01/0.mp4")
            assert np.array_equal(made.frames[1], noise(9).frames[0])

    def test_a_file_by_another_suffix_takes_its_place(self, project: Path) -> None:
        (project / "outputs/ours/duck_01.mp4").unlink()
        put_clip(project / "outputs/ours/duck_01.mov", 8)
        run = bring(load_suite(project), Path("run"), "external:outputs/*")
        assert seeds_brought(run, "ours", "duck_01") == {0: clip_bytes(8)}

    def test_an_output_that_is_gone_stays(self, project: Path) -> None:
        before = clips(project / "run")
        shutil.rmtree(project / "outputs/frames/duck_00")
        (project / "outputs/ours/duck_00.mp4").unlink()
        run = bring(load_suite(project), Path("run"), "external:outputs/*")
        assert (tally(run)[0], clips(project / "run")) == ({"ok": 6}, before)

    def test_another_place_must_hold_the_same(self, project: Path) -> None:
        shutil.copytree(project / "outputs/ours", project / "later/ours")
        suite, before = load_suite(project), clips(project / "run")
        assert tally(bring(suite, Path("run"), "external:later/*"))[0] == {"ok": 6}
        assert clips(project / "run") == before
        shutil.copytree(project / "later", project / "last")
        put_clip(project / "last/ours/duck_01.mp4", 9)
        with pytest.raises(UserError) as caught:
            bring(suite, Path("run"), "external:last/*")
        for part in ("duck_01", "outputs/ours/duck_01.mp4", "last/ours", "NEWNAME=external"):
            assert part in str(caught.value)
        assert clips(project / "run") == before

    def test_the_same_words_from_another_folder_are_another_place(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_clip(project / "sub/outputs/ours/duck_00.mp4", 9)
        monkeypatch.chdir("sub")
        with pytest.raises(UserError, match="another configuration"):
            bring(load_suite(project), project / "run", "external:outputs/*")

    def test_another_colour_is_another_configuration(self, project: Path) -> None:
        """How files are read is no question of where they are."""
        with pytest.raises(UserError, match="another configuration"):
            bring(load_suite(project), Path("run"), "external:outputs/*:colour=bt601")

    def test_a_table_that_leads_elsewhere(self, project: Path) -> None:
        """Rows that name the same bytes by another path change nothing; others are brought in."""
        suite, table = load_suite(project), project / "o.csv"
        table.write_text("method,edit,path\nt,duck_00,outputs/ours/duck_00.mp4\n")
        bring(suite, Path("run"), "external:o.csv")
        shutil.copy(project / "outputs/ours/duck_00.mp4", project / "same.mp4")
        before = clips(project / "run")
        table.write_text("method,edit,path\nt,duck_00,same.mp4\nt,duck_01,same.mp4\n")
        run = bring(suite, Path("run"), "external:o.csv")
        after = clips(project / "run")
        assert {name: after[name] for name in before} == before
        table.write_text("method,edit,path\nt,duck_00,outputs/ours/duck_01.mp4\n")
        run = bring(suite, Path("run"), "external:o.csv")
        assert seeds_brought(run, "t", "duck_00") == {0: clip_bytes(1)}


class TestFrames:
    def test_names_of_frames_are_no_content(self, tmp_path: Path) -> None:
        one, two = put_frames(tmp_path / "a"), put_frames(tmp_path / "b")
        for path in two.iterdir():
            path.rename(path.with_name(f"frame_{path.name}"))
        (two / ".DS_Store").write_bytes(b"x")
        assert identity.content_sha256(one) == identity.content_sha256(two)

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_every_frame_counts(self, tmp_path: Path, number: int) -> None:
        folder = put_frames(tmp_path / "a")
        before = identity.content_sha256(folder)
        write_image(folder / f"{number:05}.png", noise(5).frames[0])
        assert identity.content_sha256(folder) != before

    def test_order_counts(self, tmp_path: Path) -> None:
        one, two = put_frames(tmp_path / "a"), put_frames(tmp_path / "b")
        (two / "00000.png").rename(two / "9.png")
        (two / "00002.png").rename(two / "00000.png")
        (two / "9.png").rename(two / "00002.png")
        assert identity.content_sha256(one) != identity.content_sha256(two)


class TestReading:
    """Hashing is spared while the file system says that nothing was written."""

    def hashed(self, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
        read: list[Path] = []
        real = identity.sha256_file
        monkeypatch.setattr(
            identity, "sha256_file", lambda path: (read.append(path), real(path))[1]
        )
        return read

    def test_a_call_with_nothing_to_do_reads_no_clip(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = self.hashed(monkeypatch)
        bring(load_suite(project), Path("run"), "external:outputs/*", "unedited")
        assert read == []

    def test_a_copy_is_read_once(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        two = copied(project)
        monkeypatch.chdir(two)
        read = self.hashed(monkeypatch)
        bring(load_suite(two), Path("run"), "external:outputs/*")
        assert len(read) > 0
        read.clear()
        bring(load_suite(two), Path("run"), "external:outputs/*")
        assert read == []


@pytest.mark.parametrize("name", ["clip.json", "clip.JSON", "clip.npz", "clip", "clip.MP4"])
def test_a_source_is_never_kept_where_its_sidecar_is(tmp_path: Path, name: str) -> None:
    """F12: an MP4 by its bytes, by its name the sidecar of the video `duck`."""
    suite = small_suite(tmp_path, EDITS, source=name)
    run = bring(suite, tmp_path / "run", "unedited")
    assert run.source("duck").read_bytes() == clip_bytes(1000)
    assert read_json(tmp_path / "run/sources/duck.json")["file"] == run.source("duck").name
    assert tally(bring(suite, tmp_path / "run", "unedited"))[0] == {"ok": 2}


def test_formats_of_seeds(tmp_path: Path) -> None:
    """A count n of formats 1 and 2 is the seeds 0 ... n-1; lists are as they are."""
    suite = small_suite(tmp_path, EDITS)
    for edit, seed in itertools.product(EDITS, (0, 1)):
        put_clip(tmp_path / f"o/m/{edit}_{seed}.mp4", seed)
    spec = f"external:{tmp_path}/o/{{method}}/{{edit}}_{{seed}}.mp4"
    bring(suite, tmp_path / "run", spec)
    path = tmp_path / "run/run.json"
    info: dict[str, Any] = json.loads(path.read_text())
    assert info["methods"]["m"]["seeds"] == [0, 1]
    info["methods"]["m"]["seeds"] = 2
    write_json(path, {**info, "format": 2})
    assert [cell.seed for cell in RunFolder(tmp_path / "run").cells()] == [0, 1, 0, 1]
    put_clip(tmp_path / "o/m/duck_00_2.mp4", 2)
    run = bring(suite, tmp_path / "run", spec)
    assert run.info.methods["m"].seeds == (
        0,
        1,
        2,
    )
    assert tally(run)[0] == {"ok": 5, "failed": 1}


def test_a_suite_of_another_machine(project: Path) -> None:
    """The snapshot in a run names folders of the machine it was made on; they do not count."""
    path = project / "run/suite.json"
    snapshot = read_json(path)
    write_json(path, {**snapshot, "root": "C:\\x", "media_root": "/gone"})
    suite: Suite = load_suite(project)
    assert tally(bring(suite, Path("run"), "external:outputs/*"))[0] == {"ok": 6}
