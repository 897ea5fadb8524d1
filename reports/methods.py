"""The methods paragraph: what exactly was done, in sentences that a paper can take over.

Every sentence comes from what was computed; nothing here is general praise or advice.
"""

from typing import NamedTuple

from markupsafe import Markup

from reports.citations import as_latex, as_text, cited
from reports.latex_text import MACRO, foreign
from reports.parts import WARNING, Part
from reports.rendering import macros
from reports.summary import Summary
from reports.versions import made_with
from reports.wording import plural

_PARTS = macros("parts.html")


class Paragraph(NamedTuple):
    """Sentences with citations as [@key]."""

    sentences: tuple[str, ...]
    stamped: bool  # something in it is of simulated raters


def paragraph(lead: list[str], parts: list[Part]) -> Paragraph:
    """Return the sentences of a report: how it was set up, then what every part did, once each."""
    done = [*lead, *(sentence for part in parts for sentence in part.done)]
    return Paragraph(tuple(dict.fromkeys(done)), any(part.stamped for part in parts))


def run_lead(summary: Summary) -> list[str]:
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
