"""One LaTeX document with the results first, then the methods paragraph and what it cites.

Results in words, the main table, its figure and the strip; methods; references. Every other figure
and table stands in the appendix. It compiles as it is, and parts can be cut out. pdfLaTeX prints
Latin scripts; LuaLaTeX and XeLaTeX print any script that a font on the machine has.

The methods paragraph says what exactly was done, in sentences that come from what was computed.
Citations in it have the form of Pandoc, [@one; @two], which reads the Markdown file as it is.
"""

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import PurePosixPath
from typing import NamedTuple

from markupsafe import Markup

from dreamix.core.wording import plural
from reports.page.clips import RULE, Strip, picture_name
from reports.page.latex import MACRO, escape_latex, foreign, latex_label
from reports.page.shell import Plot, macros
from reports.parts import WARNING, ReportPart
from reports.subjects import made_with
from reports.summary import RunSummary
from reports.tables import file_name

CITED = re.compile(r"\[@([^\]]+)\]")
_PARTS = macros("parts.html")
HEAD = r"""\documentclass[11pt]{article}
\ifdefined\directlua
\usepackage{fontspec}
\else\ifdefined\XeTeXrevision
\usepackage{fontspec}
\else
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\fi\fi
\usepackage{textcomp}
\usepackage[margin=2cm]{geometry}
\usepackage{booktabs,graphicx,xcolor}
\emergencystretch=3em
\setlength{\belowcaptionskip}{6pt}
"""
# Text beyond Latin: \dreamixtext{"code of its first character}{1 from the right}{text}{its names}.
SCRIPTS = r"""% Fonts for other scripts: the first one here that has a text prints it. Add yours.
\newcommand{\dreamixfonts}{}
\ifdefined\fontspec
\ifdefined\directlua\directlua{
  if config and config.luaotfload and config.luaotfload.db then
    config.luaotfload.db.update_live = false
  end}\fi
\newcommand{\dreamixfont}[2]{\IfFontExistsTF{#2}{%
  \expandafter\newfontfamily\csname dreamix#1\endcsname{#2}%
  \expandafter\def\expandafter\dreamixfonts\expandafter{\dreamixfonts\dreamixtry{dreamix#1}}}{}}
\dreamixfont{a}{Noto Serif CJK SC}
\dreamixfont{b}{Noto Sans CJK SC}
\dreamixfont{c}{Noto Serif}
\dreamixfont{d}{Noto Naskh Arabic}
\dreamixfont{e}{Noto Serif Hebrew}
\dreamixfont{f}{Noto Serif Devanagari}
\dreamixfont{g}{Noto Serif Thai}
\dreamixfont{h}{DejaVu Serif}
\dreamixfont{i}{DejaVu Sans}
\dreamixfont{j}{FreeSerif}
\dreamixfont{k}{FandolSong}
\dreamixfont{l}{WenQuanYi Zen Hei}
\dreamixfont{m}{IPAexMincho}
\dreamixfont{n}{SimSun}
\dreamixfont{o}{MS Mincho}
\dreamixfont{p}{Malgun Gothic}
\dreamixfont{q}{PingFang SC}
\dreamixfont{r}{Arial Unicode MS}
\dreamixfont{s}{Noto Emoji}
\dreamixfont{t}{Unifont}
\newcommand{\dreamixtry}[1]{\ifx\dreamixfound\relax
  {\csname#1\endcsname\iffontchar\font\dreamixcode\relax\gdef\dreamixfound{#1}\fi}\fi}
\DeclareRobustCommand{\dreamixtext}[4]{\begingroup\gdef\dreamixcode{#1}%
  \global\let\dreamixfound\relax\dreamixfonts
  \ifx\dreamixfound\relax#4\else\csname\dreamixfound\endcsname
  \ifnum#2=1 \dreamixturned{#3}\else#3\fi\fi\endgroup}
\ifdefined\directlua
\newcommand{\dreamixturned}[1]{{\textdir TRT #1}}
\else
\TeXXeTstate=1
\newcommand{\dreamixturned}[1]{\beginR#1\endR}
\fi
\else
\DeclareRobustCommand{\dreamixtext}[4]{#4}
\fi
"""
START = r"""\title{%s}
\author{Names of the authors\\Their affiliations}
\date{}
\begin{document}
\maketitle
"""
METHODS = r"""\section{Methods}
\input{methods/methods.tex}
\bibliographystyle{plain}
\bibliography{methods/references}
\clearpage
\appendix
"""
APPENDIX = "\\section{%s}\n"
FIRST_PAGE = "\\label{dreamix:appendix}\n"
END = "\\end{document}\n"
STRIP_WIDTH, STRIP_HEIGHT, PROMPT = 0.86, 0.72, 90  # of the line, of the page; letters of a prompt


