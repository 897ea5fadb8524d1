"""Citations: sentences with [@key] in them, as text, Markdown and LaTeX, and the entries they cite.

The form is that of Pandoc, which reads the Markdown file as it is. Several keys stand as
[@one; @two].
"""

import re
from importlib import resources
from typing import NamedTuple

from reports.latex_text import escape_latex

CITED = re.compile(r"\[@([^\]]+)\]")


class Entry(NamedTuple):
    """A work that can be cited."""

    key: str
    label: str  # such as "Holm 1979"
    source: str  # its BibTeX entry


def entries() -> dict[str, Entry]:
    """Return what can be cited, by key."""
    text = resources.files("reports").joinpath("references.bib").read_text(encoding="utf-8")
    found = re.findall(r"^@\w+\{.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    return {entry.key: entry for entry in map(_entry, found)}


def cited(sentences: list[str]) -> list[Entry]:
    """Return the entries that sentences cite, by key; a key without an entry is a `KeyError`."""
    known = entries()
    marks = [mark for sentence in sentences for mark in CITED.findall(sentence)]
    return [known[key] for key in sorted({key for mark in marks for key in _keys(mark)})]


def as_text(sentence: str) -> str:
    """Return a sentence with "(Holm 1979)" in place of [@holm1979]."""
    known = entries()

    def labels(mark: re.Match[str]) -> str:
        return f"({'; '.join(known[key].label for key in _keys(mark.group(1)))})"

    return CITED.sub(labels, sentence)


def as_latex(sentence: str) -> str:
    r"""Return a sentence as LaTeX, with ~\cite{holm1979} in place of [@holm1979]."""
    pieces, at = [], 0
    for mark in CITED.finditer(sentence):
        before = _escaped(sentence[at : mark.start()])
        pieces += [before, f"~\\cite{{{','.join(_keys(mark.group(1)))}}}"]
        at = mark.end()
    return "".join([*pieces, _escaped(sentence[at:])])


def _escaped(text: str) -> str:
    """Return text as LaTeX, with the space that parts it from the citation before it."""
    return f"{' ' if text.startswith(' ') else ''}{escape_latex(text)}"


def _keys(mark: str) -> list[str]:
    return [key.strip().removeprefix("@") for key in mark.split(";")]


def _entry(source: str) -> Entry:
    key = source[source.index("{") + 1 : source.index(",")]
    return Entry(key, f"{_who(source)} {_field(source, 'year') or 'n.d.'}", source)


def _who(source: str) -> str:
    """Return the family names of up to two authors, "et al." for more; else who issued it."""
    authors = _field(source, "author") or _field(source, "institution") or ""
    names = [name.split(",")[0].strip("{} ") for name in authors.split(" and ")]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def _field(source: str, name: str) -> str | None:
    found = re.search(rf"^\s*{name}\s*=\s*\{{(.*)\}},?$", source, flags=re.MULTILINE)
    return found.group(1) if found else None
