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


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_cells_and_names_of_two_lines_are_read_in_every_way_to_end_a_line(
    tmp_path: Path, encoding: str
) -> None:
    """Spreadsheets put \r\n into cells; U+2028, from web pages, ends no row of a CSV (RFC 4180)."""
    path = tmp_path / "t.csv"
    text = 'edit,"the\r\nvalue"\r\n"a\r\nb",1\r\nc\u2028d,2\r\n'
    path.write_bytes(text.encode(encoding))
    read = [*table_rows(path, ("edit", "the value"), (), unread)]
    assert read == [
        (3, {"edit": "a\nb", "the value": "1"}), (5, {"edit": "c\u2028d", "the value": "2"}),
    ]  # fmt: skip
    names, rows = gold_rows(path, GatheredRatings())
    assert (names, rows) == (["edit", "the value"], [(3, ["a\nb", "1"]), (5, ["c\u2028d", "2"])])


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04\x14\x00", "t.csv:1: a workbook, not a table of text: save it as CSV"),
        ("edit,value\nGröße,1\n".encode("cp1252"), "t.csv:2: byte 0xf6 is not UTF-8: save"),
    ],
)
def test_what_is_no_text_is_told_with_what_to_do(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(UserError, match=told):
        [*table_rows(path, ("edit", "value"), (), unread)]
    with pytest.raises(UserError, match=told):
        gold_rows(path, GatheredRatings())
