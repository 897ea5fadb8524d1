"""A method that raters saw too seldom to be ranked: every place of a page says so, none ranks it.

Expected: by hand from the votes, which the tests choose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from fabricated_export import Vote, drawn, made_up

from reports.people.build import people_parts
from reports.people.mos import mos_part
from reports.people.ordinal import ordinal_part
from reports.people.outcome import People, people_of
from reports.people.panel import panel_part
from reports.people.success import success_part
from reports.people.vote_categories import categories_figure, categories_part
from reports.people.votes import votes_part
from reports.summary import IntervalSettings
from reports.tables import APART

EACH = 2  # edits of a source


def seen(
    folder: Path,
    vote: Vote,
    edits: Mapping[str, Iterable[int]],
    *,
    raters: int,
    sources: int,
    questions: tuple[str, ...] = ("quality",),
) -> People:
    """Return a study in which every method was seen on some edits only."""
    export = made_up(
        folder, vote, methods=tuple(edits), raters=raters, sources=sources, edits_each=EACH,
        questions=questions,
    )  # fmt: skip
    long, known = export.long, {name: set(some) for name, some in edits.items()}
    at = EACH * long["video"].str[1:].astype(int) + long["edit"].str.split("_").str[1].astype(int)
    keep = [
        kind != "rating" or edit in known[method]
        for kind, edit, method in zip(long["kind"], at, long["method"], strict=True)
    ]
    return people_of(replace(export, long=long[keep]), IntervalSettings(resamples=100))


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> People:
    """Three methods on 30 edits, and the best of all, `d`, on 10 of them: left out, it gains 20."""
    edits = dict.fromkeys("abc", range(30)) | {"d": range(10)}
    vote = drawn([0.8, 0.2, -0.4, 1.9], bias=0.2, noise=0.5)
    return seen(tmp_path_factory.mktemp("four"), vote, edits, raters=6, sources=15)


def test_the_highest_that_is_ranked_is_said_to_be_behind_one_that_is_not(four: People) -> None:
    """`d` is a point above `a` on the ten edits that both have; four deviations of its error."""
    votes = four.export.long.query("kind == 'rating'")
    items = votes.groupby(["method", "video", "edit"])["value"].mean().unstack("method")
    gap = (items["d"] - items["a"]).dropna().groupby("video").mean().mean()
    (said,) = (text for text in mos_part(four).found if text.startswith("Quality:"))
    assert said.startswith(
        "Quality: a has the highest mean vote, though its place depends on missing votes, and "
        "beats 2 of the 3 others"
    )
    assert f"; it is behind d ({gap:.2f} points [" in said
    assert "its lead over" not in said


def test_the_panel_has_the_same_highest_as_the_verdict(four: People) -> None:
    part = panel_part(four)
    assert part
    (said,) = (text for text in part.found if text.startswith("Quality,"))
    assert ": a has the highest mean vote," in said and "; it is behind d (" in said
    caption = next(table.caption for table in part.tables if table.name == "panel_quality")
    assert "in a pair with one that is not ranked, both" in caption


@pytest.mark.slow
def test_every_table_of_scores_marks_it_and_every_figure_names_it(four: People) -> None:
    tables = [t for part in people_parts(four) for t in (*part.tables, *part.folded)]
    scores = ("mos", "panel_mos", "mos_categories_quality", "rater_model")
    for table in (t for t in tables if t.name in scores):
        marks = {row.label: row.cells[0].mark for row in table.rows}
        assert marks["d"] == APART and APART not in "".join(marks[name] for name in "abc")
        assert f"{APART}: " in table.caption
    assert {t.name for t in tables} >= set(scores)
    parts = votes_part(four), success_part(four), categories_part(four)
    for drawing in (one for part in parts if part for one in part.drawings):
        assert "On its own edits, too few being common to all: d on " in drawing.caption


def test_categories_are_not_shaded_by_scores_on_other_edits(four: People) -> None:
    """Shades run over the other methods; the cells of `d` are hatched as those of few videos."""
    scores = four.kept.scores["quality"]
    figure = categories_figure({"quality": {"all": scores}}, {n: "abcd".index(n) for n in "abcd"},
                               {"quality": {3}})  # fmt: skip
    hatches = [box.get_hatch() for box in figure.axes[0].patches]
    assert hatches == [None, None, None, "////"]


def test_methods_that_overlap_in_pairs_can_differ_though_no_pair_does(tmp_path: Path) -> None:
    """Edits of 1, 3 and 5 points whoever made them: means are 2, 4 and 3, all pairs are equal."""
    edits = {"a": range(8), "b": range(4, 12), "c": (8, 9, 10, 11, 0, 1, 2, 3)}
    found = seen(tmp_path, lambda _, e, *__: (1.0, 3.0, 5.0)[e // 4], edits, raters=8, sources=6)
    part = mos_part(found)
    assert [row.cells[0].main for row in part.tables[0].rows] == ["2.00", "4.00", "3.00"]
    assert part.found[0] == (
        "Quality: Nothing differs: no two methods differ on the edits that both have."
    )


@pytest.mark.slow
def test_ordinal_models_compare_what_means_compare(tmp_path: Path) -> None:
    """`a` and `c` share no edit, `b` and `c` four that are none of the common ones of a and b."""
    edits = {"a": range(12), "b": range(16), "c": range(12, 16)}
    found = seen(tmp_path, drawn([0.8, 0.3, 1.2]), edits, raters=5, sources=8)
    part = ordinal_part(found, lambda _: None)
    assert part
    frame = dict(part.frames)["ordinal"]
    assert list(zip(frame["a"], frame["b"], strict=True)) == [("a", "b"), ("b", "c")]
    assert list(frame["latent"] > 0) == [True, False]
    assert "Not ranked on every question: c." in part.notes[0]


def test_votes_that_are_all_alike_leave_no_pair_to_model(tmp_path: Path) -> None:
    found = seen(tmp_path, lambda *_: 3.0, dict.fromkeys("ab", range(4)), raters=3, sources=2)
    part = ordinal_part(found, lambda _: None)
    assert part and part.found == ("Ordinal models: No pair of methods could be modelled.",)
