"""The files of a report: figures, tables as Markdown, LaTeX and CSV, and the paper."""

import numbers
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dreamix.core.places import inside
from dreamix.core.records import write_whole
from dreamix.core.spreadsheet import harmless
from reports.figures.style import boxes_note, give_fonts, save
from reports.page.clips import Strip
from reports.page.latex import latex
from reports.page.paper import Paragraph, Results, paper, paragraph_files
from reports.page.shell import Plot
from reports.parts import WARNING, Drawing, ReportPart
from reports.tables import Head, Table, TableCell, TableRow, file_name

FOLDERS = ("figures", "tables", "methods", "media")


def markdown(table: Table) -> str:
    """Return the table as GitHub Markdown: title, caption, pipe table. Best values are bold."""
    head = [table.first, *(f"{_code(h)} {h.arrow}".strip() for h in table.head)]
    rule = ["---", *("---:" for _ in table.head)]
    lines = [head, rule, *([_label(row), *map(_markdown_cell, row.cells)] for row in table.rows)]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"### {_escape_markdown(table.title)}\n\n{_escape_markdown(table.caption)}\n\n{body}\n"


def _label(row: TableRow) -> str:
    label = _escape_markdown(row.label)
    return f"*{label}* (anchor)" if row.anchor else label


def _code(head: Head) -> str:
    return f"`{head.text}`" if head.code else _escape_markdown(head.text)


def _markdown_cell(cell: TableCell) -> str:
    main = f"**{cell.main}**" if cell.best else cell.main
    shown = [text for text in (main, cell.mark, cell.small) if text]
    return _escape_markdown(" ".join(shown), keep="*")


def _escape_markdown(text: str, keep: str = "") -> str:
    """Return `text` with everything that Markdown or HTML would read as markup made literal."""
    for mark in "\\`*_|<":
        if mark not in keep:
            text = text.replace(mark, {"<": "&lt;"}.get(mark, "\\" + mark))
    return " ".join(text.split())


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


def check_out(out: Path) -> None:
    """Raise a `UserError` if a folder of a report is a link to another place."""
    for name in FOLDERS:
        inside(out, name)


class Written(NamedTuple):
    """What stands in the folder now."""

    plots: dict[str, Plot]
    files: list[str]  # relative to the folder


def saved(drawing: Drawing, folder: Path) -> Plot:
    """Return a drawing as a figure of the page; it is in `folder` as SVG, PNG and PDF."""
    name, lacking = file_name(drawing.name), give_fonts(drawing.figure)
    svg = save(drawing.figure, folder, name)
    inches = round(float(drawing.figure.get_figwidth()) * 1.1, 2)
    return Plot(name, svg, inches, drawing.alt, f"{drawing.caption}{boxes_note(lacking)}")


def write_parts(parts: list[ReportPart], out: Path) -> Written:
    """Return what was written of parts, to `out` and its folders figures/ and tables/."""
    plots = {
        drawing.name: saved(drawing, out / "figures") for part in parts for drawing in part.drawings
    }
    texts = {f"tables/{name}": text for part in parts for name, text in _texts(part).items()}
    texts |= {name: text for part in parts for name, text in part.files}
    for name, text in texts.items():
        with write_whole(out / name) as file:
            file.write(utf8(text))
    return Written(plots, sorted(texts))


def results_of(
    glance: ReportPart, lead: str, groups: list[tuple[str, list[str]]], strip: Strip | None = None
) -> Results:
    """Return what a paper says before its methods: the report's opening, and its sentences."""
    tables = [f"tables/{file_name(table.name)}.tex" for table in glance.tables]
    plots, warning = [drawing.name for drawing in glance.drawings], WARNING * glance.stamped
    return Results(lead, groups, tables, plots, strip, warning)


def write_paper(
    title: str, said: Paragraph, written: Written, results: Results, out: Path
) -> list[str]:
    """Return what was written: methods/ and paper.tex, with all tables and figures behind it."""
    texts = {f"methods/{name}": text for name, text in paragraph_files(said).items()}
    tables = [name for name in written.files if name.endswith(".tex") and "/all." not in name]
    texts["paper.tex"] = paper(title, tables, list(written.plots.values()), results)
    for name, text in texts.items():
        with write_whole(out / name) as file:
            file.write(utf8(text))
    return sorted(texts)


def _texts(part: ReportPart) -> dict[str, str]:
    tables = [*part.tables, *part.folded]
    return table_texts(tables) | {
        f"{file_name(name)}.csv": csv(frame) for name, frame in part.frames
    }


def table_texts(tables: list[Table]) -> dict[str, str]:
    """Return the files of tables, Markdown and LaTeX, by name."""
    found = {f"{file_name(table.name)}.md": markdown(table) for table in tables}
    return found | {f"{file_name(table.name)}.tex": latex(table) for table in tables}


def utf8(text: str) -> bytes:
    """Return a text as UTF-8; halves of characters, which are none, as question marks."""
    return text.encode("utf-8", "replace")
