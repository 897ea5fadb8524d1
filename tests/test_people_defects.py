"""Where edits are broken, in a report: shares, kinds and agreement that were counted by hand."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from fabricated_export import HOW, drawn, people, write_export

from dreamix.core.errors import UserError
from reports.people.build import build_study
from reports.people.defects import defects_part
from reports.people.export import read_export

ASKED = {"defects": {"ask": True, "kinds": ["flicker", "distorted", "text"]}}


def marked(folder: Path, marks: list[dict[str, Any]], **said: Any) -> Path:
    """An export of 4 raters on 3 videos with one edit each, by beta and alpha, and these marks.

    A mark names rater, edit and method; the rest is as given here.
    """
    write_export(folder, drawn([0.5, 0]), raters=4, sources=3, edits_each=1, repeats=0, **said)
    study = yaml.safe_load((folder / "study.yaml").read_text())
    (folder / "study.yaml").write_text(yaml.safe_dump(study | ASKED))
    wide = pd.read_parquet(folder / "ratings_wide.parquet")
    rows = []
    for mark in marks:
        where = wide[["rater", "edit", "method"]] == [mark[k] for k in ("rater", "edit", "method")]
        trial = wide[where.all(axis=1)].iloc[0]
        facts = {"start_s": 0.0, "end_s": 1.0, "clip_s": 2.0, "x": None, "y": None, "width": None}
        facts |= {"height": None, "defect": "flicker", "severity": 2, "clip": "edit"}
        kept = {name: trial[name] for name in ("rater", "kind", "video", "edit", "trial")}
        rows.append(facts | kept | {k: v for k, v in mark.items() if k in facts})
    columns = [*facts, *kept] if marks else OF_NONE
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("x", "y", "width", "height"):
        frame[name] = frame[name].astype(float)
    frame.to_parquet(folder / "marks.parquet")
    return folder


OF_NONE = [
    *("rater", "kind", "video", "edit", "trial", "clip", "start_s", "end_s", "clip_s"),
    *("x", "y", "width", "height", "defect", "severity"),
]
BOX = {"x": 0.5, "y": 0.0, "width": 0.5, "height": 1.0}
BY_ALPHA = [
    {"rater": "r00", "edit": "v00_0", "method": "alpha"},
    {
        "rater": "r01",
        "edit": "v00_0",
        "method": "alpha",
        "start_s": 0.5,
        "end_s": 1.5,
        "severity": 3,
    },
    {"rater": "r01", "edit": "v00_0", "method": "alpha", "defect": "text", "end_s": 0.5, **BOX},
    {"rater": "r00", "edit": "v01_0", "method": "alpha", "defect": "distorted"},
]


def part(folder: Path) -> Any:
    from reports.people.outcome import people_of

    return defects_part(people_of(read_export(folder), HOW))


def test_shares_kinds_and_severity_are_those_that_were_marked(tmp_path: Path) -> None:
    """Alpha: 3 of 12 viewings, two of video 0's four and one of video 1's: (2/4 + 1/4 + 0)/3."""
    made = part(marked(tmp_path, BY_ALPHA))
    (table,) = made.tables
    beta, alpha = table.rows
    assert [cell.main for cell in beta.cells] == ["12", "0%", "\N{EN DASH}", "0%", "0%", "0%"]
    assert [cell.main for cell in alpha.cells] == ["12", "25%", "2.2", "17%", "8%", "8%"]
    (said,) = made.found
    assert said.startswith("Faults: raters marked one of beta in 0%")
    assert "alpha in 25% [" in said and "most often flicker (2 of 4 marks)" in said


def test_agreement_is_over_pairs_of_whom_one_marked(tmp_path: Path) -> None:
    """Video 0: r00 0-1 s, r01 0-1.5 s: 2/3; five pairs in all, the other four 0. Video 1: 0."""
    (said,) = part(marked(tmp_path, BY_ALPHA)).found
    assert "overlap by 0.07 [" in said and "(8 pairs on 2 clips)" in said
    by_hand = (2 / 3 / 5 + 0) / 2
    assert by_hand == pytest.approx(0.067, abs=0.001)


def test_excluded_raters_do_not_count(tmp_path: Path) -> None:
    (table,) = part(marked(tmp_path, BY_ALPHA, excluded=(0,))).tables
    assert [cell.main for cell in table.rows[1].cells][:2] == ["9", "11%"]


def test_nobody_marked_anything(tmp_path: Path) -> None:
    made = part(marked(tmp_path, []))
    assert made.found[0].startswith("Faults: nobody marked one in 24 viewings.")
    assert made.drawings == ()


def test_a_study_that_did_not_ask_says_nothing_of_it(tmp_path: Path) -> None:
    assert defects_part(people(tmp_path, drawn([0.5, 0]))) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"start_s": 1.5, "end_s": 1.0}, "a mark is not within its clip"),
        ({"end_s": 9.0}, "a mark is not within its clip"),
        ({"clip_s": 0.0}, "a mark is not within its clip"),
        ({"defect": None}, "column defect has empty cells"),
        ({"start_s": float("inf")}, "column start_s should hold numbers"),
    ],
)
def test_a_mark_that_is_none_is_one_line(tmp_path: Path, wrong: dict[str, Any], why: str) -> None:
    marked(tmp_path, [{**BY_ALPHA[0], **wrong}])
    with pytest.raises(UserError, match=why):
        read_export(tmp_path)


@pytest.mark.slow
def test_the_page_has_the_timelines_and_the_rows(tmp_path: Path) -> None:
    export = read_export(marked(tmp_path / "export", BY_ALPHA))
    page, _ = build_study(export, tmp_path / "out", HOW)
    assert 'id="defects"' in page.read_text()
    rows = pd.read_csv(next((tmp_path / "out").rglob("defects.csv")))
    assert len(rows) == 25, "24 viewings, one of them with two marks"
    assert rows["defect"].value_counts().to_dict() == {"flicker": 2, "text": 1, "distorted": 1}
