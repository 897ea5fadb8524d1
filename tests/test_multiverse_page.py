"""The page of a run under many protocols, by the command: sentences, figure, tables, files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chat_server import chat_server
from click.testing import CliRunner, Result
from fabricated_run import VIDEOS, fabricate
from small_suites import bring_four

from dreamix.core.errors import UserError
from evaluation.judge.frames import FramePolicy
from evaluation.judge.judge import JudgeSettings
from evaluation.score.scoring import score_run
from evaluation.settings import ModelSettings
from reports.cli import report
from reports.loading import load_run
from reports.multiverse.edit_scores import judges_of, resolved
from reports.multiverse.protocols import shipped_protocols

OWN = """protocols:
  - name: alignment-most
    groups:
      all: {of: [{metric: clip_t_gain, scale: [0, 1], weight: 6}, {metric: lpips, scale: [0, 1]}]}
  - name: fidelity-most
    groups:
      all: {of: [{metric: clip_t_gain, scale: [0, 1]}, {metric: lpips, scale: [0, 1], weight: 6}]}
"""
MORE = (*VIDEOS, "ve", "vf", "vg", "vh", "vi")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("multiverse")
    (folder / "own.yaml").write_text(OWN)
    return fabricate(folder / "run", MORE)


def command(run: Path, *options: str) -> Result:
    protocols = ["--protocols", str(run.parent / "own.yaml")]
    words = [str(run), "--no-media", "--resamples", "100", *options]
    return CliRunner().invoke(report, [*words, *protocols], catch_exceptions=False)


@pytest.fixture(scope="module")
def said(run: Path) -> str:
    return command(run, "--multiverse").output


@pytest.mark.slow
def test_the_command_says_a_sentence_of_every_pair(said: str) -> None:
    """alpha leads be_ta by .1 in clip_t_gain, trails by .3 in lpips, which is no metric of motion.

    6 x .1 - .3 > 0 > .1 - 6 x .3; on edits of motion clip_t_gain is alone, and alpha ahead.
    """
    assert "alpha against be_ta: the claim flips" in said
    assert "alpha under alignment-most, be_ta under fidelity-most" in said
    assert "alpha against gamma: alpha is better in all" in said


@pytest.mark.slow
def test_leads_of_the_file_are_those_of_the_formula(said: str, run: Path) -> None:
    table = pd.read_csv(run / "report" / "tables" / "multiverse_universes.csv")
    one = table[
        (table["protocol"] == "alignment-most")
        & (table["first"] == "alpha")
        & (table["second"] == "be_ta")
        & (table["failures"] == "dropped from both")
        & (table["average"] == "edits")
    ]
    # be_ta lacks a style edit: of 26 edits, 9 are of motion, which have clip_t_gain alone.
    assert one["lead"].tolist() == pytest.approx([(9 * 0.1 + 17 * (0.6 - 0.3) / 7) / 26])
    assert set(table["verdict"]) <= {"first", "second", "not told apart"}
    assert (table["p_holm"] >= table["p"] - 1e-12).all() and np.isfinite(table["low"]).all()


@pytest.mark.slow
def test_the_page_has_figure_tables_and_what_was_left_out(said: str, run: Path) -> None:
    folder = run / "report"
    page = (folder / "index.html").read_text()
    assert 'id="multiverse"' in page and "no independent evidence" in page
    assert (folder / "figures" / "multiverse_alpha_be_ta.pdf").is_file()
    for name in ("claims", "choices", "habit", "metrics", "protocols", "left_out"):
        assert (folder / "tables" / f"multiverse_{name}.tex").is_file()
    left = pd.read_csv(folder / "tables" / "multiverse_left_out.csv")
    assert set(left["protocol"]) >= {"ivebench-like", "five-like", "clip-only"}
    assert "simonsohn2020" in (folder / "methods" / "methods.md").read_text()


@pytest.mark.slow
def test_a_report_without_it_has_none(run: Path) -> None:
    with pytest.raises(UserError, match="--protocols are those of --multiverse"):
        command(run)
    done = CliRunner().invoke(report, [str(run), "--no-media", "--out", str(run.parent / "plain")])
    assert done.exit_code == 0 and "universes" not in done.output
    assert 'id="multiverse"' not in (run.parent / "plain" / "index.html").read_text()


def test_one_model_is_asked_under_two_frame_policies_and_what_is_there_stays(
    tmp_path: Path,
) -> None:
    made = bring_four(tmp_path)
    with chat_server() as server:
        for name, count in (("few", 2), ("many", 4)):
            judging = JudgeSettings(FramePolicy(count=count, side=64))
            judges = [f"{name}=openai:{server.url}#m"]
            score_run(made, [], ModelSettings(), judges=judges, judging=judging, workers=1)
    read = load_run(made)
    asked = [("few", "m", "2 of 64 px"), ("many", "m", "4 of 64 px")]
    assert judges_of(read) == [(*one, "not audited") for one in asked]
    kept, _ = resolved(read, shipped_protocols())
    scored = {(one.protocol.name, one.judge and one.judge.name) for one in kept}
    names = ("editverse-like", "openve-like", "viescore-like", "all-three")
    assert scored == {(name, judge) for name in names for judge in ("few", "many")}


def test_a_bad_file_ends_it_before_any_work(run: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("protocols:\n  - name: x\n    group: {}\n")
    words = [str(run), "--multiverse", "--protocols", str(bad), "--out", str(tmp_path / "out")]
    with pytest.raises(UserError, match="did you mean groups") as raised:
        CliRunner().invoke(report, words, catch_exceptions=False)
    assert f"{bad}:" in raised.value.lines[0] and not (tmp_path / "out").exists()