class Reference(NamedTuple):
    """A work that can be cited."""

    key: str
    label: str  # such as "Holm 1979"
    source: str  # its BibTeX entry


def entries() -> dict[str, Reference]:
    """Return what can be cited, by key."""
    text = resources.files("reports").joinpath("references.bib").read_text(encoding="utf-8")
    found = re.findall(r"^@\w+\{.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    return {entry.key: entry for entry in map(_entry, found)}


def cited(sentences: list[str]) -> list[Reference]:
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


def _entry(source: str) -> Reference:
    key = source[source.index("{") + 1 : source.index(",")]
    return Reference(key, f"{_who(source)} {_field(source, 'year') or 'n.d.'}", source)


def _who(source: str) -> str:
    """Return the family names of up to two authors, "et al." for more; else who issued it."""
    authors = _field(source, "author") or _field(source, "institution") or ""
    names = [name.split(",")[0].strip("{} ") for name in authors.split(" and ")]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def _field(source: str, name: str) -> str | None:
    found = re.search(rf"^\s*{name}\s*=\s*\{{(.*)\}},?$", source, flags=re.MULTILINE)
    return found.group(1) if found else None


class Paragraph(NamedTuple):
    """Sentences with citations as [@key]."""

    sentences: tuple[str, ...]
    stamped: bool  # something in it is of simulated raters


def paragraph(lead: list[str], parts: list[ReportPart]) -> Paragraph:
    """Return the sentences of a report: how it was set up, then what every part did, once each."""
    done = [*lead, *(sentence for part in parts for sentence in part.done)]
    return Paragraph(tuple(dict.fromkeys(done)), any(part.stamped for part in parts))


def run_lead(summary: RunSummary) -> list[str]:
    """Return how a run was made and its metrics summarized."""
    run, how = summary.run, summary.resampling
    suite = run.info.suite
    return [
        f"We {'compared' if len(run.ranked) > 1 else 'ran'} {plural(len(run.ranked), 'method')} on "
        f"{plural(len(run.edits), 'edit')} of {plural(len(run.videos), 'source video')} of the "
        f"suite {suite.name}, version {suite.version}, with dreamix-toolkit "
        f"{made_with()['dreamix-toolkit']}, a reference implementation of Dreamix [@molad2023].",
        f"Metrics are means over edits with {100 * how.confidence:g}% percentile intervals of a "
        f"bootstrap over source videos, each resampled with all of its edits ({how.resamples} "
        f"resamples, seed {how.seed}) [@efron1993].",
    ]


def paragraph_html(said: Paragraph) -> Markup:
    """Return the paragraph as the body of a section, and where its files are."""
    return _PARTS.methods(said, " ".join(map(as_text, said.sentences)), WARNING)


def paragraph_files(said: Paragraph) -> dict[str, str]:
    """Return the paragraph as files: LaTeX, Markdown for Pandoc, and the works it cites."""
    warning = f"{WARNING}\n\n" if said.stamped else ""
    works = [entry.source for entry in cited(list(said.sentences))]
    text = "\n".join(map(as_latex, said.sentences)) + "\n"
    return {
        "methods.tex": MACRO * foreign(text) + warning + text,
        "methods.md": warning + "\n".join(said.sentences) + "\n",
        "references.bib": "\n\n".join(works) + "\n",
    }


class Results(NamedTuple):
    """What the paper says before its methods."""

    lead: str = ""  # what was compared
    groups: Sequence[tuple[str, Sequence[str]]] = ()  # name, sentences "Topic: sentence."
    tables: Sequence[str] = ()  # paths of the main tables
    plots: Sequence[str] = ()  # names of the main figures
    strip: Strip | None = None
    warning: str = ""  # that raters were simulated


NOTHING = Results()


def paper(title: str, tables: list[str], plots: list[Plot], results: Results = NOTHING) -> str:
    """Return the document that inputs these LaTeX tables and shows these figures.

    tables: paths below the report's folder, where `pdflatex paper && bibtex paper` is to be run.
    """
    first = [name for name in tables if name in results.tables]
    main = [f"\\input{{{name}}}\n" for name in first]
    main += [_figure(plot) for plot in plots if plot.name in results.plots]
    main += [_strip(results.strip)] if results.strip else []
    figures = [_figure(plot) for plot in plots if plot.name not in results.plots]
    rest = [f"\\input{{{name}}}\n" for name in tables if name not in first]
    parts = [("Figures", figures), ("Tables", rest)]
    behind = [APPENDIX % name + _cleared(floats) for name, floats in parts if floats]
    said = _words(results, main)
    appendix = FIRST_PAGE + "\\clearpage\n".join(behind) if behind else FIRST_PAGE
    start = HEAD + SCRIPTS + START % escape_latex(title)
    return f"{start}{said}{METHODS}{appendix}{END}"


def _cleared(floats: list[str]) -> str:
    """Return floats with a page break after every fourth: TeX can hold only so many back."""
    return "".join(text + ("\\clearpage\n" if k % 4 == 3 else "") for k, text in enumerate(floats))


def _words(results: Results, floats: list[str]) -> str:
    """Return the results in words, with the main table, figure and strip among them."""
    if not (results.groups or floats):
        return ""
    lead = [text for text in (results.warning, results.lead) if text]
    text = "\\section{Results}\n" + "".join(f"{escape_latex(one)}\n\n" for one in lead)
    text += "".join(floats)
    for name, sentences in results.groups:
        text += f"\\subsection*{{{escape_latex(name)}}}\n"
        text += "".join(f"{_paragraph(sentence)}\n\n\\smallskip\n" for sentence in sentences)
    return text


def _paragraph(sentence: str) -> str:
    """Return "Topic: sentence." with its topic in bold."""
    topic, _, rest = sentence.partition(": ")
    return f"\\noindent\\textbf{{{escape_latex(topic)}.}} {escape_latex(rest)}"


def _strip(strip: Strip) -> str:
    """Return the strip as a figure: a line for the sources and one for every method."""
    lines = [" & ".join(["", *(_head(strip, edit.request) for edit in strip.edits)])]
    lines += [_line(strip, row) for row in range(len(strip.rows))]
    body = "\\\\[1pt]\n".join(lines)
    return (
        "\\begin{figure}[htbp]\n\\centering\\setlength{\\tabcolsep}{1.5pt}\n"
        f"\\begin{{tabular}}{{l*{{{len(strip.edits)}}}{{c}}}}\n{body}\n\\end{{tabular}}\n"
        f"\\caption{{{escape_latex(f'{strip.title}. {RULE}')}}}\n\\label{{fig:strip}}\n"
        "\\end{figure}\n"
    )


def _width(strip: Strip) -> str:
    return f"{STRIP_WIDTH / len(strip.edits) - 0.01:.3f}\\linewidth"


def _head(strip: Strip, prompt: str) -> str:
    text = prompt if len(prompt) <= PROMPT else f"{prompt[: PROMPT - 1]}\N{HORIZONTAL ELLIPSIS}"
    return f"\\parbox[b]{{{_width(strip)}}}{{\\raggedright\\scriptsize {escape_latex(text)}}}"


def _line(strip: Strip, row: int) -> str:
    """Return a row's label and frames, no higher than lets all rows stand on a page."""
    label, several = strip.rows[row]
    height = f"{STRIP_HEIGHT / len(strip.rows):.3f}\\textheight"
    size = f"width={_width(strip)},height={height},keepaspectratio"
    cells = [
        f"\\raisebox{{-.5\\height}}{{\\includegraphics[{size}]{{figures/{picture_name(row, k)}}}}}"
        if one.jpeg
        else f"{{\\scriptsize {escape_latex(one.why)}}}"
        for k, one in enumerate(several)
    ]
    room = f"{1 - STRIP_WIDTH:.2f}\\linewidth"
    name = f"\\parbox{{{room}}}{{\\raggedright\\scriptsize {escape_latex(label)}}}"
    return " & ".join([name, *cells])


def _figure(plot: Plot) -> str:
    path = PurePosixPath("figures") / f"{file_name(plot.name)}.pdf"
    return (
        "\\begin{figure}[htbp]\n\\centering\n"
        f"\\includegraphics[width=\\linewidth,height=.8\\textheight,keepaspectratio]{{{path}}}\n"
        f"\\caption{{{escape_latex(plot.caption)}}}\n\\label{{fig:{latex_label(plot.name)}}}\n"
        "\\end{figure}\n"
    )
