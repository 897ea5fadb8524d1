"""The LaTeX of a report compiles as it is, with a real TeX: tables, figures, citations."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fabricated_export import drawn, write_export

from reports.page.latex import escape_latex, latex
from reports.page.paper import entries, paper
from reports.people.build import build_study
from reports.people.export import read_export
from reports.summary import IntervalSettings
from reports.tables import Head, Table, TableCell, TableRow

HOSTILE = r"50% of $x_1$ & #2 {a}~b^c \input{x} <tag> | [1] ↑ “é” 中" + "\N{MINUS SIGN}1"

needs_tex = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("bibtex")),
    reason="no TeX here: needs pdflatex and bibtex (Debian: texlive-latex-recommended)",
)


def compiled(folder: Path, name: str = "paper") -> str:
    """Return the last log of NAME.tex, compiled with its citations; an error fails the test."""
    tex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error"]
    draft = [*tex, "-draftmode", name]  # the same .aux and log, no pictures read, no PDF
    for command in (draft, ["bibtex", name], draft, [*tex, name]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stdout[-3000:]
    assert (folder / f"{name}.pdf").stat().st_size > 1000
    return (folder / f"{name}.log").read_text(errors="replace")


def overfull(log: str) -> list[float]:
    """Return by how many points lines stick out into the margin."""
    return [float(width) for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]


def pages_before_the_appendix(folder: Path) -> int:
    """Return on which page the appendix begins, less one."""
    label = re.search(
        r"newlabel\{dreamix:appendix\}\{\{.*?\}\{(\d+)\}", (folder / "paper.aux").read_text()
    )
    assert label, "the paper has no appendix"
    return int(label[1]) - 1


def checked(folder: Path) -> str:
    """Return the text of paper.tex, which compiles and holds all that a paper has to."""
    log, text = compiled(folder), (folder / "paper.tex").read_text()
    assert not re.findall(r"(?:Citation|Reference) .* undefined", log)
    assert not [width for width in overfull(log) if width > 10], "a table is wider than the page"
    assert "warning$ -- 0" in (folder / "paper.blg").read_text()
    assert pages_before_the_appendix(folder) <= 12
    parts = (
        "\\author{",
        "\\section{Results}",
        "glance.tex}",
        "\\section{Methods}",
        "\\bibliography{",
        "\\appendix",
        "\\section{Figures}",
        "\\section{Tables}",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    return text


@pytest.mark.slow
@needs_tex
def test_paper_of_a_run_has_its_results_first(made: Path, tmp_path: Path) -> None:
    """Words, the main table, its figure and the strip come before the methods."""
    shutil.copytree(made, tmp_path / "report")
    text = checked(tmp_path / "report")
    results = text[text.index("\\section{Results}") : text.index("\\section{Methods}")]
    assert "\\textbf{Alignment.} alpha has the highest mean" in results
    assert "figures/glance.pdf" in results
    assert results.count("figures/strip_") == 15 and "4 edits by every method" in results
    assert text.count("glance.pdf") == text.count("glance.tex") == 1


@pytest.mark.slow
@needs_tex
def test_paper_of_a_study_says_its_results_in_words(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", drawn((0.0, 0.5, 1.0)), methods=("c", "b", "a"))
    _, parts = build_study(read_export(export), tmp_path / "out", IntervalSettings(resamples=100))
    text = checked(tmp_path / "out")
    for sentence in (one for part in parts for one in part.found):
        topic, _, rest = sentence.partition(": ")
        assert f"\\textbf{{{escape_latex(topic)}.}} {escape_latex(rest)}" in text
    assert "8 raters gave 864 answers about 12 edits of 6 source videos by 3 methods." in text


@needs_tex
@pytest.mark.slow
def test_paper_of_a_large_study_has_twelve_pages_before_its_appendix(tmp_path: Path) -> None:
    """Eight methods, as many as stand in published comparisons, and raters who are left out."""
    export = write_export(
        tmp_path / "export", drawn([0.2 * k for k in range(8)]), raters=30, sources=10,
        methods=[f"a-method-with-a-long-name-{k}" for k in range(8)], excluded=(1, 2), repeats=3,
        simulated=True, shared=False,
    )  # fmt: skip
    build_study(read_export(export), tmp_path / "out", IntervalSettings(resamples=100))
    assert "SIMULATED raters" in checked(tmp_path / "out").split("\\section{Results}")[1][:200]


@needs_tex
def test_every_work_that_can_be_cited_is_printed_without_a_warning(tmp_path: Path) -> None:
    """P.910 and BT.500 had no author: BibTeX warned of each, and printed no name."""
    source = "\n\n".join(entry.source for entry in entries().values())
    (tmp_path / "all.bib").write_text(source)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\begin{document}A\\nocite{*}\\bibliographystyle{plain}"
        "\\bibliography{all}\\end{document}"
    )
    compiled(tmp_path)
    assert "warning$ -- 0" in (tmp_path / "paper.blg").read_text()
    assert {entry.label for entry in entries().values()} >= {"ITU-T 2023", "ITU-R 2023"}


@pytest.mark.slow
@needs_tex
def test_any_text_of_a_user_is_printed_as_it_is(tmp_path: Path) -> None:
    """Prompts, labels and reasons hold what TeX reads as commands."""
    head = tuple(Head(f"{HOSTILE} {k}") for k in range(3))
    row = TableRow(HOSTILE, tuple(TableCell("1.0", "[0.5, 1.5]", best=True) for _ in head))
    table = Table("hostile_table", HOSTILE, HOSTILE, head, (row, row), first=HOSTILE)
    text = (
        "\\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage{booktabs,xcolor}"
        f"\\begin{{document}}\n{latex(table)}\\cite{{a}}\\bibliographystyle{{plain}}"
        "\\bibliography{a}\\end{document}"
    )
    (tmp_path / "paper.tex").write_text(text)
    (tmp_path / "a.bib").write_text("@misc{a, title = {a}, author = {a, b}, year = {2000}}")
    compiled(tmp_path)


NEEDED = {"pdflatex": "latex.ltx", "lualatex": "luaotfload.sty", "xelatex": "fontspec.sty"}


def engines() -> list[str]:
    """Those that are there whole: Debian has lualatex in a package without what it loads."""
    return [
        name
        for name, file in NEEDED.items()
        if shutil.which(name) and subprocess.run(["kpsewhich", file]).returncode == 0
    ]


SCRIPTS_OF_THE_WORLD = (
    "Zażółć gęślą jaźń «suite»",
    "Þórður Ævar ÍSLENSKA ð",
    "Tiếng Việt, Ħal Għaxaq, Ŧŧ, Ŀŀ, ŉ",
    "中文 кириллица ελληνικά",
    "שלום עולם العربية",
    "हिन्दी ไทย 한국어 日本語",
    "\x07bell \x1b[31m \u202eturned\u202c \ud800half \x85",
    "``a'' -- --- ,, ?` <<x>> \"q\"",
)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["pdflatex", "lualatex", "xelatex"])
def test_paper_compiles_with_text_of_any_script(engine: str, tmp_path: Path) -> None:
    """F6: 58 of the 256 characters from U+0080 to U+017F stopped pdfLaTeX, as Polish did."""
    if engine not in engines():
        pytest.skip(f"{engine} is not installed")
    every = "".join(map(chr, range(0x80, 0x250)))
    head = (Head("ą ę 中"), Head("b"))
    rows = tuple(
        TableRow(text, (TableCell(text), TableCell("1"))) for text in (*SCRIPTS_OF_THE_WORLD, every)
    )
    (tmp_path / "tables").mkdir()
    (tmp_path / "methods").mkdir()
    (tmp_path / "tables/t.tex").write_text(latex(Table("t", every, "c", head, rows)), "utf-8")
    said = "".join(escape_latex(f"{text}. ") for text in SCRIPTS_OF_THE_WORLD)
    (tmp_path / "methods/methods.tex").write_text(said, "utf-8")
    (tmp_path / "paper.tex").write_text(
        paper(SCRIPTS_OF_THE_WORLD[0], ["tables/t.tex"], []), "utf-8"
    )
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "paper"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-3000:]


def test_what_pdflatex_lacks_is_named_and_control_characters_are_dropped() -> None:
    """Polish is in T1; a run of one script is handed over whole, with the names of its letters."""
    assert escape_latex("Zażółć") == "Zażółć"
    assert escape_latex("a\x07\x1b\u202eb\ud800") == "ab"
    assert escape_latex("ế") == r"{\'{\^{e}}}"
    assert escape_latex("中文 x") == (r'\dreamixtext{"4E2D}{0}{中文}{{[}U+4E2D]{[}U+6587]} x')
    assert escape_latex("שלום עולם")[:25].startswith(r'\dreamixtext{"5E9}{1}{')
