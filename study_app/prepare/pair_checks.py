"""Trials of the pairwise design whose answer is known: traps, gold and training.

Of two known clips one is better beyond doubt in some of the questions, and only those are checked.
"""

from collections.abc import Iterator

from dreamix.core.seeding import rng_for
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.prepare.known import Known
from study_app.prepare.media import Media
from study_app.prepare.traps import LEFT, RIGHT, Words
from study_app.spec.study import Study

# (better, worse) -> the questions in which nobody doubts it
PAIRS = {
    ("ideal", "shuffled"): ("alignment", "fidelity", "quality"),
    ("unedited", "shuffled"): ("fidelity", "quality"),
    ("ideal", "unedited"): ("alignment",),
}


def pair_check_items(
    study: Study, run: RunFolder, edits: list[Edit], media: Media, traps: list[Words]
) -> list[Item]:
    """Return the traps, gold and training trials of a pairwise study."""
    rng = rng_for("study checks", study.name, study.seed)
    order = [edits[i] for i in rng.permutation(len(edits))]
    known = Known(run, media)
    pairs = _askable(study, known.has_ideal(edits))
    items = [
        _known(study, known, "training", pairs, order[i % len(order)], i)
        for i in range(study.checks.training if pairs else 0)
    ]
    items += [
        _known(study, known, "gold", pairs, order[-1 - i % len(order)], i)
        for i in range(2 * study.checks.gold * len(pairs))
    ]
    return [*items, *_traps(study, known, order, traps)]


def _askable(study: Study, has_ideal: bool) -> list[tuple[str, str]]:
    """Return the pairs that the run can make and that differ in what the study asks."""
    return [
        pair
        for pair, axes in PAIRS.items()
        if (has_ideal or "ideal" not in pair) and set(axes) & set(study.questions)
    ]


def _known(
    study: Study, known: Known, kind: str, pairs: list[tuple[str, str]], edit: Edit, number: int
) -> Item:
    """Return a trial of two known clips; each pair in turn, and each on both sides."""
    round_, which = divmod(number, len(pairs))
    pair, side = pairs[which], LEFT if (round_ + which) % 2 == 0 else RIGHT
    shown = pair if side == LEFT else pair[::-1]
    expected = {str(axis): side for axis in PAIRS[pair] if axis in study.questions}
    clips = (known.clip(kind, shown[0], edit), known.clip(kind, shown[1], edit))
    return known.item(study, edit, kind, " ".join((*shown, str(number))), clips, expected)


def _traps(study: Study, known: Known, order: list[Edit], traps: list[Words]) -> Iterator[Item]:
    """Give pairs into both clips of which, after a real start, an answer is written."""
    for words in traps:
        edit = order[(LEFT, RIGHT).index(words.expected) % len(order)]
        first, second = (known.trap(method, edit, words) for method in study.methods[:2])
        asked = {str(axis): words.expected for axis in study.questions}
        what, language = str(words.expected), words.lettering.language
        yield known.item(study, edit, "trap", what, (first, second), asked, language=language)
