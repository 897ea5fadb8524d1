"""Long rows to index arrays: what comes back, and one clear line for each wrong table."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import simulated_ratings as simulated

from dreamix.core.errors import UserError
from evaluation.stats.meta import half_panels
from evaluation.stats.ratings import Votes, common_votes, method_scores, read_ratings, votes_on
from evaluation.stats.resampling import Resampling


def table() -> pd.DataFrame:
    """Two raters, two edits of one source and one of another, two methods, two questions."""
    design = simulated.complete(2, 3, 2)
    design["source"] = np.array([0, 0, 1])[design["edit"]]
    value = 1 + np.arange(len(design["rater"])) % 5
    return simulated.long_table(design, quality=value, alignment=value[::-1])


def test_indices_stand_for_the_names_they_came_from() -> None:
    """Every column is rebuilt from the arrays, for rows in any order."""
    rows = table().sample(frac=1, random_state=3, ignore_index=True)
    found = read_ratings(rows)
    for axis in ("rater", "edit", "method", "question"):
        names = np.array(getattr(found, axis + "s"))
        assert names[getattr(found, axis)].tolist() == rows[axis].tolist()
        assert list(names) == sorted(names) or axis == "rater"
    assert np.array(found.sources)[found.source[found.edit]].tolist() == rows["source"].tolist()
    assert found.value.tolist() == rows["value"].tolist()
    assert not found.simulated


def test_pseudonyms_and_the_order_of_rows_decide_no_random_draw() -> None:
    """An import draws new pseudonyms each time: the same votes must give the same numbers."""
    rows = simulated.long_table(
        simulated.complete(6, 5, 2), q=np.random.default_rng(2).integers(1, 6, 60)
    )
    names = dict(zip(sorted(set(rows["rater"])), "fcadbe", strict=True))
    renamed = rows.assign(rater=rows["rater"].map(names)).sample(frac=1, random_state=5)
    first, other = (votes_on(read_ratings(each), "q") for each in (rows, renamed))
    for work in (_intervals, _half):
        assert work(first) == work(other)
    by_name = [read_ratings(each).raters for each in (rows, renamed)]
    assert [names[one] for one in by_name[0]] == list(by_name[1])


def _intervals(votes: Votes) -> list[float]:
    found = method_scores(votes, resampling=Resampling(np.random.default_rng(4), 50))
    return [*np.round(found.boot_low, 12), *np.round(found.boot_high, 12)]


def _half(votes: Votes) -> float:
    table = np.full((votes.methods, votes.edits, votes.raters), np.nan)
    table[votes.method, votes.edit, votes.rater] = votes.value

    def closeness(one: np.ndarray, rest: np.ndarray) -> float:
        return float(-np.abs(one - rest).mean())

    found = half_panels(table, closeness, rng=np.random.default_rng(3), draws=5)
    return round(found.mean, 12)


def test_votes_on_one_question_are_its_rows() -> None:
    rows = table()
    votes = votes_on(read_ratings(rows), "quality")
    assert votes.value.tolist() == rows[rows.question == "quality"]["value"].tolist()
    assert (votes.raters, votes.sources, votes.edits, votes.methods) == (2, 2, 3, 2)
    assert len(np.unique(votes.item)) == 6
    with pytest.raises(UserError, match=r"no question 'charm'; there are alignment, quality"):
        votes_on(read_ratings(rows), "charm")


def test_the_table_a_study_exports_is_read_as_it_is() -> None:
    """Its source column is `video`; only kind `rating` is a vote, so repeats are no duplicates;
    excluded raters are left out and counted; the mark of simulation stays.
    """
    rows = table().rename(columns={"source": "video"}).assign(kind="rating", simulated=True)
    repeats = rows.assign(kind="repeat")
    both = pd.concat([rows, repeats], ignore_index=True)
    both["excluded"] = both["rater"] == "r001"
    found = read_ratings(both)
    assert found.left_out == (12, 24)  # a half of 24 ratings; all 24 repeats
    assert found.raters == ("r000",)
    assert found.simulated
    everybody = read_ratings(both, keep_excluded=True)
    assert everybody.left_out == (0, 24) and set(everybody.raters) == {"r000", "r001"}


def test_common_votes_are_on_edits_that_both_methods_have() -> None:
    rows = table()
    rows = rows[~((rows.edit == "e001") & (rows.method == "m001"))]
    common = common_votes(votes_on(read_ratings(rows), "quality"), 0, 1)
    assert sorted(set(common.edit.tolist())) == [0, 2]


def test_flags_read_as_text_are_flags() -> None:
    """ "false" is not true."""
    rows = table()
    rows["excluded"] = np.where(rows["rater"] == "r000", "false", "true")
    rows["simulated"] = "False"
    found = read_ratings(rows)
    assert found.raters == ("r000",) and not found.simulated
    with pytest.raises(UserError, match="column excluded holds 'perhaps'"):
        read_ratings(rows.assign(excluded="perhaps"))


def put(rows: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    changed = rows.astype({column: object})
    changed.loc[4, column] = value
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="method"), "no column method"),
        (lambda rows: rows.drop(columns=["source", "edit"]), "no column source, edit"),
        (
            lambda rows: put(rows, "value", 6),
            "1 votes are outside the scale 1 to 5, the first is 6",
        ),
        (lambda rows: put(rows, "value", 0), "outside the scale"),
        (lambda rows: put(rows, "value", np.nan), "1 votes are not finite numbers, .* row 5"),
        (lambda rows: put(rows, "value", np.inf), "not finite"),
        (lambda rows: put(rows, "value", "good"), "a vote is not a number"),
        (lambda rows: put(rows, "rater", None), "row 5 of the votes has no rater"),
        (
            lambda rows: pd.concat([rows, rows.iloc[[7]]], ignore_index=True),
            "1 votes are given twice, the first by rater r001, edit e000, method m001, "
            "question quality",
        ),
        (lambda rows: put(rows, "source", "s009"), "edit e002 has more than one source"),
        (lambda rows: rows.assign(excluded=True), "no vote is left of 24 rows: 24 are of excluded"),
        (lambda rows: rows.iloc[:0], "no vote is left of 0 rows"),
        (lambda rows: {name: [1] for name in rows} | {"value": [1, 2]}, "differ in length"),
    ],
)
def test_a_wrong_table_raises_one_clear_line(change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=message) as caught:
        read_ratings(change(table()))
    assert "\n" not in str(caught.value)


MISSING = [None, float("nan"), np.nan, np.float32("nan"), pd.NA, pd.NaT, "", "  "]


@pytest.mark.slow
@pytest.mark.parametrize("axis", ["rater", "source", "edit", "method", "question", "value", "kind"])
@pytest.mark.parametrize("missing", MISSING, ids=[f"{k} {m!r}" for k, m in enumerate(MISSING)])
@pytest.mark.parametrize("form", ["list", "tuple", "object array", "frame"])
def test_a_missing_entry_is_an_error_that_names_row_and_column(
    axis: str, missing: object, form: str
) -> None:
    """Numpy makes texts of a list with a text in it: NaN would be a rater called "nan"."""
    given = table().assign(kind="rating")
    lists = {str(name): list(given[name]) for name in given}
    lists[axis][2] = missing
    lists["source"][2] = "of no other edit" if axis == "edit" else lists["source"][2]
    made: dict[str, Callable[[list[object]], object]] = {
        "list": list,
        "tuple": tuple,
        "object array": lambda column: pd.Series(column, dtype=object).to_numpy(),
        "frame": lambda column: pd.Series(column, dtype=object),
    }
    of = "votes are not finite numbers, the first in row 3" if axis == "value" else ""
    with pytest.raises(UserError, match=of or f"^row 3 of the votes has no {axis}$") as caught:
        read_ratings({name: made[form](column) for name, column in lists.items()})
    assert "\n" not in str(caught.value)


def test_the_row_of_a_missing_label_is_that_of_the_table_not_of_the_rows_that_count() -> None:
    given = table().assign(kind="rating")
    lists = {str(name): list(given[name]) for name in given}
    lists["kind"][0], lists["rater"][0], lists["rater"][3] = "gold", None, None
    with pytest.raises(UserError, match=r"^row 4 of the votes has no rater$"):
        read_ratings(lists)


@pytest.mark.parametrize("axis", ["rater", "source", "edit", "method", "question"])
def test_a_number_and_the_text_of_it_are_two_labels_that_read_the_same(axis: str) -> None:
    given = table()
    lists = {str(name): list(given[name]) for name in given}
    lists[axis][0], lists[axis][1] = 1, "1"
    with pytest.raises(UserError, match=f"two labels of {axis} read the same: '1'"):
        read_ratings(lists)


@pytest.mark.parametrize("value", [True, np.True_])
def test_true_and_false_are_no_votes(value: object) -> None:
    """1 and True are equal to Python; a table of answers yes and no is no table of grades."""
    given = table()
    lists = {str(name): list(given[name]) for name in given}
    lists["value"][1] = value
    with pytest.raises(UserError, match="row 2 of the votes has True for a value; a vote is a num"):
        read_ratings(lists)
    with pytest.raises(UserError, match="row 1 of the votes has False for a value"):
        read_ratings(given.assign(value=given["value"] > 9), scale=(0, 1))


@pytest.mark.slow
def test_a_million_votes_are_read_in_seconds() -> None:
    """2,000 raters, 100 edits, 5 methods, one question; 0.6 s where this was written."""
    design = simulated.complete(2000, 100, 5)
    names = {
        axis: np.array([f"{axis}{n}" for n in range(2000)], object)[design[axis]] for axis in design
    }
    began = time.process_time()
    found = read_ratings(names | {"question": np.full(10**6, "q", object), "value": np.ones(10**6)})
    assert time.process_time() - began < 15
    assert len(found.value) == 10**6 and len(found.raters) == 2000


@pytest.mark.parametrize("axis", ["rater", "source", "edit", "method", "question", "value"])
def test_what_a_mask_hides_is_missing(axis: str) -> None:
    """numpy.asarray of a masked array is what lies below the mask; pandas reads it as missing."""
    given: dict[str, object] = {str(name): list(column) for name, column in table().items()}
    of = "votes are not finite numbers, the first in row 3" if axis == "value" else ""
    column = np.ma.array(table()[axis].to_numpy(), mask=False)
    column[2] = np.ma.masked
    with pytest.raises(UserError, match=of or f"^row 3 of the votes has no {axis}$"):
        read_ratings(given | {axis: column})


@pytest.mark.parametrize("axis", ["rater", "source", "edit", "method", "question"])
@pytest.mark.parametrize("one", [True, np.True_])
def test_true_and_one_are_not_one_label(axis: str, one: object) -> None:
    """They are equal to Python and pandas, and would be taken for the same rater or method."""
    lists = {str(name): list(column) for name, column in table().items()}
    lists[axis][0], lists[axis][1] = 1, one
    with pytest.raises(UserError, match=r"^true or false stands among whole numbers"):
        read_ratings(lists)


@pytest.mark.parametrize("axis", ["rater", "edit", "method", "question", "value"])
@pytest.mark.parametrize("entry", [[1], {}, np.zeros(2)], ids=["list", "dict", "array"])
def test_an_entry_that_is_no_single_value_is_one_line(axis: str, entry: object) -> None:
    lists: dict[str, list[object]] = {str(k): list(column) for k, column in table().items()}
    lists[axis][1] = entry
    with pytest.raises(UserError, match=r"^an entry of the ratings is no single value"):
        read_ratings(lists)


def test_numbers_out_of_reach_and_columns_of_two_axes_are_one_line() -> None:
    """10**400 is no float; a vote of 5.0000001 is told with the digits that put it out of range."""
    lists = {str(name): list(column) for name, column in table().items()}
    with pytest.raises(UserError, match="a vote is not a number: int too large"):
        read_ratings(lists | {"value": [10**400, *lists["value"][1:]]})
    with pytest.raises(UserError, match=r"scale 1 to 5, the first is 5\.0000001$"):
        read_ratings(lists | {"value": [5.0000001, *lists["value"][1:]]})
    deep = np.array(lists["value"])[:, None]
    with pytest.raises(UserError, match="column value of the ratings is not one row of entries"):
        read_ratings(lists | {"value": deep})
