"""CSV whose cells are no formulas, whatever separates them, and that gives back what was written.

What a cell is comes from Python's csv, which treats quotes within a cell as Excel and LibreOffice
do; what begins a formula from OWASP's page on CSV injection.
"""

import csv
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamix.core.spreadsheet import as_given, harmless, write_csv

SEPARATORS = [",", ";", "\t", "|", ":", " ", "^", "~", "&", "#", "!"]
BEGIN = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
texts = st.text(
    st.sampled_from(list(" \t\r\n;,:|'\"=+-@\uff1da1\u200b\ufeff\u00a0()^&")), max_size=12
)


def cells(content: str, separator: str) -> list[str]:
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    return [cell for row in rows for cell in row]


def formulas(content: str, separator: str) -> list[str]:
    """Cells that a spreadsheet works out: what looks empty before the sign is skipped."""
    skipped = '\ufeff\u200b\u2060"\x00 \n\u00a0\t\r'
    found = [cell.lstrip(skipped) for cell in cells(content, separator)]
    return [cell for cell in found if cell.startswith(BEGIN) and len(cell.strip()) > 1]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("a;=1+1;b", "a;'=1+1;b"),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        ("a\n-2+3", "a\n'-2+3"),
        ('a"";=1', 'a"";\'=1'),
        (" @x", " '@x"),
        ("'=1", "''=1"),
        ("\tx", "'\tx"),
        ("\uff1d1", "'\uff1d1"),
        ("-", "'-"),
        ("a=b", "a=b"),
        ("good - but dark, red-haired", "good - but dark, red-haired"),
        ("https://x.org/?a=-1", "https://x.org/?a=-1"),
        ("", ""),
        (None, None),
        (-1, -1),
    ],
)
def test_an_apostrophe_stands_where_a_formula_could_begin(text: object, safe: object) -> None:
    assert harmless(text) == safe
    if isinstance(text, str):
        assert as_given(str(safe)) == text


@given(texts)
def test_what_was_written_comes_back(text: str) -> None:
    assert as_given(harmless(text)) == text


@settings(deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(SEPARATORS))
def test_no_cell_is_a_formula_whatever_the_separator(
    tmp_path_factory: pytest.TempPathFactory, values: list[str], separator: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "drawn.csv"
    names = [f"c{place}" for place in range(len(values))]
    write_csv(path, names, [dict(zip(names, values, strict=True))])
    content = path.read_bytes().decode()
    assert not formulas(content, separator)
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert [as_given(row[name]) for name in names] == values


def test_numbers_stay_numbers_and_texts_stand_in_quotes(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", ["n", "t"], [{"n": -1.5, "t": "a"}, {"n": None, "t": True}])
    assert (tmp_path / "x.csv").read_text().splitlines() == ['"n","t"', '-1.5,"a"', '"",True']


def test_a_private_file_is_the_owners_from_its_first_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at as the file is renamed: it never had other rights, with no umask at all."""
    seen: list[int] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append(self.stat().st_mode & 0o777)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        write_csv(tmp_path / "x.csv", ["a"], [{"a": "b"}], private=True)
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert re.fullmatch(r'"a"\s+"b"\s+', (tmp_path / "x.csv").read_text())
