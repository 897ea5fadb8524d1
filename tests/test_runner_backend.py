"""Methods that need a model in the runner: one finetuning a video, progress, facts, weights."""

import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import fake_backend
import numpy as np
import psutil
import pytest

from dreamix.backends.base import open_backend
from dreamix.backends.names import BACKENDS
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.packages import EntryPoint
from dreamix.core.video import Video
from dreamix.data.suite import Edit, VideoEntry
from dreamix.methods.base import variants
from evaluation.run.folder import RunFolder
from evaluation.run.info import BackendInfo
from evaluation.run.pace import CellDone, Note, ProgressTracker
from evaluation.run.pool import run_units
from evaluation.run.runner import pending_units, run_suite, tally
from evaluation.schema import Cell

News = tuple[int, int, float | None, str]
NOWHERE = EntryPoint("missing", "no_such_module:Fake")
IDS = [f"{animal}_{i}" for animal in ("ant", "bee") for i in range(2)]


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_backend.install(monkeypatch)


@pytest.fixture
def suite(tmp_path: Path) -> fake_backend.FakeSuite:
    """Two clips with two edits each."""
    for seed, name in enumerate(("ant", "bee")):
        frames = np.random.default_rng(seed).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
        write_video(tmp_path / "in" / f"{name}.mp4", Video(frames, 3), lossless=True)
    return fake_backend.FakeSuite(
        name="two",
        version="1",
        licence="none",
        root=tmp_path / "in",
        media_root=tmp_path / "in",
        videos={n: VideoEntry(n, f"an {n}", f"{n}.mp4") for n in ("ant", "bee")},
        edits=tuple(Edit(name, name[:3], f"a {name}", "style") for name in IDS),
    )


def make(suite: fake_backend.FakeSuite, out: Path, *specs: str, **options: object) -> RunFolder:
    columns = [column for spec in specs for column in variants(spec)]
    return run_suite(suite, columns, out, **{"backend": "fake", **options})  # type: ignore[arg-type]


def clips(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.glob("clips/*/*/*.mp4"))}


