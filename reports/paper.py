"""One LaTeX document: a paper with the results first, and all else that a report has behind it.

Results in words, the main table, its figure and the strip; methods; references. Every other figure
and table stands in the appendix. It compiles as it is, and parts can be cut out.

pdfLaTeX prints Latin scripts; LuaLaTeX and XeLaTeX print any script that a font on the machine has.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from reports.formats import latex_label
from reports.latex_text import escape_latex
from reports.names import file_name
from reports.shell import Plot
from reports.strip import RULE, Strip, picture_name

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
    lines = [" & ".join(["", *(_head(strip, edit.prompt) for edit in strip.edits)])]
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
