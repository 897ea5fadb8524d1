"""What a report says of a pairwise study: preferences by hand, ties, sides, stamps, refusals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dreamix.core.errors import UserError
from reports.parts import STAMP, WARNING
from reports.people.build import build_study, study_results
from reports.people.export import PREFIX, TABLES, read_export
from reports.people.export import TABLES as COLUMNS
from reports.people.pairs import pairs_of
from reports.people.preferences import preferences_part
from reports.summary import IntervalSettings
from reports.tables import NOTHING

HOW = IntervalSettings(resamples=200)
QUESTIONS = ("alignment", "quality")
SIDES = ("method_left", "method_right")


def choices(wins: int, ties: int, losses: int, raters: int = 10) -> pd.DataFrame:
    """Choices between a and b: so many of each a rater for each side and question, a video each.

    Which video gets which outcome rotates from rater to rater.
    """
    rows = []
    for question in QUESTIONS:
        for rater in range(raters):
            outcomes = [*[1] * wins, *[0] * ties, *[-1] * losses]
            outcomes = outcomes[rater % len(outcomes) :] + outcomes[: rater % len(outcomes)]
            for place, (outcome, left) in enumerate((o, s) for o in outcomes for s in "ab"):
                rows.append(
                    {
                        "rater": f"r{rater}",
                        "video": f"v{place}",
                        "edit": f"v{place}_0",
                        "category": "style",
                        "method_left": left,
                        "method_right": "b" if left == "a" else "a",
                        "question": question,
                        "value": -outcome if left == "a" else outcome,  # -1: left
                        "kind": "rating",
                        "excluded": rater == raters - 1,
                    }
                )
    return pd.DataFrame(rows)


def write(
    folder: Path, long: pd.DataFrame, simulated: bool = False, methods: Sequence[str] = ("b", "a")
) -> Path:
    """Write the export of a pairwise study with these answers."""
    folder.mkdir()
    raters = long.groupby("rater", as_index=False)["excluded"].first()
    raters = raters.assign(finished=True, traps_failed=0, gold_failed=0)
    plan = long[["video", "edit"]].drop_duplicates().assign(kind="rating")
    tables = {"ratings_long": long, "raters": raters, "plan": plan}
    for name in TABLES:
        empty = pd.DataFrame({column: pd.Series(dtype=str) for column in COLUMNS[name].split()})
        frame = tables.get(name, empty)
        frame = frame.assign(simulated=simulated)
        frame.to_parquet(folder / f"{PREFIX * simulated}{name}.parquet")
    study = {"name": "pairs", "design": "pairwise", "methods": list(methods), "version": "1"}
    study |= {"questions": list(QUESTIONS), "exclusion": {"failed_traps": 1}}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder


def test_preference_is_wins_and_half_the_ties(tmp_path: Path) -> None:
    """3 wins, 2 ties, 1 loss of 6, sides balanced: P = 3/6 + 2/12 = 67% (closed form for two)."""
    export = read_export(write(tmp_path / "export", choices(3, 2, 1)))
    part = preferences_part(pairs_of(export, HOW))
    assert part.found[0].startswith("Alignment: Raters prefer a over b (67% [")
    table = next(table for table in part.tables if table.name == "preferences_alignment")
    assert [row.label for row in table.rows] == ["b", "a"], "in the study's order"
    assert [cell.main for cell in table.rows[1].cells] == ["67%", NOTHING]
    assert table.rows[1].cells[0].best and not table.rows[0].cells[1].best
    model = next(table for table in part.tables if table.name == "preference_model")
    assert [cell.main for cell in model.rows[0].cells][:5] == ["108", "9", "12", "33%", "1.00"]
    pair = next(table for table in part.tables if table.name == "preference_pairs_alignment")
    assert [row.label for row in pair.rows] == ["b \N{MINUS SIGN} a"]
    assert pair.rows[0].cells[0].main == f"\N{MINUS SIGN}{np.log(3):.2f}", "log odds of 1 to 3"
    assert pair.rows[0].cells[3].main == "108"
    assert part.folded, "the excluded rater's choices count in a table of its own"


def test_a_method_of_one_question_alone_has_its_line_in_the_figure(tmp_path: Path) -> None:
    """`c` was held against `a` on alignment only and `d` on quality only."""
    both = choices(3, 2, 1)
    other = both.assign(**{side: both[side].replace("b", "c") for side in SIDES})
    more = [
        other.assign(**{side: other[side].replace("c", name) for side in SIDES})[
            other["question"] == question
        ]
        for name, question in (("c", "alignment"), ("d", "quality"))
    ]
    folder = write(tmp_path / "export", pd.concat([both, *more]), methods=["b", "d", "a", "c"])
    part = preferences_part(pairs_of(read_export(folder), HOW))
    axes = part.drawings[0].figure.axes
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["b", "d", "a", "c"]
    rows = {t.name: [row.label for row in t.rows] for t in part.tables}
    assert rows["preferences_alignment"] == ["b", "a", "c"]
    assert rows["preferences_quality"] == ["b", "d", "a"]


def test_one_rater_tests_no_preference(tmp_path: Path) -> None:
    """3 wins, 2 ties, 1 loss of 6: P = 3/6 + 2/12 = 67%; one rater has no p and no interval."""
    table = choices(3, 2, 1, raters=2)  # the last one is excluded
    part = preferences_part(pairs_of(read_export(write(tmp_path / "export", table)), HOW))
    assert part.found[0] == (
        "Alignment: No preference can be tested: one rater says nothing about others (a over "
        "b 67%)."
    )
    shown = [c.main + c.small for t in part.tables for row in t.rows for c in row.cells]
    assert not any("nan" in text for text in shown)


def test_p_is_adjusted_over_both_questions(tmp_path: Path) -> None:
    """Both questions have the same choices, so Holm doubles the one p that there is."""
    found = pairs_of(read_export(write(tmp_path / "export", choices(3, 2, 1))), HOW)
    for one in found.kept:
        assert one.p_holm[0, 1] == pytest.approx(2 * one.gaps[0].difference.p)


def test_no_preference_is_said_to_be_none(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(2, 1, 2)))
    found = preferences_part(pairs_of(export, HOW)).found
    assert found[0] == "Alignment: No preference is shown."


def test_a_method_that_always_wins_has_no_strength_and_the_report_says_why(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(3, 0, 0)))
    part = preferences_part(pairs_of(export, HOW))
    assert part.found[0].startswith("Alignment: No strengths can be estimated: ")
    assert not part.drawings


@pytest.mark.slow
def test_simulated_choices_are_stamped_in_every_form(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(3, 2, 1), simulated=True))
    page, parts = build_study(export, tmp_path / "out", HOW)
    (part,) = parts
    assert all(STAMP.lower() in text.split(":")[0] for text in part.found)
    assert all(t.caption.startswith(WARNING) and "(simulated)" in t.title for t in part.tables)
    assert all(frame["simulated"].all() for _, frame in part.frames)
    files = [path.name for path in (tmp_path / "out").rglob("*.*") if path.parent.name == "tables"]
    assert files and all(name.startswith(PREFIX) for name in files)
    for name in ("index.html", "paper.tex", "methods/methods.tex", "methods/methods.md"):
        assert WARNING in (tmp_path / "out" / name).read_text(), name
    for figure in (tmp_path / "out" / "figures").iterdir():
        assert figure.name.startswith(PREFIX)
    assert page.is_file()


@pytest.mark.slow
def test_methods_paragraph_says_who_took_part_and_what_was_declared(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(3, 2, 1)))
    build_study(export, tmp_path / "out", HOW)
    text = (tmp_path / "out" / "methods" / "methods.md").read_text()
    assert "Of 10 raters who began, 10 finished; 1 was excluded" in text
    assert "216 answers of 9 raters count" in text, "108 on each of two questions"
    assert "does not say when the plan of the analysis was declared" in text
    bib = (tmp_path / "out" / "methods" / "references.bib").read_text()
    assert "bradley1952" in bib and "davidson1970" in bib and "holm1979" in bib


@pytest.mark.slow
def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(3, 2, 1)))
    for name in ("one", "two"):
        build_study(export, tmp_path / name, HOW)
    for path in (tmp_path / "one").rglob("*.*"):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes(), path.name


def test_what_is_no_export_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no export of a study"):
        read_export(tmp_path)
    folder = write(tmp_path / "export", choices(3, 2, 1))
    (folder / "raters.parquet").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"raters\.parquet cannot be read"):
        read_export(folder)


def test_a_pairwise_study_brings_no_league(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "export", choices(3, 2, 1)))
    assert [part.id for part in study_results(export, HOW, None).parts] == ["preferences"]
