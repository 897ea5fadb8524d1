"""Scoring: the same numbers in any order, on any number of workers, before and after a kill."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.features.store import Features
from evaluation.run.runner import run_suite
from evaluation.schema import ScoreRow
from evaluation.score.plan import metric_names
from evaluation.score.scoring import score_run
from evaluation.score.table import append_scores, read_scores
from evaluation.settings import ModelSettings

CHEAP = ["psnr", "motion_mag", "flicker"]
BATCHED = ["clip_t", "clip_i", "clip_f", "lpips", "frame_acc"]
LONG = "a cat " + "that sits and looks and waits " * 20


def moving(seed: int, frames: int = 6, fps: float = 6, size: int = 48) -> Video:
    """Blocks of colour that slide to the left."""
    tiles = np.random.default_rng(seed).integers(0, 256, (size // 8, 40, 3), dtype=np.uint8)
    wide = np.kron(tiles, np.ones((8, 8, 1), np.uint8))
    return Video(np.stack([wide[:, 3 * t : 3 * t + size] for t in range(frames)]), fps)


@pytest.fixture
def suite_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "suite"
    for number, name in enumerate(("cat", "dog", "eel")):
        write_video(folder / f"{name}.mp4", moving(number))
    document = {
        "name": "pets",
        "version": 1,
        "licence": "none",
        "videos": [
            {"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in ("cat", "dog", "eel")
        ],
        "edits": [
            {"id": f"{n}_{i}", "video": n, "prompt": f"a red {n}, {i}", "category": "object"}
            for n in ("cat", "dog", "eel")
            for i in range(2)
        ],
    }
    document["edits"][0]["prompt"] = LONG  # type: ignore[index]
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture
def outputs(tmp_path: Path) -> str:
    """Edits of a method that returns other sizes, lengths and rates than it was given."""
    folder = tmp_path / "outputs" / "mine"
    shapes = [(6, 6, 48), (3, 3, 48), (12, 12, 64), (8, 24, 32), (1, 6, 48), (7, 6, 48)]
    edits = [f"{n}_{i}" for n in ("cat", "dog", "eel") for i in range(2)]
    for number, (edit, shape) in enumerate(zip(edits, shapes, strict=True)):
        write_video(folder / f"{edit}.mp4", moving(10 + number, *shape))
    return f"external:{tmp_path}/outputs/*"


def run(suite_folder: Path, out: Path, *specs: str, seeds: int = 1) -> Path:
    columns = [variant for spec in specs for variant in variants(spec)]
    run_suite(load_suite(suite_folder), columns, out, seeds=seeds)
    return out


def rows(out: Path) -> dict[tuple[str, str, int, str], ScoreRow]:
    return read_scores(out / "scores.jsonl")


def test_a_second_score_computes_nothing_and_changes_no_byte(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    out = run(suite_folder, tmp_path / "run", outputs, "unedited")
    assert score_run(out, CHEAP, ModelSettings()).computed == 36
    before = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    assert score_run(out, CHEAP, ModelSettings()).computed == 0
    assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == before


@pytest.mark.slow
def test_scores_do_not_depend_on_workers_nor_on_what_was_scored_before(
    suite_folder: Path, outputs: str, tmp_path: Path, tiny_clip: str
) -> None:
    """All at once on two workers, or bit by bit on one: the same bytes."""
    settings = ModelSettings(clip=tiny_clip)
    at_once = run(suite_folder, tmp_path / "once", outputs, "unedited", "frozen-frame")
    score_run(at_once, CHEAP + BATCHED, settings, workers=2)
    bit_by_bit = tmp_path / "bits"
    for method in ("frozen-frame", outputs, "unedited"):
        run(suite_folder, bit_by_bit, method)
        score_run(bit_by_bit, BATCHED[:2], settings)
    score_run(bit_by_bit, BATCHED[2:], settings)
    score_run(bit_by_bit, CHEAP, settings)
    for name in ("scores.jsonl", "scores.parquet"):
        assert (at_once / name).read_bytes() == (bit_by_bit / name).read_bytes()


@pytest.mark.slow
def test_batches_of_one_and_of_many_agree(
    suite_folder: Path, outputs: str, tmp_path: Path, tiny_clip: str
) -> None:
    found = []
    for batch in (1, 5, 64):
        out = run(suite_folder, tmp_path / f"run{batch}", outputs)
        score_run(out, BATCHED, ModelSettings(clip=tiny_clip, batch=batch))
        found.append({key: row.value for key, row in rows(out).items()})
    for other in found[1:]:
        for key, value in found[0].items():
            assert other[key] == pytest.approx(value, abs=1e-5, nan_ok=False), key


@pytest.mark.slow
def test_the_order_of_files_and_edits_does_not_matter(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    out = run(suite_folder, tmp_path / "run", outputs, "unedited")
    score_run(out, CHEAP, ModelSettings())
    document = yaml.safe_load((suite_folder / "suite.yaml").read_text())
    document["edits"].reverse()
    document["videos"].reverse()
    (suite_folder / "suite.yaml").write_text(yaml.safe_dump(document))
    other = run(suite_folder, tmp_path / "other", "unedited", outputs)
    score_run(other, CHEAP, ModelSettings())
    assert (out / "scores.jsonl").read_bytes() == (other / "scores.jsonl").read_bytes()


def test_a_new_metric_method_or_seed_adds_only_what_is_missing(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    out = run(suite_folder, tmp_path / "run", "unedited")
    assert score_run(out, ["psnr"], ModelSettings()).computed == 6
    assert score_run(out, ["psnr", "flicker"], ModelSettings()).computed == 6
    run(suite_folder, out, outputs)
    assert score_run(out, ["psnr", "flicker"], ModelSettings()).computed == 12


def test_another_model_or_frame_policy_is_another_number(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    out = run(suite_folder, tmp_path / "run", outputs)
    score_run(out, ["psnr"], ModelSettings())
    before = {key: row.definition for key, row in rows(out).items()}
    assert score_run(out, ["psnr"], ModelSettings(), policy="index").computed == 6
    assert all(row.definition != before[key] for key, row in rows(out).items())


def test_the_frame_policy_is_written_into_the_rows(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    """By hand, for 6 frames at 6/s: 3 at 3/s pair 3; 12 at 12/s pair 6; 8 at 24/s last 1/3 s, of
    which the source has 2 frames; 1 at 6/s lasts 1/6 s; 7 at 6/s last 7/6 s."""
    out = run(suite_folder, tmp_path / "run", outputs)
    score_run(out, ["psnr"], ModelSettings())
    found = {edit: (row.pairs, row.share) for (_, edit, _, _), row in rows(out).items()}
    assert found == {
        "cat_0": (6, 1),
        "cat_1": (3, 1),
        "dog_0": (6, 1),
        "dog_1": (2, pytest.approx(1 / 3, abs=1e-6)),
        "eel_0": (1, pytest.approx(1 / 6, abs=1e-6)),
        "eel_1": (6, pytest.approx(6 / 7, abs=1e-6)),
    }


@pytest.mark.slow
def test_a_prompt_that_is_cut_off_is_noted(
    suite_folder: Path, outputs: str, tmp_path: Path, tiny_clip: str
) -> None:
    out = run(suite_folder, tmp_path / "run", outputs)
    done = score_run(out, ["clip_t", "clip_t_gain", "clip_f"], ModelSettings(clip=tiny_clip))
    noted = {key for key, row in rows(out).items() if row.note}
    assert noted == {("mine", "cat_0", 0, "clip_t"), ("mine", "cat_0", 0, "clip_t_gain")}
    assert list(done.notes.values()) == [2]
    assert "longer than" in str(rows(out)["mine", "cat_0", 0, "clip_t"].note)


def test_a_delta_to_the_source_stands_beside_what_does_not_compare(
    suite_folder: Path, outputs: str, tmp_path: Path
) -> None:
    out = run(suite_folder, tmp_path / "run", outputs, "unedited")
    score_run(out, CHEAP, ModelSettings())
    found = rows(out)
    assert found["unedited", "cat_0", 0, "flicker"].delta == 0
    mine = found["mine", "cat_0", 0, "flicker"]
    assert mine.value is not None
    assert mine.source_value is not None
    assert mine.delta == pytest.approx(mine.value - mine.source_value)
    assert found["mine", "cat_0", 0, "psnr"].delta is None


def test_values_per_frame_are_kept(suite_folder: Path, outputs: str, tmp_path: Path) -> None:
    out = run(suite_folder, tmp_path / "run", outputs)
    score_run(out, ["psnr"], ModelSettings())
    row = rows(out)["mine", "cat_0", 0, "psnr"]
    assert row.frames is not None
    assert len(row.frames) == 6
    assert np.mean(row.frames) == pytest.approx(row.value, rel=1e-5)


class TestFailures:
    def test_a_clip_that_was_not_made_fails_in_every_metric_with_the_reason(
        self, suite_folder: Path, outputs: str, tmp_path: Path
    ) -> None:
        (tmp_path / "outputs" / "mine" / "dog_1.mp4").unlink()
        out = run(suite_folder, tmp_path / "run", outputs)
        done = score_run(out, CHEAP, ModelSettings())
        assert done.counts["failed"] == 3
        assert "no clip: no file" in str(rows(out)["mine", "dog_1", 0, "psnr"].reason)

    def test_a_truncated_clip_is_a_row_and_the_rest_goes_on(
        self, suite_folder: Path, outputs: str, tmp_path: Path
    ) -> None:
        out = run(suite_folder, tmp_path / "run", outputs)
        clip = out / "clips" / "mine" / "cat_0" / "0.mp4"
        clip.write_bytes(clip.read_bytes()[:-400])
        done = score_run(out, CHEAP, ModelSettings())
        assert done.counts["failed"] == 3
        assert done.counts["ok"] + done.counts.get("n/a", 0) == 15
        assert "has changed since it was made" in next(iter(done.reasons))

    def test_what_failed_is_computed_again_when_the_clip_is_there(
        self, suite_folder: Path, outputs: str, tmp_path: Path
    ) -> None:
        missing = tmp_path / "outputs" / "mine" / "dog_1.mp4"
        data = missing.read_bytes()
        missing.unlink()
        out = run(suite_folder, tmp_path / "run", outputs)
        score_run(out, CHEAP, ModelSettings())
        missing.write_bytes(data)
        run(suite_folder, out, outputs)
        assert score_run(out, CHEAP, ModelSettings()).counts.get("failed", 0) == 0

    def test_one_frame_has_no_motion_and_says_so(
        self, suite_folder: Path, outputs: str, tmp_path: Path
    ) -> None:
        out = run(suite_folder, tmp_path / "run", outputs)
        score_run(out, ["motion_mag"], ModelSettings())
        row = rows(out)["mine", "eel_0", 0, "motion_mag"]
        assert (row.status, row.reason) == ("n/a", "one frame has no motion")

    def test_a_lost_source_fails_its_own_clips_only(
        self, suite_folder: Path, outputs: str, tmp_path: Path
    ) -> None:
        out = run(suite_folder, tmp_path / "run", outputs)
        (out / "sources" / "cat.mp4").unlink()
        done = score_run(out, ["psnr"], ModelSettings())
        assert done.counts == {"ok": 4, "failed": 2}
        assert "has lost the source of cat" in next(iter(done.reasons))

    def test_a_model_that_breaks_on_a_clip_is_a_row(
        self,
        suite_folder: Path,
        outputs: str,
        tmp_path: Path,
        tiny_clip: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("out of memory")

        monkeypatch.setattr(Features, "embed", broken)
        out = run(suite_folder, tmp_path / "run", outputs)
        done = score_run(out, ["clip_f"], ModelSettings(clip=tiny_clip))
        assert set(done.reasons) == {"clip: RuntimeError: out of memory"}


@pytest.mark.slow
def test_brisque_and_long_clips_do_not_depend_on_workers(
    suite_folder: Path, tmp_path: Path, tiny_clip: str
) -> None:
    """Matrix products of 24 rows and more are where a threaded BLAS changes its last bit."""
    for name in ("cat", "dog", "eel"):
        write_video(suite_folder / f"{name}.mp4", moving(3, frames=26))
    found = []
    for workers in (1, 2):
        out = run(suite_folder, tmp_path / f"run{workers}", "unedited", "frozen-frame")
        settings = ModelSettings(clip=tiny_clip)
        score_run(out, ["brisque", "clip_i", "clip_t"], settings, workers=workers)
        found.append((out / "scores.jsonl").read_bytes())
    assert found[0] == found[1]


class TestMisuse:
    def test_a_device_that_is_not_here_is_said_before_anything_is_computed(
        self, suite_folder: Path, tmp_path: Path
    ) -> None:
        out = run(suite_folder, tmp_path / "run", "unedited")
        with pytest.raises(UserError, match="--device cuda:99 cannot be used"):
            score_run(out, ["psnr"], ModelSettings(device="cuda:99"))

    def test_a_folder_that_is_no_run_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="is not a run folder"):
            score_run(tmp_path, CHEAP, ModelSettings())
        assert list(tmp_path.iterdir()) == []

    def test_an_unknown_metric_shows_near_misses(self) -> None:
        with pytest.raises(UserError, match=r"unknown metric 'clip_tt', did you mean .*clip_t"):
            metric_names(["clip_tt"])

    def test_names_axes_and_patterns_choose_metrics(self) -> None:
        assert metric_names(["clip_f*"]) == [
            "clip_f",
            "clip_f.all_pairs",
            "clip_f.first",
            "clip_f.unprojected",
            "clip_f.vbench",
        ]
        assert "lpips" in metric_names(["fidelity"])
        assert metric_names([]) == metric_names(["*"])

    def test_missing_weights_leave_the_metric_out_with_the_line_that_helps(
        self, suite_folder: Path, tmp_path: Path
    ) -> None:
        out = run(suite_folder, tmp_path / "run", "unedited")
        settings = ModelSettings(clip="ViT-B-32-quickgelu:/nowhere/weights.pt")
        done = score_run(out, ["clip_t", "psnr"], settings)
        assert set(done.not_run) == {"clip_t"}
        assert "/nowhere/weights.pt" in done.not_run["clip_t"]
        assert json.loads((out / "run.json").read_text())["not_run"] == done.not_run


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [lines[0], lines[1][:-5], lines[2]], "scores.jsonl:2"),
        (lambda lines: [lines[0] + "," + lines[1], lines[2]], "scores.jsonl:1"),
        (lambda lines: [lines[0], "", lines[2]], "scores.jsonl:2"),
        (lambda lines: [*lines[:2], lines[2].replace('"psnr"', "7")], "scores.jsonl:3"),
    ],
    ids=["cut", "two in a line", "empty", "another type"],
)
def test_a_damaged_line_is_named_though_many_are_read_at_once(
    tmp_path: Path, change: Callable[[list[str]], list[str]], told: str
) -> None:
    rows = [
        ScoreRow(method="m", edit=f"e{k}", seed=0, metric="psnr", status="ok", video="v",
                 category="style", definition="d", value=float(k))
        for k in range(3)
    ]  # fmt: skip
    path = tmp_path / "scores.jsonl"
    append_scores(path, rows)
    assert [*read_scores(path).values()] == rows
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    with pytest.raises(UserError, match=told):
        read_scores(path)
