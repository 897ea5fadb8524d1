"""What raters said, in the parts of a report: numbers by hand, every size of study, no names."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fabricated_export import HOW, QUESTIONS, drawn, made_up, people

from evaluation.stats.ratings import success
from reports.page.files import write_parts
from reports.page.paper import cited
from reports.parts import ReportPart
from reports.people.build import people_parts
from reports.people.comparisons import comparisons_part
from reports.people.mos import mos_part
from reports.people.outcome import People, people_of
from reports.people.success import plateaus, success_part
from reports.people.vote_categories import categories_part
from reports.people.votes import density, votes_part
from reports.tables import NOTHING, Table

MINUS = "\N{MINUS SIGN}"


def plain(rater: int, edit: int, method: int, question: int) -> float:
    """4 for method 0 and 2 for method 1; on the odd edits, which are `style`, one less of both."""
    return float(4 - 2 * method - edit % 2)


def table_of(tables: tuple[Table, ...], name: str) -> Table:
    return next(table for table in tables if table.name == name)


def frame_of(frames: tuple[tuple[str, pd.DataFrame], ...], name: str) -> pd.DataFrame:
    return next(frame for key, frame in frames if key == name)


def comparisons(found: People) -> ReportPart:
    part = comparisons_part(found)
    assert part
    return part


def test_the_table_has_means_success_and_counts_by_hand(tmp_path: Path) -> None:
    """Sources have one edit of each category: (4 + 3) / 2 and (2 + 1) / 2; all 12 edits of beta and
    none of alpha are above 2.5. 8 raters x 12 edits = 96 votes. Rows in the study's order."""
    table = mos_part(people(tmp_path, plain)).tables[0]
    assert [head.text for head in table.head] == [
        *QUESTIONS, "success", "votes succeed", "votes", "raters", "sources", "items",
    ]  # fmt: skip
    beta, alpha = table.rows
    assert (beta.label, alpha.label) == ("beta", "alpha")
    assert [cell.main for cell in beta.cells] == [
        "3.50", "3.50", "3.50", "100%", "100%", "96", "8", "6", "12",
    ]  # fmt: skip
    assert [cell.main for cell in alpha.cells[:5]] == ["1.50", "1.50", "1.50", "0%", "0%"]
    assert [cell.best for cell in beta.cells[:4]] == [True] * 4
    assert not any(cell.best for cell in alpha.cells)
    assert (beta.cells[3].mark, alpha.cells[3].mark) == ("a", "b"), "sign test, 6 sources: .031"


def test_the_table_of_everyone_has_the_excluded_votes_too(tmp_path: Path) -> None:
    """Rater 0 says 5 to alpha, 7 others 2 or 1: (5 + 7 * 1.5) / 8 = 1.94; without them 1.50."""

    def vote(rater: int, edit: int, method: int, question: int) -> float:
        return 5.0 if method and not rater else plain(rater, edit, method, question)

    part = mos_part(people(tmp_path, vote, excluded=(0,)))
    assert part.tables[0].rows[1].cells[0].main == "1.50"
    (everyone,) = part.folded
    assert everyone.name == "mos_everyone" and everyone.rows[1].cells[0].main == "1.94"
    frame = frame_of(part.frames, "mos")
    row = frame[(frame["who"] == "everyone") & (frame["method"] == "alpha")].iloc[0]
    assert row["value"] == pytest.approx(15.5 / 8)


def test_a_single_method_has_no_letters_and_no_comparisons(tmp_path: Path) -> None:
    found = people(tmp_path, drawn([0.0]), methods=("only",))
    part = mos_part(found)
    assert all(not cell.mark and not cell.best for cell in part.tables[0].rows[0].cells)
    assert "letter" not in part.tables[0].caption + " ".join(part.done)
    assert comparisons_part(found) is None


