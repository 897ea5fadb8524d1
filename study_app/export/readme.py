"""The words of an export: what is what, and an analysis that is ready to run."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from dreamix.core.wording import plural
from study_app.declaration import declared
from study_app.export import codebook as book
from study_app.monitor import Raters
from study_app.opening import Opened
from study_app.spec.study import Study
from study_app.telling import day

SCRIPTS = {
    "absolute": Path(__file__).with_name("absolute.R"),
    "pairwise": Path(__file__).with_name("pairwise.R"),
}
_SIMULATED = """\
> **SIMULATED.** Every answer here was made by a program. No figure of it says anything about people
> or about the methods. The column `simulated` is true in every row, and the names of files and
> raters say so too.

"""

_HOW_TO_READ = """\
- Analyse rows of kind `rating`. Training, traps, gold and repeats are there to be checked.
- `excluded` marks raters by the rules that study.yaml declared before the first vote; show results
  with and without them. Exclusion says nothing about payment.
- Raters bear pseudonyms. `payment.csv` and `comments.csv` are written on request only: the first
  has the platform's ids and the codes, the second what people wrote. Publish neither.
- In study.yaml `withheld` stands for the codes with which raters end: nobody else needs them.
"""


_SPREADSHEETS = """
## Opening tables in a spreadsheet program

Text is UTF-8. Excel takes it for something else when a file is opened by a double click: "é"
becomes "Ã©". So:

- Excel: an empty workbook, Data > From Text/CSV, choose the file; File Origin "65001: Unicode
  (UTF-8)", Delimiter "Comma", Data Type Detection "Do not detect data types"; Load.
- LibreOffice: File > Open; Character set "Unicode (UTF-8)", Separated by "Comma"; OK.
- Google Sheets: File > Import > Upload; Separator type "Comma", no conversion of text.
- Numbers takes UTF-8 as it is.

Save under another name: `analysis.R` and SHA256SUMS are of the files as they were written. An
apostrophe before `=`, `+`, `-` or `@` keeps programs from taking a text for a formula.
"""


def analysis_script(study: Study, file: str) -> str:
    """Return an R script that reads the table of answers and fits the models."""
    text = SCRIPTS[study.design].read_text(encoding="utf-8")
    return Template(text).substitute(file=file, study=study.name)


def readme(running: Opened, tables: Mapping[str, Any], kinds: Raters, now: int) -> str:
    """Return what the folder is, file by file."""
    study, before = running.study, "simulated_" if kinds == "simulated" else ""
    files = [
        f"| `{before}{name}.csv`, `.parquet` | {table.num_rows} | {book.TABLES[name]} |"
        for name, table in tables.items()
    ]
    parts = [
        f"# Ratings of the study {study.name}{' (simulated)' if before else ''}\n",
        _SIMULATED if before else "",
        f"Written {day(now)}; design: {study.design}; questions: {', '.join(study.questions)}.\n",
        "| file | rows | what |\n|---|--:|---|",
        *files,
        "| `codebook.csv` | | what every column of every table means |",
        "| `study.yaml` | | the study: texts, scales, rules, analysis; without codes |",
        "| `declaration.json` | | what was declared: wording, rules, hash, time; every amendment |",
        "| `analysis.R` | | ordinal and linear mixed models; run it in this folder |",
        "| `SHA256SUMS` | | `sha256sum -c SHA256SUMS` checks that nothing has changed |",
        "\n## How to read it\n",
        _HOW_TO_READ,
        _SPREADSHEETS,
        *_declaration(running),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _of_entry(entry: Mapping[str, Any]) -> str:
    """Return when something was declared, after how many votes and, if it was amended, why."""
    votes = entry["ratings"]
    when = f"after {plural(votes, 'rated trial')}" if votes else "before the first vote"
    why = f": {entry['reason']}" if entry.get("reason") else ""
    what = "Amended" if why else "Declared"
    return f"- {what} {day(entry['at'])}, {when} (hash {entry['hash']}){why}"


def _declaration(running: Opened) -> list[str]:
    """Return what was declared, by its hash, when, and every amendment."""
    with running.database.reading() as session:
        found = declared(session)
    if not found:
        return []
    lines = ["## What was declared\n"]
    lines += [_of_entry(entry) for entry in found.entries]
    if len(found.entries) > 1:
        lines.append(
            "\nEach trial's column `declared` says under which of them it was rated, by the first "
            "12 digits of its hash; the wording of each stands in `declaration.json`."
        )
    return ["\n".join(lines)]
