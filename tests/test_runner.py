"""The runner: a grid of clips that survives kills, failures and second calls."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_image, write_video
from dreamix.core.records import write_json
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import variants
from evaluation.run.folder import RunFolder
from evaluation.run.making import Job
from evaluation.run.runner import Local, is_done, pending_units, run_suite, tally
from evaluation.schema import Cell


def noise(seed: int, frames: int = 4, size: int = 16) -> Video:
    shape = (frames, size, size, 3)
    return Video(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), 4)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Two source clips with two edits each."""
    folder = tmp_path / "suite"
    for number, name in enumerate(("cat", "dog")):
        write_video(folder / f"{name}.mp4", noise(number), lossless=True)
    document = {
        "name": "pets",
        "version": 1,
        "licence": "none",
        "videos": [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in ("cat", "dog")],
        "edits": [
            {"id": f"{n}_{i}", "video": n, "prompt": f"a {n}, {i}", "category": "style"}
            for n in ("cat", "dog")
            for i in range(2)
        ],
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return load_suite(folder)


def make(suite: Suite, out: Path, *specs: str, **options: object) -> RunFolder:
    return run_suite(suite, [v for spec in specs for v in variants(spec)], out, **options)  # type: ignore[arg-type]


def tree(folder: Path, *ends: str) -> dict[str, tuple[bytes, int]]:
    """Contents and time stamp of all files that end so."""
    files = [path for path in sorted(folder.rglob("*")) if path.name.endswith(ends)]
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in files
    }


def test_every_cell_of_the_grid_gets_a_clip(suite: Suite, tmp_path: Path) -> None:
    run = make(suite, tmp_path / "run", "unedited", "frozen-frame")
    assert tally(run)[0] == {"ok": 8}
    row = run.clip_row(Cell("unedited", "cat_0", 0))
    assert row is not None
    edited = read_video(run.clip_path(row))
    assert np.array_equal(edited.frames, read_video(run.source("cat")).frames)


def test_a_second_call_makes_nothing_anew(suite: Suite, tmp_path: Path) -> None:
    out = tmp_path / "run"
    make(suite, out, "unedited", "shuffled-frames")
    before = tree(out / "clips", ".mp4", ".json")
    make(suite, out, "unedited", "shuffled-frames")
    assert tree(out / "clips", ".mp4", ".json") == before


def test_a_new_method_adds_only_its_own_clips(suite: Suite, tmp_path: Path) -> None:
    out = tmp_path / "run"
    make(suite, out, "unedited")
    before = tree(out / "clips", ".mp4", ".json")
    run = make(suite, out, "frozen-frame")
    after = tree(out / "clips", ".mp4", ".json")
    assert {name: after[name] for name in before} == before
    assert tally(run)[0] == {"ok": 8}


@pytest.mark.slow
def test_clips_do_not_depend_on_workers(suite: Suite, tmp_path: Path) -> None:
    for workers in (1, 2):
        make(suite, tmp_path / f"run{workers}", "shuffled-frames", workers=workers)
    one, two = (tree(tmp_path / f"run{n}" / "clips", ".mp4") for n in (1, 2))
    assert {name: data for name, (data, _) in one.items()} == {
        name: data for name, (data, _) in two.items()
    }


def test_a_clip_without_its_sidecar_is_made_again(suite: Suite, tmp_path: Path) -> None:
    """The sidecar is written last, so this is what a kill between the two leaves."""
    run = make(suite, tmp_path / "run", "unedited")
    cell = Cell("unedited", "dog_1", 0)
    run.sidecar(cell).unlink()
    assert [unit.cells for unit in pending_units(run)] == [[cell]]
    assert is_done(make(suite, tmp_path / "run", "unedited"), cell)


def test_an_ideal_edit_of_real_footage_does_not_apply(suite: Suite, tmp_path: Path) -> None:
    run = make(suite, tmp_path / "run", "ideal")
    assert tally(run)[0] == {"n/a": 4}