@pytest.mark.slow
def test_pairs_read_the_same_whichever_method_stands_first(tmp_path: Path) -> None:
    """The study's order decides who is subtracted: differences, both intervals and P(better) turn,
    p does not. Alphabetical order of labels, that of the statistics, is neither."""
    votes = drawn([0.6, 0.0])
    one = people(tmp_path / "a", votes, methods=("x", "y"))
    turned = people(tmp_path / "b", lambda r, e, m, q: votes(r, e, 1 - m, q), methods=("y", "x"))
    first, second = (frame_of(comparisons(found).frames, "comparisons") for found in (one, turned))
    assert (first["a"] == "x").all() and (second["a"] == "y").all()
    for low, high in (("low", "high"), ("boot_low", "boot_high")):
        np.testing.assert_allclose(first[low], -second[high], atol=1e-12)
    np.testing.assert_allclose(first["mid"], -second["mid"], atol=1e-12)
    np.testing.assert_allclose(first["better"], 1 - second["better"], atol=1e-12)
    np.testing.assert_allclose(first["p_holm"], second["p_holm"], atol=1e-12)


def test_shares_of_votes_by_hand(tmp_path: Path) -> None:
    """Beta gets 4 on half of the edits and 3 on the others."""
    part = votes_part(people(tmp_path, plain))
    shares = frame_of(part.frames, "vote_shares").set_index(["question", "method", "vote"])["share"]
    shares = shares.sort_index()
    assert shares["quality", "beta"].tolist() == [0, 0, 0.5, 0.5, 0]
    assert shares["quality", "alpha"].tolist() == [0.5, 0.5, 0, 0, 0]
    items = frame_of(part.frames, "item_mos")
    assert len(items) == 3 * 24 and set(items["mos"]) == {1, 2, 3, 4}


def test_a_violin_ends_at_the_values_and_is_one_at_its_widest() -> None:
    """Symmetric values have a symmetric density; equal ones are a bar of a tenth of a point."""
    points, width = density(np.array([1.0, 2, 2, 3, 3, 3, 4, 4, 5]))
    assert (points[0], points[-1], width.max()) == (1, 5, 1)
    np.testing.assert_allclose(width, width[::-1], atol=1e-12)
    assert density(np.full(4, 3.0))[0].tolist() == [2.95, 3.05]
    assert density(np.array([2.0]))[1].tolist() == [1, 1]


def test_the_sweep_is_success_at_every_threshold(tmp_path: Path) -> None:
    """Beta's items are 4 and 3: all above 2.9, half above 3.0 (strictly) to 3.9, none above 4."""
    found = people(tmp_path, plain)
    part = success_part(found)
    assert part
    frame = frame_of(part.frames, "success_sweep").set_index(["method", "level", "threshold"])
    frame = frame.sort_index()
    share = frame["share"]["beta", "items"]
    assert [share[t] for t in (1.5, 2.9, 3.0, 3.9, 4.0, 4.5)] == [1, 1, 0.5, 0.5, 0, 0]
    assert len(share) == 31
    direct = success(found.kept.ratings, 3.4)
    at = found.kept.ratings.methods.index("alpha")
    assert frame.loc[("alpha", "votes", 3.4), "high"] == direct.votes.high[at]


def test_plateaus_are_runs_of_equal_shares() -> None:
    assert plateaus(np.array([1, 1, 0.5, 0.5, 0.5, 0])) == [(0, 1), (2, 4), (5, 5)]
    assert plateaus(np.array([np.nan, np.nan])) == []


def test_mean_votes_by_category_by_hand(tmp_path: Path) -> None:
    """Even edits are `motion` (4), odd ones `style` (3); six sources each are too few to judge."""
    part = categories_part(people(tmp_path, plain))
    assert part
    table = table_of(part.folded, "mos_categories_quality")
    assert [head.text for head in table.head] == ["motion", "style", "all"]
    assert [cell.main for cell in table.rows[0].cells] == ["4.00", "3.00", "3.50"]
    assert table.rows[0].cells[0].small.endswith("n=6")
    assert (
        "motion 6 and style 6. With fewer than 10, motion and style have too few for a"
        in part.notes[0]
    )
    single = people(tmp_path / "b", plain, edits_each=1)
    export = single.export
    export.long["category"] = "motion"
    assert categories_part(single) is None


