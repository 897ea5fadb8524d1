"""Traps: what each asks for, in every language of the study, and its words burnt into a clip."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from dreamix.core.errors import UserError
from dreamix.core.video import Video
from study_app.prepare.lettering import Lettering, check_fonts, lettering
from study_app.prepare.typesetting import typeset
from study_app.spec.study import Study

LEFT, RIGHT = -1, 1
ANSWERS = (2, 4)  # of the scale of five
REAL = 0.4  # share of the clip that plays before the words appear
GROUND, INK = (40, 40, 40), (255, 255, 255)


class TrapText(NamedTuple):
    """The words of a trap, how they are drawn, and the answer that they ask for."""

    text: str
    lettering: Lettering
    expected: int


def trap_texts(study: Study, folder: Path) -> list[TrapText]:
    """Return the words of every trap of the study in `folder`, language by language.

    Raises:
        UserError: for words that cannot be drawn here; it names the letters and the language.
    """
    if not study.checks.traps:
        return []
    named = [(folder / path).resolve() for path in study.checks.font]
    check_fonts(named)
    return [
        TrapText(text, _lettering(text, language, named), expected)
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


def with_words(video: Video, words: Lettering | str) -> Video:
    """Return the clip with words on a dark card in place of its later frames.

    The start is real, so that the words are found by those who watch and not by a glance.
    """
    frames = video.frames.copy()
    frames[round(REAL * len(frames)) :] = drawn(words, video.width, video.height)
    return Video(frames, video.fps, video.times)


def card(
    text: str, width: int, height: int, language: str = "", named: Sequence[Path] = ()
) -> np.ndarray:
    """Return a text as white words on dark grey, uint8 (height, width, 3), as large as fits.

    Raises:
        UserError: for a text that cannot be drawn, or has no room: see `lettering`.
    """
    return drawn(lettering(text, language, named), width, height)


def drawn(words: Lettering | str, width: int, height: int) -> np.ndarray:
    """Return words on a card, uint8 (height, width, 3)."""
    words = lettering(words) if isinstance(words, str) else words
    picture = Image.new("RGB", (width, height), GROUND)
    draw, set_ = ImageDraw.Draw(picture), typeset(words, width, height)
    baseline = (height - set_.height) / 2 - set_.lines[0].top
    for line in set_.lines:
        start = (width - line.right - line.left) / 2
        for piece in line.pieces:
            place = (start + piece.at, baseline)
            draw.text(place, piece.text, INK, piece.font, "ls", **set_.options)
        baseline += set_.pitch
    return np.asarray(picture)
