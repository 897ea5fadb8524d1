"""The tables of a report as Markdown, LaTeX and CSV, and its summary in words."""

import csv
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fabricated_run import ERROR, EVIL

from dreamix.core.wording import listed
from reports.metrics.cost import cost_table
from reports.metrics.results import all_tables, axis_table
from reports.metrics.sentences import summary_sentences
from reports.page.files import markdown
from reports.page.latex import escape_latex, latex
from reports.summary import RunSummary

# ---- tables --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_markdown_table(summary: RunSummary) -> None:
    """Best in bold, anchors marked, n where an edit is missing, counts of failures at the end.

    be_ta lacks va_style (0.302 for alpha), so alpha is compared by (12 x 0.316 - 0.302) / 11.
    """
    lines = markdown(axis_table(summary, "alignment")).splitlines()
    assert lines[0] == "### Alignment with the prompt"
    assert lines[4] == "| method | `clip_t_gain` ↑ | scores | failed | n/a | missing |"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[6:]]
    assert [row[0] for row in cells] == [
        "alpha", "be\\_ta", "gamma", "*frozen-frame* (anchor)", "*unedited* (anchor)",
    ]  # fmt: skip
    assert cells[0][1].startswith("**0.317** [") and cells[0][1].endswith("; own 0.316 n=12")
    assert cells[1][1].endswith("n=11") and cells[1][2:] == ["11", "1", "0", "0"]


def test_latex_escapes_everything_it_would_read_as_a_command() -> None:
    assert escape_latex("a_b & 5% {x} $ # ~ ^ \\") == (
        r"a\_b \& 5\% \{x\} \$ \# \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escape_latex("line\nbreak [1]") == "line break {[}1]"


def test_latex_table_is_booktabs_with_grey_anchors(summary: RunSummary) -> None:
    text = latex(axis_table(summary, "fidelity"))
    assert r"\toprule" in text and r"\bottomrule" in text
    assert r"be\_ta & \textbf{0.2" in text
    assert r"\textcolor{gray}{unedited}" in text
    assert r"lpips $\downarrow$" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_tables_compile(summary: RunSummary, tmp_path: Path) -> None:
    tables = "\n".join(latex(table) for table in all_tables(summary))
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,xcolor}\\begin{document}\n"
        f"{tables}\n{escape_latex(EVIL)}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
def test_csv_holds_every_item_with_its_reason(made: Path, summary: RunSummary) -> None:
    with (made / "tables/items.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(summary.run.scores) == 72 * 4  # 6 clips of 12 edits, 4 metrics
    failed = [row for row in rows if row["status"] == "failed"]
    assert len(failed) == 4 and {row["reason"] for row in failed} == {f"no clip: {ERROR}"}
    assert all((row["value"] == "") == (row["status"] != "ok") for row in rows)
    with (made / "tables/scores.csv").open(newline="") as file:
        scores = {(row["method"], row["metric"]): row for row in csv.DictReader(file)}
    assert float(scores["alpha", "clip_t_gain"]["value"]) == pytest.approx(0.316)
    assert scores["unedited", "lpips"]["anchor"] == "True"


def test_cost_tells_finetuning_from_editing(summary: RunSummary) -> None:
    """gamma: 4 videos of 30 s, 24 clips of 2 s, so (120 + 48) / 60 = 2.8 min; alpha: 24 s."""
    rows = {row.label: [cell.main for cell in row.cells] for row in cost_table(summary.run).rows}
    assert rows["gamma"] == ["2.00", "30.0", "2.8", "100"]
    assert rows["alpha"] == ["2.00", "\N{EN DASH}", "0.4", "100"]


def test_clips_that_were_brought_in_tell_no_cost(summary: RunSummary) -> None:
    """Their seconds are those of copying a file."""
    from dataclasses import replace

    from reports.people.cost import cost_of

    origin = {"path": "/x.mp4", "files": 1, "size": 1, "state": "s", "sha256": "0" * 64}
    clips = {
        cell: replace(clip, origin=origin) if cell[0] == "gamma" else clip
        for cell, clip in summary.run.clips.items()
    }
    run = replace(summary.run, clips=clips)
    rows = {row.label: [cell.main for cell in row.cells] for row in cost_table(run).rows}
    assert rows["gamma"] == ["\N{EN DASH}"] * 4 and rows["alpha"][0] == "2.00"
    assert (cost_of(run, "gamma").clips, cost_of(run, "alpha").clips) == (0, 12)


def test_csv_of_clips_holds_what_methods_say_of_them(made: Path) -> None:
    with (made / "tables/clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72
    assert {row["noise_level"] for row in rows if row["method"] == "gamma"} == {"0.75"}
    assert {row["noise_level"] for row in rows if row["method"] == "alpha"} == {""}


# ---- words ---------------------------------------------------------------------------------------


def test_summary_says_what_was_done_and_nothing_beyond_the_intervals(summary: RunSummary) -> None:
    sentences = summary_sentences(summary)
    assert sentences[0] == (
        "3 methods and 2 anchors were compared on 12 edits of 4 source videos (made-up, version "
        "3), with 1 to 2 seeds an edit and 4 metrics (1 more could not be computed)."
    )
    assert sentences[1] == (
        "Of 72 clips, 71 were made and 1 failed (be_ta 1). Of 288 scores, 4 failed."
    )
    assert sentences[2].startswith(
        "Alignment: alpha has the highest mean clip_t_gain on the 11 edits that all 3 ranked "
        "methods have, 0.317 ["
    )
    assert (
        "0.100 [0.100, 0.100] ahead of be_ta, the next; that interval excludes zero" in sentences[2]
    )
    assert "Anchors with a better mean: frozen-frame and unedited." in sentences[3]
    assert sentences[-1].startswith("Trade-off: be_ta and alpha are on the Pareto front")
    assert not re.search(r"significan|clearly|outperform|superior", " ".join(sentences))


def test_listed() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