SIZES: dict[str, dict[str, object]] = {
    "eight methods": {"methods": tuple(f"method-with-a-long-name-{k}" for k in range(8))},
    "one method": {"methods": ("only",)},
    "one question": {"questions": ("quality",)},
    "one rater": {"raters": 1},
    "one source": {"sources": 1, "edits_each": 3},
    "two items": {"raters": 2, "sources": 2, "edits_each": 1, "repeats": 0},
    "a rater sees one method": {"shared": False, "methods": ("a", "b", "c"), "raters": 9},
    "one rater is left": {"raters": 3, "excluded": (0, 1)},
}


@pytest.mark.slow
@pytest.mark.parametrize("equal", [False, True], ids=["drawn", "equal"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.filterwarnings("error")
def test_every_size_of_study_has_its_parts(size: str, equal: bool, tmp_path: Path) -> None:
    """No warning, no NaN in a cell, every citation known, every figure drawn."""
    vote = (lambda *_: 3.0) if equal else drawn(np.linspace(1, -1, 8).tolist())
    parts = people_parts(people(tmp_path / "export", vote, **SIZES[size]))
    drawings = [drawing for part in parts for drawing in part.drawings]
    assert len(drawings) == (5 if size == "one method" else 6)
    for drawing in drawings:
        drawing.figure.draw_without_rendering()
    assert {entry.key for entry in cited([text for part in parts for text in part.done])}
    for part in parts:
        for table in (*part.tables, *part.folded):
            texts = [t for row in table.rows for c in row.cells for t in (c.main, c.small)]
            assert all("nan" not in text and "inf" not in text for text in texts), table.name
            assert all(len(row.cells) == len(table.head) for row in table.rows)
        assert all("nan" not in text for text in (*part.found, *part.notes))


@pytest.mark.slow
def test_a_figure_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    found = people(tmp_path / "export", drawn([0.5, 0]), excluded=(1,))
    for name in ("a", "b"):
        write_parts(people_parts(found), tmp_path / name)
    one, other = (
        {path.name: path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))}
        for name in ("a", "b")
    )
    assert one == other and len(one) > 30


@pytest.mark.slow
def test_all_that_simulated_raters_said_is_stamped(tmp_path: Path) -> None:
    parts = people_parts(people(tmp_path, drawn([0.5, 0]), simulated=True))
    for part in parts:
        assert part.stamped
        assert all(drawing.name.startswith("simulated_") for drawing in part.drawings)
        assert all(table.caption.startswith("SIMULATED") for table in part.tables + part.folded)
        assert all(frame["simulated"].all() for _, frame in part.frames)
        assert all("(simulated raters)" in text for text in part.found)


def test_a_question_without_votes_is_left_out(tmp_path: Path) -> None:
    export = made_up(tmp_path, drawn([0.5, 0]))
    kept = export.long[export.long["question"] != "fidelity"]
    object.__setattr__(export, "long", kept)
    found = people_of(export, HOW)
    assert found.questions == ["alignment", "quality"]
    assert [text.split(":")[0] for text in mos_part(found).found][:3] == [
        "Alignment", "Quality", "Success",
    ]  # fmt: skip


def test_success_counts_no_edit_that_lacks_a_question(tmp_path: Path) -> None:
    """Nobody answered for the quality of alpha: its success is not known, nor can be compared."""
    export = made_up(tmp_path, plain)
    long = export.long
    gone = (long["question"] == "quality") & (long["method"] == "alpha")
    object.__setattr__(export, "long", long[~gone])
    found = people_of(export, HOW)
    part = mos_part(found)
    alpha = part.tables[0].rows[1]
    assert [cell.main for cell in alpha.cells[2:5]] == [NOTHING] * 3
    text = next(text for text in part.found if text.startswith("Success"))
    assert text == (
        "Success: No difference can be tested: no edit in common (beta 100% and alpha no votes)."
    )
