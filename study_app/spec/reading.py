"""Reads study.yaml; all that is wrong in it is told at once: line, place, and what is allowed."""

from pathlib import Path

from dreamix.core.errors import Mistakes, UserError
from dreamix.core.yaml_reading import Document, Limits, parse_document, read_document
from dreamix.core.yaml_typed import Findings
from study_app.spec.study import Study

FILE = "study.yaml"
LIMITS = Limits()


def read_study(folder: Path) -> Study:
    """Return the study in `folder`; a file that cannot be one is a `UserError`."""
    path = folder / FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no {FILE}: `dreamix study new RUN --out {folder}` writes one"
        )
    return _study(read_document(path, LIMITS))


def study_from_text(text: str, where: str) -> Study:
    """Return the study that YAML says; `where` names the file in what a `UserError` tells."""
    return _study(parse_document(text.encode(errors="surrogatepass"), where, LIMITS))


def _study(document: Document) -> Study:
    found = Findings(document)
    if isinstance(document.value, dict):
        study = found.read_as(Study)
        if study is not None and not found.problems:
            return study
    elif not found.problems:
        found.add((), "a study is a list of settings, `name: value` in each line")
    raise Mistakes(found.problems)
