"""Tables as spreadsheets of other languages write them."""

from pathlib import Path

import pytest

from dreamix.core.csv_reading import point, table_rows
from dreamix.core.errors import UserError
from evaluation.gold.base import GatheredRatings
from evaluation.gold.files import table_rows as gold_rows


def unread(line: int, why: str) -> None:
    raise AssertionError(f"{line}: {why}")


@pytest.mark.parametrize(
    ("text", "separator", "read"),
    [
        ("2,5", ";", "2.5"), ("-0,05", "\t", "-0.05"), ("1,5e-3", ";", "1.5e-3"),
        ("1,234", ",", "1,234"), ("1.234,5", ";", "1.234,5"), ("1,2,3", ";", "1,2,3"),
        ("a,b", ";", "a,b"), (",5", ";", ",5"), ("2.5", ";", "2.5"), ("", ";", ""),
    ],
)  # fmt: skip
def test_a_decimal_comma_is_a_point_where_no_comma_separates_cells(
    text: str, separator: str, read: str
) -> None:
    assert point(text, separator) == read


def test_only_columns_of_numbers_are_read_so(tmp_path: Path) -> None:
    """An id that looks like a number with a comma stays what it is."""
    path = tmp_path / "scores.csv"
    path.write_bytes("\ufeffEdit;Value\r\n1,5;0,25\r\n".encode())
    rows = [*table_rows(path, ("edit", "value"), (), unread, numbers=("value",))]
    assert rows == [(2, {"edit": "1,5", "value": "0.25"})]


@pytest.mark.parametrize("word", ["sep=;", "SEP=;\r", "sep=\t"])
def test_excel_s_own_first_line_is_passed_over_and_lines_keep_their_numbers(
    tmp_path: Path, word: str
) -> None:
    path, mark = tmp_path / "t.csv", "\t" if "\t" in word else ";"
    path.write_text(word + "\nedit;value\na;1\n\nb;2,5\n".replace(";", mark))
    rows = [*table_rows(path, ("edit", "value"), (), unread, numbers=("value",))]
    assert rows == [(3, {"edit": "a", "value": "1"}), (5, {"edit": "b", "value": "2.5"})]
    names, lines = gold_rows(path, GatheredRatings())
    assert names == ["edit", "value"] and lines == [(3, ["a", "1"]), (5, ["b", "2.5"])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_ratings_of_a_german_spreadsheet(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "votes.csv"
    text = "edit;rater;value;note\r\n1,5;Björn;2,5;1,5\r\nb;Çem;4;x\r\n"
    path.write_bytes(text.encode(encoding))
    names, rows = gold_rows(path, GatheredRatings())
    assert names == ["edit", "rater", "value", "note"]
    assert rows == [(2, ["1,5", "Björn", "2.5", "1,5"]), (3, ["b", "Çem", "4", "x"])]


def test_half_a_letter_of_utf_16_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_bytes("edit;value\n".encode("utf-16") + b"\x00")
    with pytest.raises(UserError, match="this is no UTF-16"):
        gold_rows(path, GatheredRatings())
