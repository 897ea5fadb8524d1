r"""Tables and any text as LaTeX: text is printed as it is, never read as a command.

Latin letters are printed by every engine; pdfLaTeX needs `\usepackage[T1]{fontenc}` for some of
them, as paper.tex has it. What lies beyond is handed over with its number to `\dreamixtext`, which
paper.tex defines: LuaLaTeX and XeLaTeX print it in the first installed font that has it, pdfLaTeX
names it, [U+4E2D]. Control characters are left out.
"""

import math
import re
import unicodedata
from collections.abc import Iterator

from reports.tables import Table, TableCell, TableRow, file_name

LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "·": r"$\cdot$",
    "\N{EN DASH}": "--",
    "\N{MINUS SIGN}": "$-$",
    "\N{DAGGER}": r"\dag{}",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "[": "{[}",  # else a line that starts with it is read as the length of the line break before
    "`": r"\textasciigrave{}",
    "\u2060": "{}",
    # Letters of Latin alphabets that T1 lacks.
    "Ħ": r"{\protect\rlap{\kern.07em\raise.7ex\hbox{-}}H}",
    "ħ": r"{\protect\rlap{\kern.07em\raise.5ex\hbox{-}}h}",
    "Ŧ": r"{\protect\rlap{\kern.07em\raise.3ex\hbox{-}}T}",
    "ŧ": r"{\protect\rlap{\kern.07em\raise.1ex\hbox{-}}t}",
    "Ŀ": r"L\textperiodcentered{}",
    "ŀ": r"l\textperiodcentered{}",
    "ŉ": r"\textquoteright{}n",
}
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0327": "c", "\u0328": "k", "\u0331": "b",
}  # fmt: skip
SIGNS = "\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2021\u2022\u2026\u2030\u2039\u203a\u20ac\u2122"
UNKNOWN = "ĸſ"  # below LATIN, in no font of pdfLaTeX
LATIN = 0x180  # characters below are printed as they are
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad\u200b"
RIGHT_TO_LEFT = ("R", "AL")
CONTROL = ("Cc", "Cs", "Cn", "Co")  # categories of characters that are left out
LIGATURES = re.compile(r"([-,'])(?=\1)")  # two of them are another sign to TeX
MACRO = r"\providecommand{\dreamixtext}[4]{#4}" + "\n"
PAGE, RULES = 44, 3  # lines of a page below a caption, and of a tabular without its rows
LINE = 84  # characters of one LaTeX tabular, gaps counted; wider tables are continued below
GAP = 3  # characters between two columns
SMALL = 0.75  # width of a character of an interval, beside one of a mean
PROSE = 52  # characters of a line of a column of words


def escape_latex(text: str) -> str:
    """Return `text` so that LaTeX prints it as it is; line breaks become spaces."""
    text = LIGATURES.sub("\\1\u2060", printable(text))  # the word joiner keeps two signs apart
    return "".join(_run(run) for run in _runs(text))


def printable(text: str) -> str:
    """Return a text without control characters, marks of direction and halves of characters."""
    text = "".join(c for c in " ".join(text.split()) if c not in BIDI)
    kept = (c for c in text if unicodedata.category(c) not in CONTROL)
    return unicodedata.normalize("NFC", "".join(kept))


def foreign(text: str) -> bool:
    r"""Return whether LaTeX text made here needs `\dreamixtext`."""
    return r"\dreamixtext" in text


def _runs(text: str) -> Iterator[str]:
    """Yield the characters that are printed alone, and runs of one script that belong together."""
    run = ""
    for place, character in enumerate(text):
        if run and _joins(run, text[place:]):
            run += character
            continue
        if run:
            yield run
        run = ""
        if _known(character):
            yield character
        else:
            run = character
    if run:
        yield run


def _joins(run: str, rest: str) -> bool:
    """Return whether the next character belongs to the run, as blanks from the right do."""
    if unicodedata.combining(rest[0]) or unicodedata.category(rest[0]) in ("Mn", "Mc", "Me", "Cf"):
        return True
    if rest[0] == " ":
        after = rest.lstrip(" ")
        return _from_right(run) and bool(after) and _from_right(after[0])
    return not _known(rest[0]) and _script(rest[0]) == _script(run[0])


def _from_right(text: str) -> bool:
    return unicodedata.bidirectional(text[0]) in RIGHT_TO_LEFT


def _script(character: str) -> str:
    """Return the first word of a character's name, which is that of its script."""
    return unicodedata.name(character, "?").split()[0].split("-")[0]


def _known(character: str) -> bool:
    """Return whether pdfLaTeX can print a character."""
    if character in LATEX or character in SIGNS:
        return True
    below = ord(character) < LATIN and character not in UNKNOWN
    return below or _accented(character) is not None


def _accented(character: str) -> str | None:
    """Return a Latin letter with its accents as commands; None for anything else."""
    base, *marks = list(unicodedata.normalize("NFD", character))
    if not (marks and base.isascii() and base.isalpha() and all(m in ACCENTS for m in marks)):
        return None
    text = {"i": r"\i", "j": r"\j"}.get(base, base) if marks[0] not in "\u0323\u0328" else base
    for mark in marks:
        text = rf"\{ACCENTS[mark]}{{{text}}}"
    return f"{{{text}}}"


def _run(run: str) -> str:
    first = run[0]
    if first in LATEX:
        return LATEX[first]
    if first in SIGNS or (ord(first) < LATIN and first not in UNKNOWN):
        return run
    if accented := _accented(first):
        return accented
    named = "".join(f"{{[}}U+{ord(c):04X}]" for c in run if c != " ")
    turned = "1" if _from_right(run) else "0"
    return rf'\dreamixtext{{"{ord(first):X}}}{{{turned}}}{{{run}}}{{{named}}}'


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


def _blocks(table: Table, part: slice) -> list[tuple[list[TableRow], int]]:
    """Return the rows that fit on a page together, and how many lines they take with rules."""
    blocks: list[tuple[list[TableRow], int]] = [([], RULES)]
    for row in table.rows:
        height = _height(row.cells[part])
        rows, used = blocks[-1]
        if rows and used + height > PAGE:
            blocks.append(([row], RULES + height))
        else:
            blocks[-1] = ([*rows, row], used + height)
    return blocks


def _height(cells: tuple[TableCell, ...]) -> int:
    """Return how many lines a row takes."""
    longest = max((len(cell.main) for cell in cells if cell.prose), default=0)
    return max(1 + any(cell.small for cell in cells), math.ceil(1.2 * longest / PROSE))


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
        widest = max([len(head.text) + len(head.arrow), *mains, *smalls])
        found.append(GAP + (PROSE if _is_prose(table, k) else widest))
    return found


def _is_prose(table: Table, column: int) -> bool:
    return any(row.cells[column].prose for row in table.rows)


def _tabular(table: Table, part: slice, rows: list[TableRow]) -> str:
    heads = [f"{escape_latex(h.text)} {escape_latex(h.arrow)}".strip() for h in table.head[part]]
    lines = [_latex_line([escape_latex(table.first), *heads]), r"\midrule"]
    for row in rows:
        lines += _latex_rows(row, row.cells[part])
    body = "\n".join(lines)
    words = f"p{{{PROSE / LINE:.2f}\\linewidth}}"
    kinds = [words if _is_prose(table, k) else "r" for k in range(len(table.head))[part]]
    columns = "".join(["l", *kinds])
    return f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}"


def _latex_rows(row: TableRow, cells: tuple[TableCell, ...]) -> list[str]:
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
