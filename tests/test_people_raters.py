"""What a report says of its raters: counts, agreement, flags, the rater model, and no names."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fabricated_export import drawn, people
from simulated_ratings import votes_of

from evaluation.stats.ratings import debiased_mos, rater_model
from reports.page.latex import latex
from reports.parts import ReportPart
from reports.people.build import people_parts
from reports.people.outcome import People
from reports.people.rater_numbers import agreed, screened
from reports.people.raters import raters_part
from reports.tables import Table


def steady(rater: int, edit: int, method: int, question: int) -> float:
    """Everyone agrees: 1 to 5 by the edit, whatever the method."""
    return float(1 + edit % 5)


def table_of(part: ReportPart, name: str) -> Table:
    return next(table for table in (*part.tables, *part.folded) if table.name == name)


def counts(found: People) -> dict[str, str]:
    return {row.label: row.cells[0].main for row in table_of(raters_part(found), "raters").rows}


def test_who_took_part_by_hand(tmp_path: Path) -> None:
    """8 raters, of whom 2 and 5 failed their only trap; each 24 ratings and a repeat: 200 trials.
    Minutes are 10 to 17: median 13.5, quartiles 11.75 and 15.25."""
    found = people(tmp_path, steady, excluded=(2, 5))
    said = counts(found)
    assert said["raters who came"] == said["finished"] == "8"
    assert said["excluded"] == said["excluded for failing a trap clip"] == "2"
    assert said["raters whose votes count"] == "6"
    assert said["failed a trap clip"] == "2 of 8"
    assert said["trials watched to 95% or more"] == "200 of 200"
    assert said["trials that did not play"] == "0 of 200"
    assert said["minutes of those who finished, median"] == "13.5"
    assert "failed a trial with a known answer" not in said, "there was none"
    (text,) = raters_part(found).found
    assert text.startswith("Raters: Of 8 raters who came, 8 rated and 6 count (2 were excluded). ")
    assert "Their agreement (Krippendorff's alpha) is 1.00 [1.00, 1.00] on alignment" in text


def test_clips_that_stalled_or_did_not_play_are_counted(tmp_path: Path) -> None:
    found = people(tmp_path, steady)
    own = found.export.wide.index[found.export.wide["kind"] == "rating"]
    found.export.wide.loc[own[:3], "stalls"] = 2
    found.export.wide.loc[own[3:5], "coverage"] = 0.5
    found.export.wide.loc[own[5:6], "state"] = "unplayable"
    said = counts(found)
    assert said["trials in which a clip stalled"] == "3 of 199"
    assert said["trials watched to 95% or more"] == "197 of 199"
    assert said["trials that did not play"] == "1 of 200"


def test_repeats_are_held_against_the_first_answer_of_the_same_rater(tmp_path: Path) -> None:
    """Eight repeats alike; one of them is made one point higher and one two: 6 of 8 exact, 7 of 8
    within one, mean change 3 / 8. Those of an excluded rater do not count."""
    found = people(tmp_path, steady)
    long = found.export.long
    again = long.index[(long["kind"] == "repeat") & (long["question"] == "quality")]
    long.loc[again[0], "value"] += 1
    long.loc[again[1], "value"] += 2
    retest = agreed(found, "quality").retest
    assert (retest.pairs, retest.exact, retest.within_one) == (8, 6 / 8, 7 / 8)
    assert retest.mean_change == 3 / 8
    long.loc[long["rater"] == "r01", "excluded"] = True
    assert agreed(found, "quality").retest.pairs == 7
    cells = table_of(raters_part(people(tmp_path / "b", steady, repeats=0)), "agreement").rows[0]
    assert cells.cells[4].small == "no repeats"


def test_a_straight_line_is_a_flag_and_no_exclusion(tmp_path: Path) -> None:
    """Rater 3 always says 3: flagged by that rule alone on every question, and still counted."""

    def vote(rater: int, edit: int, method: int, question: int) -> float:
        return 3.0 if rater == 3 else steady(rater, edit, method, question)

    found = people(tmp_path, vote)
    flagged = np.flatnonzero(screened(found, "quality").flags["straight line"])
    assert [found.kept.ratings.raters[one] for one in flagged] == [
        sorted(found.kept.ratings.raters)[3]
    ]
    row = next(
        row for row in table_of(raters_part(found), "rater_flags").rows if row.label[0] == "s"
    )
    assert [(cell.main, cell.small) for cell in row.cells] == [("1", "1 counts")] * 4
    assert len(found.kept.ratings.raters) == 8


def test_excluded_raters_are_shown_with_the_others(tmp_path: Path) -> None:
    """Rater 0 is one point severe on half of the scale's room, and excluded: the figure's numbers
    have them, agreement and scores have not."""

    def vote(rater: int, edit: int, method: int, question: int) -> float:
        return float(2 + edit % 3 + (0 if rater else -1))

    found = people(tmp_path, vote, excluded=(0,))
    bias = screened(found, "quality").bias
    assert len(bias) == 8 and bias.min() < -0.8 and bias.sum() == pytest.approx(0, abs=1e-9)
    assert agreed(found, "quality").alpha.mid == 1
    frame = dict(raters_part(found).frames)["raters"]
    assert frame.groupby("rater")["excluded"].first().tolist() == [True] + [False] * 7


def test_the_model_takes_out_a_bias_that_met_one_method_more() -> None:
    """Truth 3 for both methods, 4 sources. Raters 0 and 1 rate all; rater 2, two points generous,
    rates method 1 only, and so lifts its plain MOS by 2 / 3. By the model both are alike but for
    what shrinking leaves: within .1. All biases centred, both lie above 3 by a mean bias."""
    rows = [(r, s, m) for s in range(4) for r in (0, 1) for m in (0, 1)]
    rows += [(2, s, 1) for s in range(4)]
    rater, source, method = np.array(rows).T
    value = 3.0 + 2 * (rater == 2)
    design = {"rater": rater, "source": source, "edit": source, "method": method}
    votes = votes_of(design, value)
    plain = pd.Series(value).groupby(method).mean()
    assert plain[1] - plain[0] == pytest.approx(2 / 3)
    model = rater_model(votes.value, votes.item, votes.rater)
    scores = debiased_mos(votes, model)
    assert abs(scores[1] - scores[0]) < 0.1


def test_without_biases_the_model_is_the_plain_score(tmp_path: Path) -> None:
    """Everyone agrees, so all weights and biases are alike: equal to the MOS to 1e-9."""
    found = people(tmp_path, steady)
    np.testing.assert_allclose(
        agreed(found, "quality").modelled, found.kept.scores["quality"].mos, atol=1e-9
    )


@pytest.mark.slow
def test_few_votes_are_warned_of(tmp_path: Path) -> None:
    """24 votes a question are below 30, 36 are not."""
    assert "8 of 8 raters gave fewer than 30" in raters_part(people(tmp_path, steady)).notes[0]
    assert raters_part(people(tmp_path / "b", steady, sources=9)).notes == ()


def test_raters_are_pseudonyms_in_files_and_nobody_in_figures(tmp_path: Path) -> None:
    found = people(tmp_path, drawn([0.5, 0]), excluded=(2,))
    part = raters_part(found)
    frame = dict(part.frames)["raters"]
    assert set(frame["rater"]) == {f"r{k:02d}" for k in range(8)}
    assert not {"window_width", "phone", "language", "minutes"} & set(frame)
    texts = [
        text.get_text() for text in part.drawings[0].figure.findobj() if hasattr(text, "get_text")
    ]
    assert not any(text.startswith("r0") for text in texts)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no TeX here: needs pdflatex")
def test_every_table_compiles_with_eight_long_names(tmp_path: Path) -> None:
    methods = tuple(f"method_{k}_with_a_long_name" for k in range(8))
    parts = people_parts(people(tmp_path / "e", drawn([0.1] * 8), methods=methods, excluded=(1,)))
    tables = [latex(table) for part in parts for table in (*part.tables, *part.folded)]
    body = "\\clearpage\n".join(tables)
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage[margin=2cm]{geometry}"
        f"\\usepackage{{booktabs,xcolor}}\\begin{{document}}\n{body}\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    wide = [line for line in done.stdout.splitlines() if line.startswith("Overfull \\hbox")]
    assert not wide, wide
