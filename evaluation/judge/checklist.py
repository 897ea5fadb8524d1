"""A checklist put to a judge: every question in forms of which a constant answer gets few right.

A yes-no question is put as it stands, and turned round: is "No" the right answer to it? A multiple
choice is put once for each of its options, which move on by a letter each time, so that every
option stands at every letter once. What a constant answer gets right is then known: one of two
forms, or one of as many as there are options. The turned form is made by rule, of any question,
because a suite states none; that of a statement ("the kite is blue") asks whether it is false.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dreamix.data.edit_questions import EditQuestion
from evaluation.judge.checklist_rates import Answered
from evaluation.judge.frames import Stills
from evaluation.judge.judge import ModelJudge
from evaluation.judge.prompts import LETTERS, YES_NO, Form, Part, choice_end, shown_with
from evaluation.judge.reading import Kind

BOTH = "both"  # what a question sees that is about source and edit
DIRECT = "Answer this question about the stills; of a statement, say whether it is true."
TURNED = 'Is "No" the right answer to this question about the stills? Of a statement: is it false?'
CHOICE = "Choose the option that answers this question about the stills."
_NAMES = {  # how the questions of benchmarks call the clips
    False: "The question may call this clip Video B or the image.",
    True: "The question may call the source Video A, and the edited clip Video B or the image.",
}


class AskedForm(NamedTuple):
    """A question as it is put once."""

    text: str
    answers: tuple[str, ...]  # that may be given, one token each
    options: tuple[int, ...]  # which option of the question each of them stands for


class Unanswered(NamedTuple):
    """A form that a judge gave no answer to."""

    question: str
    kind: Kind
    reason: str


class ChecklistAnswers(NamedTuple):
    """What a judge said to a whole checklist; forms without an answer are in `unanswered`."""

    names: tuple[str, ...]  # of the questions
    answered: tuple[Answered, ...]  # as many
    unanswered: tuple[Unanswered, ...]

    @property
    def forms(self) -> int:
        """How many times it was asked."""
        return sum(len(one.forms) for one in self.answered)


def forms_of(question: EditQuestion) -> tuple[AskedForm, ...]:
    """Return the forms of a question: two, or one for each option."""
    quoted = _quoted(question.question)
    if not question.options:
        told = ((DIRECT, (0, 1)), (TURNED, (1, 0)))
        return tuple(AskedForm(f"{text}\n{quoted}", YES_NO, order) for text, order in told)
    return tuple(_rotations(quoted, question.options))


def right_of(question: EditQuestion) -> int:
    """Return the number of the right option; of a yes-no question yes is 0, no is 1."""
    if question.options:
        return question.options.index(str(question.answer))
    return 0 if question.answer else 1


def sees_source(question: EditQuestion) -> bool:
    """Return True if a question is about source and edit; others see the edit alone."""
    return question.sees == BOTH


def form_parts(form: AskedForm, how: Form, stills: Stills, source: bool) -> list[Part]:
    """Return the words and stills that put a form to a judge.

    source: whether the source is shown too.
    """
    words = [_NAMES[source], form.text, choice_end(how, form.answers)]
    return [*shown_with(stills, source), "\n".join(words)]


def checklist_wording(how: Form) -> str:
    """Return all words of a checklist that no suite brings: what its hash is taken of."""
    asked = EditQuestion("{question}", True), EditQuestion("{question}", "{a}", ("{a}", "{b}"))
    nothing = Stills((), ())
    parts = [
        form_parts(form, how, nothing, source)
        for source in (False, True)
        for question in asked
        for form in forms_of(question)
    ]
    return "\n".join(str(part) for listed in parts for part in listed)


def ask_checklist(
    judge: ModelJudge, questions: Sequence[EditQuestion], stills: Callable[[bool], Stills]
) -> ChecklistAnswers:
    """Return what a judge says to a checklist; all of it is asked, whatever one answer is.

    stills: what is shown of the clip, with its source (True) or alone.

    Raises:
        CallFailed: if it gave no answer at all to a form.
        Hopeless: if it will give none.
        BudgetSpent: if it may not be asked.
    """
    names = tuple(one.id or f"question {k}" for k, one in enumerate(questions, 1))
    found: list[Answered] = []
    lost: list[Unanswered] = []
    for name, question in zip(names, questions, strict=True):
        source = sees_source(question)
        shares: list[tuple[float, ...] | None] = []
        for form in forms_of(question):
            asked = judge.request(form_parts(form, judge.form, stills(source), source))
            read = judge.chosen(judge.ask(asked), form.answers)
            shares.append(_by_option(form, read.shares) if read.kind == "ok" else None)
            if read.kind != "ok":
                lost.append(Unanswered(name, read.kind, str(read.reason)))
        found.append(Answered(right_of(question), len(question.options) or 2, tuple(shares)))
    return ChecklistAnswers(names, tuple(found), tuple(lost))


def _rotations(quoted: str, options: Sequence[str]) -> Iterator[AskedForm]:
    """Yield a multiple choice with its options at every letter once."""
    count = len(options)
    for shift in range(count):
        order = tuple((shift + place) % count for place in range(count))
        letters = LETTERS[:count]
        listed = [
            f"{letter}: {_quoted(options[k])}" for letter, k in zip(letters, order, strict=True)
        ]
        yield AskedForm("\n".join([CHOICE, quoted, *listed]), letters, order)


def _by_option(form: AskedForm, shares: Mapping[str, float]) -> tuple[float, ...]:
    """Return the shares of the answers as those of the question's own options, in their order."""
    pairs = sorted(zip(form.options, form.answers, strict=True))
    return tuple(shares[answer] for _, answer in pairs)


def _quoted(text: str) -> str:
    """Return a text of a suite in quotes that it cannot end."""
    return json.dumps(text, ensure_ascii=False)
