"""Simulated raters who follow a metric: merits by hand, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from fabricated_run import fabricate
from small_study import item, study

from dreamix.core.errors import UserError
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.simulate_command import metric_merit, metric_values


def other(_: Item, __: str) -> float:
    return 9.0


def test_merit_rises_by_the_slope_with_the_standardized_value() -> None:
    """Two clips, z = -1 and +1: means over many draws of e are 3 -+ 0.8; deviation of e is .5."""
    values = {"quality": {("a", "v0_0"): -1.0, ("b", "v0_0"): 1.0}}
    of = {
        m: [metric_merit(values, other, seed)(item("rating", "v0", "v0_0", m), "quality")
            for seed in range(400)]
        for m in "abc"
    }  # fmt: skip
    mean = {m: sum(found) / len(found) for m, found in of.items()}
    assert mean == pytest.approx({"a": 2.2, "b": 3.8, "c": 3.0}, abs=0.08), "c has no value"


def test_questions_that_follow_nothing_and_checks_are_as_before() -> None:
    merit = metric_merit({"quality": {}}, other, 0)
    assert merit(item("rating", "v0", "v0_0", "a"), "alignment") == 9.0
    trap = replace(item("trap", "v2", "v2_0", "2", "en"), expected={"quality": 2})
    assert merit(trap, "quality") == 9.0, "a trap asks for its own answer"


def test_the_merit_of_a_pair_is_the_lead_of_its_second_method() -> None:
    values = {"quality": {("a", "v0_0"): -1.0, ("b", "v0_0"): 1.0}}
    pair = replace(item("rating", "v0", "v0_0", "a"), methods=("a", "b"))
    leads = [metric_merit(values, other, seed)(pair, "quality") for seed in range(400)]
    assert sum(leads) / 400 == pytest.approx(1.6, abs=0.08)


def test_values_of_a_run_are_standardized_and_turned(tmp_path: Path) -> None:
    run = RunFolder(fabricate(tmp_path))
    methods = [m for m, facts in run.info.methods.items() if not facts.anchor]
    asked = study(**{"[a, b, c]": f"[{', '.join(methods)}]"})
    lower = next(n for n, f in run.info.metrics.items() if f.better == "lower")
    found = metric_values(asked, run, (f"quality={lower}",))["quality"]
    assert sum(found.values()) == pytest.approx(0, abs=1e-9)
    assert sum(z * z for z in found.values()) / len(found) == pytest.approx(1)
    rows = RunFolder(run.path).scores.read_text()
    assert lower in rows and {method for method, _ in found} <= set(methods)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("beauty=psnr", "does not ask for 'beauty'"),
        ("quality=pnsr", "has no scores of 'pnsr'"),
    ],
)
def test_what_cannot_be_followed_is_one_line(option: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        metric_values(study(), RunFolder(fabricate(tmp_path)), (option,))
