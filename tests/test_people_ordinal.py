"""Ordinal models in a report: turned as the means are, and said where there are none."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from fabricated_export import QUESTIONS, drawn, made_up, people

from reports.cli import report
from reports.page.paper import cited
from reports.people.build import build_study, people_parts
from reports.people.differences import gaps_of
from reports.people.ordinal import ordinal_part, ordinal_questions
from reports.summary import IntervalSettings
from reports.tables import NOTHING

THREE = ("beta", "alpha", "gamma")


def silent(_: str) -> None:
    pass


@pytest.mark.slow
def test_models_point_where_the_means_do(tmp_path: Path) -> None:
    """Votes of 3 + (0.9, 0, -0.2) + noise, 8 raters x 12 edits: the first method is ahead of both
    by more than four standard errors; the study lists methods in another order than the alphabet.
    The posterior difference in points is the difference of means within half its interval."""
    found = people(tmp_path, drawn((0.9, 0.0, -0.2)), methods=THREE, questions=QUESTIONS[:1])
    means = gaps_of(found, found.kept)
    for one in ordinal_questions(found, silent):
        assert [(gap.a, gap.b) for gap in one.gaps] == [
            ("beta", "alpha"), ("beta", "gamma"), ("alpha", "gamma")
        ]  # fmt: skip
        assert [gap.sign(0.05) for gap in one.gaps[:2]] == [1, 1]
        assert all(gap.better > 0.99 for gap in one.gaps[:2])
        for gap, mean in zip(one.gaps, means[one.question], strict=True):
            assert gap.low < gap.latent < gap.high
            assert gap.points_low < mean.mid < gap.points_high
            assert abs(gap.points - mean.mid) < (gap.points_high - gap.points_low) / 4
        assert one.mixing and one.mixing.rhat < 1.05


@pytest.mark.slow
def test_the_part_says_whether_the_models_agree_and_cites_them(tmp_path: Path) -> None:
    found = people(tmp_path, drawn((0.9, 0.0)), questions=QUESTIONS[:1])
    part = ordinal_part(found, silent)
    assert part
    assert part.found == (
        "Ordinal models: The cumulative link mixed model agrees with the means on the one "
        "comparison.",
    )
    (table,) = part.tables
    (row,) = table.rows
    assert row.label == "beta \N{MINUS SIGN} alpha"
    assert row.cells[0].best
    assert float(row.cells[0].main) > 0
    assert len(cited(list(part.done))) == 7
    assert list(part.frames[0][1]["a"]) == ["beta"]


@pytest.mark.slow
def test_a_method_that_got_the_best_grade_only_has_no_log_odds(tmp_path: Path) -> None:
    """Its effect has no bound; the prior still bounds the points."""

    def vote(rater: int, edit: int, method: int, question: int) -> float:
        return 5.0 if method == 0 else 2.0 + (rater + edit) % 3

    found = people(tmp_path, vote, questions=QUESTIONS[:1])
    part = ordinal_part(found, silent)
    assert part
    cells = part.tables[0].rows[0].cells
    assert cells[0].main == NOTHING
    assert "do not bound" in cells[0].small
    assert 1.5 < float(cells[2].main) < 2.5
    assert cells[3].main == ">0.999"


def test_votes_that_are_all_alike_are_a_note(tmp_path: Path) -> None:
    found = people(tmp_path, lambda *_: 3.0, questions=QUESTIONS[:1])
    part = ordinal_part(found, silent)
    assert part
    assert part.notes == ("alignment: need two grades and two methods, got 1 and 2.",)
    assert not part.tables


@pytest.mark.slow
def test_simulated_raters_are_stamped_and_the_fit_says_where_it_is(tmp_path: Path) -> None:
    export = made_up(tmp_path / "x", drawn((0.9, 0.0)), questions=QUESTIONS[:1], simulated=True)
    told: list[str] = []
    page, parts = build_study(
        export, tmp_path / "out", IntervalSettings(resamples=100), told.append
    )
    part = next(part for part in parts if part.id == "ordinal")
    assert part.stamped
    assert part.tables[0].name.startswith("simulated_")
    assert "Methods in pairs, by ordinal models" in page.read_text()
    assert told[0] == "alignment: cumulative link mixed model"
    assert told[-1] == "alignment: Gibbs sampler 6000/6000"


@pytest.mark.slow
def test_they_are_fitted_only_where_they_are_asked_for(tmp_path: Path) -> None:
    found = people(tmp_path, drawn((0.9, 0.0)), questions=QUESTIONS[:1])
    assert "ordinal" not in [part.id for part in people_parts(found)]


def test_a_run_without_a_study_has_no_votes_to_model(run_folder: Path) -> None:
    outcome = CliRunner().invoke(report, [str(run_folder), "--ordinal"])
    assert "--ordinal models ratings: name the study too" in str(outcome.exception)


@pytest.mark.parametrize("methods", [("alone",)])
def test_a_single_method_has_no_pairs(tmp_path: Path, methods: tuple[str, ...]) -> None:
    found = people(tmp_path, drawn((0.9,)), methods=methods)
    assert ordinal_part(found, silent) is None
