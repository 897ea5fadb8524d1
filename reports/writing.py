"""Writes the parts of a report to its folder: figures, tables in every form, rows as CSV."""

from pathlib import Path
from typing import NamedTuple

from dreamix.core.places import inside
from dreamix.core.records import write_whole
from reports.formats import csv, latex, markdown
from reports.glyphs import boxes_note, give_fonts
from reports.methods import Paragraph, paragraph_files
from reports.names import file_name
from reports.paper import Results, paper
from reports.parts import WARNING, Drawing, Part
from reports.shell import Plot
from reports.strip import Strip
from reports.style import save
from reports.tables import Table

FOLDERS = ("figures", "tables", "methods", "media")


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


def write_parts(parts: list[Part], out: Path) -> Written:
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
    glance: Part, lead: str, groups: list[tuple[str, list[str]]], strip: Strip | None = None
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


def _texts(part: Part) -> dict[str, str]:
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
