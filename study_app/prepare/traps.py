"""What the traps of a study ask for, in the words of each of its languages."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from study_app.prepare.lettering import Lettering, check_fonts, lettering
from study_app.spec.study import Study

LEFT, RIGHT = -1, 1
ANSWERS = (2, 4)  # of the scale of five


class Words(NamedTuple):
    """The words of a trap, how they are drawn, and the answer that they ask for."""

    text: str
    lettering: Lettering
    expected: int


def trap_words(study: Study, folder: Path) -> list[Words]:
    """Return the words of every trap of the study in `folder`, language by language.

    Words that cannot be drawn here are a `UserError` that names the letters and the language.
    """
    if not study.checks.traps:
        return []
    named = [(folder / path).resolve() for path in study.checks.font]
    check_fonts(named)
    return [
        Words(text, _lettering(text, language, named), expected)
        for language in study.texts
        for expected, answer in _answers(study, language)
        for text in [_text(study, language, answer)]
    ]


def _answers(study: Study, language: str) -> Iterator[tuple[int, str]]:
    """Give each answer that a trap asks for, and its word."""
    if study.design == "absolute":
        yield from ((answer, str(answer)) for answer in ANSWERS)
        return
    words = study.texts[language].pair_questions[study.questions[0]]
    yield from ((LEFT, words.left), (RIGHT, words.right))


def _text(study: Study, language: str, answer: str) -> str:
    asked = study.texts[language].trap
    try:
        text = asked.format(answer=answer)
    except (LookupError, ValueError, AttributeError):
        text = ""
    if not text.strip() or asked.format(answer="") == text:
        raise UserError(
            f"texts.{language}.trap: {{answer}} has to stand in it, and nothing else in braces"
        )
    return text


def _lettering(text: str, language: str, named: list[Path]) -> Lettering:
    try:
        return lettering(text, language, named)
    except UserError as error:
        raise UserError(f"texts.{language}.trap: {error}") from None
