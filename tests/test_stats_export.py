"""A study with simulated raters, exported, read and analysed: the truth comes out again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_study import study
from sqlalchemy import event
from study_database import opened
from study_people import opened_in

from evaluation.stats.ratings import (
    Ratings,
    compare_methods,
    method_scores,
    read_ratings,
    success,
    votes_on,
)
from study_app.export.writing import export
from study_app.simulated_raters import Crowd, method_merit, simulate

MEANS = {"a": 2.5, "b": 3.0, "c": 3.5}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long table of the ratings of 30 careful raters, without its suffix."""
    folder = tmp_path_factory.mktemp("study")
    with opened(f"sqlite:///{folder / 'study.db'}") as database:
        event.listen(database.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous=OFF"))
        database.engine.dispose()  # connect anew, and do not wait for the disk
        running = opened_in(folder, database, study())
        simulate(running, Crowd(raters=30, careless=0), method_merit(running, MEANS), seed=1)
        return export(running, None, 0).folder / "simulated_ratings_long"


@pytest.fixture
def ratings(exported: Path) -> Ratings:
    return read_ratings(pd.read_csv(exported.with_suffix(".csv")))


@pytest.mark.slow
def test_both_kinds_of_file_say_the_same(exported: Path, ratings: Ratings) -> None:
    again = read_ratings(pd.read_parquet(exported.with_suffix(".parquet")))
    assert again.value.tolist() == ratings.value.tolist()
    assert again.raters == ratings.raters and again.left_out == ratings.left_out


@pytest.mark.slow
def test_the_truth_comes_out_at_the_other_end(ratings: Ratings) -> None:
    """30 raters give each of 72 clips a few votes; standard errors of means are about .1."""
    assert ratings.simulated and ratings.methods == ("a", "b", "c")
    assert ratings.questions == ("alignment", "fidelity", "quality")
    assert len(ratings.sources) == 12 and ratings.left_out.checks > 0
    found = method_scores(votes_on(ratings, "quality"))
    assert found.mos == pytest.approx(list(MEANS.values()), abs=0.4)
    truth = np.array(list(MEANS.values()))
    assert ((found.low - 0.2 < truth) & (truth < found.high + 0.2)).all()
    pairs = {(one.question, one.a, one.b): one for one in compare_methods(ratings)}
    assert len(pairs) == 9
    assert pairs["quality", "a", "c"].p_holm < 0.05
    assert pairs["quality", "a", "c"].superiority.found.mid > 0.6
    shares = success(ratings).items.share
    assert shares[0] < shares[1] < shares[2]
