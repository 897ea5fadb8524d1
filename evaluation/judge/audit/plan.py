"""What a judge is asked about one source of its audit, each question with a name.

The names say what is shown as the edit and what is asked: `exact/alignment`. Statistics are made of
answers by these names alone, in `evaluation.judge.audit.probes`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from evaluation.judge.audit.clips import AuditSource
from evaluation.judge.frames import FramePolicy, Stills
from evaluation.judge.prompts import (
    PAIR_OPTIONS,
    QUESTIONS,
    YES_NO,
    Form,
    Part,
    choice_end,
    pairwise,
    pointwise,
    shown_with,
    wanted,
)

COUNTS, SIDES, LOW_QUALITY = (2, 4, 8, 16), (224, 448, 672), 75
STEADY = 40  # sources that probes of steadiness ask about, at most
AGAIN = (2, 3)  # times a request is sent that was sent before
YES = "Is the requested change there in the edited clip, in all of its stills?"
NO = "Is the requested change missing from the edited clip, in whole or in part?"
LETTERS = ("A", "B")


class AuditQuestion(NamedTuple):
    """One question, ready to be sent."""

    name: str
    parts: tuple[Part, ...]
    options: tuple[str, ...] = ()  # empty: a score of 1 to 5
    again: int = 1  # the how-manieth time this is sent


class AskedAs(NamedTuple):
    """How a judge is asked: the form of its answers and what it is shown."""

    form: Form
    policy: FramePolicy


def questions(source: AuditSource, asked: AskedAs, *, is_steady: bool) -> Iterator[AuditQuestion]:
    """Yield all that is asked about a source, but for what is asked again.

    is_steady: whether the probes of steadiness are among it.
    """
    yield from _scores(source, asked)
    yield from without_picture(source, asked)
    for shown in ("exact", "source"):
        yield from both_ways(source, asked, shown)
    yield from letters(source, asked, "exact")
    yield from _pairs(source, asked)
    if is_steady:
        yield from _wordings(source, asked)
        yield from _frames(source, asked)


def counts_of(policy: FramePolicy) -> list[int]:
    """Return the numbers of frames that are tried, rising, with that of the policy."""
    return sorted({*COUNTS, policy.count})


def sides_of(policy: FramePolicy) -> list[int]:
    """Return the long sides that are tried, rising, with that of the policy."""
    return sorted({*SIDES, policy.side})


def _scores(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    """Yield the questions of a scoring, about all that is shown as the edit."""
    for shown, names in (
        ("exact", ("alignment", "fidelity", "quality", "exclusivity")),
        ("source", ("alignment", "fidelity")),
        ("other", ("fidelity",)),
        ("extra", ("fidelity", "exclusivity")),
        ("frozen", ("alignment",) if source.edit.is_motion else ("fidelity",)),
        ("shuffled", ("quality",) if source.edit.has_order else ()),
        ("captioned", ("alignment",)),
    ):
        for name in names:
            yield ask_score(source, asked, shown, name)
    for shown in ("source", "exact", "both"):
        told = source.edit.both_wording
        yield ask_score(source, asked, shown, "alignment", told, f"two/{shown}")


def without_picture(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    """Yield alignment of a grey clip, and of none."""
    yield ask_score(source, asked, "grey", "alignment")
    told = source.edit.wordings[0] or None, source.edit.prompt
    parts = pointwise(QUESTIONS["alignment"], asked.form, Stills((), ()), *told)
    yield AuditQuestion("nothing/alignment", tuple(parts))


def both_ways(source: AuditSource, asked: AskedAs, shown: str) -> Iterator[AuditQuestion]:
    """Yield whether the change is there, and whether it is missing."""
    for name, text in (("yes", YES), ("no", NO)):
        end = choice_end(asked.form, YES_NO)
        yield ask_choice(source, asked, shown, f"{name}/{shown}", text, end, YES_NO)


def letters(source: AuditSource, asked: AskedAs, shown: str) -> Iterator[AuditQuestion]:
    """Yield whether the change is there, with A for yes and with A for no."""
    for name, meaning in (("first", "A for yes, B for no"), ("last", "A for no, B for yes")):
        end = choice_end(asked.form, LETTERS, meaning)
        yield ask_choice(source, asked, shown, f"letters/{name}", YES, end, LETTERS)


def ask_pair(
    source: AuditSource, asked: AskedAs, first: str, second: str, told: str
) -> AuditQuestion:
    """Return which of two edits makes the change more fully."""
    seats = source.seated(first, asked.policy, "A"), source.seated(second, asked.policy, "B")
    prompt = source.edit.prompt
    parts = pairwise(QUESTIONS["alignment"], seats, told or None, prompt, asked.form)
    return AuditQuestion(f"pair/{first}-{second}", tuple(parts), PAIR_OPTIONS)


def _pairs(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    one, two = source.edit.wordings[0], source.edit.both_wording
    for first, second, told in (
        ("exact", "source", one),
        ("source", "exact", one),
        ("both", "exact", two),
        ("exact", "both", two),
        ("exact", "exact", one),
    ):
        yield ask_pair(source, asked, first, second, told)


def _wordings(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    for number, told in enumerate(source.edit.wordings[1:], 2):
        for shown in ("exact", "source"):
            yield ask_score(source, asked, shown, "alignment", told, f"wording {number}/{shown}")


def _frames(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    """Yield what is shown in fewer and more, smaller and larger, and rougher stills."""
    policy = asked.policy
    alone = ("frozen",) if source.edit.is_motion else ()
    for count in counts_of(policy):
        if count != policy.count:
            other = AskedAs(asked.form, replace(policy, count=count))
            for shown in ("exact", "source", *alone):
                yield ask_score(source, other, shown, "alignment", name=f"frames {count}/{shown}")
    rough = replace(policy, packing="jpeg", quality=LOW_QUALITY)
    shapes = {f"side {side}": replace(policy, side=side) for side in sides_of(policy)}
    for name, shape in {**shapes, f"jpeg {LOW_QUALITY}": rough}.items():
        if shape != policy:
            for shown in ("exact", "source"):
                told = AskedAs(asked.form, shape)
                yield ask_score(source, told, shown, "alignment", name=f"{name}/{shown}")


def repeated(source: AuditSource, asked: AskedAs) -> Iterator[AuditQuestion]:
    """Yield what is asked again about a source, when all else was asked."""
    for number in AGAIN:
        for shown in dict.fromkeys((source.exact, "source")):
            first = ask_score(source, asked, shown, "alignment", name=f"again {number}/{shown}")
            yield first._replace(again=number)


def ask_score(
    source: AuditSource, asked: AskedAs, shown: str, question: str,
    told: str = "", name: str = "", prompt: str = "",
) -> AuditQuestion:  # fmt: skip
    """Return a question of a scoring; told, prompt: of another edit than that of the source."""
    what = QUESTIONS[question]
    stills = source.stills(shown, asked.policy, what.sees_source)
    if not (told or prompt):
        told = source.edit.wordings[0]
    parts = pointwise(what, asked.form, stills, told or None, prompt or source.edit.prompt)
    return AuditQuestion(name or f"{shown}/{question}", tuple(parts))


def ask_choice(
    source: AuditSource, asked: AskedAs, shown: str, name: str,
    text: str, end: str, options: Sequence[str],
) -> AuditQuestion:  # fmt: skip
    """Return a question with some options about what is shown beside the source."""
    stills = source.stills(shown, asked.policy)
    words = "\n".join([wanted(source.edit.wordings[0], source.edit.prompt), text, end])
    return AuditQuestion(name, (*shown_with(stills), words), tuple(options))
