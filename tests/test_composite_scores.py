"""Composites as scores: a file is applied to a run, and its rows are kept up."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from composite_data import BETTER, NAMES, learned, origin

from dreamix.cli import program
from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.info import MetricInfo
from evaluation.run.runner import run_suite
from evaluation.schema import ScoreRow
from evaluation.score.composite_file import (
    AxisEntry,
    Composite,
    Provenance,
    Term,
    read_composites,
    write_composites,
)
from evaluation.score.composite_scores import definition
from evaluation.score.scoring import Summary, score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from reports.loading import load_run


def moving(seed: int, frames: int = 6) -> Video:
    """Blocks of colour that slide to the left."""
    tiles = np.random.default_rng(seed).integers(0, 256, (6, 40, 3), dtype=np.uint8)
    wide = np.kron(tiles, np.ones((8, 8, 1), np.uint8))
    return Video(np.stack([wide[:, 3 * t : 3 * t + 48] for t in range(frames)]), 6)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored run of two methods on two edits of two videos; one clip has a single frame."""
    folder = tmp_path_factory.mktemp("composite")
    edits = [
        {"id": f"{n}_{i}", "video": n, "prompt": f"a red {n} {i}", "category": "object"}
        for n in ("cat", "dog")
        for i in range(2)
    ]
    for number, name in enumerate(("cat", "dog")):
        write_video(folder / f"{name}.mp4", moving(number))
    for number, edit in enumerate(edits):
        frames = 1 if edit["id"] == "dog_1" else 6
        write_video(folder / "mine" / f"{edit['id']}.mp4", moving(9 + number, frames))
    videos = [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in ("cat", "dog")]
    suite = {"name": "pets", "version": 1, "licence": "none", "videos": videos, "edits": edits}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    columns = [
        *variants(f"mine=external:pattern={folder}/mine/{{edit}}.mp4"),
        *variants("unedited"),
    ]
    run_suite(load_suite(folder / "suite.yaml"), columns, folder / "run", seeds=1)
    score_run(folder / "run", NAMES, ModelSettings())
    return folder / "run"


@pytest.fixture
def run(scored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored, tmp_path / "run"))


def facts(run: Path) -> dict[str, MetricInfo]:
    found = load_run(run).metrics
    return {name: replaced(found[name], better=BETTER[name]) for name in NAMES}


def replaced(metric: MetricInfo, **changes: Any) -> MetricInfo:
    return MetricInfo(**{**vars(metric), **changes})


def written(run: Path, path: Path, **how: Any) -> Path:
    write_composites(path, {"quality": learned()}, facts(run), origin(**how))
    return path


def scores(run: Path) -> dict[tuple[str, str, int, str], ScoreRow]:
    return read_scores(run / "scores.jsonl")


def applied(run: Path, file: Path | None, names: list[str] = NAMES) -> Summary:
    return score_run(run, names, ModelSettings(), composite=file)


