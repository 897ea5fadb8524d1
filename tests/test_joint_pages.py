"""A table that is longer than a page goes on, under its number, on the next."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.page.latex import PAGE, latex
from reports.tables import Head, Table, TableCell, TableRow


def table(rows: int, columns: int) -> Table:
    heads = tuple(Head(f"a column {k}") for k in range(columns))
    cells = tuple(TableCell("0.123", "[0.100, 0.200]") for _ in range(columns))
    lines = tuple(TableRow(f"row-{k:02d}", cells) for k in range(rows))
    return Table("long", "A title", "A caption of the table.", heads, lines)


def test_a_table_that_fits_is_one_float() -> None:
    text = latex(table(rows=10, columns=3))
    assert text.count(r"\begin{table}") == text.count(r"\begin{tabular}") == 1
    assert "continued" not in text


@pytest.mark.parametrize(("rows", "columns"), [(60, 3), (60, 12), (15, 12)])
def test_every_row_of_every_column_stands_once_and_no_page_has_too_many_lines(
    rows: int, columns: int
) -> None:
    text = latex(table(rows, columns))
    floats = text.split(r"\end{table}")[:-1]
    assert len(floats) > 1
    assert text.count("0.123") == rows * columns
    assert [float_.count(r"\label") for float_ in floats] == [1, *[0] * (len(floats) - 1)]
    assert all(r"\addtocounter{table}{-1}" in float_ for float_ in floats[1:])
    for float_ in floats:
        assert len(re.findall(r"\\\\$", float_, re.MULTILINE)) <= PAGE


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tex_finds_room_for_every_float(tmp_path: Path) -> None:
    document = (
        r"\documentclass[11pt]{article}\usepackage[margin=2cm]{geometry}"
        r"\usepackage{booktabs,xcolor}\begin{document}" + latex(table(80, 9)) + r"\end{document}"
    )
    (tmp_path / "t.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "too large" not in done.stdout