def test_a_method_with_a_model_gets_the_backend_of_the_run(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    run = make(suite, tmp_path / "run", "fake", "unedited", workers=1)
    assert tally(run)[0] == {"ok": 8}
    assert run.info.methods["fake"].backend == BackendInfo("fake", "one")
    assert run.info.methods["unedited"].backend is None
    assert sorted(p.name for p in (tmp_path / "run" / "finetuned" / "fake").iterdir()) == [
        "ant",
        "bee",
    ]


def test_facts_stand_in_the_sidecar(suite: fake_backend.FakeSuite, tmp_path: Path) -> None:
    """Only the first edit of a video finetunes."""
    run = make(suite, tmp_path / "run", "fake:noise=0.25")
    rows = [run.clip_row(Cell("fake", name, 0)) for name in IDS]
    facts = [row.facts for row in rows if row and row.facts]
    assert [fact["finetune_seconds"] for fact in facts] == [10, 0, 10, 0]
    assert {(fact["noise_level"], fact["start_step"]) for fact in facts} == {(0.25, 1)}


def test_facts_that_json_cannot_hold_are_the_method_s_failure(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    statuses, reasons = tally(make(suite, tmp_path / "run", "fake:bad_facts=yes"))
    assert statuses == {"failed": 4}
    assert "JSON" in next(iter(reasons))


def test_cells_of_a_video_and_a_model_are_one_unit_and_models_come_last(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run = make(suite, out, "fake", "b=fake:noise=0.1", "unedited", "frozen-frame")
    for sidecar in (out / "clips").glob("*/*/*.json"):
        sidecar.unlink()
    found = [(unit.video, sorted({c.method for c in unit.cells})) for unit in pending_units(run)]
    free = ["frozen-frame", "unedited"]
    models = [(video, [name]) for name in ("b", "fake") for video in ("ant", "bee")]
    assert found == [("ant", free), ("bee", free), *models]
    assert [len(unit.cells) for unit in pending_units(run)] == [4, 4, 2, 2, 2, 2]


@pytest.mark.slow
def test_clips_do_not_depend_on_workers_and_a_video_is_finetuned_once(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    for workers in (1, 2):
        make(suite, tmp_path / f"run{workers}", "fake", "unedited", seeds=2, workers=workers)
    assert clips(tmp_path / "run1") == clips(tmp_path / "run2")
    run = RunFolder(tmp_path / "run2")
    facts = [run.clip_row(cell).facts for cell in run.cells() if cell.method == "fake"]  # type: ignore[union-attr]
    assert sum(fact["finetune_seconds"] for fact in facts) == 2 * 10  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_progress_rises_cell_by_cell(
    suite: fake_backend.FakeSuite, tmp_path: Path, workers: int
) -> None:
    seen: list[News] = []

    def progress(done: int, total: int, left: float | None = None, note: str = "") -> None:
        seen.append((done, total, left, note))

    make(suite, tmp_path / "run", "fake:slow=0.01", "unedited", workers=workers, progress=progress)
    assert sorted({done for done, *_ in seen} | {0}) == list(range(9))
    assert {total for _, total, *_ in seen} == {8}
    assert seen[-1][2] == 0
    assert "finetuning 1/1, fake ant_0" in {note for *_, note in seen}


def test_other_weights_under_one_name_are_refused(
    suite: fake_backend.FakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(suite, tmp_path / "run", "fake")
    monkeypatch.setenv(fake_backend.IDENTITY, "two")
    with pytest.raises(UserError, match=r"another model \(fake one, now fake two\).*NEWNAME=fake"):
        make(suite, tmp_path / "run", "fake")
    run = make(suite, tmp_path / "run", "new=fake")
    assert run.info.methods["new"].backend == BackendInfo("fake", "two")
    assert tally(run)[0] == {"ok": 8}


def test_cells_left_over_from_other_weights_fail_and_say_so(
    suite: fake_backend.FakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill left a cell of `fake`; the next call asks for another method only."""
    run = make(suite, tmp_path / "run", "fake")
    run.sidecar(Cell("fake", "ant_0", 0)).unlink()
    monkeypatch.setenv(fake_backend.IDENTITY, "two")
    statuses, reasons = tally(make(suite, tmp_path / "run", "unedited"))
    assert statuses == {"ok": 7, "failed": 1}
    assert next(iter(reasons)).startswith("the weights of backend fake are two")


def test_two_backends_may_stand_side_by_side(suite: fake_backend.FakeSuite, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    make(suite, tmp_path / "run", "fake")
    run = make(suite, tmp_path / "run", "tuned=fake", backend=f"fake:{tmp_path / 'mine'}")
    models = {label: entry.backend for label, entry in run.info.methods.items()}
    names = {label: model.identity for label, model in models.items() if model}
    assert names == {"fake": "one", "tuned": "onemine"}


def test_no_backend_is_opened_for_methods_without_one(
    suite: fake_backend.FakeSuite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS._entries, "fake", NOWHERE)
    assert tally(make(suite, tmp_path / "run", "unedited"))[0] == {"ok": 4}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("toybux", "unknown backend 'toybux', did you mean toybox"),
        ("fake:/no/such/place", "there is nothing at /no/such/place"),
        ("missing", r"backend missing needs the package no_such_module: pip install"),
    ],
)
def test_a_backend_that_is_not_there_is_one_line(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS._entries, "missing", NOWHERE)
    with pytest.raises(UserError, match=said):
        open_backend(name)


@pytest.mark.parametrize("format_", [1, 2])
def test_runs_of_the_formats_before_are_read_and_extended(
    suite: fake_backend.FakeSuite, tmp_path: Path, format_: int
) -> None:
    """Both had the number of seeds, 1 neither `facts` in sidecars nor `backend` in run.json."""
    out = tmp_path / "run"
    make(suite, out, "unedited")
    info = json.loads((out / "run.json").read_text()) | {"format": format_}
    info["methods"]["unedited"]["seeds"] = 1
    for name in ("backend", "place") if format_ == 1 else ():
        del info["methods"]["unedited"][name]
    (out / "run.json").write_text(json.dumps(info))
    for sidecar in out.glob("clips/*/*/*.json"):
        row = json.loads(sidecar.read_text())
        row = row if format_ == 2 else {key: row[key] for key in row if key != "facts"}
        sidecar.write_text(json.dumps(row))
    before = clips(out)
    run = make(suite, out, "unedited", "fake")
    assert tally(run)[0] == {"ok": 8}
    assert run.info.format == 3
    assert run.info.methods["unedited"].seeds == (0,)
    assert before.items() <= clips(out).items()


def test_methods_keep_the_order_they_were_asked_for_in(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    """A later call puts its methods behind those that are there."""
    make(suite, tmp_path / "run", "fake", "unedited", edits=["ant_0"])
    run = make(suite, tmp_path / "run", "b=fake:noise=0.3", "fake", "a=fake:noise=0.2")
    places = {label: entry.place for label, entry in run.info.methods.items()}
    assert sorted(places, key=places.__getitem__) == ["fake", "unedited", "b", "a"]


class TestTimeLeft:
    """Free cells cost 0 s; a slow method takes 60 s for the first edit of a video, 10 s after."""

    units = (
        [Cell("free", "a0", 0), Cell("free", "a1", 0)],
        [Cell("slow", "a0", 0), Cell("slow", "a1", 0)],
        [Cell("slow", "b0", 0), Cell("slow", "b1", 0)],
        [Cell("other", "a0", 0), Cell("other", "a1", 0)],
    )

    def tracker(self, workers: int = 1) -> ProgressTracker:
        return ProgressTracker(self.units, {"slow", "other"}, workers, None)

    def test_nothing_is_promised_before_a_model_was_measured(self) -> None:
        tracker = self.tracker()
        for cell in self.units[0]:
            tracker.update(CellDone(cell, 0.0))
        assert math.isnan(tracker.left())

    def test_the_first_edit_of_a_video_counts_for_its_finetuning(self) -> None:
        """Left are slow b0 (60) and b1 (10), and other a0 and a1, taken to cost the same."""
        tracker = self.tracker()
        for cell, seconds in zip((*self.units[0], *self.units[1]), (0, 0, 60, 10), strict=True):
            tracker.update(CellDone(cell, seconds))
        assert tracker.left() == 140

    def test_workers_share_what_is_left(self) -> None:
        tracker = self.tracker(workers=2)
        for cell, seconds in zip((*self.units[0], *self.units[1]), (0, 0, 60, 10), strict=True):
            tracker.update(CellDone(cell, seconds))
        assert tracker.left() == 70

    def test_a_note_changes_no_count(self) -> None:
        seen: list[News] = []

        def progress(done: int, total: int, left: float | None = None, note: str = "") -> None:
            seen.append((done, total, left, note))

        ProgressTracker(self.units, {"slow"}, 1, progress).update(Note("denoising 1/25"))
        assert seen[0][:2] == (0, 8)
        assert seen[0][3] == "denoising 1/25"


class TestProcesses:
    """3000 messages of over 100 bytes: more than a pipe of 64 KiB holds."""

    @pytest.mark.slow
    def test_messages_arrive_in_order_whatever_their_number(self) -> None:
        heard: list[tuple[int, int, str]] = []
        done = sorted(run_units(fake_backend.Chatter(), [0, 1], 2, heard.append))
        assert done == [0, 1]
        for unit in (0, 1):
            assert [number for who, number, _ in heard if who == unit] == list(range(3000))

    @pytest.mark.slow
    def test_a_failure_does_not_wait_for_messages_that_nobody_takes(self) -> None:
        with pytest.raises(UserError, match="enough"):
            list(run_units(fake_backend.ChatterThenFail(), [0, 1], 2))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("what", "error", "said"),
        [
            ("setup", UserError, "no model here"),
            ("result", Exception, "[Pp]ickle"),
            ("error", RuntimeError, "Odd: 0 0|Odd: 1 1"),
            ("process", UserError, "a worker process died.*the same command goes on"),
        ],
    )
    def test_what_goes_wrong_in_a_process_is_said_here(
        self, what: str, error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(fake_backend.UNSOUND, what)
        with pytest.raises(error, match=said):
            list(run_units(fake_backend.Unsound(), [0, 1], 2))
        assert multiprocessing.active_children() == []

    @pytest.mark.slow
    def test_who_stops_asking_leaves_no_process(self) -> None:
        results = run_units(fake_backend.Chatter(), range(9), 2)
        assert next(results) in range(9)
        results.close()  # type: ignore[attr-defined]
        assert multiprocessing.active_children() == []

    @pytest.mark.slow
    def test_processes_of_a_command_that_was_killed_end_with_it(self) -> None:
        """Else they would write beside the next command, which holds the folder by then."""
        code = (
            "import fake_backend\n"
            "from evaluation.run.pool import run_units\n"
            "if __name__ == '__main__':\n"
            "    say = lambda pid: print(pid, flush=True)\n"
            "    list(run_units(fake_backend.Sleeper(), [0, 1], 2, say))\n"
        )
        support = os.pathsep.join([str(Path(fake_backend.__file__).parent), *sys.path])
        asking = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": support},
        )
        assert asking.stdout is not None
        found: set[int] = set()
        while len(found) < 2:
            found.add(int(asking.stdout.readline()))
        asking.kill()
        asking.wait()
        deadline = time.monotonic() + 10
        while any(map(works, found)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(works, found))


def works(pid: int) -> bool:
    """Return True for a process that is there and was not merely left unburied by its parent."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_clips_are_what_the_method_returned(suite: fake_backend.FakeSuite, tmp_path: Path) -> None:
    """noise 0.1 shifts every value by round(25.5) = 26, modulo 256."""
    run = make(suite, tmp_path / "run", "fake:noise=0.1")
    row = run.clip_row(Cell("fake", "ant_0", 0))
    assert row is not None
    source = suite.source("ant").frames
    assert (read_video(run.clip_path(row)).frames == (source.astype(int) + 26) % 256).all()


def test_edits_of_a_video_are_made_together_and_share_what_they_cost(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    """Batches of two edits and two seeds: at most TOGETHER of one video. Finetuning was 10 s."""
    run = make(suite, tmp_path / "run", "fake-together", "fake", seeds=2)
    rows = [run.clip_row(cell) for cell in run.cells() if cell.method == "fake-together"]
    facts = [row.facts for row in rows if row and row.facts]
    assert [fact["batch"] for fact in facts] == [4] * 8
    tuned = {row.edit: row.seconds - row.facts["finetune_seconds"] for row in rows if row}
    assert len({round(seconds, 3) for seconds in tuned.values()}) <= 2, "equal shares a video"
    assert sum(fact["finetune_seconds"] for fact in facts) == 20.0
    made = clips(tmp_path / "run")
    assert {k.replace("fake-together", "fake"): v for k, v in made.items() if "together" in k} == {
        k: v for k, v in made.items() if "together" not in k
    }


def test_a_prompt_that_fails_costs_no_other_edit_of_its_batch(
    suite: fake_backend.FakeSuite, tmp_path: Path
) -> None:
    bad = replace(suite.edits[1], prompt="a unicorn")
    edits = (suite.edits[0], bad, *suite.edits[2:])
    run = make(replace(suite, edits=edits), tmp_path / "run", "fake-together")
    rows = {cell.edit: run.clip_row(cell) for cell in run.cells()}
    assert [rows[name].status for name in IDS] == ["ok", "failed", "ok", "ok"]  # type: ignore[union-attr]
    assert rows["ant_0"].facts["batch"] == 1  # type: ignore[index, union-attr]
    assert rows["bee_0"].facts["batch"] == 2  # type: ignore[index, union-attr]