class TestScores:
    def test_a_clip_gets_what_its_metrics_add_up_to(self, run: Path, tmp_path: Path) -> None:
        file = written(run, tmp_path / "c.json")
        done = applied(run, file)
        (one,), rows = read_composites(file), scores(run)
        assert done.computed == 8
        row = rows["mine", "cat_0", 0, "composite.quality"]
        terms = {term.metric: term for term in one.terms}
        expected = one.intercept
        for name, sign in (("flicker", 1), ("motion_mag", -1)):
            term, value = terms[name], rows["mine", "cat_0", 0, name].value
            assert value is not None
            expected += term.weight * sign * (value - term.mean) / term.scale
        assert row.value == pytest.approx(expected)
        assert (row.source_value, row.delta, row.note) == (None, None, None)
        assert row.definition == one.definition_id
        assert row.clip == rows["mine", "cat_0", 0, "psnr"].clip

    def test_a_clip_that_lacks_a_metric_has_the_reason_and_no_number(
        self, run: Path, tmp_path: Path
    ) -> None:
        done = applied(run, written(run, tmp_path / "c.json"))
        row = scores(run)["mine", "dog_1", 0, "composite.quality"]
        assert (row.status, row.value) == ("n/a", None)
        assert str(row.reason).startswith(("motion_mag: one frame", "flicker: "))
        assert done.counts["n/a"] >= 2

    def test_a_clip_that_was_not_made_fails_with_its_reason(
        self, run: Path, tmp_path: Path
    ) -> None:
        sidecar = run / "clips" / "mine" / "cat_1" / "0.json"
        keys = {"method": "mine", "edit": "cat_1", "seed": 0}
        sidecar.write_text(json.dumps(keys | {"status": "failed", "reason": "out of memory"}))
        applied(run, written(run, tmp_path / "c.json"))
        row = scores(run)["mine", "cat_1", 0, "composite.quality"]
        assert row.status == "failed"
        assert str(row.reason).endswith("no clip: out of memory")

    def test_again_changes_no_byte(self, run: Path, tmp_path: Path) -> None:
        file = written(run, tmp_path / "c.json")
        applied(run, file)
        assert applied(run, None).computed == 0  # what it found is kept for its like
        before = {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
        assert applied(run, file).computed == 0
        assert applied(run, None).computed == 0
        after = {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
        assert before == after

    def test_reports_read_it_as_a_metric_of_its_axis(self, run: Path, tmp_path: Path) -> None:
        applied(run, written(run, tmp_path / "c.json"))
        found = load_run(run)
        assert "composite.quality" in [facts.name for facts in found.on_axis("quality")]
        rows = found.scores[found.scores["metric"] == "composite.quality"]
        assert sorted(rows["status"]) == ["n/a"] + 7 * ["ok"]
        assert "raters" in found.metrics["composite.quality"].definition

    def test_another_file_takes_the_place_of_the_first(self, run: Path, tmp_path: Path) -> None:
        applied(run, written(run, tmp_path / "c.json"))
        other = tmp_path / "d.json"
        write_composites(other, {"quality": learned(7)}, facts(run), origin())
        assert applied(run, other).computed == 8
        row = scores(run)["mine", "cat_0", 0, "composite.quality"]
        assert row.definition == read_composites(other)[0].definition_id

    def test_a_clip_made_anew_gets_a_new_number_without_the_file(
        self, run: Path, tmp_path: Path
    ) -> None:
        applied(run, written(run, tmp_path / "c.json"))
        before = scores(run)["mine", "cat_0", 0, "composite.quality"]
        sidecar = run / "clips" / "mine" / "cat_0" / "0.json"
        shutil.copy(run / "clips/mine/dog_0/0.mp4", sidecar.with_name("0.mp4"))
        digest = scores(run)["mine", "dog_0", 0, "psnr"].clip
        sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | {"sha256": digest}))
        applied(run, None)
        after = scores(run)["mine", "cat_0", 0, "composite.quality"]
        assert after.status == "ok"
        assert after.clip == digest
        assert after.value != before.value

    @pytest.mark.slow
    def test_a_metric_of_another_definition_takes_the_number_away(
        self, run: Path, tmp_path: Path
    ) -> None:
        """Frames paired by number are another psnr, flicker and motion_mag."""
        file = written(run, tmp_path / "c.json")
        applied(run, file)
        score_run(run, NAMES, ModelSettings(), policy="index")
        row = scores(run)["mine", "cat_0", 0, "composite.quality"]
        assert (row.status, row.value) == ("failed", None)
        assert "was learned with definition" in str(row.reason)
        with pytest.raises(UserError, match=r"composite\.quality was learned with definition"):
            score_run(run, NAMES, ModelSettings(), policy="index", composite=file)

    def test_a_run_without_the_metric_is_refused_before_anything_is_scored(
        self, run: Path, tmp_path: Path
    ) -> None:
        file = written(run, tmp_path / "c.json")
        info = json.loads((run / "run.json").read_text())
        del info["metrics"]["flicker"]
        (run / "run.json").write_text(json.dumps(info))
        before = (run / "scores.jsonl").read_bytes()
        with pytest.raises(UserError, match="needs flicker, of which the run has no scores"):
            applied(run, file, ["psnr"])
        assert (run / "scores.jsonl").read_bytes() == before

    def test_simulated_ratings_are_in_every_name_row_and_definition(
        self, run: Path, tmp_path: Path
    ) -> None:
        applied(run, written(run, tmp_path / "c.json", simulated=True))
        row = scores(run)["mine", "cat_0", 0, "composite.quality.simulated"]
        assert "SIMULATED" in str(row.note)
        assert load_run(run).metrics[row.metric].definition.startswith("SIMULATED")
        assert json.loads((run / "run.json").read_text())["metrics"][row.metric]["simulated"]

    def test_the_run_it_was_learned_from_is_told_apart(self, run: Path, tmp_path: Path) -> None:
        suite = json.loads((run / "run.json").read_text())["suite"]["sha256"]
        applied(run, written(run, tmp_path / "c.json", suite=suite))
        note = scores(run)["mine", "cat_0", 0, "composite.quality"].note
        assert note == "learned from ratings of this suite: not held out here"

    def test_a_definition_reads_as_an_equation(self) -> None:
        terms = (Term("a", "x", "higher", 1, 2, 0.25), Term("b", "y", "lower", 1, 2, 0.125))
        learned_on = {"rated": 108, "sources": 12, "methods": 3}
        about = Provenance("suite", "0" * 64, "s", "0" * 64, raters=7)
        entry = AxisEntry(3.0, terms, learned_on=learned_on)
        one = Composite("quality", False, "id", about, entry)
        assert definition(one) == (
            "Predicted mean vote on quality (scale 1 to 5): 3.000 + 0.250 z(a) - 0.125 z(b); z by "
            "means and deviations of the run it was learned from: 7 raters, 108 edits of 12 source "
            "videos by 3 methods, study s."
        )


class TestCommand:
    @pytest.mark.slow
    def test_score_applies_a_file(self, run: Path, tmp_path: Path) -> None:
        file = written(run, tmp_path / "c.json")
        command = ["bench", "score", str(run), "--metrics", "psnr", "--composite", str(file)]
        done = CliRunner().invoke(program, [*command, "--workers", "1"])
        assert done.exit_code == 0, done.output
        assert "8 scores computed; now 15 ok, 1 do not apply" in done.output

    def test_a_bad_file_is_one_line(self, run: Path, tmp_path: Path) -> None:
        file = tmp_path / "c.json"
        file.write_text("{}")
        command = ["bench", "score", str(run), "--metrics", "psnr", "--composite", str(file)]
        done = CliRunner().invoke(program, command)
        assert isinstance(done.exception, UserError)
        assert str(done.exception) == f"{file} is no file of composite metrics"
