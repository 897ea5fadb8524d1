"""The documents of an export: README, R script, and study.yaml without completion codes."""

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

import yaml

from dreamix.core.wording import plural
from dreamix.core.yaml_reading import LOADER
from study_app.declaration import current_declaration
from study_app.enrollment import Raters
from study_app.export import codebook as book
from study_app.open_study import Opened
from study_app.spec.study import Study
from study_app.status_text import utc_text

WITHHELD = "withheld"
_CODES = ("completion_code", "screen_out_code", "completion_url")
_IN_URL = re.compile(r"[?&;](?:cc|code|token|key|secret|password)=([^&#\s]+)", re.IGNORECASE)
_SHORT = 4  # characters; a shorter code may be any number of the file
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


def _of_adaptive(study: Study) -> list[str]:
    if study.adaptive is None:
        return []
    return ["| `adaptive.json` | | by which rule votes were dealt, and how every pair stands |"]


def public_study(text: str) -> str:
    """Return the text of a study.yaml with `withheld` for every code, wherever it stands.

    Codes are those of `recruiting`, and what a completion URL has as its code. Comments and the
    order of the file stay; where that cannot be done without a doubt they go, and the codes too.
    """
    codes = codes_of(text)
    if not codes:
        return text
    found = yaml.load(text, LOADER)
    block = found["recruiting"]
    known = {name: WITHHELD for name in _CODES if block.get(name)}
    public = without_codes(found, codes)
    public["recruiting"] = without_codes(block, codes) | known
    edited = _replaced(_edited(text), codes)
    return edited if _says(edited, public) else yaml.safe_dump(public, sort_keys=False)


def codes_of(text: str) -> list[str]:
    """Return the codes that a study.yaml has, those in its completion URL too."""
    found = yaml.load(text, LOADER)
    block: dict[str, Any] = (isinstance(found, dict) and found.get("recruiting")) or {}
    codes = [str(block[name]).strip() for name in _CODES if block.get(name)]
    return codes + [match for code in codes for match in _IN_URL.findall(code)]


def _edited(text: str) -> str:
    """Return the text with the values of the codes replaced where they stand."""
    spans = [
        (value.start_mark.index, value.end_mark.index)
        for key, block in getattr(yaml.compose(text, yaml.SafeLoader), "value", ())
        if key.value == "recruiting"
        for name, value in block.value
        if name.value in _CODES and value.tag != "tag:yaml.org,2002:null"
    ]
    for start, end in sorted(spans, reverse=True):
        trailing = text[start:end][len(text[start:end].rstrip()) :]
        text = text[:start] + WITHHELD + trailing + text[end:]
    return text


def without_codes(value: Any, codes: list[str]) -> Any:
    """Return a value of which no text has a code."""
    if isinstance(value, dict):
        return {key: without_codes(item, codes) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_codes(item, codes) for item in value]
    return _replaced(value, codes) if isinstance(value, str) else value


def _replaced(text: str, codes: list[str]) -> str:
    """Return a text with `withheld` for codes as they are and as URLs have them."""
    forms = {form for code in codes for form in (code, quote(code), quote(code, safe=""))}
    for form in sorted(forms, key=len, reverse=True):
        if len(form) >= _SHORT:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", WITHHELD, text)
    return text


def _says(text: str, wanted: object) -> bool:
    try:
        return bool(yaml.load(text, LOADER) == wanted)
    except yaml.YAMLError:
        return False


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
        f"Written {utc_text(now)}; design: {study.design}; "
        f"questions: {', '.join(study.questions)}.\n",
        "| file | rows | what |\n|---|--:|---|",
        *files,
        "| `codebook.csv` | | what every column of every table means |",
        "| `study.yaml` | | the study: texts, scales, rules, analysis; without codes |",
        "| `declaration.json` | | what was declared: wording, rules, hash, time; every amendment |",
        *_of_adaptive(study),
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
    return f"- {what} {utc_text(entry['at'])}, {when} (hash {entry['hash']}){why}"


def _declaration(running: Opened) -> list[str]:
    """Return what was declared, by its hash, when, and every amendment."""
    with running.database.reading() as session:
        found = current_declaration(session)
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