class TestExternal:
    def outputs(self, folder: Path, skip: tuple[str, ...] = ()) -> Path:
        for number, edit in enumerate(("cat_0", "cat_1", "dog_0", "dog_1")):
            if edit not in skip:
                write_video(folder / f"{edit}.mp4", noise(10 + number))
        return folder

    def test_each_folder_of_a_pattern_is_a_method_and_files_are_copied_untouched(
        self, suite: Suite, tmp_path: Path
    ) -> None:
        outputs = self.outputs(tmp_path / "outs" / "mine")
        self.outputs(tmp_path / "outs" / "theirs")
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/outs/*")
        assert sorted(run.info.methods) == ["mine", "theirs"]
        row = run.clip_row(Cell("mine", "cat_0", 0))
        assert row is not None
        assert run.clip_path(row).read_bytes() == (outputs / "cat_0.mp4").read_bytes()

    def test_a_pattern_with_names_in_other_places(self, suite: Suite, tmp_path: Path) -> None:
        for edit in ("cat_0", "cat_1", "dog_0", "dog_1"):
            write_video(tmp_path / "o" / edit / "fast_v2.mp4", noise(1))
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o/{{edit}}/{{method}}.mp4")
        assert list(run.info.methods) == ["fast_v2"]
        assert tally(run)[0] == {"ok": 4}

    def test_a_csv_names_files_anywhere_and_seeds(self, suite: Suite, tmp_path: Path) -> None:
        self.outputs(tmp_path / "o")
        lines = [
            f"m,{e},o/{e}.mp4,{s}" for e in ("cat_0", "cat_1", "dog_0", "dog_1") for s in (0, 1)
        ]
        (tmp_path / "o.csv").write_text("method,edit,path,seed\n" + "\n".join(lines))
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o.csv", seeds=2)
        assert tally(run)[0] == {"ok": 8}

    def test_seeds_of_a_csv_are_those_of_each_method(self, suite: Suite, tmp_path: Path) -> None:
        """Method a has two seeds, b has one: b is not asked for a second."""
        self.outputs(tmp_path / "o")
        edits = ("cat_0", "cat_1", "dog_0", "dog_1")
        lines = [f"a,{e},o/{e}.mp4,{s}" for e in edits for s in (0, 1)]
        lines += [f"b,{e},o/{e}.mp4," for e in edits]
        (tmp_path / "o.csv").write_text("method,edit,path,seed\n" + "\n".join(lines))
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o.csv", seeds=2)
        assert tally(run)[0] == {"ok": 12}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"method,edit\nm,cat_0\n", "lacks the column path"),
            (b"method,edit,path\nm,cat_0\n", r"o.csv:2: no path in this row"),
            (b"method,edit,path\nm,cat_0,a\nm,cat_0,b\n", "o.csv:3: m, cat_0, 0 stands twice"),
            (b"method,edit,path\nm,caf\xe9,a\n", "o.csv:2: byte 0xe9 is not UTF-8: save the file"),
        ],
    )
    def test_a_csv_with_a_mistake_is_one_line(self, tmp_path: Path, text: bytes, said: str) -> None:
        (tmp_path / "o.csv").write_bytes(text)
        with pytest.raises(UserError, match=said):
            variants(f"external:{tmp_path}/o.csv")

    def test_a_folder_of_frames_gets_the_rate_of_its_source(
        self, suite: Suite, tmp_path: Path
    ) -> None:
        """The source has 4 frames at 4/s; the frames say no rate, and 24/s would be 1/6 of it."""
        for number, frame in enumerate(noise(3).frames):
            write_image(tmp_path / "o" / "m" / "cat_0" / f"{number:05}.png", frame)
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o/*", edits=["cat_0"])
        row = run.clip_row(Cell("m", "cat_0", 0))
        assert row is not None
        clip = read_video(run.clip_path(row))
        assert clip.fps == 4
        assert np.array_equal(clip.frames, noise(3).frames)

    def test_a_missing_output_is_a_row_that_names_the_file(
        self, suite: Suite, tmp_path: Path
    ) -> None:
        self.outputs(tmp_path / "o" / "m", skip=("dog_0",))
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o/*")
        statuses, reasons = tally(run)
        assert statuses == {"ok": 3, "failed": 1}
        assert "o/m/dog_0" in next(iter(reasons))

    def test_a_failure_is_tried_again_and_a_changed_file_brought_in_anew(
        self, suite: Suite, tmp_path: Path
    ) -> None:
        folder = self.outputs(tmp_path / "o" / "m", skip=("dog_0",))
        spec = f"external:{tmp_path}/o/*"
        make(suite, tmp_path / "run", spec)
        write_video(folder / "dog_0.mp4", noise(5))
        write_video(folder / "cat_0.mp4", noise(6))
        os.utime(folder / "cat_0.mp4", ns=(1, 1))
        run = make(suite, tmp_path / "run", spec)
        assert tally(run)[0] == {"ok": 4}
        row = run.clip_row(Cell("m", "cat_0", 0))
        assert row is not None
        assert run.clip_path(row).read_bytes() == (folder / "cat_0.mp4").read_bytes()

    def test_a_file_that_is_no_clip_is_a_row(self, suite: Suite, tmp_path: Path) -> None:
        folder = self.outputs(tmp_path / "o" / "m", skip=("dog_0",))
        (folder / "dog_0.mp4").write_text("not a clip")
        run = make(suite, tmp_path / "run", f"external:{tmp_path}/o/*")
        assert tally(run)[0] == {"ok": 3, "failed": 1}

    @pytest.mark.parametrize(
        ("spec", "said"),
        [
            ("external:nowhere/*", "nothing matches nowhere/\\*"),
            ("external", "needs a place"),
            ("external:a/{edit}.mp4", "names no method"),
            ("externl:a/*", "did you mean external"),
            ("a/b=unedited", "cannot name a method"),
            ("unedited:strength=1", "has no setting 'strength'"),
        ],
    )
    def test_a_wrong_spec_is_one_line(self, spec: str, said: str) -> None:
        with pytest.raises(UserError, match=said):
            variants(spec)


def test_a_kill_before_run_json_is_written_is_no_obstacle(suite: Suite, tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_json(out / "suite.json", suite.to_dict())
    (out / ".run.json.0.tmp").write_text("{")
    assert tally(make(suite, out, "unedited"))[0] == {"ok": 4}
    assert not list(out.rglob("*.tmp"))


class Littering(Local):
    """An executor one of whose workers is killed while it writes; another one makes the clip."""

    def make(self, job: Job) -> None:
        super().make(job)
        (next(job.run.path.glob("clips/*/*")) / ".0.mp4.5f.tmp").write_bytes(b"half of it")


