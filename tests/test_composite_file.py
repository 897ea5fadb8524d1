"""Composites as files: what is written is read, and what cannot be used is one line."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from composite_data import BETTER, NAMES, learned, origin

from dreamix.core.errors import UserError
from evaluation.score.composite_file import read_composites, write_composites


class Fact(NamedTuple):
    definition_id: str
    sign: int


FACTS = {name: Fact(f"id-{name}", 1 if BETTER[name] == "higher" else -1) for name in NAMES}


def written(path: Path) -> Path:
    write_composites(path, {"quality": learned()}, FACTS, origin())
    return path


@pytest.mark.slow
def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "composites.json"
    out = write_composites(path, {"quality": learned(), "alignment": learned(1)}, FACTS, origin())
    assert read_composites(path) == out
    assert [one.name for one in out] == ["composite.alignment", "composite.quality"]
    assert {term.metric for term in out[1].terms} == {"flicker", "motion_mag"}
    assert out[1].entry.unused == ("psnr",)
    assert path.stat().st_size < 20_000


def test_points_are_those_of_the_model_in_units_of_the_metric(tmp_path: Path) -> None:
    """Learned from -motion_mag, since lower was declared better; the file holds motion_mag."""
    found = learned()
    (one,) = read_composites(written(tmp_path / "c.json"))
    term = next(term for term in one.terms if term.metric == "motion_mag")
    means, scales, weights, *_ = found.model
    assert term.mean == -means[1]
    assert term.points(-means[1] - scales[1]) == pytest.approx(weights[1])


def test_it_says_how_it_was_learned(tmp_path: Path) -> None:
    document = json.loads(written(tmp_path / "c.json").read_text())
    assert document["format"] == 1
    assert document["simulated"] is False
    assert document["origin"]["suite_sha256"] == "ab" * 32
    assert document["origin"]["raters"] == 12
    axis = document["axes"]["quality"]
    assert axis["learned_on"] == {
        "methods": 3, "edits": 36, "sources": 12, "rated": 108, "imputed": {},
    }  # fmt: skip
    assert axis["held_out"]["statistics"][0]["verdict"]
    assert axis["sentence"].startswith("On held-out videos, the composite follows people on ")


@pytest.mark.slow
def test_equal_composites_are_equal_files(tmp_path: Path) -> None:
    one, other = (written(tmp_path / name) for name in ("a.json", "b.json"))
    assert one.read_bytes() == other.read_bytes()


def test_an_axis_without_weights_is_not_written(tmp_path: Path) -> None:
    found = learned()
    nothing = found._replace(model=found.model._replace(weights=np.zeros(3)))
    path = tmp_path / "c.json"
    both = {"quality": found, "alignment": nothing}
    assert [one.axis for one in write_composites(path, both, FACTS, origin())] == ["quality"]
    with pytest.raises(UserError, match="no metric follows the raters"):
        write_composites(tmp_path / "d.json", {"quality": nothing}, FACTS, origin())
    assert not (tmp_path / "d.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "else"}, "is no file of composite metrics"),
        ({"format": 2}, "has composite format 2; this version reads 1"),
        ({"simulated": "no"}, "simulated input should be a valid boolean"),
        ({"axes": {"beauty": {}}}, "axes.beauty"),
        ({"axes": {"quality": {"terms": []}}}, "axes.quality.intercept is missing"),
        (
            {"axes": {"quality": {"terms": [], "intercept": 3}}},
            "terms.*at least 1 item",
        ),
        (
            {"axes": {"quality": {"terms": [{"metric": "a"}], "intercept": 3}}},
            "definition_id is missing",
        ),
    ],
)
def test_damage_is_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = written(tmp_path / "c.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=message) as error:
        read_composites(path)
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scale", "weight"])
def test_a_term_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "c.json")
    document = json.loads(path.read_text())
    document["axes"]["quality"]["terms"][0][name] = -1
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=f"terms.0.{name} input should be greater than 0"):
        read_composites(path)


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no file"):
        read_composites(tmp_path / "none.json")


def test_a_metric_without_direction_cannot_be_written(tmp_path: Path) -> None:
    metrics = FACTS | {"flicker": Fact("id-flicker", 0)}
    with pytest.raises(ValueError, match="'flicker' needs a definition and a direction"):
        write_composites(tmp_path / "c.json", {"quality": learned()}, metrics, origin())
