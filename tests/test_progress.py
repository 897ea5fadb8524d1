"""Estimates of the time left: of the work that is told of, and of nothing before it."""

import pytest

from dreamix.core import progress
from dreamix.core.progress import Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is, to be changed."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_work_before_the_first_word_is_not_taken_for_a_pace(clock: list[float]) -> None:
    """45 s of tables, then 96 clips of a tenth of a second: not 96 times 45 s."""
    pace = Pace()
    clock[0] += 45
    assert pace.left(0, 96, None) == ""
    clock[0] += 0.1
    assert pace.left(1, 96, None) == f"about {95 * 0.1 / 60:.1f} min left"


def test_what_was_done_before_is_no_pace_either(clock: list[float]) -> None:
    """A run goes on at 500 of 600: 10 in 60 s, so the other 90 take 9 minutes."""
    pace = Pace()
    assert pace.left(500, 600, None) == ""
    clock[0] += 60
    assert pace.left(510, 600, None) == "about 9.0 min left"


def test_who_knows_better_is_believed(clock: list[float]) -> None:
    pace = Pace()
    assert pace.left(0, 10, 120.0) == "about 2.0 min left"
    assert pace.left(0, 10, float("nan")) == ""
    assert pace.left(5, 10, 7200.0) == "about 2.0 h left"


def test_a_log_is_told_nothing_wrong(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress_bar("clips") as update:
        clock[0] += 45
        update(0, 96)
        assert capsys.readouterr().err == ""
        clock[0] += 1
        update(10, 96)
        clock[0] += 31
        update(90, 96)
    assert capsys.readouterr().err == (
        "clips: 10 of 96, about 0.1 min left\nclips: 90 of 96, about 0.0 min left\n"
    )
