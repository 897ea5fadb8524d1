"""What a judge is asked: one question a call, three axes that never speak of one another.

Alignment, fidelity and exclusivity see the source and the edit; quality sees the edit alone. The
wording is part of the hash of what a number means: change it, and it is another metric.
"""

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple

from evaluation.judge.frames import Still, Stills
from evaluation.judge.reading import Scale
from evaluation.schema import Axis

Form = Literal["token", "json"]
Part = str | Still  # of what is shown: words, or a still
SCALE = Scale(1, 5)
PAIR_OPTIONS = ("A", "B", "C")  # C: equal


class JudgeQuestion(NamedTuple):
    """One aspect that a judge is asked about."""

    name: str
    axis: Axis
    sees_source: bool
    tells_change: bool  # whether it is told what was asked for
    text: str
    pair: str  # the end of "Which edit ...?"


_BOTH = (
    "Below are stills of a source clip, then stills of an edited clip at the same moments. The "
    "time of each still stands before it."
)
_ALONE = "Below are stills of a clip. The time of each still stands before it."
QUESTIONS = {
    one.name: one
    for one in (
        JudgeQuestion(
            "alignment",
            "alignment",
            True,
            True,
            "How far is the requested change there in the edited clip, in all of its stills? Judge "
            "that alone, neither what else became of the source nor how well the pictures are "
            "made. 1: nothing of it is there; 2: a trace; 3: about half of it; 4: most of it; "
            "5: all of it.",
            "makes the requested change more fully",
        ),
        JudgeQuestion(
            "fidelity",
            "fidelity",
            True,
            True,
            "Leave the requested change aside. How much of everything else in the source is still "
            "the same in the edited clip: the people and things, their places, shapes and motion, "
            "the background, the camera? It does not matter whether the requested change was made. "
            "1: hardly anything; 2: little; 3: about half; 4: most; 5: all.",
            "keeps more of everything in the source that the change does not concern",
        ),
        JudgeQuestion(
            "quality",
            "quality",
            False,
            False,
            "How free of visible defects are these pictures: blur, noise, distorted or melting "
            "shapes, seams, things that come and go without a cause? Do not judge what is shown. "
            "1: defects everywhere; 2: many; 3: some; 4: few; 5: none.",
            "has fewer visible defects",
        ),
        JudgeQuestion(
            "exclusivity",
            "fidelity",
            True,
            True,
            "Look for changes that nobody requested: things added, removed, recoloured, reshaped "
            "or moved, another style, another background. How far did the edit stay with the "
            "requested change alone? It does not matter whether the requested change was made. "
            "1: much else was changed; 2: several other things; 3: one other thing plainly; "
            "4: hardly anything else; 5: nothing else.",
            "changes fewer things that nobody requested",
        ),
    )
}
ENDS: dict[Form, str] = {
    "token": "Answer with one digit from 1 to 5 and nothing else.\nScore:",
    "json": 'Answer with JSON of the form {"score": n}, n a whole number from 1 to 5, and nothing '
    "else.",
}
PAIR_MEANS = "A for Edit A, B for Edit B, C if they are equal"
YES_NO = ("Yes", "No")
LETTERS = tuple("ABCDEFGHJKLMNOPQRSTU")  # of a multiple choice; not I, as in "I am sorry"
PROBE = "Which planet do we live on? Answer with its name and nothing else."


def pointwise(
    question: JudgeQuestion, form: Form, stills: Stills, instruction: str | None, prompt: str | None
) -> list[Part]:
    """Return the words and stills of a question about one edit, in order."""
    shown = shown_with(stills, question.sees_source)
    change = [wanted(instruction, prompt)] if question.tells_change else []
    return [*shown, "\n".join([*change, question.text, ENDS[form]])]


def shown_with(stills: Stills, sees_source: bool = True) -> list[Part]:
    """Return the stills of an edit, or of source and edit, with the words that introduce them."""
    source = _shown(stills.source) if sees_source else []
    return [_BOTH if sees_source else _ALONE, *source, *_shown(stills.edited)]


def pairwise(
    question: JudgeQuestion,
    stills: tuple[Stills, Stills],
    instruction: str | None,
    prompt: str | None,
    form: Form = "token",
) -> list[Part]:
    """Return the words and stills of a question about two edits of one source.

    stills: of the edit that is shown as A, and of that shown as B; the source is that of the first.
    """
    first, second = stills
    shown: list[Part] = ["Below are stills of a source clip, then of two edits of it, A and B."]
    shown += [*_shown(first.source), *_shown(first.edited), *_shown(second.edited)]
    change = [wanted(instruction, prompt)] if question.tells_change else []
    asked = f"Which edit {question.pair}, or are the two equal in that?"
    return [*shown, "\n".join([*change, asked, choice_end(form, PAIR_OPTIONS, PAIR_MEANS)])]


def choice_end(form: Form, options: Sequence[str], meaning: str = "") -> str:
    """Return the words that ask for one of some options; each is one token, as A or Yes.

    meaning: what the options stand for, where they do not say so.
    """
    one = "one word" if len(options[0]) > 1 else "one letter"
    told = f": {meaning}" if meaning else f": {' or '.join(options)}"
    if form == "token":
        return f"Answer with {one} and nothing else{told}.\nAnswer:"
    return f'Answer with JSON of the form {{"answer": "..."}} with {one}{told}. Nothing else.'


def wanted(instruction: str | None, prompt: str | None) -> str:
    """Return the line that tells of the change: the instruction, else what should be seen."""
    if instruction:
        return f"The requested change: {_quoted(instruction)}."
    return f"The requested change: the clip is to show {_quoted(prompt or '')}."


def wording(question: JudgeQuestion, form: Form) -> str:
    """Return all words of a question that do not come from the edit: what its hash is taken of."""
    told = wanted("{instruction}", None), wanted(None, "{prompt}")
    return "\n".join([_BOTH if question.sees_source else _ALONE, *told, question.text, ENDS[form]])


def _shown(stills: Sequence[Still]) -> list[Part]:
    return [part for still in stills for part in (still.label, still)]


def _quoted(text: str) -> str:
    """Return a text of a suite in quotes that it cannot end."""
    return json.dumps(text, ensure_ascii=False)