def test_what_a_lost_worker_was_writing_is_gone_at_the_end(suite: Suite, tmp_path: Path) -> None:
    make(suite, tmp_path / "run", "unedited", executor=Littering(1))
    assert not list((tmp_path / "run").rglob("*.tmp"))


def test_a_lost_source_is_brought_back_by_the_next_run(suite: Suite, tmp_path: Path) -> None:
    run = make(suite, tmp_path / "run", "unedited")
    run.source("cat").unlink()
    make(suite, tmp_path / "run", "unedited")
    assert run.source("cat").read_bytes() == (suite.root / "cat.mp4").read_bytes()


def test_a_source_that_has_changed_is_not_mixed_with_clips_of_the_old_one(
    suite: Suite, tmp_path: Path
) -> None:
    make(suite, tmp_path / "run", "unedited")
    write_video(suite.root / "cat.mp4", noise(9, frames=5), lossless=True)
    statuses, reasons = tally(make(suite, tmp_path / "run", "unedited"))
    assert statuses == {"ok": 2, "failed": 2}
    assert "has changed since" in next(iter(reasons))


def test_a_broken_source_fails_its_own_edits_only(suite: Suite, tmp_path: Path) -> None:
    """Frames of cat are damaged after the suite was read: its cells fail, dog's are made."""
    folder = suite.root / "frames"
    for number in range(3):
        write_image(folder / f"{number:05}.png", noise(1).frames[0])
    document = yaml.safe_load((suite.root / "suite.yaml").read_text())
    document["videos"][0].update(path="frames", fps=4)
    (suite.root / "suite.yaml").write_text(yaml.safe_dump(document))
    loaded = load_suite(suite.root)
    (folder / "00001.png").write_bytes((folder / "00001.png").read_bytes()[:60])
    statuses, reasons = tally(make(loaded, tmp_path / "run", "frozen-frame"))
    assert statuses == {"ok": 2, "failed": 2}
    assert "00001.png" in next(iter(reasons))


class TestMisuse:
    def test_a_run_folder_of_another_suite_is_refused(self, suite: Suite, tmp_path: Path) -> None:
        make(suite, tmp_path / "run", "unedited")
        document = yaml.safe_load((suite.root / "suite.yaml").read_text())
        document["edits"][0]["prompt"] = "another prompt"
        (suite.root / "suite.yaml").write_text(yaml.safe_dump(document))
        with pytest.raises(UserError, match="belongs to suite pets"):
            make(load_suite(suite.root), tmp_path / "run", "unedited")

    def test_a_folder_with_other_things_is_left_alone(self, suite: Suite, tmp_path: Path) -> None:
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter.tex").write_text("x")
        with pytest.raises(UserError, match="not empty and not a run folder"):
            make(suite, tmp_path / "thesis", "unedited")

    def test_one_name_for_two_configurations_is_refused(self, suite: Suite, tmp_path: Path) -> None:
        for name in ("a", "b"):
            TestExternal().outputs(tmp_path / name)
        write_video(tmp_path / "b" / "dog_1.mp4", noise(99))
        make(suite, tmp_path / "run", f"m=external:pattern={tmp_path}/a/{{edit}}.mp4")
        with pytest.raises(UserError, match="another configuration"):
            make(suite, tmp_path / "run", f"m=external:pattern={tmp_path}/b/{{edit}}.mp4")

    def test_a_damaged_run_json_is_named(self, suite: Suite, tmp_path: Path) -> None:
        make(suite, tmp_path / "run", "unedited")
        (tmp_path / "run" / "run.json").write_text('{"format": 1, ')
        with pytest.raises(UserError, match=r"run\.json is not valid JSON"):
            make(suite, tmp_path / "run", "unedited")

    def test_a_method_of_a_newer_format_is_refused(self, suite: Suite, tmp_path: Path) -> None:
        make(suite, tmp_path / "run", "unedited")
        path = tmp_path / "run" / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
        with pytest.raises(UserError, match="has run format 99"):
            make(suite, tmp_path / "run", "unedited")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"seeds": 0}, "1 seed or more of each edit, not 0"), ({"edits": []}, "none was named")],
)
def test_nothing_is_not_taken_for_everything(
    suite: Suite, tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        make(suite, tmp_path / "run", "unedited", **options)
    assert not (tmp_path / "run").exists()
