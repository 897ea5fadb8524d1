"""`dreamix study power`: deviations of a pilot, what is found with them, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from small_study import PLAN, study

from dreamix.core.errors import UserError
from evaluation.stats.ratings import Deviations, detectable_difference, helped
from study_app.cli import power
from study_app.power import Aim, Pilot, planning_lines, read_pilot

DEVIATIONS = Deviations(0.3, 0.2, 0.6)
PILOT = Pilot(dict.fromkeys(("alignment", "fidelity", "quality"), DEVIATIONS), 40, 30, 999, False)


def write_pilot(folder: Path, votes: np.ndarray, simulated: bool = False) -> Path:
    """Write votes (raters, sources, methods) on one question as the table of an export."""
    rater, source, method = (axis.ravel() for axis in np.indices(votes.shape))
    table = pd.DataFrame(
        {
            "rater": [f"r{k}" for k in rater],
            "video": [f"v{k}" for k in source],
            "edit": [f"v{k}_0" for k in source],
            "method": [f"m{k}" for k in method],
            "question": "alignment",
            "value": votes.ravel(),
            "kind": "rating",
            "excluded": False,
            "simulated": simulated,
        }
    )
    folder.mkdir(exist_ok=True)
    table.to_parquet(folder / "ratings_long.parquet")
    return folder


def test_deviations_of_a_pilot_are_those_it_was_drawn_with(tmp_path: Path) -> None:
    """60 raters x 60 sources x 3 methods: s_mr = .5, s_ms = .3, answers .4; three sigma are 20%."""
    rng = np.random.default_rng(1)
    votes = 3 + rng.normal(0, 0.5, (60, 1, 3)) + rng.normal(0, 0.3, (1, 60, 3))
    votes = np.clip(votes + rng.normal(0, 0.4, (60, 60, 3)), 1, 5)
    found = read_pilot(write_pilot(tmp_path / "export", votes))
    assert found.deviations["alignment"][:3] == pytest.approx((0.5, 0.3, 0.4), rel=0.2)
    assert (found.raters, found.sources, found.votes) == (60, 60, 60 * 60 * 3)


def test_lines_say_what_the_equation_says() -> None:
    """40 raters, 12 sources, 120 votes a method (see test_study_power)."""
    found = detectable_difference(DEVIATIONS, 40, 12, 120)
    lines = planning_lines(study(), PLAN, PILOT, Aim(None))
    assert f"alignment   {found.difference:.2f} points" in lines
    assert lines[0] == "pilot       999 answers of 40 raters on 30 videos"
    of_24 = detectable_difference(DEVIATIONS, 24, 12, 72).difference
    assert f"{of_24:8.2f}" in lines[-1]


def test_raters_for_an_aim_find_it_and_one_fewer_does_not() -> None:
    wanted = 0.4
    lines = planning_lines(study(), PLAN, PILOT, Aim(wanted))
    needed = int(lines[-1].split()[1])
    of = lambda n: detectable_difference(DEVIATIONS, n, 12, n * 3).difference  # noqa: E731
    assert of(needed) <= wanted < of(needed - 1)


def test_an_aim_that_no_raters_reach_is_said() -> None:
    lines = planning_lines(study(), PLAN, PILOT, Aim(0.05))
    assert "take more sources" in lines[-1]


def test_a_pilot_of_simulated_or_few_raters_says_so() -> None:
    text = "\n".join(
        planning_lines(study(), PLAN, PILOT._replace(raters=5, simulated=True), Aim(1))
    )
    assert "5 SIMULATED raters" in text
    assert "take what follows as rough" in text


def test_without_a_pilot_the_guesses_are_called_guesses() -> None:
    lines = planning_lines(study(), PLAN, None, Aim(None))
    assert "guesses" in lines[0]
    assert "method x rater 0.25, method x video 0.35, answers 0.80" in lines[1]


def test_what_is_no_pilot_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no export of a study"):
        read_pilot(tmp_path)
    pairs = pd.DataFrame({"method_left": ["a"], "value": [1]})
    pairs.to_parquet(tmp_path / "ratings_long.parquet")
    with pytest.raises(UserError, match="pairwise"):
        read_pilot(tmp_path)
    with pytest.raises(UserError, match="no answers on fidelity"):
        planning_lines(study(), PLAN, Pilot({"alignment": DEVIATIONS}, 9, 9, 9, False), Aim(None))


def test_command_refuses_what_is_no_study(tmp_path: Path) -> None:
    done = CliRunner().invoke(power, [str(tmp_path)])
    assert isinstance(done.exception, UserError)
    assert "study.yaml" in str(done.exception)


def test_a_metric_leaves_less_to_sources_and_answers_and_nothing_to_raters() -> None:
    """r = .6 with 40 of 127 edits rated: 1 - .36 * 87 / 127 = .75339 of both variances is left."""
    found = helped(Deviations(0.25, 0.35, 0.8), 0.6, 40, 127)
    assert found.method_rater == 0.25
    assert found.method_source**2 == pytest.approx(0.1225 * 0.753386, rel=1e-5)
    assert found.answer**2 == pytest.approx(0.64 * 0.753386, rel=1e-5)
    assert helped(DEVIATIONS, 0.9, 40, 40) == DEVIATIONS, "where all are rated it says nothing"
    for wrong in ((1.0, 4, 9), (0.5, 10, 9), (0.5, 0, 9)):
        with pytest.raises(ValueError, match="need 0 <= r < 1 and 0 < rated <= edits"):
            helped(DEVIATIONS, *wrong)


def test_a_plan_with_a_metric_says_what_both_find_together() -> None:
    rated = len({item.edit for item in PLAN.of_kind("rating")})
    lines = planning_lines(study(), PLAN, PILOT, Aim(None, follows=0.6, edits=5 * rated))
    left = helped(DEVIATIONS, 0.6, rated, 5 * rated)
    found = detectable_difference(left, 40, 12, 120)
    assert lines[-1] == f"quality     {found.difference:.2f} points"
    assert lines[-4].startswith(f"with metric r 0.6 on {5 * rated} edits, {rated} of them rated")
    with pytest.raises(UserError, match=f"on more edits than the {rated} that are rated"):
        planning_lines(study(), PLAN, PILOT, Aim(None, follows=0.6, edits=rated))
    with pytest.raises(UserError, match="say how far it follows votes too, --r"):
        planning_lines(study(), PLAN, PILOT, Aim(None, edits=99))
