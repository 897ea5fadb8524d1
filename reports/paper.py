"""One LaTeX document with all that a report has: it compiles as it is, and parts can be cut out."""

from pathlib import PurePosixPath

from reports.formats import escape_latex
from reports.shell import Plot

HEAD = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[margin=2cm]{geometry}
\usepackage{booktabs,graphicx,xcolor}
\title{%s}
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
    return HEAD % escape_latex(title) + body + TAIL


def _figure(plot: Plot) -> str:
    path = PurePosixPath("figures") / f"{plot.name}.pdf"
    return (
        "\\begin{figure}[htbp]\n\\centering\n"
        f"\\includegraphics[width=\\linewidth,height=.8\\textheight,keepaspectratio]{{{path}}}\n"
        f"\\caption{{{escape_latex(plot.caption)}}}\n\\label{{fig:{plot.name.replace('_', '-')}}}\n"
        "\\end{figure}\n"
    )
