"""Tables as Markdown, LaTeX (booktabs) and CSV text."""

import math
import numbers
from typing import Any

import numpy as np
import pandas as pd

from dreamix.core.spreadsheet import harmless
from reports.latex_text import MACRO, escape_latex, foreign
from reports.names import file_name
from reports.tables import Cell, Head, Row, Table

PAGE, RULES = 44, 3  # lines of a page below a caption, and of a tabular without its rows
LINE = 84  # characters of one LaTeX tabular, gaps counted; wider tables are continued below
GAP = 3  # characters between two columns
SMALL = 0.75  # width of a character of an interval, beside one of a mean


def markdown(table: Table) -> str:
    """Return the table as GitHub Markdown: title, caption, pipe table. Best values are bold."""
    head = [table.first, *(f"{_code(h)} {h.arrow}".strip() for h in table.head)]
    rule = ["---", *("---:" for _ in table.head)]
    lines = [head, rule, *([_label(row), *map(_markdown_cell, row.cells)] for row in table.rows)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"### {_escape_markdown(table.title)}\n\n{_escape_markdown(table.caption)}\n\n{body}\n"


def _label(row: Row) -> str:
    label = _escape_markdown(row.label)
    return f"*{label}* (anchor)" if row.anchor else label


def _code(head: Head) -> str:
    return f"`{head.text}`" if head.code else _escape_markdown(head.text)


def _markdown_cell(cell: Cell) -> str:
    main = f"**{cell.main}**" if cell.best else cell.main
    shown = [text for text in (main, cell.mark, cell.small) if text]
    return _escape_markdown(" ".join(shown), keep="*")


def _escape_markdown(text: str, keep: str = "") -> str:
    """Return `text` with everything that Markdown or HTML would read as markup made literal."""
    for mark in "\\`*_|<":
        if mark not in keep:
            text = text.replace(mark, {"<": "&lt;"}.get(mark, "\\" + mark))
    return " ".join(text.split())


def latex(table: Table) -> str:
    """Return the table as a LaTeX `table` that needs booktabs and xcolor; anchors are grey.

    Tables that are wider than a line are cut into several under one caption; those that are longer
    than a page are continued on the next under the same number.
    """
    text = "".join(_float(table, parts, k > 0) for k, parts in enumerate(_pages(table)))
    return MACRO * foreign(text) + text


def _float(table: Table, tabulars: list[str], continued: bool) -> str:
    title = escape_latex(table.title)
    caption, label = f"{title}. {escape_latex(table.caption)}", latex_label(table.name)
    named = f"\\caption{{{caption}}}\n\\label{{tab:{label}}}\n"
    if continued:
        named = f"\\addtocounter{{table}}{{-1}}\n\\caption{{{title} (continued)}}\n"
    parts = "\n\n\\medskip\n".join(tabulars)
    return f"\\begin{{table}}[htbp]\n\\centering\\small\n{named}{parts}\n\\end{{table}}\n"


def latex_label(name: str) -> str:
    """Return what a table or figure is referred to by, another one for every other name."""
    return file_name(name).replace("-", "--").replace("_", "-")


def _pages(table: Table) -> list[list[str]]:
    """Return the tabulars of a table, by the page they stand on."""
    pages: list[list[str]] = [[]]
    used = 0
    for part in _lines(table):
        for rows, height in _blocks(table, part):
            if pages[-1] and used + height > PAGE:
                pages, used = [*pages, []], 0
            pages[-1].append(_tabular(table, part, rows))
            used += height
    return pages


def _blocks(table: Table, part: slice) -> list[tuple[list[Row], int]]:
    """Return the rows that fit on a page together, and how many lines they take with rules."""
    blocks: list[tuple[list[Row], int]] = [([], RULES)]
    for row in table.rows:
        height = 1 + any(cell.small for cell in row.cells[part])
        rows, used = blocks[-1]
        if rows and used + height > PAGE:
            blocks.append(([row], RULES + height))
        else:
            blocks[-1] = ([*rows, row], used + height)
    return blocks


def _lines(table: Table) -> list[slice]:
    """Return the columns that stand beside each other: as many as fit, at least one."""
    label = max([len(table.first), *(len(row.label) for row in table.rows)])
    starts, used = [0], label
    for place, width in enumerate(_widths(table)):
        if used + width > LINE and place > starts[-1]:
            starts, used = [*starts, place], label
        used += width
    return [slice(*ends) for ends in zip(starts, [*starts[1:], len(table.head)], strict=True)]


def _widths(table: Table) -> list[int]:
    """Return about how many characters each column takes, with the gap before it."""
    found = []
    for k, head in enumerate(table.head):
        mains = [len(row.cells[k].main) + len(row.cells[k].mark) for row in table.rows]
        smalls = [math.ceil(SMALL * len(row.cells[k].small)) for row in table.rows]
        found.append(GAP + max([len(head.text) + len(head.arrow), *mains, *smalls]))
    return found


def _tabular(table: Table, part: slice, rows: list[Row]) -> str:
    heads = [f"{escape_latex(h.text)} {escape_latex(h.arrow)}".strip() for h in table.head[part]]
    lines = [_latex_line([escape_latex(table.first), *heads]), r"\midrule"]
    for row in rows:
        lines += _latex_rows(row, row.cells[part])
    body = "\n".join(lines)
    columns = "l" + "r" * len(heads)
    return f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}"


def _latex_rows(row: Row, cells: tuple[Cell, ...]) -> list[str]:
    """Return the line of means and, where there are any, the line of intervals below it."""
    mains = [_latex_number(cell.main, cell.mark, bold=cell.best) for cell in cells]
    lines = [_latex_line([escape_latex(row.label), *mains], grey=row.anchor)]
    if any(cell.small for cell in cells):
        smalls = [rf"{{\scriptsize {_latex_number(cell.small)}}}" for cell in cells]
        lines.append(_latex_line(["", *smalls], grey=row.anchor))
    return lines


def _latex_line(cells: list[str], grey: bool = False) -> str:
    shown = [rf"\textcolor{{gray}}{{{cell}}}" if grey and cell else cell for cell in cells]
    return " & ".join(shown) + r" \\"


def _latex_number(text: str, mark: str = "", bold: bool = False) -> str:
    shown = rf"\textbf{{{escape_latex(text)}}}" if bold else escape_latex(text)
    return rf"{shown}\textsuperscript{{{escape_latex(mark)}}}" if mark else shown


def csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV; numbers with 12 digits, so that rounding in the last does not show.

    Texts are in quotes and no formula to a spreadsheet; what is absent is an empty cell.
    """
    head = ",".join(_csv_cell(str(name)) for name in frame.columns)
    columns = [_csv_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return "\n".join([head, *map(",".join, zip(*columns, strict=True))]) + "\n"


def _csv_column(column: pd.Series) -> list[str]:
    """Return a column's cells; each different value is looked at once."""
    if pd.api.types.is_float_dtype(column.dtype):
        return [_csv_cell(value) for value in column.tolist()]
    values = column.astype(object).where(column.notna(), None).tolist()
    different = {(type(value), value) for value in values}
    known = {one: _csv_cell(one[1]) for one in different}
    return [known[type(value), value] for value in values]


def _csv_cell(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return f"{float(value):.12g}"
    return '"' + harmless(str(value)).replace('"', '""') + '"'
