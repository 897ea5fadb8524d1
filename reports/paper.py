"""One LaTeX document with all that a report has: it compiles as it is, and parts can be cut out.

pdfLaTeX prints Latin scripts; LuaLaTeX and XeLaTeX print any script that a font on the machine has.
"""

from pathlib import PurePosixPath

from reports.formats import latex_label
from reports.latex_text import escape_latex
from reports.names import file_name
from reports.shell import Plot

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
\date{}
\begin{document}
\maketitle
\section*{Methods}
\input{methods/methods.tex}
"""
TAIL = r"""\bibliographystyle{plain}
\bibliography{methods/references}
\end{document}
"""


def paper(title: str, tables: list[str], plots: list[Plot]) -> str:
    """Return the document that inputs these LaTeX tables and shows these figures.

    tables: paths below the report's folder, where `pdflatex paper && bibtex paper` is to be run.
    """
    floats = [_figure(plot) for plot in plots] + [f"\\input{{{name}}}\n" for name in tables]
    body = "".join(text + ("\\clearpage\n" if k % 4 == 3 else "") for k, text in enumerate(floats))
    return HEAD + SCRIPTS + START % escape_latex(title) + body + TAIL


def _figure(plot: Plot) -> str:
    path = PurePosixPath("figures") / f"{file_name(plot.name)}.pdf"
    return (
        "\\begin{figure}[htbp]\n\\centering\n"
        f"\\includegraphics[width=\\linewidth,height=.8\\textheight,keepaspectratio]{{{path}}}\n"
        f"\\caption{{{escape_latex(plot.caption)}}}\n\\label{{fig:{latex_label(plot.name)}}}\n"
        "\\end{figure}\n"
    )
